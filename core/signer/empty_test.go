package signer_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/signer"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

// TestEmptyBodies_T174: a body that turns out to be empty is sent with its length, as
// verifiers want it, by a client and through the gateway.
func TestEmptyBodies_T174(t *testing.T) {
	v := testkit.New(t, core.Config{Environment: "test", Schemes: []core.Scheme{apig.New(apig.Config{Keys: core.Keys(key)})}, Default: "k"})
	backend := httptest.NewServer(nethttp.Middleware(v)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	defer backend.Close()
	target, err := url.Parse(backend.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, payload := range []core.Payload{core.PayloadHashed, core.PayloadDeclared} {
		s := apig.NewSigner(key, apig.SignOptions{Payload: payload})
		gateway := httptest.NewServer(signer.NewGateway(target, &signer.Transport{Signer: s}))
		for name, x := range map[string]struct {
			url       string
			transport http.RoundTripper
		}{"Transport": {backend.URL, &signer.Transport{Signer: s}}, "NewGateway": {gateway.URL, http.DefaultTransport}} {
			r, err := http.NewRequest("POST", x.url+"/orders", io.NopCloser(strings.NewReader("")))
			if err != nil {
				t.Fatal(err)
			}
			r.ContentLength = -1
			answer, err := x.transport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if answer.StatusCode != http.StatusOK {
				t.Errorf("%s, %v: got %d, want 200", name, payload, answer.StatusCode)
			}
		}
		gateway.Close()
	}
}
