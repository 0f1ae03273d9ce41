package apig_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// options are the ways of a scheme to sign: every payload, and the query form
// where there is one.
func options(presigned bool) (all []apig.SignOptions) {
	for _, payload := range []core.Payload{core.PayloadNone, core.PayloadHashed, core.PayloadDeclared, core.PayloadUnsigned} {
		for _, expires := range []time.Duration{0, time.Minute} {
			if expires == 0 || presigned {
				all = append(all, apig.SignOptions{Headers: []string{"X-Tag", "content-type"}, Payload: payload, Expires: expires})
			}
		}
	}
	return all
}

// TestSignedThenVerified: what a signer signs, its scheme accepts, with an
// identity that says what was covered; and nothing else of the family does.
func TestSignedThenVerified(t *testing.T) {
	requests := []string{
		"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET //v1//a%20b/%E4%B8%AD/$&'()*+,=:@!~/;x=1/ HTTP/1.1\r\nHost: h:8443\r\n\r\n",
		"DELETE /v1/items?b&a=&a=2&a=1&%E4%B8%AD=%2F+%2B&&z=x=y&-=1&%2F=2&B=3 HTTP/1.1\r\nHost: h\r\n\r\n",
		"POST /v1/items HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n{\"amount\":100}",
		"PUT /\x80%ff HTTP/1.1\r\nHost: h\r\nX-Tag:  two  blanks\tand\ta tab \r\nX-Tag: b\r\nX-Tag: \r\nX-Sdk-Foo: 1\r\nContent-Length: 3\r\n\r\n\x00\xff\n",
		"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n",
	}
	bodies := []string{"", "", "", `{"amount":100}`, "\x00\xff\n", "abc"}
	for _, s := range schemes {
		for _, o := range options(s.presigned) {
			for _, token := range []string{"", "session-token-1"} {
				k := key(s.scoped)
				k.SessionToken = core.NewSecret(token)
				signer := s.signer(k, o)
				for i, raw := range requests {
					t.Run(fmt.Sprintf("%s %v %v %d %s", s.name, o.Payload, o.Expires, i, token), func(t *testing.T) {
						r := received(t, raw)
						testkit.Sign(signer, r, bodies[i], instant)
						c := config(s.scheme(apig.Config{Keys: core.Keys(k)}))
						c.AllowPresigned, c.AllowUnsignedPayload = true, true
						id, err := verifier(t, c).Verify(r)
						if err != nil {
							t.Fatalf("%v, of %s %v", err, r.RequestURI, r.Header)
						}
						defer core.Release(r)
						want := max(o.Payload, core.PayloadHashed)
						if id.Scheme() != s.name || id.Payload() != want || id.KeyID() != keyID || !id.SignedAt().Equal(instant) {
							t.Errorf("got %v by %v, %v; want %v by %v", id.Payload(), id.Scheme(), id.SignedAt(), want, s.name)
						}
						if body, err := io.ReadAll(r.Body); err != nil || string(body) != bodies[i] {
							t.Errorf("the handler reads %q, %v", body, err)
						}
					})
				}
			}
		}
	}
}

