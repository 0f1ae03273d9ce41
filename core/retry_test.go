package core_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
)

// permits is a store that permits retries, and does as it is told.
type permits struct {
	memory
	within         []time.Duration // of each permission
	redeemed       int
	permit, redeem func() error
	open           bool
}

func (p *permits) Permit(_ context.Context, _ core.ReplayEntry, within time.Duration) error {
	p.within = append(p.within, within)
	if p.permit != nil {
		return p.permit()
	}
	p.open = true
	return nil
}

func (p *permits) Redeem(ctx context.Context, _ core.ReplayEntry) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if p.redeem != nil {
		if err := p.redeem(); err != nil {
			return false, err
		}
	}
	was := p.open
	p.open = false
	if was {
		p.redeemed++
	}
	return was, nil
}

func retried(store core.ReplayStore) func(*core.Config) {
	return func(c *core.Config) {
		c.Replay = core.Replay{Store: store, Retries: core.Retries{Methods: []string{"GET", "PUT"}, Within: 5 * time.Second}}
	}
}

// TestRetriesConfig_T193 is that retries are permitted for idempotent methods that are not
// exempt, for up to a minute, by a store that can.
func TestRetriesConfig_T193(t *testing.T) {
	idempotent := []string{"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"}
	for name, tt := range map[string]struct {
		change func(*core.Replay)
		want   string // the one problem, "" for none
	}{
		"none":               {func(r *core.Replay) { r.Retries = core.Retries{} }, ""},
		"all methods":        {func(r *core.Replay) { r.Retries.Methods = idempotent }, ""},
		"a minute":           {func(r *core.Replay) { r.Retries.Within = time.Minute }, ""},
		"a nanosecond":       {func(r *core.Replay) { r.Retries.Within = 1 }, ""},
		"another exempt":     {func(r *core.Replay) { r.ExemptMethods = []string{"HEAD"} }, ""},
		"no retries, memory": {func(r *core.Replay) { r.Retries, r.Store = core.Retries{}, &memory{} }, ""},
		"no store":           {func(r *core.Replay) { r.Store = nil }, "Replay: set, without a store"},
		"POST": {func(r *core.Replay) { r.Retries.Methods = []string{"GET", "POST"} },
			`Replay.Retries.Methods[1] "POST": is not a method that gateways retry: GET, HEAD, OPTIONS, TRACE, PUT or DELETE`},
		"lower case": {func(r *core.Replay) { r.Retries.Methods = []string{"get"} }, `Replay.Retries.Methods[0] "get": is not a method that gateways retry: GET, HEAD, OPTIONS, TRACE, PUT or DELETE`},
		"exempt": {func(r *core.Replay) { r.ExemptMethods = []string{"GET"} },
			`Replay.Retries.Methods[0] "GET": is exempt from the check, so that it can be sent as often as anybody likes`},
		"too long":        {func(r *core.Replay) { r.Retries.Within = time.Minute + 1 }, "Replay.Retries.Within: 1m0.000000001s is not between 0 and 1m0s"},
		"negative":        {func(r *core.Replay) { r.Retries.Within = -1 }, "Replay.Retries.Within: -1ns is not between 0 and 1m0s"},
		"no time":         {func(r *core.Replay) { r.Retries.Within = 0 }, "Replay.Retries.Within: is missing: set a duration, such as 5s"},
		"no time for one": {func(r *core.Replay) { r.Retries = core.Retries{Methods: []string{"PUT"}} }, "Replay.Retries.Within: is missing: set a duration, such as 5s"},
		"no RetryStore for one": {func(r *core.Replay) { r.Retries.Methods, r.Store = []string{"PUT"}, &memory{} },
			"Replay.Retries: set, with a store that is not a RetryStore"},
		"no methods": {func(r *core.Replay) { r.Retries.Methods = nil }, "Replay.Retries.Methods: is missing: name the methods, such as PUT and DELETE"},
		"no RetryStore": {func(r *core.Replay) { r.Store = &memory{} },
			"Replay.Retries: set, with a store that is not a RetryStore"},
	} {
		_, err := core.New(config(retried(&permits{}), func(c *core.Config) { tt.change(&c.Replay) }))
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || err.Error() != `gatewayauth: environment "prod": `+tt.want) {
			t.Errorf("%s: got %v, want %q", name, err, tt.want)
		}
	}
	methods := []string{"PUT"}
	v := verifier(t, retried(&permits{}), func(c *core.Config) { c.Replay.Retries.Methods = methods })
	methods[0] = "GET"
	if admit(t, v, request(t, p1), core.BodyForHandler).PermitRetry() {
		t.Error("the list of methods is the caller's")
	}
}

