package aescfb_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/aescfb"
	"github.com/gatewayauth/gatewayauth/core/signer"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

// TestSignerWorkedValue: the signer sends what the format says, letter for letter.
func TestSignerWorkedValue(t *testing.T) {
	for _, tt := range []struct {
		key  aescfb.Key
		omit bool
		want string
	}{
		{key128, false, signed("SDK-AES-128-CFB", "aes_key", signature128)},
		{key128, true, signed("SDK-AES-128-CFB", "", signature128)},
		{key256, true, signed("SDK-AES-256-CFB", "", signature256)},
	} {
		r := items(t, "stale")
		if err := aescfb.NewSigner(tt.key, aescfb.SignOptions{OmitAccess: tt.omit}).Sign(r, hexOfNothing, noon); err != nil {
			t.Fatal(err)
		}
		if got := r.Header.Get("Authorization"); got != tt.want {
			t.Errorf("got %s\nwant %s", got, tt.want)
		}
	}
	r := items(t, "stale")
	r.RequestURI = "/a/../b"
	if err := aescfb.NewSigner(key128, aescfb.SignOptions{}).Sign(r, hexOfNothing, noon); err == nil || r.Header.Get("Authorization") != "" {
		t.Errorf("a path that no verifier accepts: got %v", err)
	}
}

// TestTransport: what it signs verifies over real sockets, with every kind of
// payload and with headers and a query in any order.
func TestTransport(t *testing.T) {
	v := testkit.New(t, core.Config{Environment: "test", Schemes: []core.Scheme{both()}, Default: "aes_key_256",
		AllowUnsignedPayload: true})
	server := httptest.NewServer(nethttp.Middleware(v)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, _ := core.FromContext(r.Context())
		body, _ := io.ReadAll(r.Body)
		io.WriteString(w, strings.Join(id.SignedHeaders(), ";")+" "+id.Payload().String()+" "+string(body))
	})))
	defer server.Close()
	for _, tt := range []struct {
		options aescfb.SignOptions
		want    string
	}{
		{aescfb.SignOptions{}, "host;x-sdk-date hashed text"},
		{aescfb.SignOptions{Headers: []string{"X-Tenant"}}, "host;x-sdk-date;x-tenant hashed text"},
		{aescfb.SignOptions{Payload: core.PayloadDeclared}, "host;x-sdk-content-sha256;x-sdk-date declared text"},
		{aescfb.SignOptions{Payload: core.PayloadUnsigned}, "host;x-sdk-content-sha256;x-sdk-date unsigned text"},
	} {
		client := &http.Client{Transport: &signer.Transport{Signer: aescfb.NewSigner(key256, tt.options)}}
		r, err := http.NewRequest("POST", server.URL+"/v1/a%20b//?b=2&a=1&a-=0&a%2F=0", strings.NewReader("text"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Tenant", " blue ")
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if answer.StatusCode != 200 || string(body) != tt.want {
			t.Errorf("got %d %q, want 200 %q", answer.StatusCode, body, tt.want)
		}
	}
}

// FuzzSignVerify: what is signed verifies, and no longer when the target changes.
func FuzzSignVerify(f *testing.F) {
	f.Add("/v1/items", "a=1&b=")
	f.Add("/a%20b//", "a+b=%2F&-=1")
	f.Fuzz(func(t *testing.T, path, query string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Host, r.RequestURI = "api.example.com", path+"?"+query
		if err := aescfb.NewSigner(key128, aescfb.SignOptions{}).Sign(r, hexOfNothing, noon); err != nil {
			return
		}
		v := verifier(t, "aes_key", both())
		_, err := v.Verify(r)
		if code := core.CodeOf(err); code != "" && code != core.CodeRequestAmbiguous {
			t.Fatalf("%q: %v", r.RequestURI, err)
		}
		r.RequestURI = "/x" + r.RequestURI
		if _, err := v.Verify(r); err == nil {
			t.Errorf("%q was signed without /x", r.RequestURI)
		}
	})
}
