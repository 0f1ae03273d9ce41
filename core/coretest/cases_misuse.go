package coretest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
)

// receive parses m as a server does.
func receive(m message) *http.Request {
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(m.bytes())))
	if err != nil {
		panic(err) // impossible: the requests of the suite are valid
	}
	return r
}

// Mistakes of applications: requests without a server, verifiers without a policy,
// contexts that have ended.
func misuseCases() []testCase {
	refusing := func(name string, v *core.Verifier) testCase {
		return testCase{name: "T170 " + name + " refuses", script: func(b *bench) {
			b.handler = b.suite.mount(v, b.app)
			a := b.exchange(p1())
			if runs := len(b.app.seen.take()); a.status != 503 || runs != 0 {
				b.Errorf("got status %d, handler ran %d times; want 503 and never", a.status, runs)
			}
			if id, err := v.Verify(receive(p1())); id != nil || core.CodeOf(err) != core.CodeUnavailable {
				b.Errorf("Verify: got %v, %v; want unavailable", id, err)
			}
		}}
	}
	failed, _ := core.New(core.Config{})
	return []testCase{
		refusing("the zero Verifier", new(core.Verifier)),
		refusing("a Verifier that New did not make", failed),
		{name: "T170 only a Verifier makes a verified identity", script: noForgery},
		{name: "T142 nil for every argument and field", script: nils},
		{name: "T143 requests without a socket", script: oddRequests},
		{name: "T144 a context that has ended", script: endedContext},
	}
}

func noForgery(b *bench) {
	read := new(core.Identity)
	//lint:ignore SA9005 that nothing is read is what this shows
	if err := json.Unmarshal([]byte(`{"verified":true,"Verified":true,"key":"orders_key","environment":"prod"}`), read); err != nil {
		read = new(core.Identity)
	}
	for name, id := range map[string]*core.Identity{"nil": nil, "zero": {}, "from JSON": read} {
		found, ok := core.FromContext(core.NewContext(context.Background(), id))
		if id.Verified() || ok || found != nil {
			b.Errorf("the %s identity: verified %v, found %v %v; want none", name, id.Verified(), found, ok)
		}
	}
	if id, ok := core.FromContext(context.Background()); id != nil || ok {
		b.Errorf("an empty context has identity %v", id)
	}
}

func nils(b *bench) {
	target := &url.URL{Path: "/v1/items"}
	for name, r := range map[string]*http.Request{
		"a nil request":       nil,
		"an empty request":    {},
		"no URL":              {Method: "GET", Host: host, Header: receive(p1()).Header},
		"an empty URL":        {Method: "GET", Host: host, URL: &url.URL{}},
		"no header":           {Method: "GET", Host: host, URL: target},
		"an empty header map": {Method: "GET", Host: host, URL: target, Header: http.Header{"Authorization": nil, "X-Sdk-Date": {}}},
		"no method":           {Host: host, URL: target, Header: receive(p1()).Header},
	} {
		if id, err := b.verifier.Verify(r); id != nil || err == nil {
			b.Errorf("Verify of %s: got %v, %v; want an error", name, id, err)
		}
		if admission, err := b.verifier.Admit(nil, r, core.BodyForHandler); admission.Request != nil || err == nil {
			b.Errorf("Admit of %s: got %v, %v; want an error", name, admission.Request, err)
		}
	}
	noBody := receive(p1())
	noBody.Body = nil
	if _, err := b.verifier.Admit(nil, noBody, core.BodyForHandler); err != nil {
		b.Errorf("Admit without a body: %v", err)
	}
	core.Release(noBody)
	for name, change := range map[string]func(*core.Config){
		"a nil scheme":            func(c *core.Config) { c.Schemes = []core.Scheme{nil} },
		"a scheme without keys":   func(c *core.Config) { c.Schemes = []core.Scheme{apig.New(apig.Config{})} },
		"a nil observer":          func(c *core.Config) { c.Observers = []core.Observer{nil} },
		"no scheme":               func(c *core.Config) { c.Schemes = nil },
		"no environment":          func(c *core.Config) { c.Environment = "" },
		"a key that is not known": func(c *core.Config) { c.Default = "nobody" },
	} {
		c := fixture(b.records.logger(), &b.events)
		change(&c)
		if v, err := core.New(c); v != nil || err == nil {
			b.Errorf("New with %s: got %v, %v; want an error", name, v, err)
		}
	}
	b.typedNil()
}

