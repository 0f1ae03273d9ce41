package core_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/basic"
)

var (
	instant = time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
	k1      = core.Key{Name: "k1", ID: "AKTESTAKTEST0001", Secret: core.NewSecret("sktest-0123456789abcdef0123456789abcdef")}
	k2      = core.Key{Name: "k2", ID: "OTHER", Secret: core.NewSecret("other-0123456789abcdef")}
	user    = core.Key{Name: "user", ID: "basicuser", Secret: core.NewSecret("basic-pass-123")}
)

const p1 = "GET /v1/items HTTP/1.1\r\nHost: api.example.com\r\nX-Sdk-Date: 20260115T120000Z\r\n" +
	"Authorization: SDK-HMAC-SHA256 Access=AKTESTAKTEST0001, SignedHeaders=host;x-sdk-date, Signature=cb3128d2ea5ec59f2d17b821e4d9f2b89ebab00480e3cdcef7a73963f66bf868\r\n\r\n"

func hmacScheme(keys ...core.Key) core.Scheme { return apig.New(apig.Config{Keys: core.Keys(keys...)}) }

// config is a policy in which k1 signs for every API.
func config(change ...func(*core.Config)) core.Config {
	c := core.Config{
		Environment: "prod",
		Schemes:     []core.Scheme{hmacScheme(k1, k2), basic.New(basic.Config{Keys: core.Keys(user)})},
		Default:     "k1",
		Now:         func() time.Time { return instant },
		Logger:      slog.New(slog.DiscardHandler),
	}
	for _, f := range change {
		f(&c)
	}
	return c
}

