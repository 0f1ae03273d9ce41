package huawei_test

import (
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/conformance/internal/wire"
	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
)

// schemes are all schemes of this family: those for which the SDK signs, and the scoped
// one.
var schemes = append([]signing{{name: "SDK-HMAC-SHA256 scoped", newScheme: apig.NewScoped, scoped: true}}, algorithms...)

// TestCrossScheme (T085): a request that is signed with one algorithm is refused if the
// key is for another. All keys have the same id and secret, so only the scheme differs.
func TestCrossScheme(t *testing.T) {
	r := request{method: "POST", path: "/v1/items", body: "ab", host: true}
	for _, a := range algorithms {
		raw := r.signed(t, a.sign, keyID, secret)
		for _, b := range schemes {
			want := core.CodeSchemeNotAccepted
			if a.name == b.name {
				want = ""
			}
			t.Run(a.name+"/for "+b.name, func(t *testing.T) {
				verdict(t, policy(&r, b.scheme(orders)), raw, r.sent(t), want)

				// The policy also has the other schemes, but this key is not for them.
				config := policy(&r, b.scheme(orders))
				for _, other := range schemes {
					if other.name != b.name {
						config.Schemes = append(config.Schemes, other.scheme(core.Key{
							Name: other.name, ID: strings.ReplaceAll(other.name, " ", "-"), Secret: core.NewSecret(secret)}))
					}
				}
				verdict(t, config, raw, r.sent(t), want)

				if want != "" {
					code := core.CodeSignatureMismatch
					if curves[a.name].key != nil && curves[b.name].key == nil {
						code = core.CodeCredentialMalformed // too long for a MAC
					}
					verdict(t, policy(&r, b.scheme(orders)), relabelled(t, raw, &b), nil, code)
				}
			})
		}
	}
}

// verdict checks that raw is refused with code, or accepted if code is "".
func verdict(t *testing.T, c core.Config, raw, body []byte, code core.Code) {
	t.Helper()
	backend := wire.Start(t, c)
	if code != "" {
		backend.Refuse(t, raw, code)
		return
	}
	if id := accepted(t, backend, raw, body); id.Scheme() != c.Schemes[0].Name() {
		t.Errorf("got scheme %q, want %q", id.Scheme(), c.Schemes[0].Name())
	}
}

// relabelled returns raw with the token and the credential of another scheme, and the
// same signature.
func relabelled(t *testing.T, raw []byte, as *signing) []byte {
	t.Helper()
	l := wire.Parse(t, raw)
	old, _, _ := strings.Cut(l.Values("authorization")[0], ",")
	token, scoped := strings.CutSuffix(as.name, " scoped")
	credential := token + " Access=" + keyID
	if as.scoped {
		day := l.Values("x-sdk-date")[0][:len("20060102")]
		credential = token + " Credential=" + strings.Join([]string{keyID, day, region, service}, "/")
	}
	if scoped {
		credential += "/sdk_request"
	}
	return wire.Splice(raw, old+",", credential+",")
}

// TestDigestHeaderOfOtherHash signs the digest header of the other hash. It has no
// special meaning then: the hash of the body is signed.
func TestDigestHeaderOfOtherHash(t *testing.T) {
	for _, a := range algorithms {
		other := contentSM3
		if a.digest == other {
			other = contentSHA256
		}
		for _, value := range []string{"UNSIGNED-PAYLOAD", sha256OfA, "none"} {
			t.Run(a.name+"/"+value, func(t *testing.T) {
				r := request{method: "PUT", path: "/v1/items", body: "body=B", headers: [][2]string{{other, value}}, host: true}
				backend := wire.Start(t, policy(&r, a.scheme(orders)))
				raw := r.signed(t, a.sign, keyID, secret)
				if id := accepted(t, backend, raw, r.sent(t)); id.Payload() != core.PayloadHashed || !id.Covers().Body {
					t.Errorf("got payload %v, coverage %+v; want the body hashed", id.Payload(), id.Covers())
				}
				backend.Refuse(t, wire.Splice(raw, "body=B", "body=C"), core.CodeSignatureMismatch)
			})
		}
	}
}
