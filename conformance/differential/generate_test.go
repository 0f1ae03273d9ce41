package differential_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
)

// generate returns a message for a world, and its kind: the type of the key, the form
// of the credential and who signed.
func (d dice) generate(w *world) (raw []byte, kind string) {
	m, signer := d.honest(w)
	changed := ""
	switch d.IntN(10) {
	case 0, 1, 2, 3:
	case 4:
		other, _ := d.honest(w)
		m, changed = d.compose(m, other), ", changed"
	default:
		for ok := true; ok; ok = d.one(3) {
			pick(d, mutations).apply(d, m)
		}
		changed = ", changed"
	}
	form := "header"
	if !m.has("Authorization") {
		form = "query"
	}
	if w.config.CredentialHeader != "" {
		d.move(m)
	}
	raw = m.raw()
	if d.one(12) {
		raw, changed = d.mutateBytes(raw), ", changed"
	}
	return raw, fmt.Sprintf("%s, %s, %s%s", w.key.typ, form, signer, changed)
}

// move gives the credential the header of the verifiers that read it there, mostly, and
// leaves or adds what clients send in Authorization.
func (d dice) move(m *message) {
	if d.one(8) {
		return
	}
	for i := range m.lines {
		if strings.EqualFold(m.lines[i].name, "Authorization") {
			m.lines[i].name = pick(d, []string{movedTo, movedTo, "x-backend-sign", "X-BACKEND-SIGN"})
		}
	}
	switch {
	case d.one(3):
		m.insert(d, line{"Authorization", " Bearer of-the-client"})
	case d.one(6):
		m.insert(d, line{pick(d, []string{"X_Backend-Sign", "X-Backend_Sign", movedTo}), " x"})
	case d.one(8):
		m.insert(d, line{"Connection", " x-backend-sign"})
	}
}

// honest returns a signed message and who signed it.
func (d dice) honest(w *world) (*message, string) {
	if d.one(5) {
		if m := d.signedByVendor(w); m != nil {
			return m, "SDK"
		}
	}
	return d.draft(w), "own signer"
}

// trustBasic sends a right password to every verifier, so that none throttles the wrong ones.
func trustBasic(t testing.TB, worlds []*world) {
	for _, w := range worlds {
		for _, k := range keys {
			if k.typ != "basic" {
				continue
			}
			m := &message{method: "GET", path: "/", version: "HTTP/1.1", lines: []line{{"Host", " api.example.com"}}}
			(&credential{key: k, signWith: k.secret}).sign(m)
			for _, address := range []string{remote, "127.0.0.1:1"} { // the latter is that of messages over sockets
				r, err := read(m.raw())
				if err != nil {
					t.Fatal(err)
				}
				r.RemoteAddr = address
				w.verifier.Admit(nil, r, core.BodyForHandler)
			}
		}
	}
}