// TestRetry_T193 is that a request is permitted once more only after PermitRetry, for the
// methods of the policy, and that its identity and its event say so.
func TestRetry_T193(t *testing.T) {
	store := &permits{}
	var events []core.Event
	v := verifier(t, retried(store), func(c *core.Config) {
		c.Observers = []core.Observer{core.ObserverFunc(func(_ context.Context, e core.Event) { events = append(events, e) })}
	})
	first := admit(t, v, request(t, p1), core.BodyForHandler)
	wantVerdict(t, v, request(t, p1), core.CodeReplayed)
	if !first.PermitRetry() || !slices.Equal(store.within, []time.Duration{5 * time.Second}) {
		t.Errorf("not permitted: %v", store.within)
	}
	events = nil
	second := admit(t, v, request(t, p1), core.BodyForHandler)
	id, _ := core.FromContext(second.Request.Context())
	if !id.Retry() || !id.ReplayChecked() || len(events) != 1 || !events[0].Retry || events[0].ReplayUnavailable {
		t.Errorf("the retry: identity %v, events %+v", id, events)
	}
	if second.PermitRetry() {
		t.Error("the retry may be retried")
	}
	wantVerdict(t, v, request(t, p1), core.CodeReplayed)
	post := admit(t, v, signed(t, k1, "POST", "/v1/items", "", apig.SignOptions{}), core.BodyForHandler)
	if post.PermitRetry() {
		t.Error("POST may be retried")
	}
	post.Answer(200)
	store.open = true
	wantVerdict(t, v, signed(t, k1, "POST", "/v1/items", "", apig.SignOptions{}), core.CodeReplayed)
	if w := httptest.NewRecorder(); post.Watch(w) != http.ResponseWriter(w) {
		t.Error("the answer to what cannot be retried is watched")
	}
}

// TestRetryStoreFails_F01 is that a store that fails gives no retry.
func TestRetryStoreFails_F01(t *testing.T) {
	for name, fail := range map[string]func() error{
		"error": func() error { return errors.New("connection refused") },
		"panic": func() error { panic("store") },
	} {
		store := &permits{permit: fail}
		var events []core.Event
		v := verifier(t, retried(store), func(c *core.Config) {
			c.Observers = []core.Observer{core.ObserverFunc(func(_ context.Context, e core.Event) { events = append(events, e) })}
		})
		first := admit(t, v, request(t, p1), core.BodyForHandler)
		if w := httptest.NewRecorder(); !first.PermitRetry() || first.Watch(w) == http.ResponseWriter(w) {
			t.Errorf("%s: the store may have been told, and the answer is not watched", name)
		}
		store.redeem, events = fail, nil
		wantVerdict(t, v, request(t, p1), core.CodeUnavailable)
		if len(events) != 1 || !events[0].ReplayUnavailable {
			t.Errorf("%s: events %+v", name, events)
		}
		events = nil
		ctx, cancel := context.WithCancel(t.Context())
		store.fail = func() error { cancel(); return nil } // the client goes while Add runs
		store.redeem = nil
		wantVerdict(t, v, request(t, p1).WithContext(ctx), core.CodeUnavailable)
		if len(events) != 1 || events[0].ReplayUnavailable {
			t.Errorf("%s: a client that has gone: events %+v", name, events)
		}
	}
}

