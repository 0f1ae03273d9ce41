package basic_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/basic"
)

// TestSigner is that a signer sends what its scheme accepts, or nothing: a user name with a
// colon would be read as another one.
func TestSigner(t *testing.T) {
	for _, id := range []string{"basicuser", "", "basic:user", ":"} {
		for _, secret := range []string{"basic-pass-123", "a:b", ""} {
			r := httptest.NewRequest("GET", "/v1/items", nil)
			err := basic.NewSigner(core.Key{ID: id, Secret: core.NewSecret(secret)}).Sign(r, "", time.Time{})
			user, password, sent := r.BasicAuth()
			switch possible := id != "" && !strings.Contains(id, ":") && secret != ""; {
			case (err == nil) != possible || sent != possible:
				t.Errorf("%q, %q: got %v, sent %v", id, secret, err, sent)
			case possible && (user != id || password != secret):
				t.Errorf("%q, %q is read as %q, %q", id, secret, user, password)
			}
		}
	}
	r := httptest.NewRequest("GET", "/v1/items", nil)
	r.Header.Set("X-Http-Method-Override", "DELETE")
	if err := basic.NewSigner(gateway).Sign(r, "", time.Time{}); err == nil || r.Header.Get("Authorization") != "" {
		t.Errorf("a header that changes the method: got %v", err)
	}
}
