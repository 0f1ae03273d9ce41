package explain_test

import (
	"encoding/json"
	"testing"

	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// The fixture of testkit, under short names.
var (
	instant      = testkit.Now()
	k1, k2, user = testkit.K1, testkit.K2, testkit.User
	hmacScheme   = testkit.HMAC
	config       = testkit.Policy
	request      = testkit.Received
	signed       = testkit.SignedBy
)

const p1 = testkit.P1

func jsonText(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
