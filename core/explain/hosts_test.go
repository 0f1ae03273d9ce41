package explain_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/explain"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

func hosts(entries ...string) func(*core.Config) {
	return func(c *core.Config) { c.Hosts = entries }
}

// forHost returns a request for a host, signed with k1.
func forHost(host string) *http.Request {
	r := httptest.NewRequest("GET", "/v1/items", nil)
	r.Host, r.Body = host, http.NoBody
	return testkit.Sign(apig.NewSigner(k1, apig.SignOptions{}), r, "", instant)
}

// TestHosts_T183: the explanation has the host that was signed and the listed ones.
func TestHosts_T183(t *testing.T) {
	x := why(t, forHost("service-a.internal"), config(hosts("api.example.com", "*.internal:8443")), explain.Hints{})
	if x.Code != core.CodeHostNotOurs || len(x.Causes) != 1 || x.Causes[0].Cause != explain.CausePolicy || !x.Causes[0].Proven ||
		!strings.Contains(x.Causes[0].Detail, "service-a.internal") || !strings.Contains(x.Causes[0].Detail, "api.example.com, *.internal:8443") {
		t.Errorf("got %s", x)
	}
	// Together with another cause.
	r := forHost("service-a.internal")
	r.RequestURI = "/items"
	x = why(t, r, config(hosts("api.example.com")), explain.Hints{Prefixes: []string{"/v1"}})
	if len(x.Causes) != 2 || x.Causes[0].Cause != explain.CausePrefix || !strings.Contains(x.Causes[1].Detail, "service-a.internal") {
		t.Errorf("got %s", x)
	}
	x = why(t, forHost("api.example.com"), config(hosts("api.example.com")), explain.Hints{})
	if !x.Accepted() {
		t.Errorf("got %s", x)
	}
}
