package core_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// memory is a replay store that never forgets, and does as it is told.
type memory struct {
	mu   sync.Mutex
	seen map[string]core.ReplayEntry
	fail func() error
}

func (m *memory) Add(_ context.Context, e core.ReplayEntry) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		if err := m.fail(); err != nil {
			return false, err
		}
	}
	key := e.Environment + "\x00" + string(e.Fingerprint[:])
	if _, seen := m.seen[key]; seen {
		return false, nil
	}
	if m.seen == nil {
		m.seen = map[string]core.ReplayEntry{}
	}
	m.seen[key] = e
	return true, nil
}

func (m *memory) entries() (all []core.ReplayEntry) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.seen {
		all = append(all, e)
	}
	return all
}

func replayed(store core.ReplayStore) func(*core.Config) {
	return func(c *core.Config) { c.Replay.Store = store }
}

// TestSameTwice_T088: and what the store is told.
func TestSameTwice_T088(t *testing.T) {
	store := &memory{}
	var events []core.Event
	v := verifier(t, replayed(store), func(c *core.Config) {
		c.Observers = []core.Observer{core.ObserverFunc(func(_ context.Context, e core.Event) { events = append(events, e) })}
	})
	id, err := v.Verify(request(t, p1))
	if err != nil || !id.ReplayChecked() {
		t.Fatalf("got identity %+v, %v", id, err)
	}
	wantVerdict(t, v, request(t, p1), core.CodeReplayed)
	for _, e := range events {
		if e.ReplayUnavailable || e.ReplayUnchecked {
			t.Errorf("got the event %+v of a store that works", e)
		}
	}
	all := store.entries()
	if len(all) != 1 || all[0].Environment != "prod" || all[0].Fingerprint == [32]byte{} || !all[0].SignedAt.Equal(instant) ||
		!all[0].Until.Equal(instant.Add(15*time.Minute)) || !all[0].Now.Equal(instant) {
		t.Errorf("the store was told %+v", all)
	}
}

// TestFailedFirst_T091 and T099: nothing is recorded for a request that is
// refused for whatever reason.
func TestFailedFirst_T091(t *testing.T) {
	store := &memory{}
	v := verifier(t, replayed(store), func(c *core.Config) { c.APIs = []core.API{{Match: "/v1/other", Key: "k2"}} })
	forged := strings.Replace(p1, "Signature=cb", "Signature=cc", 1)
	wantVerdict(t, v, request(t, forged), core.CodeSignatureMismatch)
	wantVerdict(t, v, signed(t, k1, "GET", "/v1/other", "", apig.SignOptions{}), core.CodeKeyNotBound)
	broken := signed(t, k1, "POST", "/v1/items", "text", apig.SignOptions{Payload: core.PayloadDeclared})
	broken.Body = http.NoBody
	broken.ContentLength = 0
	wantVerdict(t, v, broken, core.CodeBodyMismatch)
	if all := store.entries(); len(all) != 0 {
		t.Errorf("recorded: %+v", all)
	}
	if _, err := v.Verify(request(t, p1)); err != nil {
		t.Errorf("after a forgery of it: %v", err)
	}
}

// TestExemptMethods_T092: equal requests of one second are one, unless their
// method is exempt.
func TestExemptMethods_T092(t *testing.T) {
	store := &memory{}
	v := verifier(t, replayed(store), func(c *core.Config) { c.Replay.ExemptMethods = []string{"GET", "HEAD"} })
	for range 2 {
		id, err := v.Verify(request(t, p1))
		if err != nil || id.ReplayChecked() {
			t.Errorf("an exempt method: %v, %v", id, err)
		}
	}
	for i, want := range []core.Code{"", core.CodeReplayed} {
		_, err := v.Verify(signed(t, k1, "POST", "/v1/items", "", apig.SignOptions{}))
		if core.CodeOf(err) != want {
			t.Errorf("POST %d: %v", i, err)
		}
	}
}

// TestKeySeparation_T098: environments that share a store do not share requests.
func TestKeySeparation_T098(t *testing.T) {
	store := &memory{}
	for _, environment := range []string{"prod", "test"} {
		v := verifier(t, replayed(store), func(c *core.Config) { c.Environment = environment })
		if _, err := v.Verify(request(t, p1)); err != nil {
			t.Errorf("%s: %v", environment, err)
		}
	}
}

