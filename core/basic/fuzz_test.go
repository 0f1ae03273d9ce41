package basic_test

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/basic"
)

// FuzzParse: no header makes Parse panic, and what it takes for a credential is
// the base64 of it, in the one spelling that encoders give.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"Basic dTpw", "basic dTpw", "Basic  dTpw", "Basic dTpx=", "Basic dTp\nw", "Basic Og==", "Basic", "Basic dTo=", "Basic w7w6w7w=", "Bearer a"} {
		f.Add(seed)
	}
	s := basic.New(basic.Config{Keys: core.Keys(core.Key{Name: "k", ID: "u", Secret: core.NewSecret("p")})})
	f.Fuzz(func(t *testing.T, value string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header = http.Header{"Authorization": {value}}
		var c core.Credential
		if s.Parse(r, &c) != nil {
			return
		}
		user, password, ok := r.BasicAuth()
		if !ok || c.KeyID != user || c.Signature != password || user == "" || password == "" || c.SignsRequest ||
			value[5:] != " "+base64.StdEncoding.EncodeToString([]byte(user+":"+password)) {
			t.Errorf("%q is read as %q, %q", value, c.KeyID, c.Signature)
		}
	})
}