func verifier(t *testing.T, change ...func(*core.Config)) *core.Verifier {
	t.Helper()
	v, err := core.New(config(change...))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func jsonLogger(w io.Writer) *slog.Logger { return slog.New(slog.NewJSONHandler(w, nil)) }

func newReader(s string) *bufio.Reader { return bufio.NewReader(strings.NewReader(s)) }

func request(t *testing.T, raw string) *http.Request {
	t.Helper()
	r, err := http.ReadRequest(newReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	r.RemoteAddr = "192.0.2.1:1234"
	return r
}

// signed is a request to target that the key signed at the instant.
func signed(t *testing.T, key core.Key, method, target, body string, options apig.SignOptions, headers ...string) *http.Request {
	t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Host = "api.example.com"
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	s := apig.NewSigner(key, options)
	digest := ""
	if h := s.NewHash(); h != nil {
		io.WriteString(h, body)
		digest = fmt.Sprintf("%x", h.Sum(nil))
	}
	if err := s.Sign(r, digest, instant); err != nil {
		t.Fatal(err)
	}
	return r
}

func wantCode(t *testing.T, err error, code core.Code) {
	t.Helper()
	if got := core.CodeOf(err); got != code {
		t.Errorf("got code %q (%v), want %q", got, err, code)
	}
}

// TestNewReportsEveryProblem also covers T078 and T083.
func TestNewReportsEveryProblem(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*core.Config)
		want   []string
	}{
		{"nothing at all", func(c *core.Config) { *c = core.Config{} }, []string{"Environment: empty", "Schemes: none"}},
		{"nil scheme, source, observer", func(c *core.Config) {
			c.Schemes = []core.Scheme{nil, apig.New(apig.Config{})}
			c.Observers = []core.Observer{nil}
		}, []string{"Schemes[0]: nil", "Schemes[1]: nil", "Observers[0]: nil"}},
		{"T078 negative skew", func(c *core.Config) { c.ClockSkew = -1 }, []string{"ClockSkew"}},
		{"T078 a day of skew", func(c *core.Config) { c.ClockSkew = 24 * time.Hour }, []string{"ClockSkew"}},
		{"T078 the largest skew", func(c *core.Config) { c.ClockSkew = 1<<63 - 1 }, []string{"ClockSkew"}},
		{"negative limits", func(c *core.Config) {
			c.MaxBody, c.MaxBuffered = -1, -1
			c.Limits = core.Limits{Authorization: -1, SignedHeaders: -1, Headers: -1, QueryParameters: -1}
		}, []string{"MaxBody", "MaxBuffered", "Limits.Authorization", "Limits.SignedHeaders", "Limits.Headers", "Limits.QueryParameters"}},
		{"budget below one body", func(c *core.Config) { c.MaxBuffered = 1 << 20 }, []string{"MaxBuffered"}},
		{"mode", func(c *core.Config) { c.Mode = 7 }, []string{"Mode"}},
		{"headers that cannot be signed", func(c *core.Config) { c.RequireSigned = []string{"authorization", "x y", ""} },
			[]string{`"authorization"`, `"x y"`, `""`}},
		{"rewrite", func(c *core.Config) { c.Rewrite = core.Rewrite{AddPrefix: "v1/", Host: "a/b"} },
			[]string{"Rewrite.AddPrefix", "Rewrite.Host"}},
		{"T083 an id twice in one scheme", func(c *core.Config) { c.Schemes[0] = hmacScheme(k1, core.Key{Name: "x", ID: k1.ID, Secret: k1.Secret}) },
			[]string{`the id "AKTESTAKTEST0001" occurs twice`}},
		{"T083 an id under two schemes", func(c *core.Config) {
			c.Schemes[0] = hmacScheme(k1, core.Key{Name: "x", ID: user.ID, Secret: k1.Secret})
		},
			[]string{`the id "basicuser" occurs twice`}},
		{"a name twice", func(c *core.Config) { c.Schemes[0] = hmacScheme(k1, core.Key{Name: "k1", ID: "y", Secret: k1.Secret}) },
			[]string{`key "k1": Name: the name occurs twice`}},
		{"keys without anything", func(c *core.Config) {
			c.Schemes[0] = hmacScheme(k1, core.Key{}, core.Key{Name: "x", ID: "x", Secret: k1.Secret, Previous: []core.PreviousSecret{{}}})
		}, []string{"Keys[1].Name: empty", "ID: empty", "Secret: empty", `key "x": Previous[0].Secret: empty`}},
		{"unknown key names", func(c *core.Config) { c.Default, c.APIs = "nobody", []core.API{{Match: "/a", Key: "none"}} },
			[]string{`Default: no key is named "nobody"`, `APIs[0].Key: no key is named "none"`}},
		{"API twice", func(c *core.Config) { c.APIs = []core.API{{Match: "/a", Key: "k1"}, {Match: "/a", Key: "k2"}} }, []string{`APIs[1].Match "/a"`}},
		{"API patterns", func(c *core.Config) {
			c.APIs = []core.API{{Match: "", Key: "k1"}, {Match: "/{", Key: "k1"}, {Match: "/b", Key: "k1", Open: true}, {Match: "/c"}}
		}, []string{`APIs[0].Match "": `, `APIs[1].Match "/{"`, `APIs[2] "/b": needs either`, `APIs[3] "/c": needs either`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, err := core.New(config(tt.change))
			if v != nil || err == nil {
				t.Fatalf("got a Verifier (%v) and error %v; want an error alone", v != nil, err)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error does not say %q:\n%v", want, err)
				}
			}
			if strings.Contains(err.Error(), k1.Secret.Reveal()) {
				t.Error("the error holds a secret")
			}
		})
	}
}

