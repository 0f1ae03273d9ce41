package explain_test

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/explain"
	"github.com/gatewayauth/gatewayauth/internal/needs"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
	"github.com/gatewayauth/gatewayauth/internal/vectors"
)

// TestVectors: an explanation has the verdict of the vector, and the canonical request that
// the verifier computes.
func TestVectors(t *testing.T) {
	testkit.EachVector(t, "../testdata/vectors", func(t *testing.T, file *vectors.File, v *vectors.Vector) {
		if v.Code == core.CodeReplayed || v.Code == core.CodeThrottled || v.Before != nil {
			t.Skip("the verdict depends on an earlier request")
		}
		var c core.Config
		judge, err := file.Judge(v, func(config *core.Config) { c = *config })
		if err != nil {
			t.Fatal(err)
		}
		defer judge.Close()
		x, err := explain.Explain(request(t, string(v.Request)), c, explain.Hints{MaxTries: needs.Rounds(100, 300)})
		if err != nil || x.Code != v.Code {
			t.Errorf("got %v, %v, want %s", x, err, v.Code)
		}
		if v.CanonicalRequest != "" && v.Code == "" && sorted(x.CanonicalRequest) != sorted(v.CanonicalRequest) &&
			!strings.Contains(x.CanonicalRequest, "[redacted]") && !strings.Contains(x.CanonicalRequest, `\`) {
			t.Errorf("got canonical request\n%s\nwant\n%s", x.CanonicalRequest, v.CanonicalRequest)
		}
	})
}

// FuzzExplain: for any request, an explanation has the verdict of the verifier, is bounded,
// and restores the body.
func FuzzExplain(f *testing.F) {
	f.Add([]byte(p1), "/v1", "a\nb")
	f.Add([]byte(strings.Replace(p1, "/v1/items", "/v1/%41;a//../x?a=%zz;&=&a=1+%20", 1)), "v1/", "api.example.com")
	f.Add([]byte(strings.Replace(p1, "GET", "POST", 1)+"body"), "%", "")
	f.Add([]byte(strings.Replace(p1, "\r\nHost: api.example.com", "\r\nHost: x\r\nX-Forwarded-Host: ,\"a\";\r\nForwarded: host=;host\r\nX-Original-Uri: ?\r\nForwarded: HOST=a", 1)), "?", "x")
	f.Add([]byte("POST /%2541%2F+?a=%2B&b&b= HTTP/1.1\r\nHost: h:1\r\nContent-Length: 7\r\nX-Amz-Date: 20260115T120000Z\r\nX-Amz-Content-Sha256: "+sha("x")+
		"\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260115/x/y/aws4_request, SignedHeaders=host;te;x-amz-content-sha256;x-amz-date, Signature="+sha("y")+"\r\n\r\n{\"a\":1}"), "/a", "h")
	f.Fuzz(func(t *testing.T, raw []byte, prefix, canonical string) {
		read := func() *http.Request {
			r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
			if err != nil {
				t.Skip()
			}
			return r
		}
		r, again := read(), read()
		c := backend(func(c *core.Config) { c.APIs = nil; c.MaxBody = 1000; c.Rewrite.AddPrefix = "/p" })
		v, err := core.New(c)
		if err != nil {
			t.Fatal(err)
		}
		x, err := explain.Explain(r, c, explain.Hints{Prefixes: []string{prefix}, Hosts: []string{prefix, canonical}, CanonicalRequest: canonical, MaxTries: 200})
		if err != nil {
			t.Fatal(err)
		}
		_, refusal := v.Verify(again)
		if x.Code != core.CodeOf(refusal) {
			t.Errorf("Explain returned code %q, Verify %q", x.Code, core.CodeOf(refusal))
		}
		if x.Tried > 200 {
			t.Errorf("tried %d", x.Tried)
		}
		for _, f := range x.Causes {
			if f.Proven && x.Code == core.CodeSignatureMismatch && bytes.Contains(raw, []byte(sha("y"))) {
				t.Errorf("cause for an invented signature: %+v", f)
			}
		}
		for _, b := range []byte(x.String()) {
			if b != '\n' && (b < ' ' || b > '~') {
				t.Fatalf("the text contains %q", b)
			}
		}
		left, err1 := io.ReadAll(r.Body)
		want, err2 := io.ReadAll(read().Body)
		if !bytes.Equal(left, want) || (err1 == nil) != (err2 == nil) {
			t.Errorf("%q (%v) is left of the body %q (%v)", left, err1, want, err2)
		}
	})
}

// BenchmarkExplain measures the whole search, for a request without a known cause.
func BenchmarkExplain(b *testing.B) {
	r := httptest.NewRequest("GET", "/v1/items?a=1", nil)
	r.Host = "api.example.com"
	apig.NewSigner(secret(k1, "a-secret-that-nobody-knows"), apig.SignOptions{}).Sign(r, sha(""), instant)
	c := config()
	for b.Loop() {
		explain.Explain(r, c, explain.Hints{})
	}
}

// sorted removes the order of the parameters from a canonical request: the vendors' signers
// sort in two ways, and the verifier shows the first.
func sorted(canonicalRequest string) string {
	lines := strings.Split(canonicalRequest, "\n")
	if len(lines) > 2 {
		pairs := strings.Split(lines[2], "&")
		slices.Sort(pairs)
		lines[2] = strings.Join(pairs, "&")
	}
	return strings.Join(lines, "\n")
}
