package explain_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/explain"
	"github.com/gatewayauth/gatewayauth/core/signer"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// TestSessionTokens_T186: a missing, unexpected or different session token is reported,
// with any other cause. No pair of changes that undo each other is reported instead.
func TestSessionTokens_T186(t *testing.T) {
	token := func(key core.Key, text string) core.Key {
		key.SessionToken = core.NewSecret(text)
		return key
	}
	region := core.Key{Name: "k4a", ID: "AKIDEXAMPLEA", Secret: core.NewSecret("sigv4a-0123456789abcdef01234567"), Region: "eu-west-1", Service: "execute-api"}
	for _, tt := range []struct {
		name      string
		key       core.Key // of the environment
		signed    core.Key // of the sender
		signer    func(core.Key) signer.Signer
		scheme    func(core.Key) core.Scheme
		says      string
		wantCause []explain.Cause
	}{
		{"SigV4, none expected", k4, token(k4, "token-0123456789"), signed4(), sigv4Scheme, "k4 has none", causes(explain.CauseSessionToken)},
		{"SigV4, another expected", token(k4, "token-of-today"), token(k4, "token-of-yesterday"), signed4(), sigv4Scheme, "is not that of the key", causes(explain.CauseSessionToken)},
		{"SigV4, one expected", token(k4, "token-of-today"), k4, signed4(), sigv4Scheme, "no signed session token", causes(explain.CauseSessionToken)},
		{"SigV4 link, none expected", k4, token(k4, "token-0123456789"), signedLink4, sigv4Scheme, "k4 has none", causes(explain.CauseSessionToken)},
		{"SigV4a, none expected", region, token(region, "token-0123456789"), func(key core.Key) signer.Signer {
			return sigv4.NewSignerA(key, sigv4.SignOptions{})
		}, func(key core.Key) core.Scheme { return sigv4.NewA(sigv4.ConfigA{Keys: core.Keys(key)}) }, "k4a has none", causes(explain.CauseSessionToken)},
		{"SDK, another expected", token(k1, "token-of-today"), token(k1, "token-of-yesterday"), signed1(),
			func(key core.Key) core.Scheme { return hmacScheme(key) }, "is not that of the key", causes(explain.CauseSessionToken)},
		{"SigV4, none expected, and another secret", k4, token(secret(k4, "a-secret-that-nobody-knows"), "token-0123456789"), signed4(), sigv4Scheme, "", nil},
		{"SigV4, none expected, and a previous secret", previously(k4, "previous-0123456789"), token(secret(k4, "previous-0123456789"), "token-0123456789"),
			signed4(), sigv4Scheme, "previous", causes(explain.CauseOldSecret, explain.CauseSessionToken)},
	} {
		for _, target := range []string{"/x", "/x/", "/", "/a/b?c=1&d", "/a%20b?x=%2F"} {
			t.Run(tt.name+" "+target, func(t *testing.T) {
				r := scenario{key: tt.signed, signer: tt.signer, target: target}.request(t)
				x := why(t, received(t, r), core.Config{Environment: "prod", Schemes: []core.Scheme{tt.scheme(tt.key)}, Default: tt.key.Name,
					AllowPresigned: true, Now: config().Now}, explain.Hints{})
				got := causesOf(x)
				if x.Code != core.CodeSignatureMismatch || !slices.Equal(got, tt.wantCause) {
					t.Errorf("got %v, want %v\n%v", got, tt.wantCause, x)
				} else if len(got) > 0 && !strings.Contains(x.Causes[0].Detail, tt.says) {
					t.Errorf("the explanation does not contain %q: %v", tt.says, x)
				}
			})
		}
	}
}

func sigv4Scheme(key core.Key) core.Scheme { return sigv4.New(sigv4.Config{Keys: core.Keys(key)}) }