// source is a KeySource of an application. A nil source has no keys.
type source struct{ keys map[string]*core.Key }

// Key implements [core.KeySource]. On a nil source it panics.
func (s *source) Key(_ context.Context, id string) (*core.Key, error) {
	if s == nil {
		panic("no keys, while looking for " + k1.secret)
	}
	return s.keys[id], nil
}

func (b *bench) typedNil() {
	b.Helper()
	c := fixture(b.records.logger(), &b.events)
	c.Schemes = []core.Scheme{apig.New(apig.Config{Keys: (*source)(nil)})}
	v, err := core.New(c)
	if err != nil {
		return // New returned an error
	}
	if id, err := v.Verify(receive(p1())); id != nil || core.CodeOf(err) != core.CodeUnavailable {
		b.Errorf("Verify with a nil source of keys: got %v, %v; want unavailable", id, err)
	}
}

func oddRequests(b *bench) {
	header := receive(p1()).Header
	fresh := func(change func(*http.Request)) *http.Request {
		r := httptest.NewRequest("GET", "/v1/items", nil)
		r.Host, r.Header = host, header
		if change != nil {
			change(r)
		}
		return r
	}
	shallow := *fresh(nil)
	twice := fresh(nil)
	for name, r := range map[string]*http.Request{
		"from httptest":             fresh(nil),
		"no RequestURI":             fresh(func(r *http.Request) { r.RequestURI = "" }),
		"no RemoteAddr":             fresh(func(r *http.Request) { r.RemoteAddr = "" }),
		"a clone":                   fresh(nil).Clone(context.Background()),
		"a shallow copy":            &shallow,
		"served for the first time": twice,
		"served again":              twice,
		"a path that a router has changed, the target kept": fresh(func(r *http.Request) { r.URL.Path = "/items" }),
	} {
		w := httptest.NewRecorder()
		b.handler.ServeHTTP(w, r)
		if w.Code != 200 || len(b.app.seen.take()) != 1 {
			b.Errorf("%s: got status %d, want 200 and one run", name, w.Code)
		}
	}
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, fresh(func(r *http.Request) { r.RequestURI = "/v1/other" }))
	if w.Code != 401 || len(b.app.seen.take()) != 0 {
		b.Errorf("another RequestURI: got status %d, want 401", w.Code)
	}
	body := receive(p2())
	for run, want := range []int{200, 401} { // the memory of its body is released after the first run
		w := httptest.NewRecorder()
		b.handler.ServeHTTP(w, body)
		if w.Code != want || len(b.app.seen.take()) != (402-want)/200 {
			b.Errorf("one request with a body served again, run %d: got status %d, want %d", run, w.Code, want)
		}
	}
}

func endedContext(b *bench) {
	inner := b.handler
	for name, end := range map[string]func(context.Context) (context.Context, context.CancelFunc){
		"cancelled": func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return ctx, cancel
		},
		"deadline passed": func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithDeadline(ctx, time.Unix(0, 0))
		},
	} {
		b.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, cancel := end(r.Context())
			defer cancel()
			inner.ServeHTTP(w, r.WithContext(ctx))
		})
		a := b.exchange(p1())
		b.settle()
		events := b.events.take()
		if len(b.app.seen.take()) != 0 || a.status != 503 && a.status != 499 {
			b.Errorf("%s: got status %d, want 503 and no handler", name, a.status)
		}
		if len(events) != 1 || !errors.Is(events[0].Err, context.Canceled) && !errors.Is(events[0].Err, context.DeadlineExceeded) {
			b.Errorf("%s: got verdicts %v, want one that wraps the context's error", name, events)
		}
		if strings.Contains(a.body, name) {
			b.Errorf("%s: the response contains the reason: %s", name, a.body)
		}
	}
}