// TestRetryAnswer_T193 is that the first answer that is no 1xx, or is 101, decides: below 500
// there is no retry any more.
func TestRetryAnswer_T193(t *testing.T) {
	for _, tt := range []struct {
		answers []int
		open    bool
	}{
		{nil, true}, {[]int{200}, false}, {[]int{499}, false}, {[]int{500}, true}, {[]int{599}, true}, {[]int{100}, true}, {[]int{199}, true},
		{[]int{101}, false}, {[]int{103, 503, 200}, true}, {[]int{103, 200, 503}, false}, {[]int{102, 101}, false}, {[]int{500, 101}, true},
	} {
		store := &permits{}
		ctx, cancel := context.WithCancel(t.Context())
		a := admit(t, verifier(t, retried(store)), request(t, p1).WithContext(ctx), core.BodyForHandler)
		if !a.PermitRetry() {
			t.Fatal("not permitted")
		}
		cancel() // also where the client has gone
		for _, status := range tt.answers {
			a.Answer(status)
		}
		if store.open != tt.open {
			t.Errorf("answers %v: a retry is permitted: %v, want %v", tt.answers, store.open, tt.open)
		}
	}
	core.Admission{}.Answer(200)
	if (core.Admission{}).PermitRetry() {
		t.Error("no request may be retried")
	}
}

// TestWatch_T193 is that whatever sends the header answers the request before.
func TestWatch_T193(t *testing.T) {
	for name, tt := range map[string]struct {
		write func(http.ResponseWriter)
		open  bool
		code  int
		body  string
	}{
		"nothing":              {func(http.ResponseWriter) {}, true, 200, ""},
		"WriteHeader":          {func(w http.ResponseWriter) { w.WriteHeader(404) }, false, 404, ""},
		"WriteHeader of 503":   {func(w http.ResponseWriter) { w.WriteHeader(503); w.Write([]byte("x")) }, true, 503, "x"},
		"Write":                {func(w http.ResponseWriter) { w.Write([]byte("text")) }, false, 200, "text"},
		"Flush":                {func(w http.ResponseWriter) { w.(http.Flusher).Flush() }, false, 200, ""},
		"Flush, by controller": {func(w http.ResponseWriter) { http.NewResponseController(w).Flush() }, false, 200, ""},
		"Hijack":               {func(w http.ResponseWriter) { http.NewResponseController(w).Hijack() }, false, 200, ""},
	} {
		store := &permits{}
		a := admit(t, verifier(t, retried(store)), request(t, p1), core.BodyForHandler)
		recorder := httptest.NewRecorder()
		var before bool
		w := a.Watch(sees{recorder, func() { before = store.open }})
		tt.write(w)
		if store.open != tt.open || before != tt.open && name != "nothing" && name != "Hijack" || recorder.Code != tt.code || recorder.Body.String() != tt.body {
			t.Errorf("%s: a retry is permitted: %v, when the header is sent: %v; status %d, body %q", name, store.open, before, recorder.Code, recorder.Body)
		}
		if strings.HasPrefix(name, "Flush") && !recorder.Flushed {
			t.Errorf("%s: not flushed", name)
		}
		if u, ok := w.(interface{ Unwrap() http.ResponseWriter }); !ok || u.Unwrap().(sees).ResponseRecorder != recorder {
			t.Errorf("%s: Unwrap does not give the writer", name)
		}
	}
}

// sees calls a function when the header is sent.
type sees struct {
	*httptest.ResponseRecorder
	sent func()
}

func (s sees) WriteHeader(status int)      { s.sent(); s.ResponseRecorder.WriteHeader(status) }
func (s sees) Write(p []byte) (int, error) { s.sent(); return s.ResponseRecorder.Write(p) }
func (s sees) Flush()                      { s.sent(); s.ResponseRecorder.Flush() }

// TestPermissionWithoutAnswer_T193: a store that has been told of a permission, and did not say
// so in time, is told of the answer as well.
func TestPermissionWithoutAnswer_T193(t *testing.T) {
	store := &permits{}
	store.permit = func() error { store.open = true; return errors.New("the connection is gone") }
	a := admit(t, verifier(t, retried(store)), request(t, p1), core.BodyForHandler)
	a.Watch(httptest.NewRecorder()).WriteHeader(http.StatusOK)
	if store.open || store.redeemed != 1 {
		t.Errorf("after the answer: permission open is %v, redeemed %d times", store.open, store.redeemed)
	}
}