// TestUnavailable_F01: a store that fails refuses, unless that is allowed; and
// then the identity and the log say so.
func TestUnavailable_F01(t *testing.T) {
	for name, fail := range map[string]func() error{
		"error":     func() error { return errors.New("connection refused") },
		"F15 panic": func() error { panic("SK=" + k1.Secret.Reveal()) },
	} {
		for _, allow := range []bool{false, true} {
			var log strings.Builder
			var events []core.Event
			store := &memory{fail: fail}
			v := verifier(t, replayed(store), func(c *core.Config) {
				c.Replay.AllowUnavailable = allow
				c.Logger = jsonLogger(&log)
				c.Observers = []core.Observer{core.ObserverFunc(func(_ context.Context, e core.Event) { events = append(events, e) })}
			})
			if allow != strings.Contains(log.String(), "requests are accepted while the replay store is unavailable") {
				t.Errorf("%s, allow %v: log at start %s", name, allow, log.String())
			}
			id, err := v.Verify(request(t, p1))
			if !allow {
				wantCode(t, err, core.CodeUnavailable)
			} else if err != nil || id.ReplayChecked() {
				t.Errorf("%s, allowed: %v, %v", name, id, err)
			}
			if len(events) != 1 || events[0].ReplayUnchecked != allow {
				t.Errorf("%s, allow %v: events %+v", name, allow, events)
			}
			if panics := strings.Contains(name, "panic"); strings.Contains(log.String(), "panic in the application's replay store") != panics {
				t.Errorf("%s, allow %v: log %s", name, allow, log.String())
			}
			if allow && !strings.Contains(log.String(), `"level":"WARN","msg":"request verified, but for replay`) || strings.Contains(log.String(), k1.Secret.Reveal()) {
				t.Errorf("%s, allow %v: log %s", name, allow, log.String())
			}
			wantVerdict(t, v, request(t, strings.Replace(p1, "items", "other", 1)), core.CodeSignatureMismatch) // an unsigned client still gets 401
			store.fail = nil
			if id, err := v.Verify(request(t, p1)); err != nil || !id.ReplayChecked() {
				t.Errorf("%s: after the store came back: %v", name, err)
			}
		}
	}
}

// TestSignedBeforeStart_T194: a store that does not know of the time before it refuses also
// where the policy accepts requests while a store is unavailable.
func TestSignedBeforeStart_T194(t *testing.T) {
	for _, allow := range []bool{false, true} {
		store := &memory{fail: func() error { return fmt.Errorf("store: %w", core.ErrSignedBeforeStart) }}
		v := verifier(t, replayed(store), func(c *core.Config) { c.Replay.AllowUnavailable = allow })
		_, err := v.Verify(request(t, p1))
		if wantCode(t, err, core.CodeUnavailable); err == nil || !strings.Contains(err.Error(), "replay.refuse_before_start is set: ") {
			t.Errorf("allow %v: got %v, want it to say why", allow, err)
		}
	}
}

// TestCancelledRequest_F01: whoever ends the request while the store is asked
// does not get it accepted unchecked.
func TestCancelledRequest_F01(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	store := &memory{fail: func() error { cancel(); return ctx.Err() }}
	var events []core.Event
	v := verifier(t, replayed(store), func(c *core.Config) {
		c.Replay.AllowUnavailable = true
		c.Observers = []core.Observer{core.ObserverFunc(func(_ context.Context, e core.Event) { events = append(events, e) })}
	})
	wantVerdict(t, v, request(t, p1).WithContext(ctx), core.CodeUnavailable)
	if len(events) != 1 || events[0].ReplayUnavailable {
		t.Errorf("got %+v, want one event that does not blame the store", events)
	}
}

// TestMountedTwice_T171 and T172: the second pass over an admitted request
// recognises it; another request with its context is another request.
func TestMountedTwice_T171(t *testing.T) {
	v := verifier(t, replayed(&memory{}))
	admitted := admit(t, v, request(t, p1), core.BodyForHandler).Request
	again := admit(t, v, admitted, core.BodyForHandler).Request
	if id, ok := core.FromContext(again.Context()); !ok || !id.ReplayChecked() || id.Retry() {
		t.Errorf("mounted twice: identity %v", id)
	}
	changed := again.Clone(again.Context())
	changed.RequestURI = "/v1/other"
	_, err := v.Admit(nil, changed, core.BodyForHandler)
	wantCode(t, err, core.CodeSignatureMismatch)
	for _, want := range []core.Code{"", core.CodeReplayed} {
		_, err = v.Admit(nil, signed(t, k1, "GET", "/v1/other", "", apig.SignOptions{}).WithContext(again.Context()), core.BodyForHandler)
		wantCode(t, err, want)
	}
	_, err = v.Admit(nil, request(t, p1), core.BodyForHandler)
	wantCode(t, err, core.CodeReplayed)
}