// previously returns a key with a previous secret that is no longer accepted.
func previously(key core.Key, text string) core.Key {
	key.Previous = []core.PreviousSecret{{Secret: core.NewSecret(text), Until: instant.AddDate(0, -1, 0)}}
	return key
}

func signedLink4(key core.Key) signer.Signer {
	return testkit.Presigner{Signer: sigv4.NewSigner(key, sigv4.SignOptions{})}
}

// received returns a request as a server reads it.
func received(t *testing.T, r *http.Request) *http.Request {
	t.Helper()
	var wire bytes.Buffer
	if err := r.Write(&wire); err != nil {
		t.Fatal(err)
	}
	return request(t, wire.String())
}

// stubborn is a scheme whose Verify refuses every signature, and whose Proves accepts it.
type stubborn struct{ proving }

func (stubborn) Verify(*http.Request, *core.Credential, *core.Key, []core.Secret, string) (int, error) {
	return -1, core.Refuse(core.CodeSignatureMismatch, "refused for another reason")
}

// TestEditsThatUndoEachOther_T186: changes that undo each other are not reported, even if
// the scheme accepts the signature of the unchanged request.
func TestEditsThatUndoEachOther_T186(t *testing.T) {
	for _, target := range []string{"/x", "/x/", "/a%20b?c=1+2&b", "/?b=2&a=%2f"} {
		r := signed(t, k1, "GET", target, "", apig.SignOptions{Headers: []string{"x-tag"}}, "X-Tag: b", "X-Tag: a  c")
		c := config(func(c *core.Config) { c.Schemes = []core.Scheme{stubborn{proving{hmacScheme(k1)}}} })
		if x := why(t, r, c, explain.Hints{}); x.Code != core.CodeSignatureMismatch || len(x.Causes) > 0 {
			t.Errorf("%s: got %v", target, x)
		}
	}
}

// TestSecretsInTheSameWords_T186: secrets whose findings have the same text are all tried.
// So are bodies of the same size.
func TestSecretsInTheSameWords_T186(t *testing.T) {
	for _, end := range []string{"\n", "\r\n", " ", "\r"} {
		for _, end2 := range []string{"", " ", "\n"} { // the end of the backend's secret
			own := secret(k1, k1.Secret.Reveal()+end2)
			if end == end2 {
				continue
			}
			r := signed(t, secret(k1, k1.Secret.Reveal()+end), "GET", "/v1/items", "", apig.SignOptions{})
			x := why(t, r, config(func(c *core.Config) { c.Schemes = []core.Scheme{hmacScheme(own)} }), explain.Hints{})
			if len(x.Causes) != 1 || x.Causes[0].Cause != explain.CauseSecretText {
				t.Errorf("%q for %q: got %v", end, end2, x)
			}
		}
	}
	var key core.Key
	for i := range 3 {
		key = k1
		for j := range 3 {
			key.Previous = append(key.Previous, core.PreviousSecret{Secret: core.NewSecret(fmt.Sprint("previous-0123456789-", j)), Until: instant})
		}
		r := signed(t, secret(k1, fmt.Sprint("previous-0123456789-", i)), "GET", "/v1/items", "", apig.SignOptions{})
		if x := why(t, r, config(keyIs(key)), explain.Hints{}); len(x.Causes) != 1 || x.Causes[0].Cause != explain.CauseOldSecret {
			t.Errorf("previous secret %d: got %v", i, x)
		}
		staged := core.Key{Name: "staged", ID: "STAGED", Secret: core.NewSecret("staged-0123456789"), Previous: key.Previous}
		if x := why(t, r, config(), environments(staged)); len(x.Causes) != 1 || x.Causes[0].Cause != explain.CauseEnvironment ||
			!strings.Contains(x.Causes[0].Detail, "a previous secret of the key staged of the environment staging") {
			t.Errorf("previous secret %d of another environment: got %v", i, x)
		}
	}
}

