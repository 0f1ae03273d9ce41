package core_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
)

// TestSourceBlocks_F16: a source that never returns, whatever its context says,
// ends the request at its time, holds up no other, and takes no more goroutines
// than the limit.
func TestSourceBlocks_F16(t *testing.T) {
	const most, requests = 8, 100
	blocked := make(chan struct{})
	v := verifier(t, func(c *core.Config) {
		c.Limits.KeyLookups = most
		c.KeyTimeout = 20 * time.Millisecond
		c.Schemes = []core.Scheme{apig.New(apig.Config{Keys: sourceFunc(func(context.Context, string) (*core.Key, error) {
			<-blocked
			return &k1, nil
		})})}
	})
	before := runtime.NumGoroutine()
	codes := make(chan core.Code)
	for range requests {
		r := request(t, p1)
		go func() {
			_, err := v.Verify(r)
			codes <- core.CodeOf(err)
		}()
	}
	for range requests {
		if code := <-codes; code != core.CodeUnavailable {
			t.Errorf("got %q", code)
		}
	}
	if n := runtime.NumGoroutine() - before; n > most+5 {
		t.Errorf("%d goroutines are left, want at most %d", n, most)
	}
	// The deadline of a request counts as well.
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err := v.Verify(request(t, p1).WithContext(ctx))
	wantCode(t, err, core.CodeUnavailable)

	close(blocked)
	for { // until the last call has returned; the test's own deadline bounds it
		if _, err := v.Verify(request(t, p1)); err == nil {
			break
		}
		runtime.Gosched()
	}
}
