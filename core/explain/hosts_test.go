package explain_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/explain"
)

func hosts(entries ...string) func(*core.Config) {
	return func(c *core.Config) { c.Hosts = entries }
}

// forHost is a request that k1 has signed for a host.
func forHost(t *testing.T, host string) *http.Request {
	t.Helper()
	r := signed(t, k1, "GET", "/v1/items", "", apig.SignOptions{})
	r.Host, r.Body, r.ContentLength = host, http.NoBody, 0
	if err := apig.NewSigner(k1, apig.SignOptions{}).Sign(r, sha(""), instant); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestHosts_T183: the operator reads for which host a request was signed, and
// which are listed.
func TestHosts_T183(t *testing.T) {
	x, err := explain.Explain(forHost(t, "service-a.internal"), config(hosts("api.example.com", "*.internal:8443")), explain.Hints{})
	if err != nil {
		t.Fatal(err)
	}
	if x.Code != core.CodeHostNotOurs || len(x.Causes) != 1 || x.Causes[0].Cause != explain.CausePolicy || !x.Causes[0].Proven ||
		!strings.Contains(x.Causes[0].Detail, "service-a.internal") || !strings.Contains(x.Causes[0].Detail, "api.example.com, *.internal:8443") {
		t.Errorf("got %s", x)
	}
	// Beside another cause.
	r := forHost(t, "service-a.internal")
	r.RequestURI = "/items"
	x, err = explain.Explain(r, config(hosts("api.example.com")), explain.Hints{Prefixes: []string{"/v1"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(x.Causes) != 2 || x.Causes[0].Cause != explain.CausePrefix || !strings.Contains(x.Causes[1].Detail, "service-a.internal") {
		t.Errorf("got %s", x)
	}
	x, err = explain.Explain(forHost(t, "api.example.com"), config(hosts("api.example.com")), explain.Hints{})
	if err != nil || !x.Accepted() {
		t.Errorf("got %s, %v", x, err)
	}
}
