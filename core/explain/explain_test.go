package explain_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/explain"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

func why(t *testing.T, r *http.Request, c core.Config, hints explain.Hints) *explain.Explanation {
	t.Helper()
	x, err := explain.Explain(r, c, hints)
	if err != nil || x == nil {
		t.Fatalf("got %v, %v", x, err)
	}
	silent(t, x)
	return x
}

// causesOf returns the causes of an explanation.
func causesOf(x *explain.Explanation) (list []explain.Cause) {
	for _, f := range x.Causes {
		list = append(list, f.Cause)
	}
	return list
}

// TestNoSideEffects: Explain calls no store and no observer, writes no log, and leaves the
// request unchanged.
func TestNoSideEffects(t *testing.T) {
	store := &countingStore{}
	var log bytes.Buffer
	c := config(func(c *core.Config) {
		c.Replay.Store, c.Logger = store, slog.New(slog.NewJSONHandler(&log, nil))
		c.Observers = []core.Observer{core.ObserverFunc(func(context.Context, core.Event) { t.Error("observed") })}
	})
	r := signed(t, k1, "POST", "/v1/items", "text", apig.SignOptions{}, "X-A: 1")
	before := r.Header.Clone()
	for range 2 {
		x := why(t, r, c, explain.Hints{})
		if !x.Accepted() || x.Key != "k1" || x.Bound != "k1" || x.Scheme != "hmac" || x.KeyID != k1.ID || !x.SignedAt.Equal(instant) || len(x.Causes) > 0 {
			t.Errorf("got %+v", x)
		}
		if !strings.HasPrefix(x.CanonicalRequest, "POST\n/v1/items/\n\nhost:api.example.com\n") || !strings.HasPrefix(x.StringToSign, "SDK-HMAC-SHA256\n20260115T120000Z\n") {
			t.Errorf("got canonical request\n%s\nstring to sign\n%s", x.CanonicalRequest, x.StringToSign)
		}
	}
	if store.calls > 0 || log.Len() > 0 {
		t.Errorf("%d calls of the store, log %s", store.calls, log.String())
	}
	if jsonText(t, r.Header) != jsonText(t, before) || r.RemoteAddr == "explain" || r.Host != "api.example.com" {
		t.Error("the request was changed")
	}
	if _, err := testkit.New(t, config()).Verify(r); err != nil {
		t.Errorf("after Explain, the request does not verify: %v", err)
	}
	// The same after a verifier has read the body and a handler has consumed it.
	io.Copy(io.Discard, r.Body)
	if x := why(t, r, c, explain.Hints{}); !x.Accepted() {
		t.Errorf("got %v", x)
	}
	core.Release(r)
}

type countingStore struct{ calls int }

func (s *countingStore) Add(context.Context, core.ReplayEntry) (bool, error) {
	s.calls++
	return true, nil
}

// TestBodyIsGivenBack: a body that is too large, or whose reader fails, is restored.
func TestBodyIsGivenBack(t *testing.T) {
	c := config(func(c *core.Config) { c.MaxBody = 10 })
	r := signed(t, k1, "POST", "/", strings.Repeat("x", 25), apig.SignOptions{})
	r.ContentLength = -1
	x := why(t, r, c, explain.Hints{})
	if rest, err := io.ReadAll(r.Body); x.Code != core.CodeBodyTooLarge || len(rest) != 25 || err != nil {
		t.Errorf("got %s; %d bytes were left: %v", x.Code, len(rest), err)
	}
	broken := errors.New("broken")
	r = signed(t, k1, "POST", "/", "text", apig.SignOptions{})
	r.Body = io.NopCloser(io.MultiReader(strings.NewReader("te"), iotest.ErrReader(broken)))
	x = why(t, r, c, explain.Hints{})
	if rest, err := io.ReadAll(r.Body); x.Code != core.CodeBodyMismatch || string(rest) != "te" || err != broken {
		t.Errorf("got %v; %q was left: %v", x, rest, err)
	}
}

