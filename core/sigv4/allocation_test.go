//go:build !race

package sigv4_test

import (
	"net/http/httptest"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
)

// TestAllocations: a request in the header form costs no memory
// of this package's own. (The race detector makes pools forget.)
func TestAllocations(t *testing.T) {
	key := testKey()
	s := v4(key)
	r := httptest.NewRequest("GET", "/v1/items?b=2&a=1", nil)
	r.Host = "api.example.com"
	if err := sigv4.NewSigner(key, sigv4.SignOptions{}).Sign(r, noBody, now()); err != nil {
		t.Fatal(err)
	}
	secrets := []core.Secret{key.Secret}
	got := testing.AllocsPerRun(100, func() {
		var c core.Credential
		if err := s.Parse(r, &c); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Verify(r, &c, &key, secrets, noBody); err != nil {
			t.Fatal(err)
		}
	})
	if got > 1 { // the credential, which core keeps
		t.Errorf("got %v allocations", got)
	}
}