// TestBindings tells which key each request must be signed with, seen from
// outside: k1 and k2 sign it, and one of them at most is let in.
func TestBindings(t *testing.T) {
	v := verifier(t, func(c *core.Config) {
		c.APIs = []core.API{
			{Match: "GET /orders/{id}", Key: "k2"},
			{Match: "/payments.v1.Payments/", Key: "k2"},
			{Match: "GET /healthz", Open: true},
			{Match: "/public/", Open: true},
		}
	})
	for _, tt := range []struct {
		method, target string
		k1, k2         core.Code
	}{
		{"GET", "/orders/7", core.CodeKeyNotBound, ""},
		{"HEAD", "/orders/7", core.CodeKeyNotBound, ""},
		{"GET", "/orders/7?healthz=/healthz", core.CodeKeyNotBound, ""},
		{"POST", "/orders/7", "", core.CodeKeyNotBound},
		{"GET", "/orders/7/8", "", core.CodeKeyNotBound},
		{"GET", "/orders//7", core.CodeRequestAmbiguous, core.CodeRequestAmbiguous},
		{"GET", "//orders/7", core.CodeRequestAmbiguous, core.CodeRequestAmbiguous},
		{"POST", "/payments.v1.Payments/Pay", core.CodeKeyNotBound, ""},
		{"POST", "/payments.v1.Payments", core.CodeRequestAmbiguous, core.CodeRequestAmbiguous},
		{"POST", "/payments.v1.payments/Pay", "", core.CodeKeyNotBound},
		// T120: an API is open under its exact path alone.
		{"POST", "/healthz", "", core.CodeKeyNotBound},
		{"GET", "/healthz/", "", core.CodeKeyNotBound},
		{"GET", "//healthz", "", core.CodeKeyNotBound},
		{"GET", "/healthz;/x", "", core.CodeKeyNotBound},
		{"GET", "/HEALTHZ", "", core.CodeKeyNotBound},
		{"GET", "/x/healthz", "", core.CodeKeyNotBound},
		{"GET", "/x?/healthz", "", core.CodeKeyNotBound},
	} {
		for _, try := range []struct {
			key  core.Key
			want core.Code
		}{{k1, tt.k1}, {k2, tt.k2}} {
			t.Run(tt.method+" "+tt.target+" by "+try.key.Name, func(t *testing.T) {
				_, err := v.Verify(signed(t, try.key, tt.method, tt.target, "", apig.SignOptions{}))
				wantCode(t, err, try.want)
			})
		}
	}
	for target, want := range map[string]core.Code{
		"/healthz": "", "/healthz?x": "", "/public/a": "", "/public/a%20b": "",
		"/healthz%2f..%2fadmin": core.CodeCredentialMissing, "/public/%2e%2e/admin": core.CodeRequestAmbiguous,
		"/public/..%2fadmin": core.CodeRequestAmbiguous, "/public/../admin": core.CodeCredentialMissing,
		"/admin?x=/healthz": core.CodeCredentialMissing, "/health%7a": core.CodeRequestAmbiguous,
		"/public/caf%C3%A9": "", "/healthz%20": core.CodeCredentialMissing,
	} {
		t.Run("open "+target, func(t *testing.T) {
			r := httptest.NewRequest("GET", target, nil)
			id, err := v.Verify(r)
			wantCode(t, err, want)
			if id.Verified() {
				t.Error("an unsigned request is verified")
			}
			if err == nil {
				if admission, err := v.Admit(nil, r, core.BodyForHandler); err != nil {
					t.Error(err)
				} else if _, ok := core.FromContext(admission.Request.Context()); ok {
					t.Error("an open API has an identity") // T121
				}
			}
		})
	}
}

// TestCodes_T129 keeps the list of codes and their answers stable.
func TestCodes_T129(t *testing.T) {
	for code, want := range map[core.Code][2]int{
		"credential_missing": {401, 16}, "credential_malformed": {401, 16}, "scheme_not_accepted": {401, 16},
		"key_unknown": {401, 16}, "signature_mismatch": {401, 16}, "signature_expired": {401, 16},
		"signature_not_yet_valid": {401, 16}, "header_not_signed": {401, 16}, "payload_not_signed": {401, 16},
		"payload_unsupported": {401, 16}, "body_mismatch": {401, 16}, "replayed": {401, 16}, "throttled": {401, 16},
		"key_not_bound": {403, 7}, "host_not_ours": {421, 7}, "request_ambiguous": {400, 3}, "body_too_large": {413, 8}, "unavailable": {503, 14},
	} {
		err := fmt.Errorf("wrapped: %w", &core.Error{Code: code, Detail: "d"})
		if core.StatusCode(err) != want[0] || core.GRPCStatusCode(err) != uint32(want[1]) || core.CodeOf(err) != code {
			t.Errorf("%s: got %d, %d", code, core.StatusCode(err), core.GRPCStatusCode(err))
		}
		if !errors.Is(err, &core.Error{Code: code}) || errors.Is(err, &core.Error{Code: "other"}) {
			t.Errorf("%s: errors.Is by code does not hold", code)
		}
	}
	foreign := errors.New("x")
	if core.StatusCode(nil) != 200 || core.GRPCStatusCode(nil) != 0 || core.CodeOf(nil) != "" ||
		core.StatusCode(foreign) != 503 || core.CodeOf(foreign) != core.CodeUnavailable || core.StatusCode(&core.Error{Code: "made_up"}) != 503 {
		t.Error("nil and foreign errors")
	}
}

