package core_test

import (
	"fmt"
	"io"
	"runtime"
	"sync"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// TestRaces_F19: verification, reloads and readers of every kind at once. Each
// verdict is that of one policy as a whole, and identities cannot be changed.
func TestRaces_F19(t *testing.T) {
	const rounds = 400
	policies := [2]core.Config{
		config(func(c *core.Config) { c.Environment = "a" }),
		config(func(c *core.Config) {
			c.Environment, c.Schemes, c.Default = "b", []core.Scheme{hmacScheme(k2)}, "k2"
		}),
	}
	v := testkit.New(t, policies[0])
	var readers, writer sync.WaitGroup
	done := make(chan struct{})
	for _, key := range []core.Key{k1, k2, k1, k2} {
		readers.Go(func() {
			for n := range rounds {
				options := apig.SignOptions{Payload: []core.Payload{core.PayloadHashed, core.PayloadDeclared}[n%2]}
				r := signed(t, key, "POST", "/v1/items", "text", options)
				admission, err := v.Admit(nil, r, core.BodyForHandler)
				if err != nil {
					admission.Release()
					// b knows k2 alone; a knows both, and k1 is bound
					wantCode(t, err, map[string]core.Code{"k1": core.CodeKeyUnknown, "k2": core.CodeKeyNotBound}[key.Name])
					continue
				}
				id, ok := core.FromContext(admission.Request.Context())
				if !ok || id.Environment() != map[string]string{"k1": "a", "k2": "b"}[key.Name] || id.Key() != key.Name {
					t.Errorf("key %s: got %v", key.Name, id)
					return
				}
				covers := id.Covers()
				covers.Headers[0], id.SignedHeaders()[0] = "changed", "changed"
				if got := id.Covers().Headers[0]; got != "host" {
					t.Errorf("an identity was changed: it covers %q", got)
				}
				if text, err := io.ReadAll(admission.Request.Body); string(text) != "text" || err != nil {
					t.Errorf("read %q, %v", text, err)
				}
				admission.Release()
			}
		})
	}
	writer.Go(func() {
		for n := 1; ; n++ {
			select {
			case <-done:
				return
			default:
			}
			c := policies[n%2]
			if n%5 == 0 {
				c.Environment = "" // a policy that cannot be: the last one stays
			}
			if err := v.Reload(c); (err == nil) == (n%5 == 0) {
				t.Errorf("Reload: %v", err)
			}
			runtime.Gosched()
		}
	})
	writer.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			if s := v.Status(); s.Environment != "a" && s.Environment != "b" {
				t.Errorf("got status of %q", s.Environment)
			}
			_ = fmt.Sprint(v)
			if v.Mode() != core.Enforce || v.Buffered() < 0 {
				t.Error("the mode or the memory is wrong")
			}
			runtime.Gosched()
		}
	})
	readers.Wait()
	close(done)
	writer.Wait()
}

// TestStatusWhileReloading: nothing that is counted is lost between two policies.
func TestStatusWhileReloading(t *testing.T) {
	const each = 500
	v := verifier(t, only(rotating("k1", newest, older)))
	var senders, reloader sync.WaitGroup
	stop := make(chan struct{})
	reloader.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if err := v.Reload(config(only(rotating("k1", newest, older)))); err != nil {
				t.Error(err)
			}
			v.Status()
		}
	})
	for _, secret := range []string{newest, older} {
		senders.Go(func() {
			r := by(t, secret)
			for range each {
				if _, err := v.Verify(r); err != nil {
					t.Error(err)
				}
			}
		})
	}
	senders.Wait()
	close(stop)
	reloader.Wait()
	if got, want := uses(t, v, "k1"), "500 500"; got != want {
		t.Errorf("got uses %q, want %q", got, want)
	}
}