// TestSessionToken: a temporary key's token is there, equal and signed.
func TestSessionToken(t *testing.T) {
	for _, s := range schemes {
		for _, o := range options(s.presigned) {
			k := key(s.scoped)
			k.SessionToken = core.NewSecret("session-token-1")
			c := config(s.scheme(apig.Config{Keys: core.Keys(k)}))
			c.AllowPresigned, c.AllowUnsignedPayload = true, true
			other, none := k, k
			other.SessionToken, none.SessionToken = core.NewSecret("session-token-2"), core.Secret{}
			for i, signing := range []core.Key{other, none, none} {
				r := received(t, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
				signer := s.signer(signing, o)
				testkit.Sign(signer, r, "", instant)
				if i == 2 {
					r.Header.Set("X-Security-Token", "session-token-1") // right, and not signed
				}
				if got := verify(t, verifier(t, c), r); got != core.CodeSignatureMismatch {
					t.Errorf("%s, %d: got %q", s.name, i, got)
				}
			}
		}
	}
}

// TestTokenWithoutNeed is that a signed token of a key that needs none says nothing: only
// SigV4 gives it a meaning.
func TestTokenWithoutNeed(t *testing.T) {
	for _, s := range schemes {
		temporary := key(s.scoped)
		temporary.SessionToken = core.NewSecret("session-token-1")
		r := testkit.Sign(s.signer(temporary, apig.SignOptions{}), received(t, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"), "", instant)
		if got := verify(t, verifier(t, config(s.scheme(apig.Config{Keys: core.Keys(key(s.scoped))}))), r); got != "" {
			t.Errorf("%s: got %q", s.name, got)
		}
	}
}

// TestWhiteSpace_T008: only the scoped form collapses white space inside values.
func TestWhiteSpace_T008(t *testing.T) {
	const signed, sent = "a  b\t c", "a b c"
	for _, s := range schemes {
		want := core.CodeSignatureMismatch
		if s.name == "aksk" {
			want = ""
		}
		r := received(t, "GET / HTTP/1.1\r\nHost: h\r\nX-Tag: "+signed+"\r\n\r\n")
		signer := s.signer(key(s.scoped), apig.SignOptions{Headers: []string{"x-tag"}})
		testkit.Sign(signer, r, "", instant)
		v := verifier(t, config(s.scheme(apig.Config{Keys: core.Keys(key(s.scoped))})))
		if got := verify(t, v, r); got != "" {
			t.Errorf("%s: as it was signed: got %q", s.name, got)
		}
		r.Header.Set("X-Tag", sent)
		if got := verify(t, v, r); got != want {
			t.Errorf("%s: collapsed: got %q, want %q", s.name, got, want)
		}
	}
}

// TestRotation: each of a key's secrets has its own derived keys, and the
// identity says which one it was.
func TestRotation(t *testing.T) {
	for _, s := range schemes {
		k := key(s.scoped)
		k.Previous = []core.PreviousSecret{{Secret: core.NewSecret("previous-secret-1")}}
		v := verifier(t, config(s.scheme(apig.Config{Keys: core.Keys(k)})))
		for i, secret := range []string{keySecret, "previous-secret-1", "never-a-secret-1"} {
			signing := k
			signing.Secret = core.NewSecret(secret)
			r := received(t, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
			signer := s.signer(signing, apig.SignOptions{})
			testkit.Sign(signer, r, "", instant)
			id, err := v.Verify(r)
			if i < 2 && (err != nil || id.Secret() != i) || i == 2 && core.CodeOf(err) != core.CodeSignatureMismatch {
				t.Errorf("%s, secret %d: got %v, %v", s.name, i, id, err)
			}
		}
	}
}

// TestPayloadForms_T068: what is signed as payload header and is neither a
// digest nor UNSIGNED-PAYLOAD is refused.
func TestPayloadForms_T068(t *testing.T) {
	for _, s := range schemes {
		for value, want := range map[string]core.Code{
			"":                       core.CodeCredentialMalformed,
			"unsigned-payload":       core.CodeCredentialMalformed,
			strings.Repeat("0", 63):  core.CodeCredentialMalformed,
			strings.Repeat("A", 64):  core.CodeCredentialMalformed,
			"STREAMING-SDK-CHUNKED":  core.CodePayloadUnsupported,
			strings.Repeat("0", 64):  core.CodeBodyMismatch,
			"UNSIGNED-PAYLOAD":       "",
			"UNSIGNED-PAYLOAD extra": core.CodeCredentialMalformed,
		} {
			r := received(t, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
			signer := s.signer(key(s.scoped), apig.SignOptions{Payload: core.PayloadDeclared})
			if err := signer.Sign(r, value, instant); err != nil {
				t.Fatal(err)
			}
			if got := r.Header[s.digestHeader]; len(got) != 1 || got[0] != value {
				t.Fatalf("%s: the digest header is %q", s.name, r.Header)
			}
			c := config(s.scheme(apig.Config{Keys: core.Keys(key(s.scoped))}))
			c.AllowUnsignedPayload = true
			if got := verify(t, verifier(t, c), r); got != want {
				t.Errorf("%s, %q: got %q, want %q", s.name, value, got, want)
			}
		}
	}
}