// TestModes covers T168 and T169: report and off let through, report says what
// it would have done, and only a Reload changes the mode.
func TestModes(t *testing.T) {
	bad := strings.Replace(p1, "/v1/items", "/v1/other", 1)
	var mu sync.Mutex
	var events []core.Event
	var log strings.Builder
	observed := func(c *core.Config) {
		c.Observers = []core.Observer{core.ObserverFunc(func(_ context.Context, e core.Event) {
			mu.Lock()
			defer mu.Unlock()
			events = append(events, e)
		})}
		c.Logger = slog.New(slog.NewJSONHandler(&log, nil))
	}
	v := verifier(t, observed)
	if v.Mode() != core.Enforce || log.Len() > 0 {
		t.Errorf("enforce: mode %v, log %s", v.Mode(), &log)
	}
	if _, err := v.Admit(nil, request(t, strings.Replace(bad, "Host", "X-Mode: report\r\nHost", 1)), core.BodyForHandler); core.CodeOf(err) != core.CodeSignatureMismatch {
		t.Errorf("enforce admitted: %v", err)
	}
	for _, mode := range []core.Mode{core.Report, core.Off} {
		log.Reset()
		events = nil
		if err := v.Reload(config(observed, func(c *core.Config) { c.Mode = mode })); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(log.String(), `"level":"WARN"`) || !strings.Contains(log.String(), mode.String()) {
			t.Errorf("%v: no warning at the switch: %s", mode, &log)
		}
		r := request(t, bad)
		admission, err := v.Admit(nil, r, core.BodyForHandler)
		admitted := admission.Request
		if err != nil {
			t.Fatalf("%v: %v", mode, err)
		}
		if _, ok := core.FromContext(admitted.Context()); ok {
			t.Errorf("%v: a wrong request has an identity", mode)
		}
		admission, err = v.Admit(nil, request(t, p1), core.BodyForHandler)
		good := admission.Request
		if err != nil {
			t.Fatalf("%v: %v", mode, err)
		}
		_, ok := core.FromContext(good.Context())
		if ok != (mode == core.Report) {
			t.Errorf("%v: identity of a right request: %v", mode, ok)
		}
		if mode == core.Off {
			if len(events) != 0 || admitted != r {
				t.Errorf("off: %d events, request replaced: %v", len(events), admitted != r)
			}
			continue
		}
		if len(events) != 2 || events[0].Code != core.CodeSignatureMismatch || events[0].Mode != core.Report || events[1].Code != "" {
			t.Errorf("report: events %+v", events)
		}
		if !strings.Contains(log.String(), "would be refused") {
			t.Errorf("report: the log does not say it: %s", &log)
		}
	}
	if _, err := v.Verify(request(t, bad)); core.CodeOf(err) != core.CodeSignatureMismatch {
		t.Errorf("Verify does not tell the truth in off mode: %v", err)
	}
}

// TestReportKeepsTheBody: what report mode lets through reaches the handler
// whole, whatever verification read of it.
func TestReportKeepsTheBody(t *testing.T) {
	body := strings.Repeat("0123456789abcdef", 20000) // 320,000 bytes
	for _, limit := range []int64{1, 4096, 4097, 100000, 1 << 20} {
		v := verifier(t, func(c *core.Config) { c.Mode, c.MaxBody, c.MaxBuffered = core.Report, limit, limit })
		r := signed(t, k2, "POST", "/v1/items", body, apig.SignOptions{}) // not bound: refused after reading
		r.ContentLength = -1
		admission, err := v.Admit(nil, r, core.BodyForHandler)
		admitted := admission.Request
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(admitted.Body)
		if err != nil || string(got) != body {
			t.Errorf("limit %d: handler read %d bytes, error %v; want all %d", limit, len(got), err, len(body))
		}
		admission.Release()
		if v.Buffered() != 0 {
			t.Errorf("limit %d: %d bytes still held", limit, v.Buffered())
		}
	}
}

