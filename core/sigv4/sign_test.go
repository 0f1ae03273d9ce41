package sigv4_test

import (
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/signer"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

var _ signer.Signer = (*sigv4.Signer)(nil)

// TestSignedIsVerified sends what the package signs over a socket: every
// combination of algorithm, path rule, payload, token and form.
func TestSignedIsVerified(t *testing.T) {
	for _, algorithm := range []string{sigv4.Algorithm, sigv4.AlgorithmA} {
		for _, paths := range []sigv4.Paths{sigv4.Normalized, sigv4.S3} {
			for _, service := range []string{"execute-api", "s3"} {
				for _, token := range []string{"", "temporary//+="} {
					t.Run(fmt.Sprint(algorithm, " ", paths, " ", service, " ", token), func(t *testing.T) {
						key := testKey()
						key.Service, key.SessionToken = service, core.NewSecret(token)
						roundTrips(t, algorithm, paths, key)
					})
				}
			}
		}
	}
}

// roundTrips sends requests with every payload, signed in a header and in the query.
func roundTrips(t *testing.T, algorithm string, paths sigv4.Paths, key core.Key) {
	var scheme core.Scheme = sigv4.New(sigv4.Config{Keys: core.Keys(key), Paths: paths})
	newSigner := sigv4.NewSigner
	if algorithm == sigv4.AlgorithmA {
		scheme, newSigner = sigv4.NewA(sigv4.ConfigA{Keys: core.Keys(key), Paths: paths}), sigv4.NewSignerA
	}
	v := environment(t, scheme, allowPresigned, allowUnsigned, func(c *core.Config) { c.Now = nil })
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer core.Release(r)
		id, err := v.Verify(r)
		if err != nil {
			fmt.Fprint(w, err)
			return
		}
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s", id.Key(), body)
	}))
	t.Cleanup(server.Close)
	for _, payload := range []core.Payload{0, core.PayloadHashed, core.PayloadDeclared, core.PayloadUnsigned} {
		s := newSigner(key, sigv4.SignOptions{Paths: paths, Payload: payload, Headers: []string{"Content-Type", "x-note"}})
		for _, presigned := range []bool{false, true} {
			if got, want := roundTrip(t, s, server.URL, presigned), "k4 "+amount; got != want {
				t.Errorf("%v, presigned %v: got %s, want %s", payload, presigned, got, want)
			}
		}
	}
}

const amount = `{"amount":100}`

