package huawei_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/conformance/internal/wire"
	"github.com/gatewayauth/gatewayauth/core"
)

// TestGoSDKRefused: requests of the SDK that are refused, with the default policy except
// where a case has another one. The SDK deviates from the published algorithm, the
// request is ambiguous, or the policy or a limit does not allow it.
func TestGoSDKRefused(t *testing.T) {
	for _, a := range algorithms {
		for _, tt := range refusals(t, a.digest) {
			t.Run(a.name+"/"+tt.name, func(t *testing.T) {
				config := core.Config{Environment: "prod", Schemes: []core.Scheme{a.scheme(orders)}, Default: "orders"}
				if tt.relaxed {
					config = policy(&tt.r, config.Schemes[0])
					config.RequireSigned = []string{}
				}
				wire.Start(t, config).Refuse(t, tt.r.signed(t, a.sign, keyID, secret), tt.want)
				if t.Failed() {
					t.Logf("want %q: %s", tt.want, tt.why)
				}
			})
		}
	}
}

// TestGoSDKOtherKeys: correct signatures with another key, or another field of the key,
// are refused.
func TestGoSDKOtherKeys(t *testing.T) {
	for _, a := range algorithms {
		for _, tt := range []struct {
			name, id, secret string
			want             core.Code
		}{
			{"other id", "AKTESTAKTEST0002", secret, core.CodeKeyUnknown},
			{"id in lower case", strings.ToLower(keyID), secret, core.CodeKeyUnknown},
			{"other secret", keyID, secret + "0", core.CodeSignatureMismatch},
			{"key of another API", "OTHERKEY00000001", secret, core.CodeKeyNotBound},
		} {
			t.Run(fmt.Sprintf("%s/%s", a.name, tt.name), func(t *testing.T) {
				r := request{path: "/v1/items", host: true}
				backend := wire.Start(t, policy(&r, a.scheme(orders,
					core.Key{Name: "payments", ID: "OTHERKEY00000001", Secret: core.NewSecret(secret)})))
				backend.Refuse(t, r.signed(t, a.sign, tt.id, tt.secret), tt.want)
			})
		}
	}
}

// TestGoSDKSessionToken: temporary keys. The SDK sends the session token as a header,
// which is signed like any other.
func TestGoSDKSessionToken(t *testing.T) {
	const name, token = "X-Security-Token", "token+/="
	for _, a := range algorithms {
		for _, tt := range []struct {
			name    string
			headers [][2]string
			ok      bool
		}{
			{"right", [][2]string{{name, token}}, true},
			{"wrong", [][2]string{{name, token + "="}}, false},
			{"absent", nil, false},
		} {
			t.Run(a.name+"/"+tt.name, func(t *testing.T) {
				r := request{path: "/v1/items", headers: tt.headers, host: true}
				temporary := orders
				temporary.SessionToken = core.NewSecret(token)
				backend := wire.Start(t, policy(&r, a.scheme(temporary)))
				raw := r.signed(t, a.sign, keyID, secret)
				if tt.ok {
					accepted(t, backend, raw, nil)
				} else {
					backend.Refuse(t, raw, core.CodeSignatureMismatch)
				}
			})
		}
	}
}

// TestUnsignedParts: changes of parts that the SDK does not sign are accepted, and the
// identity does not cover these parts.
func TestUnsignedParts(t *testing.T) {
	r := request{method: "POST", path: "/v1/items", body: "a=1", contentType: typeForm}
	for _, a := range algorithms {
		backend := wire.Start(t, policy(&r, a.scheme(orders)))
		raw := r.signed(t, a.sign, keyID, secret)
		for _, tt := range []struct{ name, old, changed string }{
			{"host", "Host: " + host, "Host: api.example.net"},
			{"content type", typeForm, "application/x-www-form-urlencoded; charset=utf-8"},
			{"user agent", "Go-http-client/1.1", "Go-http-client/9.9"},
			{"body", "a=1", "a=2"},
		} {
			t.Run(a.name+"/"+tt.name, func(t *testing.T) {
				changed := wire.Splice(raw, tt.old, tt.changed)
				id := accepted(t, backend, changed, wire.Body(t, changed))
				if covers := id.Covers(); covers.Host || covers.Body || id.Payload() != core.PayloadUnsigned {
					t.Errorf("got coverage %+v, payload %v; want neither host nor body covered", covers, id.Payload())
				}
			})
		}
	}
}

// TestMessageLength: changing the length of a signed message is refused.
func TestMessageLength(t *testing.T) {
	signed := request{method: "POST", path: "/", body: "ab", headers: [][2]string{{"Content-Length", "2"}}, host: true}
	plain := request{method: "POST", path: "/", body: "ab", host: true}
	empty := request{method: "POST", path: "/", host: true}
	for _, a := range algorithms {
		for _, tt := range []struct {
			name         string
			r            request
			old, changed string
		}{
			{"signed length shorter", signed, "Content-Length: 2", "Content-Length: 1"},
			{"length shorter", plain, "Content-Length: 2", "Content-Length: 1"},
			{"length zero", plain, "Content-Length: 2", "Content-Length: 0"},
			{"body longer", plain, "Content-Length: 2", "Content-Length: 6"}, // with the four bytes added below
			{"body added", empty, "Content-Length: 0", "Content-Length: 4"},
		} {
			t.Run(a.name+"/"+tt.name, func(t *testing.T) {
				backend := wire.Start(t, policy(&tt.r, a.scheme(orders)))
				raw := tt.r.signed(t, a.sign, keyID, secret)
				accepted(t, backend, raw, tt.r.sent(t))
				backend.Refuse(t, append(wire.Splice(raw, tt.old, tt.changed), "more"...), core.CodeSignatureMismatch)
			})
		}
	}
}
