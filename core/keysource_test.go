package core_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
)

// otherKeys is a scheme whose source of keys is another one from time to time.
type otherKeys struct {
	core.Scheme
	keys atomic.Pointer[core.KeySource]
}

func (s *otherKeys) Keys() core.KeySource { return *s.keys.Load() }

func (s *otherKeys) use(keys ...core.Key) {
	var source core.KeySource = core.Keys(keys...)
	s.keys.Store(&source)
}

// TestSchemeWithOtherKeys: a scheme is asked for its keys for each request, and a
// secret that is not among them any more verifies nothing.
func TestSchemeWithOtherKeys(t *testing.T) {
	s := &otherKeys{Scheme: hmacScheme()}
	rotated := core.Key{Name: k1.Name, ID: k1.ID, Secret: core.NewSecret("rotated-0123456789abcdef")}
	s.use(k1)
	v := verifier(t, func(c *core.Config) { c.Schemes = []core.Scheme{s, apig.NewScoped(apig.Config{Keys: core.Keys()})} })
	check := func(what string, signer core.Key, want core.Code) {
		t.Helper()
		r := get(t, func(r *http.Request) error {
			return apig.NewSigner(signer, apig.SignOptions{Headers: further}).Sign(r, noBody, instant)
		})
		if _, err := v.Verify(r); core.CodeOf(err) != want {
			t.Errorf("%s: got %v, want %q", what, err, want)
		}
	}
	check("before", k1, "")
	s.use(rotated)
	check("the old secret", k1, core.CodeSignatureMismatch)
	check("the new secret", rotated, "")
	s.use()
	check("no key", rotated, core.CodeKeyUnknown)
}

// TestExposedTextIsTheRequestsOwn: what an answer shows in development is of the
// request that is refused, and never of one before it.
func TestExposedTextIsTheRequestsOwn(t *testing.T) {
	v := verifier(t, func(c *core.Config) { c.ExposeReason = true })
	exposed := func(cookie string) string {
		r := request(t, p1)
		r.Header.Set("Cookie", cookie)
		replaceIn(r, "SignedHeaders=host", "SignedHeaders=cookie;host")
		_, err := v.Verify(r)
		problem := core.ProblemOf(err)
		return problem.CanonicalRequest + problem.StringToSign
	}
	for range 10 {
		if got := exposed("session=of-somebody-else"); !strings.Contains(got, "somebody-else") {
			t.Fatalf("nothing is exposed: %q", got)
		}
		if got := exposed("\n"); got != "" {
			t.Fatalf("got %q", got)
		}
	}
}

// TestEventOfMalformedScope: an event names a key id only where there is one.
func TestEventOfMalformedScope(t *testing.T) {
	scoped := core.Key{Name: "scoped", ID: "SCOPED", Secret: core.NewSecret("a-third-secret"), Region: "r", Service: "s"}
	var seen []core.Event
	v := verifier(t, func(c *core.Config) {
		c.Schemes = []core.Scheme{apig.NewScoped(apig.Config{Keys: core.Keys(scoped)})}
		c.Default = "scoped"
		c.Observers = []core.Observer{core.ObserverFunc(func(_ context.Context, e core.Event) { seen = append(seen, e) })}
	})
	r := request(t, p1)
	replaceIn(r, "Access=AKTESTAKTEST0001", "Credential=SCOPED/20260115/r")
	if _, err := v.Verify(r); core.CodeOf(err) != core.CodeCredentialMalformed || len(seen) != 1 || seen[0].KeyID != "" {
		t.Errorf("got %v, %+v", err, seen)
	}
}
