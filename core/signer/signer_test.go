package signer_test

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/basic"
	"github.com/gatewayauth/gatewayauth/core/signer"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

var (
	key       = core.Key{Name: "k", ID: "AKTESTAKTEST0001", Secret: core.NewSecret("sktest-0123456789abcdef0123456789abcdef")}
	temporary = core.Key{Name: "t", ID: "TEMPORARY", Secret: core.NewSecret("sktest-temporary"), SessionToken: core.NewSecret("session-token-1")}
	user      = core.Key{Name: "u", ID: "user", Secret: core.NewSecret("password-1234")}
)

// backend verifies with the real middleware and answers with what it saw.
func backend(t *testing.T) *httptest.Server {
	t.Helper()
	v := testkit.New(t, core.Config{
		Environment: "test",
		Schemes: []core.Scheme{apig.New(apig.Config{Keys: core.Keys(key, temporary)}),
			basic.New(basic.Config{Keys: core.Keys(user)})},
		APIs:                 []core.API{{Match: "/temporary/", Key: "t"}, {Match: "/basic/", Key: "u"}},
		Default:              "k",
		AllowUnsignedPayload: true,
	})
	server := httptest.NewServer(nethttp.Middleware(v)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		id, _ := core.FromContext(r.Context())
		w.Header().Set("Saw-Headers", strings.Join(id.SignedHeaders(), ";"))
		w.Header().Set("Saw-Payload", id.Payload().String())
		io.WriteString(w, r.RequestURI+" "+string(body))
	})))
	t.Cleanup(server.Close)
	return server
}

func send(t *testing.T, client *http.Client, r *http.Request) (int, string, http.Header) {
	t.Helper()
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body), answer.Header
}

// onlyReader hides what NewRequest would learn from a reader's type.
type onlyReader struct{ io.Reader }

// TestTransport: what it signs verifies, over real sockets.
func TestTransport(t *testing.T) {
	server := backend(t)
	for _, tt := range []struct {
		name    string
		signer  signer.Signer
		method  string
		target  string
		body    io.Reader
		headers map[string]string
		want    string
		signed  string
		payload string
	}{
		{"GET", apig.NewSigner(key, apig.SignOptions{}), "GET", "/a/b?y=2&x=1", nil, nil, "/a/b?y=2&x=1 ", "host;x-sdk-date", "hashed"},
		{"awkward target", apig.NewSigner(key, apig.SignOptions{}), "GET", "/a%20b/%E4%B8%AD//c?x=%2F&x=+&y", nil, nil,
			"/a%20b/%E4%B8%AD//c?x=%2F&x=+&y ", "host;x-sdk-date", "hashed"},
		{"body", apig.NewSigner(key, apig.SignOptions{}), "POST", "/", strings.NewReader("text"), nil, "/ text", "host;x-sdk-date", "hashed"},
		{"body of unknown length", apig.NewSigner(key, apig.SignOptions{}), "POST", "/", onlyReader{strings.NewReader("text")}, nil, "/ text", "host;x-sdk-date", "hashed"},
		{"declared", apig.NewSigner(key, apig.SignOptions{Payload: core.PayloadDeclared}), "POST", "/", strings.NewReader("text"), nil,
			"/ text", "host;x-sdk-content-sha256;x-sdk-date", "declared"},
		{"unsigned", apig.NewSigner(key, apig.SignOptions{Payload: core.PayloadUnsigned}), "POST", "/", onlyReader{strings.NewReader("text")}, nil,
			"/ text", "host;x-sdk-content-sha256;x-sdk-date", "unsigned"},
		{"headers", apig.NewSigner(key, apig.SignOptions{Headers: []string{"X-Tenant", "x-absent"}}), "GET", "/", nil,
			map[string]string{"X-Tenant": "  blue  green\t", "X-Sdk-Extra": "1", "X-Other": "1", "Authorization": "stale", "X-Sdk-Date": "stale"},
			"/ ", "host;x-sdk-date;x-sdk-extra;x-tenant", "hashed"},
		{"session token", apig.NewSigner(temporary, apig.SignOptions{}), "GET", "/temporary/", nil, nil, "/temporary/ ", "host;x-sdk-date;x-security-token", "hashed"},
		{"Basic", basic.NewSigner(user), "POST", "/basic/", strings.NewReader("text"), nil, "/basic/ text", "", "none"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client := &http.Client{Transport: &signer.Transport{Signer: tt.signer}}
			r, err := http.NewRequest(tt.method, server.URL+tt.target, tt.body)
			if err != nil {
				t.Fatal(err)
			}
			for name, value := range tt.headers {
				r.Header.Set(name, value)
			}
			before := r.Header.Clone()
			status, body, header := send(t, client, r)
			if status != 200 || body != tt.want {
				t.Errorf("got %d %q, want 200 %q", status, body, tt.want)
			}
			if header.Get("Saw-Headers") != tt.signed || header.Get("Saw-Payload") != tt.payload {
				t.Errorf("signed %q, payload %q; want %q, %q", header.Get("Saw-Headers"), header.Get("Saw-Payload"), tt.signed, tt.payload)
			}
			if len(r.Header) != len(before) || r.Header.Get("Authorization") != before.Get("Authorization") {
				t.Error("the caller's request was changed")
			}
		})
	}
}