// TestBoundOfWork: the search is bounded by MaxTries and by the context, also for a request
// with as many possible causes as an attacker can make.
func TestBoundOfWork(t *testing.T) {
	var headers []string
	for i := range 60 {
		headers = append(headers, fmt.Sprintf("X-A%d: a, b; c", i), fmt.Sprintf("X-A%d: %d", i, i))
	}
	names := make([]string, 60)
	for i := range names {
		names[i] = fmt.Sprintf("x-a%d", i)
	}
	target := "/v1/items?" + strings.Repeat("a=1%20b+c&", 200) + "z"
	body := `{"a":[` + strings.Repeat(`{"b": "c"},`, 3000) + `1]}`
	stranger := secret(k1, "a-secret-that-nobody-knows")
	r := signed(t, stranger, "POST", target, body, apig.SignOptions{Headers: names}, headers...)
	for _, tt := range []struct{ most, want int }{{1000, 1000}, {1, 1}, {300, 300}} {
		x := why(t, r, config(), explain.Hints{MaxTries: tt.most})
		if x.Tried != tt.want || !x.Cut || len(x.Causes) > 0 {
			t.Errorf("MaxTries %d: tried %d, cut %v, %v", tt.most, x.Tried, x.Cut, x.Causes)
		}
	}
	simple := signed(t, stranger, "GET", "/v1/items?a=1", "", apig.SignOptions{})
	if x := why(t, simple, config(), explain.Hints{}); x.Tried > 4000 || x.Cut || len(x.Causes) > 0 { // the whole search is shorter
		t.Errorf("tried %d, cut %v, %v", x.Tried, x.Cut, x.Causes)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	begin := time.Now()
	x := why(t, r.WithContext(ctx), config(), explain.Hints{MaxTries: 100_000})
	if took := time.Since(begin); !x.Cut || took > 5*time.Second {
		t.Errorf("the search ended after %v, cut %v", took, x.Cut)
	}
}

// TestCanonicalRequestOfSender: the sender's canonical request is compared line by line. If
// the signature matches it, the differences are the causes.
func TestCanonicalRequestOfSender(t *testing.T) {
	sent := scenario{target: "/api/items?a=1&b=2", signer: signed1("x-note"), headers: []string{"X-Note: one two"},
		proxy: func(p *httputil.ProxyRequest) {
			p.Out.Host = "10.1.2.3"
			p.Out.URL.Path, p.Out.URL.RawQuery = "/orders", "a=1&c=3"
			p.Out.Header.Set("X-Note", "other")
		},
		hints: explain.Hints{CanonicalRequest: "GET\r\n/api/items/\r\na=1&b=2\r\nhost:api.example.com\r\nx-note:one two\r\nx-sdk-date:20260115T120000Z\r\n\r\nhost;x-note;x-sdk-date\r\n" + sha("") + "\r\n"}}
	x := sent.why(t)
	var got []string
	for _, f := range x.Causes {
		got = append(got, string(f.Cause)+" "+f.Change)
	}
	want := "path_encoding path /api/items/ instead of /orders/, query_encoding query a=1&b=2 instead of a=1&c=3, " +
		"host host: api.example.com instead of 10.1.2.3, header_changed x-note: one two instead of other"
	if strings.Join(got, ", ") != want {
		t.Errorf("got %s\nwant %s", strings.Join(got, ", "), want)
	}
	text := x.String()
	for _, want := range []string{"  - path /orders/\n  + path /api/items/\n", "    method GET\n", "  - host: 10.1.2.3\n  + host: api.example.com\n", "    payload e3b0"} {
		if !strings.Contains(text, want) {
			t.Errorf("the text has no %q:\n%s", want, text)
		}
	}

	sent.key = secret(k1, "a-secret-that-nobody-knows")
	if x := sent.why(t); len(x.Causes) > 0 || len(x.Lines) != 8 || !x.Lines[1].Differs {
		t.Errorf("with an unknown secret: %v", x)
	}
	sent.hints.CanonicalRequest = "nonsense"
	if x := sent.why(t); len(x.Lines) != 1 {
		t.Errorf("got %v", x.Lines)
	}
}

// TestAlternatives: other changes that make the request verify are alternatives.
func TestAlternatives(t *testing.T) {
	other := core.Config{Environment: "x", Schemes: []core.Scheme{hmacScheme(staging)}}
	x := scenario{key: staging, hints: explain.Hints{Environments: map[string]core.Config{"staging": other, "test": other}}}.why(t)
	if len(x.Causes) != 1 || x.Causes[0].Cause != explain.CauseEnvironment || len(x.Alternatives) != 1 ||
		!strings.Contains(x.Alternatives[0].Detail, "environment test") || !strings.Contains(x.String(), "  or ") {
		t.Errorf("got %v", x)
	}
}

// TestNothingSecretIsShown: the report shows no secret and no control sequence of a
// terminal.
func TestNothingSecretIsShown(t *testing.T) {
	c := config(keyIs(temporary))
	r := signed(t, temporary, "GET", "/v1/items?x="+k2.Secret.Reveal(), "", apig.SignOptions{Headers: []string{"x-note", "cookie"}},
		"Cookie: session=of-somebody", "X-Note: \x1b[2J\u202e"+k1.Secret.Reveal())
	r.Host = "evil"
	x := why(t, r, c, explain.Hints{Hosts: []string{"api.example.com"}})
	if len(x.Causes) == 0 {
		t.Error("no cause")
	}
	for name, text := range map[string]string{"JSON": jsonText(t, x), "String": x.String(), "%v": fmt.Sprintf("%v", *x), "%+v": fmt.Sprintf("%+v", x), "%#v": fmt.Sprintf("%#v", *x)} {
		for _, bad := range []string{"\x1b", "\u202e", "\u001b", "of-somebody", temporary.SessionToken.Reveal(), k1.Secret.Reveal(), k2.Secret.Reveal()} {
			if strings.Contains(text, bad) {
				t.Errorf("%s holds %q:\n%s", name, bad, text)
			}
		}
	}
	if !json.Valid([]byte(jsonText(t, x))) || !strings.Contains(x.CanonicalRequest, `x-note:\x1b[2J\u202e[redacted]`) {
		t.Errorf("got\n%s", x.CanonicalRequest)
	}
	// A request that an attacker writes.
	r = request(t, "GET /v1/%1b%7f HTTP/1.1\r\nHost: a\r\nX-Sdk-Date: 20260115T120000Z\r\nAuthorization: SDK-HMAC-SHA256 Access=x, SignedHeaders=host;x-sdk-date, Signature="+strings.Repeat("0", 64)+"\r\n\r\n")
	r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "=x", "=\x1b[2J\x7f", 1))
	if x := why(t, r, c, explain.Hints{}); strings.ContainsAny(x.String()+jsonText(t, x), "\x1b\x7f") {
		t.Errorf("got %v", x)
	}
}

