package core_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
)

func sourceOf(key core.Key) sourceFunc {
	return func(context.Context, string) (*core.Key, error) { return &key, nil }
}

// TestInvalidKeysOfASource: an empty or blank secret would let everybody sign, an
// empty name would be bound to every API without a binding, and a source that
// answers with another key would let that key's holder be asked for.
func TestInvalidKeysOfASource(t *testing.T) {
	emptyPrevious, nameless, other := k1, k1, k2
	emptyPrevious.Previous = []core.PreviousSecret{{Secret: core.NewSecret("")}}
	nameless.Name = ""
	blank, blankPrevious, blankToken := k1, k1, k1
	blank.Secret, blankToken.SessionToken = core.NewSecret(" \n"), core.NewSecret("\u00a0")
	blankPrevious.Previous = []core.PreviousSecret{{Secret: core.NewSecret("\r\n")}}
	for name, tt := range map[string]struct {
		answer, signer core.Key
		def            string
	}{
		"empty previous secret":     {emptyPrevious, core.Key{ID: k1.ID}, "k1"},
		"blank secret":              {blank, blank, "k1"},
		"blank previous secret":     {blankPrevious, core.Key{ID: k1.ID, Secret: core.NewSecret("\r\n")}, "k1"},
		"blank session token":       {blankToken, blankToken, "k1"},
		"no name, no default":       {nameless, k1, ""},
		"key with another id":       {other, core.Key{ID: k1.ID, Secret: k2.Secret}, "k2"},
		"right key, other spelling": {k1, core.Key{ID: strings.ToLower(k1.ID), Secret: k1.Secret}, "k1"},
	} {
		t.Run(name, func(t *testing.T) {
			v := verifier(t, func(c *core.Config) {
				c.Schemes, c.Default = []core.Scheme{apig.New(apig.Config{Keys: sourceOf(tt.answer)})}, tt.def
			})
			wantVerdict(t, v, signed(t, tt.signer, "DELETE", "/v1/items", "", apig.SignOptions{}), core.CodeUnavailable)
		})
	}
}

// TestKeySourceErrorsAreCut: their text may be the caller's.
func TestKeySourceErrorsAreCut(t *testing.T) {
	var log strings.Builder
	v := verifier(t, func(c *core.Config) {
		c.Schemes = []core.Scheme{apig.New(apig.Config{Keys: sourceFunc(func(_ context.Context, id string) (*core.Key, error) {
			return nil, errors.New("no row for " + id)
		})})}
		c.Logger = jsonLogger(&log)
	})
	wantVerdict(t, v, signed(t, core.Key{ID: strings.Repeat("i", 7000), Secret: k1.Secret}, "GET", "/", "", apig.SignOptions{}), core.CodeUnavailable)
	if log.Len() > 1500 {
		t.Errorf("the record has %d bytes", log.Len())
	}
	var record struct{ Error string }
	if err := json.Unmarshal([]byte(log.String()), &record); err != nil || len(record.Error) != 512+len("...") {
		t.Errorf("not one JSON record with an error of 512 bytes: %v, %s", err, &log)
	}
}

// TestKeySourceFaults_F15: a source that fails in any way gives 503, tells no
// secret, and takes nothing down.
func TestKeySourceFaults_F15(t *testing.T) {
	fail := true
	revoked := errors.New("revoked")
	for name, tt := range map[string]struct {
		source sourceFunc
		says   string
	}{
		"panic":            {func(context.Context, string) (*core.Key, error) { panic("SK=" + k1.Secret.Reveal()) }, ": the key source failed"},
		"error":            {func(context.Context, string) (*core.Key, error) { return nil, revoked }, ": the key source failed: revoked"},
		"nothing":          {func(context.Context, string) (*core.Key, error) { return nil, nil }, ": the key source returned nothing"},
		"no secret":        {func(context.Context, string) (*core.Key, error) { return &core.Key{Name: "k1"}, nil }, ", or one without name or secret"},
		"key and an error": {func(context.Context, string) (*core.Key, error) { return &k1, revoked }, ": the key source failed: revoked"},
	} {
		t.Run(name, func(t *testing.T) {
			var log strings.Builder
			v := verifier(t, func(c *core.Config) {
				c.Schemes = []core.Scheme{apig.New(apig.Config{Keys: sourceFunc(func(ctx context.Context, id string) (*core.Key, error) {
					if fail {
						return tt.source(ctx, id)
					}
					return &k1, nil
				})})}
				c.Logger = slog.New(slog.NewJSONHandler(&log, nil))
			})
			fail = true
			_, err := v.Verify(request(t, p1))
			if wantCode(t, err, core.CodeUnavailable); !strings.HasSuffix(err.Error(), tt.says) {
				t.Errorf("got %v, want an error that ends in %q", err, tt.says)
			}
			if strings.Contains(log.String(), k1.Secret.Reveal()) || strings.Contains(log.String(), "panic in the application's key source") != (name == "panic") {
				t.Errorf("the log holds the secret, or not whether the source panics: %s", &log)
			}
			fail = false
			if _, err := v.Verify(request(t, p1)); err != nil {
				t.Errorf("the next request: %v", err)
			}
		})
	}
}

