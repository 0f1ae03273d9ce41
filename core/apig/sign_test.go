package apig_test

import (
	"encoding/hex"
	"net/http"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
)

// TestSignedKeysAreRead is that a scheme reads the same id, region and service from what a
// signer signs, whatever stands in them; what it could not read is refused. Without a scope
// the header has the id alone, so that all others sign.
func TestSignedKeysAreRead(t *testing.T) {
	ids, others := []string{"right", "", "a/b", "a b", "a,b"}, []string{"right", "", "a/b", "a b", "a,b"}
	for _, s := range schemes {
		for _, o := range options(s.presigned) {
			if o.Payload != core.PayloadHashed {
				continue
			}
			for n := range len(ids) * len(others) * len(others) {
				k := core.Key{Name: "k", ID: ids[n%5], Region: others[n/5%5], Service: others[n/25], Secret: core.NewSecret(keySecret)}
				r, err := http.NewRequest("GET", "http://api.example.com/v1/items", nil)
				if err != nil {
					t.Fatal(err)
				}
				signer := s.signer(k, o)
				name := func() string {
					return s.name + ", expires " + o.Expires.String() + ", id " + k.ID + ", region " + k.Region + ", service " + k.Service
				}
				if err := signer.Sign(r, hex.EncodeToString(signer.NewHash().Sum(nil)), instant); err != nil {
					if k.ID == "right" && k.Region == "right" && k.Service == "right" ||
						!s.scoped && o.Expires == 0 && (k.ID == "right" || k.ID == "a/b") {
						t.Errorf("%s: refused: %v", name(), err)
					}
					continue
				}
				r.RequestURI = r.URL.RequestURI()
				var c core.Credential
				err = s.scheme(apig.Config{Keys: core.Keys()}).Parse(r, &c)
				if err != nil || c.KeyID != k.ID || s.scoped && (c.Region != k.Region || c.Service != k.Service) {
					t.Errorf("%s: signed, and read as %q, %q, %q, %v", name(), c.KeyID, c.Region, c.Service, err)
				}
			}
		}
	}
}