// TestNothingVerifiesByItself_T170: zero values refuse.
func TestNothingVerifiesByItself_T170(t *testing.T) {
	for name, v := range map[string]*core.Verifier{"zero": {}, "nil": nil} {
		if id, err := v.Verify(request(t, p1)); id != nil || core.CodeOf(err) != core.CodeUnavailable {
			t.Errorf("%s: Verify gave %v, %v", name, id, err)
		}
		if admission, err := v.Admit(nil, request(t, p1), core.BodyForHandler); admission.Request != nil || core.CodeOf(err) != core.CodeUnavailable {
			t.Errorf("%s: Admit gave %v, %v", name, admission.Request, err)
		}
	}
	if v, err := core.New(core.Config{}); err == nil || v != nil {
		t.Error("New of nothing gave a Verifier")
	}
	var forged core.Identity
	//lint:ignore SA9005 that nothing is read is what this shows
	if err := json.Unmarshal([]byte(`{"verified":true,"key":"k1","Verified":true}`), &forged); err == nil && forged.Verified() {
		t.Error("an identity was read from JSON")
	}
	for _, id := range []*core.Identity{nil, {}, &forged} {
		if got, ok := core.FromContext(core.NewContext(t.Context(), id)); ok || got != nil {
			t.Errorf("FromContext gave %v for an identity that nobody verified", got)
		}
	}
	if _, ok := core.FromContext(context.Background()); ok {
		t.Error("FromContext gave an identity for an empty context")
	}
}

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
	_, err := v.Verify(request(t, p1))
	wantCode(t, err, core.CodeKeyUnknown)
}

// TestConfigIsCopied: what the caller changes after New changes nothing.
func TestConfigIsCopied(t *testing.T) {
	c := config()
	c.APIs = []core.API{{Match: "/v1/", Key: "k1"}}
	c.RequireSigned = []string{"host"}
	v, err := core.New(c)
	if err != nil {
		t.Fatal(err)
	}
	c.APIs[0] = core.API{Match: "/", Open: true}
	c.RequireSigned[0], c.Schemes[0] = "x-none", nil
	if _, err := v.Verify(request(t, p1)); err != nil {
		t.Error(err)
	}
}

func TestIdentity(t *testing.T) {
	id, err := verifier(t).Verify(request(t, p1))
	if err != nil {
		t.Fatal(err)
	}
	if id.Environment() != "prod" || id.Scheme() != "hmac" || id.Algorithm() != "SDK-HMAC-SHA256" || id.Key() != "k1" ||
		id.KeyID() != k1.ID || id.Secret() != 0 || !id.SignedAt().Equal(instant) || id.Payload() != core.PayloadHashed {
		t.Errorf("got %+v", id)
	}
	id.SignedHeaders()[0] = "changed"
	c := id.Covers()
	c.Headers[0] = "changed"
	if want := []string{"host", "x-sdk-date"}; !slices.Equal(id.SignedHeaders(), want) || !slices.Equal(id.Covers().Headers, want) {
		t.Error("an identity can be changed")
	}
	if !c.Target || !c.Host || !c.Body {
		t.Errorf("covers %+v", c)
	}
	out, err := json.Marshal(id)
	want := `{"verified":true,"environment":"prod","scheme":"hmac","algorithm":"SDK-HMAC-SHA256","key":"k1","covers":{"target":true,"host":true,"body":true,"headers":["host","x-sdk-date"]},"replay_checked":false}`
	if err != nil || string(out) != want {
		t.Errorf("got %s, %v", out, err)
	}
	r := httptest.NewRequest("GET", "/x", nil)
	r.SetBasicAuth(user.ID, user.Secret.Reveal())
	id, err = verifier(t, func(c *core.Config) { c.Default = "user" }).Verify(r)
	if err != nil {
		t.Fatal(err)
	}
	if c := id.Covers(); c.Target || c.Host || c.Body || len(c.Headers) != 0 || id.Payload() != core.PayloadNone {
		t.Errorf("Basic covers %+v", c)
	}
}