// TestSecretUsed_T186: the explanation of an accepted and of a refused request says which
// secret of the key was used.
func TestSecretUsed_T186(t *testing.T) {
	key := k1
	key.Previous = []core.PreviousSecret{{Secret: core.NewSecret("previous-gone-0123456789"), Until: instant.Add(-time.Hour)},
		{Secret: core.NewSecret("previous-till-0123456789"), Until: instant.Add(time.Hour)}, {Secret: core.NewSecret("previous-ever-0123456789")}}
	for _, tt := range []struct{ secret, want string }{
		{k1.Secret.Reveal(), "the current secret of the key"},
		{"previous-till-0123456789", "a previous secret of the key, which is accepted until 2026-01-15T13:00:00Z"},
		{"previous-ever-0123456789", "a previous secret of the key, which is accepted without a time limit"},
	} {
		for _, host := range []string{"api.example.com", "api.example.com:443"} {
			r := signed(t, secret(k1, tt.secret), "GET", "/v1/items", "", apig.SignOptions{})
			r.Host = host
			x := why(t, r, config(keyIs(key)), explain.Hints{})
			if x.MadeWith != tt.want || x.Accepted() != (host == "api.example.com") || !strings.Contains(x.String(), "made with      "+tt.want) {
				t.Errorf("got %q, want %q\n%v", x.MadeWith, tt.want, x)
			}
		}
	}
}

// lookedUp is a source of keys that is not a fixed set.
type lookedUp struct{ keys *core.KeySet }

func (l lookedUp) Key(ctx context.Context, id string) (*core.Key, error) { return l.keys.Key(ctx, id) }

// TestKeysOfASource: keys of a source that is not a fixed set are looked up as a Verifier
// does, also keys that the credential does not name.
func TestKeysOfASource(t *testing.T) {
	for _, binding := range []core.Config{{Default: "k1"}, {APIs: []core.API{{Match: "/v1/", Key: "k1"}}}, {Default: "other"}} {
		c := config(func(c *core.Config) {
			c.Schemes = []core.Scheme{apig.New(apig.Config{Keys: lookedUp{core.Keys(k1)}})}
			c.Default, c.APIs = binding.Default, binding.APIs
		})
		r := signed(t, k1, "GET", "/v1/items", "", apig.SignOptions{})
		r.Host += ":443"
		want := causes(explain.CauseHost)
		if binding.Default == "other" {
			want = append(want, explain.CauseBinding)
		}
		x := why(t, r, c, explain.Hints{})
		got := causesOf(x)
		if !slices.Equal(got, want) || x.Key != "k1" {
			t.Errorf("got %v, want %v\n%v", got, want, x)
		}
	}
}

// TestUnbound_T256: a refusal of a request whose API is bound to no key says so, whatever else
// it is refused for.
func TestUnbound_T256(t *testing.T) {
	const besides = "no pattern binds this route, and there is no default"
	for _, tt := range []struct {
		name  string
		key   core.Key
		strip bool
		want  core.Code
	}{
		{"no credential", k1, true, core.CodeCredentialMissing},
		{"another secret", secret(k1, "a-secret-that-nobody-knows"), false, core.CodeSignatureMismatch},
		{"right", k1, false, core.CodeKeyNotBound},
	} {
		for _, bound := range []bool{true, false} {
			c := config(func(c *core.Config) {
				c.APIs = []core.API{{Match: "/healthz", Open: true}}
				if !bound {
					c.Default = ""
				}
			})
			r := signed(t, tt.key, "GET", "/v1/items", "", apig.SignOptions{})
			if tt.strip {
				r.Header.Del("Authorization")
			}
			x := why(t, r, c, explain.Hints{})
			if told := strings.Contains(x.Detail, besides); x.Code != tt.want && !(bound && tt.want == core.CodeKeyNotBound) || told != (!bound && tt.want != core.CodeKeyNotBound) {
				t.Errorf("%s, bound %v: got %v", tt.name, bound, x)
			}
		}
	}
}
