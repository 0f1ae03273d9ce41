package huawei_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/conformance/internal/wire"
	"github.com/gatewayauth/gatewayauth/core"
)

// The characters and lengths of a signature key (docs/protocols.md, "Signature keys").
const (
	alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	inID         = alphanumeric + "_-"
	inSecret     = alphanumeric + "_!@#$%-"
)

// TestManyKeys signs with keys of all lengths and characters. There are so many that some
// derived scalars and coordinates begin with zeros, which implementations of a curve may
// drop.
func TestManyKeys(t *testing.T) {
	r := request{method: "POST", path: "/v1/items", body: "ab", host: true}
	for _, a := range algorithms {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			random := wire.Seeded(t)
			for range 400 {
				id, secret := text(random, inID, 8, 32), text(random, inSecret, 16, 64)
				backend := wire.Start(t, policy(&r, a.scheme(core.Key{Name: "orders", ID: id, Secret: core.NewSecret(secret)})))
				accepted(t, backend, r.signed(t, a.sign, id, secret), r.sent(t))
				backend.Refuse(t, r.signed(t, a.sign, id, secret[1:]), core.CodeSignatureMismatch)
				if t.Failed() {
					t.Fatalf("with id %q, secret %q", id, secret)
				}
			}
		})
	}
}

// text returns least to most characters, the first of them alphanumeric.
func text(random *rand.Rand, characters string, least, most int) string {
	var b strings.Builder
	b.WriteByte(alphanumeric[random.IntN(len(alphanumeric))])
	for range least - 1 + random.IntN(most-least+1) {
		b.WriteByte(characters[random.IntN(len(characters))])
	}
	return b.String()
}
