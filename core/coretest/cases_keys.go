package coretest

import (
	"slices"
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/basic"
)

// called returns P1 with another key id.
func called(id string) row {
	return row{"Access=" + printableTarget(id), authorized(hmacFields(id, plain, p1Signature))}
}

func keyCases() []testCase {
	partner := p1().to("/partner/items")
	return slices.Concat(
		rows("T079", unknownKey, called("NOPE"), called("a/b"), called("*"), called("%0A"), called("\xff\xfe"), called("__proto__"), called("orders_key")),
		rows("T079", malformed, row{"an id of ten thousand bytes", called(strings.Repeat("A", 10<<10)).send}, called("")),
		rows("T080", unknownKey, called("aktestaktest0001"), called(k1.id+"\x80"), called(k1.id[:15])),
		rows("T081", mismatch, row{"the key's id with the secret of another environment", k1t.sign(p1(), plain)}),
		under(otherKeysOnly, rows("T081", unknownKey, row{"a key of another environment", p1()})),
		rows("T082", accepted, row{"headers that name another environment", p1().with("X-Stage: TEST", "X-Apig-Env: test")}),
		[]testCase{{name: "T083 an id that occurs twice is refused at start", script: twiceTheID}},
		under(rotated, slices.Concat(
			rows("F12", accepted,
				row{"the current secret", k1.sign(p1(), plain)},
				row{"the previous secret while it is accepted", k1t.sign(p1(), plain)}),
			rows("F12", mismatch, row{"a previous secret that has expired", ended.sign(p1(), plain)}))),
		under(temporary, slices.Concat(
			rows("D02", accepted, row{"a temporary key with its token, signed", withToken(k7.secret, tokenList)}),
			rows("D02", mismatch,
				row{"a temporary key without its token", k1.sign(p1(), plain)},
				row{"a temporary key with its token unsigned", withToken(k7.secret, plain)},
				row{"a temporary key with another token", withToken("another", tokenList)},
				row{"a temporary key with an empty token", withToken("", tokenList)},
				row{"a temporary key with two tokens", k1.sign(p1().with("X-Security-Token: "+k7.secret, "X-Security-Token: x"), tokenList)}))),
		under(failing, rows("F15", refused(core.CodeUnavailable), row{"a key source that panics with a secret", p1()})),
		under(behindProxy, slices.Concat(
			rows("D03", verdict{payload: core.PayloadHashed, hostReplaced: true},
				row{"signed for the request before the proxy's change", k1.sign(p1().to("/gw/v1/items").set("Host", "gw.internal"), plain).to("/v1/items").set("Host", host)}),
			rows("D03", mismatch,
				row{"signed for the request after the proxy's change", p1()},
				row{"signed for the request before the change, and sent unchanged", k1.sign(p1().to("/gw/v1/items").set("Host", "gw.internal"), plain)}))),
		rows("D01", refused(core.CodeKeyNotBound),
			row{"correctly signed with another API's key", k7.sign(p1(), plain)},
			row{"the default key on an API that is bound to another key", k1.sign(partner, plain)}),
		rows("D01", mismatch, row{"wrongly signed with another API's key", k1t.signedBy(k7.id, p1())}),
		rows("D01", verdict{key: k7, payload: core.PayloadHashed}, row{"the bound key", k7.sign(partner, plain)}),
	)
}

const tokenList = "host;x-sdk-date;x-security-token"

func withToken(token, list string) message {
	return k1.sign(p1().with("X-Security-Token: "+token), list)
}

// ended is k1 with a secret that is no longer accepted.
var ended = signingKey{name: k1.name, id: k1.id, secret: "sktest-99999999888888887777777766666666"}

// onlyKey changes the fixture to one source of HMAC keys.
func onlyKey(c *core.Config, keys core.KeySource) {
	c.Schemes = []core.Scheme{apig.New(apig.Config{Keys: keys}), c.Schemes[1]}
	c.APIs = nil
}

func rotated(c *core.Config) {
	key := k1.key()
	key.Previous = []core.PreviousSecret{{Secret: core.NewSecret(ended.secret), Until: now()}, {Secret: core.NewSecret(k1t.secret), Until: now().Add(1)}}
	onlyKey(c, core.Keys(key))
}

func temporary(c *core.Config) {
	key := k1.key()
	key.SessionToken = core.NewSecret(k7.secret)
	onlyKey(c, core.Keys(key))
}

func failing(c *core.Config) { onlyKey(c, (*source)(nil)) }

func behindProxy(c *core.Config) { c.Rewrite = core.Rewrite{AddPrefix: "/gw", Host: "gw.internal"} }

