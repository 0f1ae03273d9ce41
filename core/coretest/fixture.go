package coretest

import (
	"log/slog"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/basic"
)

// The fixture is one environment at one instant, with these keys and bindings.
const (
	host        = "api.example.com"
	environment = "prod"
	today       = "20260115T120000Z"
	maxBody     = 12 << 20

	p1Signature = "cb3128d2ea5ec59f2d17b821e4d9f2b89ebab00480e3cdcef7a73963f66bf868"
	p2Signature = "0498b4c814b625bfeb2064ba494f5e54b5f785b2792f25115a13fc559986f936"
)

var (
	// k1 is the default key.
	k1 = signingKey{name: "orders_key", id: "AKTESTAKTEST0001", secret: "sktest-0123456789abcdef0123456789abcdef"}
	// k7 is bound to /partner/: the key of another API.
	k7 = signingKey{name: "partner_key", id: "AKTESTAKTEST0007", secret: "sktest-fedcba9876543210fedcba9876543210"}
	// k1t is k1 in another environment, where it has another secret.
	k1t = signingKey{name: "orders_key", id: k1.id, secret: "sktest-00000000111111112222222233333333"}
	// k2 is a Basic key, bound to /basic/.
	k2 = signingKey{name: "basic_key", id: "basicuser", secret: "basic-pass-123"}
)

// secretTexts must not appear in a log, a response or a formatted value: the secrets, the
// credential of k2, and the start of a string to sign, also as escaped by JSON.
var secretTexts = []string{
	k1.secret, k7.secret, k1t.secret, k2.secret,
	"YmFzaWN1c2VyOmJhc2ljLXBhc3MtMTIz", `SDK-HMAC-SHA256\n2026`,
}

func now() time.Time { return time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC) }

func (k signingKey) key() core.Key {
	return core.Key{Name: k.name, ID: k.id, Secret: core.NewSecret(k.secret)}
}

// fixture returns the policy that every case starts from.
func fixture(logger *slog.Logger, observer core.Observer) core.Config {
	return core.Config{
		Environment: environment,
		Schemes: []core.Scheme{
			apig.New(apig.Config{Keys: core.Keys(k1.key(), k7.key())}),
			basic.New(basic.Config{Keys: core.Keys(k2.key()), Now: now}),
		},
		APIs: []core.API{
			{Match: "/partner/", Key: k7.name},
			{Match: "/basic/", Key: k2.name},
			{Match: "/upload", Key: k1.name, AllowUnsignedPayload: true},
			{Match: "GET /health", Open: true},
			{Match: "OPTIONS /{$}", Open: true},
		},
		Default:   k1.name,
		Now:       now,
		Logger:    logger,
		Observers: []core.Observer{observer},
	}
}

// Changes to the fixture that more than one table uses.

// nothingRequired requires no signed headers, not even host.
func nothingRequired(c *core.Config) { c.RequireSigned = []string{} }

// reportOnly sets report mode.
func reportOnly(c *core.Config) { c.Mode = core.Report }

// otherKeysOnly removes k1: its id and secret exist in another environment only.
func otherKeysOnly(c *core.Config) {
	onlyKey(c, core.Keys(k7.key()))
	c.Default = k7.name
}