// roundTrip returns the answer to a request that s has signed.
func roundTrip(t *testing.T, s *sigv4.Signer, url string, presigned bool) string {
	t.Helper()
	r, err := http.NewRequest("PUT", url+"/v1/a%2Bb%20c/?b=2&a=x%20y&a=&q=%2F+z", strings.NewReader(amount))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Amz-Meta", "signed")
	r.Header["X-Note"] = []string{" two  blanks", "and\ttab "}
	client := &http.Client{Transport: &signer.Transport{Signer: s}}
	if presigned {
		client = http.DefaultClient
		testkit.Sign(testkit.Presigner{Signer: s}, r, amount, time.Now())
	}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestSignedByTheSpecification: the package's signer writes what the tests' own
// does.
func TestSignedByTheSpecification(t *testing.T) {
	r := httptest.NewRequest("GET", "/v1/items", nil)
	r.Host, r.RequestURI = "api.example.com", ""
	r.Header.Set("Authorization", "old")
	r.Header.Set("X-Amz-Security-Token", "old")
	if err := sigv4.NewSigner(testKey(), sigv4.SignOptions{}).Sign(r, noBody, now()); err != nil {
		t.Fatal(err)
	}
	want := "AWS4-HMAC-SHA256 Credential=" + keyID + "/20260115/us-east-1/execute-api/aws4_request, " +
		"SignedHeaders=host;x-amz-date, Signature=8bebe40d96bd54623c6fe6da4ee1c541cf55b13eeb5b1d0c82dd5aa0b5d00013"
	if got := r.Header.Get("Authorization"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	r.Header.Del("X-Amz-Date")
	if err := sigv4.NewSigner(testKey(), sigv4.SignOptions{}).Presign(r, noBody, now(), time.Minute); err != nil {
		t.Fatal(err)
	}
	link := p4().presign("60").link()
	if got := "GET " + r.URL.RequestURI() + " HTTP/1.1"; got != link[:strings.Index(link, "\r\n")] {
		t.Errorf("got %s, want %s", got, link)
	}
}

// TestSignRefuses: requests that no verifier would accept are not signed, and
// stay as they are.
func TestSignRefuses(t *testing.T) {
	slash := testKey()
	slash.ID = "a/b"
	none := testKey()
	none.Region = ""
	for _, tt := range []struct {
		name    string
		key     core.Key
		options sigv4.SignOptions
		target  string
		expires time.Duration
	}{
		{"dot segment", testKey(), sigv4.SignOptions{}, "/a/../b", time.Minute},
		{"double slash", testKey(), sigv4.SignOptions{}, "/a//b", time.Minute},
		{"S3, encoded slash", testKey(), sigv4.SignOptions{Paths: sigv4.S3}, "/a%2Fb", time.Minute},
		{"id with a slash", slash, sigv4.SignOptions{}, "/", time.Minute},
		{"no region", none, sigv4.SignOptions{}, "/", time.Minute},
		{"expires at once", testKey(), sigv4.SignOptions{}, "/", 0},
		{"expires late", testKey(), sigv4.SignOptions{}, "/", 7*24*time.Hour + time.Second},
		{"expires between seconds", testKey(), sigv4.SignOptions{}, "/", 1500 * time.Millisecond},
		{"signed already", testKey(), sigv4.SignOptions{}, "/?x-amz-signature=a", time.Minute},
		{"signed twice already", testKey(), sigv4.SignOptions{}, "/?X-Amz-Date=a&X-Amz-Date=a", time.Minute},
	} {
		r := httptest.NewRequest("GET", tt.target, nil)
		r.RequestURI = ""
		before := r.URL.String()
		s := sigv4.NewSigner(tt.key, tt.options)
		if err := s.Presign(r, noBody, now(), tt.expires); err == nil || r.URL.String() != before {
			t.Errorf("%s: got %v, %v", tt.name, err, r.URL)
		}
		if tt.expires == time.Minute && !strings.Contains(tt.target, "?") {
			if err := s.Sign(r, noBody, now()); err == nil {
				t.Errorf("%s: signed in a header", tt.name)
			}
		}
	}
}

// TestNewHash: what is left unsigned is not hashed.
func TestNewHash(t *testing.T) {
	if sigv4.NewSigner(testKey(), sigv4.SignOptions{Payload: core.PayloadUnsigned}).NewHash() != nil {
		t.Error("a hash for an unsigned payload")
	}
	if sigv4.NewSigner(testKey(), sigv4.SignOptions{}).NewHash().Size() != sha256.Size {
		t.Error("another hash than SHA-256")
	}
}

// TestParsePaths: the names in the environments file.
func TestParsePaths(t *testing.T) {
	for text, want := range map[string]sigv4.Paths{"": sigv4.Normalized, "normalized": sigv4.Normalized, "s3": sigv4.S3} {
		if got, err := sigv4.ParsePaths(text); err != nil || got != want || text != "" && got.String() != text {
			t.Errorf("%q: got %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"S3", "raw", "normalised"} {
		if _, err := sigv4.ParsePaths(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

// TestCanonical: what expose_reason shows.
func TestCanonical(t *testing.T) {
	s := v4(testKey()).(core.Canonicalizer)
	r := httptest.NewRequest("GET", "/v1/items", nil)
	r.Host = "api.example.com"
	r.Header.Set("X-Amz-Date", date)
	c := core.Credential{Algorithm: "AWS4-HMAC-SHA256", Timestamp: date, Scope: p4().scope, SignedHeaders: "host;x-amz-date"}
	request, text, err := s.Canonical(r, &c, noBody)
	const want = `GET
/v1/items

host:api.example.com
x-amz-date:20260115T120000Z

host;x-amz-date
e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855`
	if err != nil || request != want || text != p4().stringToSign() {
		t.Errorf("got %q, %q, %v", request, text, err)
	}
}