// signedBy signs with k's secret and another id.
func (k signingKey) signedBy(id string, m message) message {
	k.id = id
	return k.sign(m, plain)
}

func twiceTheID(b *bench) {
	again := core.Key{Name: "again", ID: k1.id, Secret: core.NewSecret("another-secret-000")}
	for name, schemes := range map[string][]core.Scheme{
		"in one scheme":  {apig.New(apig.Config{Keys: core.Keys(k1.key(), again)})},
		"in two schemes": {apig.New(apig.Config{Keys: core.Keys(k1.key())}), basic.New(basic.Config{Keys: core.Keys(again)})},
	} {
		c := fixture(b.records.logger(), &b.events)
		c.APIs, c.Schemes = nil, schemes
		v, err := core.New(c)
		if v != nil || err == nil || !strings.Contains(err.Error(), k1.id) {
			b.Errorf("New with an id twice %s: got error %v, want one that names the id", name, err)
		}
	}
}

// A key is valid for its own scheme only, also if the signature of another scheme is
// correct.
func schemeCases() []testCase {
	return slices.Concat(
		rows("T084", otherScheme,
			row{"the hmac key as a Basic user", p1().set("Authorization", basicAuth(k1.id+":"+k1.secret))},
			row{"the Basic user as an hmac key", k2.sign(p1(), plain)},
			row{"the Basic user as an hmac key of its API", k2.sign(p1().to("/basic/x"), plain)}),
		rows("T085", otherScheme,
			row{"scoped", scopedForm()},
			row{"V11", v11Form()},
			row{"AWS4", aws4Form()}),
	)
}

// onBasic returns a request with an Authorization value for the API of the Basic key.
func onBasic(value string) message { return p1().to("/basic/x").set("Authorization", value) }

func basicCases() []testCase {
	right := basicAuth(k2.id + ":" + k2.secret)
	encoded := strings.TrimPrefix(right, "Basic ")
	as := func(credential string) message { return onBasic(basicAuth(credential)) }
	throttled := refused(core.CodeThrottled)
	return slices.Concat(
		rows("T165", basicAllowed,
			row{"the right password", onBasic(right)},
			row{"basic in lower case", onBasic("basic " + encoded)},
			row{"the right password with a body", p2().to("/basic/x").set("Authorization", right)}),
		rows("T165", malformed,
			row{"a colon alone, Og==", onBasic("Basic Og==")},
			row{"no colon", as("basicuser")},
			row{"no password", as("basicuser:")},
			row{"no user", as(":" + k2.secret)},
			row{"a line break within", onBasic("Basic " + encoded[:8] + "\r\n " + encoded[8:])},
			row{"no padding", onBasic("Basic " + strings.TrimRight(basicAuth("basicuser:basic-pass-12")[6:], "="))},
			row{"padding that is not canonical", onBasic("Basic dTpwYQ==" + "=")},
			row{"trailing bits that are not zero", onBasic("Basic dTpwYR==")},
			row{"two spaces", onBasic("Basic  " + encoded)},
			row{"a tab", onBasic("Basic\t" + encoded)},
			row{"nothing", onBasic("Basic")},
			row{"an equals sign", onBasic("Basic =")}),
		rows("T165", malformed.orServer(431), row{"a million bytes", as(strings.Repeat("u", 1<<20) + ":p")}),
		rows("T165", unknownKey,
			row{"a user in UTF-8", as("bäsicuser:" + k2.secret)},
			row{"a user in Latin-1", as("b\xe4sicuser:" + k2.secret)},
			row{"a user of another environment", as("testuser:" + k2.secret)},
			row{"a user in upper case", as("BASICUSER:" + k2.secret)}),
		rows("T165", mismatch,
			row{"the first part of the password", as("basicuser:basic-pass")},
			row{"the password and more", as("basicuser:" + k2.secret + "4")},
			row{"the password in upper case", as("basicuser:" + strings.ToUpper(k2.secret))}),
		rows("T165", refused(core.CodeKeyNotBound), row{"the right password on an API that is bound to another key", p1().set("Authorization", right)}),
		[]testCase{
			{name: "T165 guesses are throttled, and so is a right password after them", script: func(b *bench) {
				for range 10 {
					b.expect(as("basicuser:guess-guess"), mismatch)
				}
				b.expect(as("basicuser:guess-guess"), throttled)
				b.expect(onBasic(right), throttled)
			}},
			{name: "T165 guesses do not lock out a gateway that works", script: func(b *bench) {
				b.expect(onBasic(right), basicAllowed)
				for range 30 {
					b.expect(as("basicuser:guess-guess"), mismatch)
				}
				b.expect(onBasic(right), basicAllowed)
			}},
		},
	)
}