// TestUncheckedInFront_T172: what was verified without a store is not checked for replay,
// also where the same environment has verified it.
func TestUncheckedInFront_T172(t *testing.T) {
	inner := verifier(t, replayed(&memory{}))
	for _, want := range []core.Code{"", core.CodeReplayed} {
		admitted := admit(t, verifier(t), request(t, p1), core.BodyForHandler).Request
		_, err := inner.Admit(nil, admitted, core.BodyForHandler)
		wantCode(t, err, want)
	}
}

// TestNothingToReplay: a credential that signs no request is no replay of one, and the
// store is not asked.
func TestNothingToReplay(t *testing.T) {
	store := &memory{fail: func() error { t.Error("the store was asked"); return nil }}
	v := verifier(t, replayed(store), func(c *core.Config) { c.Default = "user" })
	for range 2 {
		r := httptest.NewRequest("GET", "/x", nil)
		r.SetBasicAuth(user.ID, user.Secret.Reveal())
		if id, err := v.Verify(r); err != nil || id.ReplayChecked() {
			t.Errorf("got %v, %v", id, err)
		}
	}
}

// TestEntryOfPresigned: the store is told when a link ends, which the link says.
func TestEntryOfPresigned(t *testing.T) {
	store := &memory{}
	v := verifier(t, replayed(store), func(c *core.Config) { c.AllowPresigned = true })
	r := httptest.NewRequest("GET", "/v1/items", nil)
	r.Host, r.Body = "api.example.com", http.NoBody
	testkit.Sign(apig.NewSigner(k1, apig.SignOptions{Expires: 3 * time.Hour}), r, "", instant)
	r.RequestURI = r.URL.RequestURI()
	wantVerdict(t, v, r, "")
	if all := store.entries(); len(all) != 1 || !all[0].Presigned || !all[0].Until.Equal(instant.Add(3*time.Hour)) || !all[0].SignedAt.Equal(instant) {
		t.Errorf("the store was told %+v", all)
	}
}

// TestOtherEnvironmentInFront_T172: what another environment has checked for replay is
// not checked for this one, also where both share keys and store.
func TestOtherEnvironmentInFront_T172(t *testing.T) {
	store := &memory{}
	of := func(environment string) *core.Verifier {
		return verifier(t, replayed(store), func(c *core.Config) { c.Environment = environment })
	}
	outer, inner := of("outer"), of("inner")
	if _, err := inner.Verify(request(t, p1)); err != nil {
		t.Fatal(err)
	}
	admitted := admit(t, outer, request(t, p1), core.BodyForHandler).Request
	_, err := inner.Admit(nil, admitted, core.BodyForHandler)
	wantCode(t, err, core.CodeReplayed)
}

// TestReloadWithoutStore: a reload that loses the store is told.
func TestReloadWithoutStore(t *testing.T) {
	var log strings.Builder
	logged := func(c *core.Config) { c.Logger = slog.New(slog.NewJSONHandler(&log, nil)) }
	v := verifier(t, replayed(&memory{}), logged)
	if err := v.Reload(config(logged)); err != nil || !strings.Contains(log.String(), "another replay store") {
		t.Errorf("%v, log %s", err, log.String())
	}
}

// TestReloadToAnotherEnvironment: entries of a store are of one environment, so with another
// one the store knows none of the requests that were accepted before.
func TestReloadToAnotherEnvironment(t *testing.T) {
	var log strings.Builder
	store := &memory{}
	logged := func(c *core.Config) { c.Logger = slog.New(slog.NewJSONHandler(&log, nil)) }
	v := verifier(t, replayed(store), logged)
	for _, environment := range []string{v.Status().Environment, "another"} {
		log.Reset()
		warned := environment == "another"
		err := v.Reload(config(replayed(store), logged, func(c *core.Config) { c.Environment = environment }))
		if err != nil || strings.Contains(log.String(), "another replay store or environment") != warned {
			t.Errorf("%s: %v, log %s", environment, err, log.String())
		}
	}
}

// unsaid is a scheme that does not say what identifies a request.
type unsaid struct{ core.Scheme }

func (u unsaid) Verify(r *http.Request, c *core.Credential, key *core.Key, secrets []core.Secret, payload string) (int, error) {
	i, err := u.Scheme.Verify(r, c, key, secrets, payload)
	c.Fingerprint = [32]byte{}
	return i, err
}

// TestReplayNeedsFingerprint: a scheme that forgot it is refused, not unchecked.
func TestReplayNeedsFingerprint(t *testing.T) {
	v := verifier(t, replayed(&memory{}), func(c *core.Config) { c.Schemes = []core.Scheme{unsaid{hmacScheme(k1)}} })
	wantVerdict(t, v, request(t, p1), core.CodeUnavailable)
}

// firstTime is a store to which every request is new.
type firstTime struct{}

func (firstTime) Add(context.Context, core.ReplayEntry) (bool, error) { return true, nil }