// TestRewrite verifies as the gateway sent it what a proxy changed: a prefix
// stripped, the host replaced. Bindings see what arrived.
func TestRewrite(t *testing.T) {
	v := verifier(t, func(c *core.Config) {
		c.Rewrite = core.Rewrite{AddPrefix: "/v1", Host: "api.example.com"}
		c.APIs, c.Default = []core.API{{Match: "/items", Key: "k1"}}, "k2"
	})
	raw := strings.NewReplacer("/v1/items", "/items", "Host: api.example.com", "Host: backend.internal").Replace(p1)
	r := request(t, raw)
	id, err := v.Verify(r)
	if err != nil {
		t.Fatal(err)
	}
	if id.Covers().Host {
		t.Error("the received host counts as covered, and nobody signed it")
	}
	if r.Host != "backend.internal" || r.RequestURI != "/items" {
		t.Errorf("the request was changed: %s %s", r.Host, r.RequestURI)
	}
	_, err = v.Verify(request(t, p1))
	wantCode(t, err, core.CodeSignatureMismatch)
	withQuery := signed(t, k2, "GET", "/v1/x?b=1&a=2", "", apig.SignOptions{})
	withQuery.RequestURI = "/x?b=1&a=2"
	if _, err := v.Verify(withQuery); err != nil {
		t.Errorf("with a query: %v", err)
	}
}

// TestExposeReason: development answers explain, and still hold no signature.
func TestExposeReason(t *testing.T) {
	var log strings.Builder
	v := verifier(t, func(c *core.Config) {
		c.ExposeReason = true
		c.Logger = slog.New(slog.NewTextHandler(&log, nil))
	})
	if !strings.Contains(log.String(), "development only") {
		t.Errorf("no warning at start: %s", &log)
	}
	_, err := v.Admit(nil, request(t, strings.Replace(p1, "items", "other", 1)), core.BodyForHandler)
	w := httptest.NewRecorder()
	core.WriteProblem(w, nil, err)
	var answer struct {
		Code             core.Code
		CanonicalRequest string `json:"canonical_request"`
		StringToSign     string `json:"string_to_sign"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		t.Fatal(err)
	}
	const canonicalRequest = `GET
/v1/other/

host:api.example.com
x-sdk-date:20260115T120000Z

host;x-sdk-date
e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855`
	if answer.Code != core.CodeSignatureMismatch || answer.CanonicalRequest != canonicalRequest ||
		!strings.HasPrefix(answer.StringToSign, "SDK-HMAC-SHA256\n20260115T120000Z\n") {
		t.Errorf("got %s", w.Body)
	}
	_, err = v.Admit(nil, request(t, strings.Replace(p1, "Authorization", "X-Other", 1)), core.BodyForHandler)
	w = httptest.NewRecorder()
	core.WriteProblem(w, nil, err)
	if !strings.Contains(w.Body.String(), `"code":"credential_missing"`) {
		t.Errorf("got %s", w.Body)
	}
}

// TestWriteProblem: what is answered when nothing is exposed.
func TestWriteProblem(t *testing.T) {
	_, err := verifier(t).Admit(nil, request(t, strings.Replace(p1, "items", "other", 1)), core.BodyForHandler)
	w := httptest.NewRecorder()
	core.WriteProblem(w, request(t, p1), err)
	const body = `{"title":"Unauthorized","status":401,"detail":"The request does not prove that it came through the gateway."}` + "\n"
	if w.Code != 401 || w.Body.String() != body || w.Header().Get("Content-Type") != "application/problem+json" ||
		w.Header().Get("WWW-Authenticate") != `SDK-HMAC-SHA256 realm="prod", Basic realm="prod"` || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("got %d %v %s", w.Code, w.Header(), w.Body)
	}
	for code, header := range map[core.Code]string{core.CodeBodyTooLarge: "Connection", core.CodeUnavailable: "Retry-After"} {
		w := httptest.NewRecorder()
		core.WriteProblem(w, request(t, p1), &core.Error{Code: code})
		if w.Header().Get(header) == "" || w.Header().Get("WWW-Authenticate") != "" || strings.Contains(w.Body.String(), string(code)) {
			t.Errorf("%s: got %v %s", code, w.Header(), w.Body)
		}
	}
}
