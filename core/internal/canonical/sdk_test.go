package canonical_test

import (
	"net/http/httptest"
	"testing"

	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
)

// TestBuildSDKForms compares the whole in the other forms: white space inside
// values collapsed (PROTOCOLS section 1.2), values sorted after that, and the
// signature left out of the query by its decoded name.
func TestBuildSDKForms(t *testing.T) {
	r := httptest.NewRequest("GET", "/v1?X-%53ignature=1&z=1&X-Signature=2&x-signature=3&a", nil)
	r.Host = "h"
	r.Header["X-A"] = []string{"  b \t c  d ", "b  a", "plain"}
	r.Header["X-B"] = []string{" a\tb "}
	m := canonical.NewMessage()
	defer m.Free()
	_, err := m.BuildSDK(r, "host;x-a;x-b", "PAYLOAD", canonical.ByDecoded, canonical.SDKForm{Collapse: true, Without: "X-Signature"})
	const want = `GET
/v1/
a=&x-signature=3&z=1
host:h
x-a:b a
x-a:b c d
x-a:plain
x-b:a b

host;x-a;x-b
PAYLOAD`
	if err != nil || string(m.Request) != want {
		t.Errorf("got %q, %v", m.Request, err)
	}
	if r.Header["X-A"][1] != "b  a" {
		t.Error("the request was changed")
	}
}
