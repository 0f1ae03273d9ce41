package core_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
)

// TestReloadKeepsTheLastGoodPolicy and applies a new one at once.
func TestReloadKeepsTheLastGoodPolicy(t *testing.T) {
	v := verifier(t)
	if err := v.Reload(core.Config{}); err == nil {
		t.Fatal("a bad configuration was taken")
	}
	if _, err := v.Verify(request(t, p1)); err != nil {
		t.Errorf("after a bad reload: %v", err)
	}
	if err := v.Reload(config(func(c *core.Config) { c.Schemes, c.Default = []core.Scheme{hmacScheme(k2)}, "k2" })); err != nil {
		t.Fatal(err)
	}
	wantVerdict(t, v, request(t, p1), core.CodeKeyUnknown)
}

// barrier is a body that says when it is read, and then waits.
type barrier struct {
	reached chan<- struct{}
	open    <-chan struct{}
	io.Reader
	once sync.Once
}

func (b *barrier) Read(p []byte) (int, error) {
	b.once.Do(func() {
		b.reached <- struct{}{}
		<-b.open
	})
	return b.Reader.Read(p)
}

// TestKeyRemoved_F11: requests that are under way when their key is removed finish
// under the policy they started with; the next one is refused.
func TestKeyRemoved_F11(t *testing.T) {
	const requests = 100
	for name, payload := range map[string]core.Payload{"hashed": core.PayloadHashed, "declared": core.PayloadDeclared} {
		t.Run(name, func(t *testing.T) {
			v := verifier(t, func(c *core.Config) { c.Environment = "old" })
			make1 := func(body io.Reader) *http.Request {
				r := signed(t, k1, "POST", "/v1/items", "text", apig.SignOptions{Payload: payload})
				r.Body = io.NopCloser(body)
				return r
			}
			reached, open := make(chan struct{}), make(chan struct{})
			var all sync.WaitGroup
			for i := range requests {
				text := "text"
				if i%2 == 1 {
					text = "TEXT"
				}
				r := make1(&barrier{reached: reached, open: open, Reader: strings.NewReader(text)})
				all.Go(func() {
					id, err := v.Verify(r)
					defer core.Release(r)
					switch {
					case text == "TEXT" && (err == nil || core.StatusCode(err) != 401):
						t.Errorf("another body: got %v", err)
					case text == "text" && (err != nil || id.Key() != "k1" || id.Environment() != "old"):
						t.Errorf("got %v, %v", id, err)
					}
				})
			}
			for range requests {
				<-reached
			}
			err := v.Reload(config(func(c *core.Config) {
				c.Environment, c.Schemes, c.Default = "new", []core.Scheme{hmacScheme(k2)}, "k2"
			}))
			if err != nil {
				t.Fatal(err)
			}
			after := make1(unread{t})
			wantVerdict(t, v, after, core.CodeKeyUnknown)
			close(open)
			all.Wait()
		})
	}
}

// TestReloadWarnings: what weakens a policy is logged when it comes into force, and not
// again with each reload that changes nothing about it.
func TestReloadWarnings(t *testing.T) {
	const (
		letThrough  = "requests that are not verified are let through"
		allRefused  = "Rewrite.Host is none of Hosts"
		explained   = "answers explain refusals"
		otherStore  = "another replay store"
		unavailable = "while the replay store is unavailable"
	)
	mode := func(m core.Mode) func(*core.Config) { return func(c *core.Config) { c.Mode = m } }
	store := &memory{}
	for _, tt := range []struct {
		before, after func(*core.Config) // before is nil for the first policy
		want          string             // "": nothing
	}{
		{nil, mode(core.Enforce), ""},
		{nil, mode(core.Report), letThrough},
		{nil, mode(core.Off), letThrough},
		{mode(core.Enforce), mode(core.Report), letThrough},
		{mode(core.Report), mode(core.Off), letThrough},
		{mode(core.Report), mode(core.Report), ""},
		{mode(core.Off), mode(core.Report), ""},
		{mode(core.Off), mode(core.Enforce), ""},
		{mode(core.Enforce), func(c *core.Config) { c.ExposeReason = true }, explained},
		{mode(core.Enforce), func(c *core.Config) { c.Rewrite.Host, c.Hosts = "api.example.com", []string{"other.example.com"} }, allRefused},
		{mode(core.Enforce), func(c *core.Config) { c.Rewrite.Host, c.Hosts = "api.example.com", []string{"api.example.com"} }, ""},
		{mode(core.Enforce), func(c *core.Config) { c.Rewrite.Host = "api.example.com" }, ""},
		{mode(core.Enforce), func(c *core.Config) { c.Hosts = []string{"api.example.com"} }, ""},
		{replayed(store), replayed(store), ""},
		{mode(core.Enforce), replayed(store), otherStore},
		{replayed(store), replayed(&memory{}), otherStore},
		{replayed(store), func(c *core.Config) { c.Replay = core.Replay{Store: store, AllowUnavailable: true} }, unavailable},
	} {
		var log strings.Builder
		logged := func(c *core.Config) { c.Logger = jsonLogger(&log) }
		v := new(core.Verifier)
		if tt.before != nil {
			if err := v.Reload(config(tt.before)); err != nil {
				t.Fatal(err)
			}
		}
		if err := v.Reload(config(tt.after, logged)); err != nil {
			t.Fatal(err)
		}
		got := log.String()
		if strings.Contains(got, letThrough) && !strings.Contains(got, `"mode":"`+v.Mode().String()+`"`) {
			t.Errorf("got the log %q, want the mode in it", got)
		}
		if tt.want == "" && got != "" || tt.want != "" && (strings.Count(got, "\n") != 1 || !strings.Contains(got, tt.want) ||
			!strings.Contains(got, `"level":"WARN"`) || !strings.Contains(got, `"environment":"prod"`)) {
			t.Errorf("got the log %q, want %q", got, tt.want)
		}
	}
}

// TestVerifierTellsNothing: however a Verifier is printed, it shows nothing that it holds.
// One that was not made by New can be asked everything.
func TestVerifierTellsNothing(t *testing.T) {
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d"} {
		if got := fmt.Sprintf(verb, verifier(t)); got != "gatewayauth.Verifier" {
			t.Errorf("%s: got %q", verb, got)
		}
	}
	for name, v := range map[string]*core.Verifier{"nil": nil, "zero": {}} {
		if v.Mode() != core.Enforce || v.Buffered() != 0 {
			t.Errorf("%s: got mode %v and %d bytes", name, v.Mode(), v.Buffered())
		}
	}
	for _, mode := range []core.Mode{core.Enforce, core.Report, core.Off} {
		if got := verifier(t, func(c *core.Config) { c.Mode = mode }).Mode(); got != mode {
			t.Errorf("got mode %v, want %v", got, mode)
		}
	}
	var none *core.Verifier
	wantCode(t, none.Reload(config()), core.CodeUnavailable)
}