// TestKeyAndUnknown: a key that comes together with ErrKeyUnknown, wrapped or not, is unknown.
func TestKeyAndUnknown(t *testing.T) {
	for _, answer := range []error{core.ErrKeyUnknown, fmt.Errorf("no row: %w", core.ErrKeyUnknown)} {
		v := verifier(t, func(c *core.Config) {
			c.Schemes = []core.Scheme{apig.New(apig.Config{Keys: sourceFunc(func(context.Context, string) (*core.Key, error) { return &k1, answer })})}
		})
		wantVerdict(t, v, request(t, p1), core.CodeKeyUnknown)
	}
}

// TestOneLookup: a limit of one call permits one call.
func TestOneLookup(t *testing.T) {
	v := verifier(t, func(c *core.Config) {
		c.Schemes, c.Limits.KeyLookups = []core.Scheme{apig.New(apig.Config{Keys: sourceOf(k1)})}, 1
	})
	wantVerdict(t, v, request(t, p1), "")
}

// TestUnknownBesideASource: a key that is unknown to its scheme is not looked for in the source of
// another scheme.
func TestUnknownBesideASource(t *testing.T) {
	asked := 0
	v := verifier(t, func(c *core.Config) {
		c.Schemes = append(c.Schemes, apig.NewScoped(apig.Config{Keys: sourceFunc(func(context.Context, string) (*core.Key, error) { asked++; return &k1, nil })}))
	})
	wantVerdict(t, v, signed(t, core.Key{ID: "UNKNOWN", Secret: k1.Secret}, "GET", "/v1/items", "", apig.SignOptions{}), core.CodeKeyUnknown)
	if asked > 0 {
		t.Error("the source was asked")
	}
}

// TestUnknownKeyFlood_T137: requests that name unknown keys cost the same each
// time, read no byte of their body, and leave nothing behind.
func TestUnknownKeyFlood_T137(t *testing.T) {
	v := verifier(t)
	r := signed(t, core.Key{ID: "UNKNOWN00000", Secret: k1.Secret}, "POST", "/v1/items", "x", apig.SignOptions{})
	r.Body, r.ContentLength = unread{t}, 12<<20
	auth := r.Header.Get("Authorization")
	n := 0
	flood := func() {
		n++
		r.Header["Authorization"][0] = strings.Replace(auth, "UNKNOWN00000", fmt.Sprintf("UNKNOWN%05d", n%100000), 1)
		wantVerdict(t, v, r, core.CodeKeyUnknown)
	}
	again := func() { v.Verify(r) }
	first := testing.AllocsPerRun(1000, again)
	before := heap()
	for range 50000 {
		flood()
	}
	if grown := int64(heap()) - int64(before); grown > 1<<20 {
		t.Errorf("the heap grew by %d bytes over 50,000 unknown ids", grown)
	}
	if last := testing.AllocsPerRun(1000, again); last > first && !raceEnabled {
		t.Errorf("a refusal allocates %v times after the flood and %v times before", last, first)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

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
	// Those of this test end as well, in their own time.
	for deadline := time.Now().Add(30 * time.Second); runtime.NumGoroutine()-before > most+5; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines are left, want at most %d", runtime.NumGoroutine()-before, most)
		}
	}
	// The deadline of a request counts as well.
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	wantVerdict(t, v, request(t, p1).WithContext(ctx), core.CodeUnavailable)

	close(blocked)
	for { // until the last call has returned; the test's own deadline bounds it
		if _, err := v.Verify(request(t, p1)); err == nil {
			break
		}
		runtime.Gosched()
	}
}

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
		r := usual(apig.NewSigner(signer, apig.SignOptions{Headers: further}))
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