// TestUnusableInput: an invalid request, policy or hint is an error.
func TestUnusableInput(t *testing.T) {
	p1 := request(t, p1)
	for name, tt := range map[string]struct {
		r     *http.Request
		c     core.Config
		hints explain.Hints
	}{
		"nil":         {nil, config(), explain.Hints{}},
		"no URL":      {&http.Request{}, config(), explain.Hints{}},
		"config":      {p1, core.Config{}, explain.Hints{}},
		"tries":       {p1, config(), explain.Hints{MaxTries: -1}},
		"more tries":  {p1, config(), explain.Hints{MaxTries: 1e6}},
		"environment": {p1, config(), explain.Hints{Environments: map[string]core.Config{"x": {}}}},
	} {
		if x, err := explain.Explain(tt.r, tt.c, tt.hints); x != nil || err == nil {
			t.Errorf("%s: got %v, %v", name, x, err)
		}
	}
}

// TestVerdictsWithoutSearch: for these verdicts no cause is searched.
func TestVerdictsWithoutSearch(t *testing.T) {
	open := config(func(c *core.Config) { c.APIs = []core.API{{Match: "/v1/", Open: true}} })
	if x := why(t, request(t, "GET /v1/x HTTP/1.1\r\nHost: a\r\n\r\n"), open, explain.Hints{}); !x.Accepted() || !x.Open || !strings.Contains(x.String(), "open") {
		t.Errorf("got %v", x)
	}
	if x := why(t, request(t, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"), config(func(c *core.Config) { c.Mode = core.Report }), explain.Hints{}); x.Code != core.CodeCredentialMissing || x.Tried > 0 {
		t.Errorf("got %v", x)
	}
	panics := config(func(c *core.Config) { c.Schemes = []core.Scheme{apig.New(apig.Config{Keys: panicking{}})} })
	if x := why(t, request(t, p1), panics, explain.Hints{}); x.Code != core.CodeUnavailable {
		t.Errorf("got %v", x)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if x := why(t, request(t, p1).WithContext(ctx), config(), explain.Hints{}); x.Code != core.CodeUnavailable || x.Tried > 0 {
		t.Errorf("got %v", x)
	}
	if x := why(t, (&http.Request{URL: request(t, p1).URL}), config(), explain.Hints{}); x.Code != core.CodeRequestAmbiguous {
		t.Errorf("got %v", x)
	}
}

type panicking struct{}

func (panicking) Key(context.Context, string) (*core.Key, error) { panic("secret") }

// TestHint: the hint is that of the refusal, not always that of its code.
func TestHint(t *testing.T) {
	unbound := config(func(c *core.Config) { c.APIs, c.Default = nil, "" })
	x := why(t, request(t, p1), unbound, explain.Hints{})
	if x.Code != core.CodeKeyNotBound || !strings.Contains(x.Hint, "--route") || x.Hint == x.Code.Hint() {
		t.Errorf("got code %q with the hint %q, want that of a request that no API binds", x.Code, x.Hint)
	}
}

// TestConcurrentUse: concurrent calls of Explain share no state.
func TestConcurrentUse(t *testing.T) {
	c := config()
	v := testkit.New(t, c)
	var wait sync.WaitGroup
	for i := range 8 {
		r := signed(t, k1, "GET", "/v1/items", "", apig.SignOptions{})
		wrong := signed(t, k1, "GET", "/v1/items", "", apig.SignOptions{})
		wrong.Host = "api.example.com:443"
		wait.Go(func() {
			for range 5 {
				if x, err := explain.Explain(wrong, c, explain.Hints{}); err != nil || len(x.Causes) != 1 || x.Causes[0].Cause != explain.CauseHost {
					t.Errorf("%d: got %v, %v", i, x, err)
				}
				if _, err := v.Verify(r); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
}