// closed counts how often a body is closed.
type closed struct {
	io.Reader
	n int
}

func (c *closed) Close() error { c.n++; return nil }

func TestTransportRefuses(t *testing.T) {
	sign := apig.NewSigner(key, apig.SignOptions{})
	for _, tt := range []struct {
		name      string
		transport *signer.Transport
		change    func(*http.Request)
		want      string
	}{
		{"no signer", &signer.Transport{}, func(*http.Request) {}, "Signer is nil"},
		{"opaque URL", &signer.Transport{Signer: sign}, func(r *http.Request) { r.URL.Opaque = "x" }, "no path"},
		{"dot segments", &signer.Transport{Signer: sign}, func(r *http.Request) { r.URL.Path = "/a/../b" }, "dot segment"},
		{"body over the limit", &signer.Transport{Signer: sign, MaxBody: 3}, func(r *http.Request) {}, "exceeds the limit"},
		{"redirect to another host", &signer.Transport{Signer: sign}, func(r *http.Request) {
			r.Response = &http.Response{Request: httptest.NewRequest("GET", "http://first.example/", nil)}
		}, "another host"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body := &closed{Reader: strings.NewReader("text")}
			r, err := http.NewRequest("POST", "http://second.example/", body)
			if err != nil {
				t.Fatal(err)
			}
			tt.change(r)
			tt.transport.Base = roundTripper(func(*http.Request) (*http.Response, error) {
				t.Error("it was sent")
				return nil, errors.New("sent")
			})
			if _, err := tt.transport.RoundTrip(r); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want it to say %q", err, tt.want)
			}
			if body.n == 0 {
				t.Error("the body was not closed")
			}
		})
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestTransportClock: the date signed is the transport's.
func TestTransportClock(t *testing.T) {
	transport := &signer.Transport{Signer: apig.NewSigner(key, apig.SignOptions{}),
		Now: func() time.Time { return time.Date(2026, 1, 15, 13, 0, 0, 0, time.FixedZone("", 3600)) },
		Base: roundTripper(func(r *http.Request) (*http.Response, error) {
			const want = "SDK-HMAC-SHA256 Access=AKTESTAKTEST0001, SignedHeaders=host;x-sdk-date, Signature=cb3128d2ea5ec59f2d17b821e4d9f2b89ebab00480e3cdcef7a73963f66bf868"
			if got := r.Header.Get("Authorization"); got != want { // the golden value P1
				t.Errorf("got %s\nwant %s", got, want)
			}
			return httptest.NewRecorder().Result(), nil
		})}
	r, err := http.NewRequest("GET", "http://api.example.com/v1/items", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := transport.RoundTrip(r); err != nil {
		t.Fatal(err)
	}
}

// TestGateway: clients of the gateway cannot bring what only it may set, and
// everything else arrives as it was sent.
func TestGateway(t *testing.T) {
	server := backend(t)
	target, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	gateway := httptest.NewServer(signer.NewGateway(target, &signer.Transport{
		Signer: apig.NewSigner(key, apig.SignOptions{Headers: []string{"x-tenant"}}), MaxBody: 100}))
	defer gateway.Close()
	for _, tt := range []struct {
		name, method, target, body string
		headers                    map[string]string
		status                     int
		want                       string
	}{
		{"GET", "GET", "/v1/a%20b//?x=1&x=0&y=%2F+", "", nil, 200, "/v1/a%20b//?x=1&x=0&y=%2F+ "},
		{"POST", "POST", "/", "text", map[string]string{"X-Tenant": "blue"}, 200, "/ text"},
		{"what clients may not send", "GET", "/", "", map[string]string{
			"Authorization": "Bearer x", "X-Sdk-Date": "x", "X_Sdk_Date": "x", "X-Sdk-Content-Sha256": "UNSIGNED-PAYLOAD",
			"X-Amz-Date": "x", "X-Apig-Identity": "root", "X-Stage": "TEST", "X-Auth-Token": "x", "X-Security-Token": "x"}, 200, "/ "},
		{"semicolons are the backend's to refuse", "GET", "/?a=1;b=2", "", nil, 400, ""},
		{"dot segments cannot be signed", "GET", "/a/%2e%2e/b", "", nil, 400, ""},
		{"method override is not signed", "POST", "/", "", map[string]string{"X-HTTP-Method-Override": "DELETE"}, 401, ""},
		{"body over the limit", "POST", "/", strings.Repeat("x", 101), nil, 413, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := http.NewRequest(tt.method, gateway.URL+tt.target, strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			for name, value := range tt.headers {
				r.Header[name] = []string{value}
			}
			status, body, _ := send(t, http.DefaultClient, r)
			if status != tt.status || status == 200 && body != tt.want {
				t.Errorf("got %d %q, want %d %q", status, body, tt.status, tt.want)
			}
		})
	}
	server.Close()
	r, err := http.NewRequest("GET", gateway.URL+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	slog.SetDefault(slog.New(slog.DiscardHandler))
	if status, _, _ := send(t, http.DefaultClient, r); status != http.StatusBadGateway {
		t.Errorf("target gone: got %d", status)
	}
}

// rewound is a body whose GetBody returns the body itself, as that of connect's clients.
type rewound struct {
	*strings.Reader
	closed int
}

func (b *rewound) Close() error { b.closed++; return nil }

// TestRewoundBody_T216: the body is sent whole if GetBody returns no copy, and each body that
// was received is closed.
func TestRewoundBody_T216(t *testing.T) {
	server := backend(t)
	body := &rewound{Reader: strings.NewReader("text")}
	r, err := http.NewRequest("POST", server.URL+"/x", body)
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = 4
	r.GetBody = func() (io.ReadCloser, error) {
		_, err := body.Seek(0, io.SeekStart)
		return body, err
	}
	client := &http.Client{Transport: &signer.Transport{Signer: apig.NewSigner(key, apig.SignOptions{})}}
	if status, text, _ := send(t, client, r); status != 200 || text != "/x text" {
		t.Errorf("got %d %q, want 200 and the body", status, text)
	}

	r.Body, body.closed = body, 0
	calls, fails := 0, errors.New("used up")
	r.GetBody = func() (io.ReadCloser, error) {
		if calls++; calls == 2 {
			return nil, fails
		}
		return body, nil
	}
	if answer, err := client.Do(r); !errors.Is(err, fails) {
		t.Errorf("got %v, %v; want the error of GetBody", answer, err)
	}
	if body.closed < 2 {
		t.Errorf("the body was closed %d times, want both", body.closed)
	}
}
