package core_test

import (
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
