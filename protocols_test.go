package gatewayauth_test

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/basic"
	"github.com/gatewayauth/gatewayauth/internal/needs"
)

// TestProtocolValues recomputes every worked value of docs/protocols.md from the requests,
// canonical requests and strings to sign that stand in the document, with the standard
// library's crypto (SM2 and SM3 with gmsm), and has the verifier accept the requests. A
// digest, key or signature that no computation leads to is an error, and so is an example
// that no computation reads.
func TestProtocolValues(t *testing.T) {
	for _, fault := range faultsOfProtocols(read(t, "docs/protocols.md")) {
		t.Error(fault)
	}
}

// TestProtocolValuesNoticeChanges: with a digit of any hexadecimal number changed, or a
// character of any line of an example, the document is found to be wrong.
func TestProtocolValuesNoticeChanges(t *testing.T) {
	needs.Long(t) // changes each value
	text := read(t, "docs/protocols.md")
	tried := 0
	for _, changed := range slices.Concat(longHex.FindAllStringIndex(text, -1), exampleLines(text)) {
		tried++
		at := changed[0] + tried%(changed[1]-changed[0])
		digit := "0"
		if text[at] == '0' {
			digit = "1"
		}
		if len(faultsOfProtocols(text[:at]+digit+text[at+1:])) == 0 {
			t.Errorf("nothing notices another character at %d of %q", at-changed[0], text[changed[0]:changed[1]])
		}
	}
	if tried < 150 {
		t.Errorf("only %d changes were tried", tried)
	}
}

// exampleLines returns where the lines of examples are in text.
func exampleLines(text string) (found [][]int) {
	at := 0
	for _, s := range newDocument(text).sections {
		for _, example := range s.examples {
			for line := range strings.FieldsFuncSeq(example, func(c rune) bool { return c == '\n' }) {
				at += strings.Index(text[at:], " "+line+"\n") + 1
				found = append(found, []int{at, at + len(line)})
			}
		}
	}
	return found
}

func faultsOfProtocols(text string) []string {
	d := newDocument(text)
	for _, worked := range []struct {
		heading string
		check   func(*document, *section)
	}{
		{"Notation", func(_ *document, s *section) { s.value("H of the empty string", digest(sha256.New, "")) }},
		{"SDK canonical path", workedSDKPaths},
		{"SDK canonical query", workedSDKQueries},
		{"Flat key", workedFlatKey},
		{"Scoped key", workedScopedKey},
		{"V11", workedV11},
		{"SM3", workedSM3},
		{"Key pair from a secret", workedKeyPairs},
		{"AES profile 1", workedAES},
		{"SigV4 canonical path", workedSigV4Paths},
		{"SigV4 canonical query", workedSigV4Queries},
		{"SigV4 signature", workedSigV4},
		{"SigV4a", workedSigV4a},
		{"Basic", workedBasic},
	} {
		d.check(worked.heading, worked.check)
	}
	d.requireAllRead()
	return d.faults
}

// What the worked values share (docs/protocols.md, Notation).
type shared struct{ id, secret, timestamp, host string }

func (d *document) shared(s *section) shared {
	n := d.section("Notation")
	return shared{n.cells("key id")[0], n.cells("secret")[0], n.cells("timestamp")[0], n.cells("host")[0]}
}

func (d shared) day() string { return d.timestamp[:8] }

// flat and scoped are what keys of the worked values are found in. A key that has a scope is
// of no use to a scheme without one.
func (d shared) flat() core.KeySource   { return core.Keys(key(d.id, d.secret, "", "")) }
func (d shared) scoped() core.KeySource { return core.Keys(key(d.id, d.secret, "cn-north-4", "apig")) }

func key(id, secret, region, service string) core.Key {
	return core.Key{Name: "k", ID: id, Secret: core.NewSecret(secret), Region: region, Service: service}
}

func workedBasic(d *document, s *section) {
	user, password := s.quote("basicuser"), s.quote("basic-pass-123")
	encoded := base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
	s.equal("credential", s.example(), "Authorization: Basic "+encoded)
	with := d.shared(s)
	s.accepts(basic.New(basic.Config{Keys: core.Keys(key(user, password, "", ""))}), with.timestamp, encoded,
		wire("GET / HTTP/1.1\nHost: "+with.host+"\nAuthorization: Basic "+encoded, ""))
}
