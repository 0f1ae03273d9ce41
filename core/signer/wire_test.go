package signer_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/signer"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

// wireURLs are URLs that signers and HTTP treat in different ways.
var wireURLs = []string{
	"http://api.example.com/", "http://api.example.com", "http://api.example.com?x=1", "http://api.example.com/?", "http://api.example.com/#top",
	"http://api.example.com:80/", "http://api.example.com:443/", "http://api.example.com:8080/", "http://api.example.com:/", "http://API.Example.com/", "http://api.example.com./",
	"http://bücher.example/", "http://xn--bcher-kva.example/", "http://例え.テスト:8080/a", "http://b%C3%BCcher.example/", "http://a_b.example/", "http://a!b$c.example/", "http://a,b.example/", "http://a;b=c.example/", "http://:80/",
	"http://[::1]/", "http://[::1]:8080/", "http://[fe80::1%25eth0]/", "http://[fe80::1%25eth0]:8080/a", "http://[fe80::1%25a%20b]/", "http://127.0.0.1/",
	"http://user:secret@api.example.com/", "http://user@api.example.com/a?b",
	"http://api.example.com/a%20b", "http://api.example.com/a b", "http://api.example.com/é/%C3%A9/%c3%a9", "http://api.example.com/a+b", "http://api.example.com/%2B", "http://api.example.com/%7E~", "http://api.example.com/%41",
	"http://api.example.com/a//b", "http://api.example.com//", "http://api.example.com//a", "http://api.example.com/a/./b", "http://api.example.com/a/../b", "http://api.example.com/..", "http://api.example.com/a/%2e%2E/b", "http://api.example.com/a%2Fb", "http://api.example.com/a%5Cb", `http://api.example.com/a\b`, "http://api.example.com/%00", "http://api.example.com/%0d%0a",
	"http://api.example.com/!$&'()*,;=:@", "http://api.example.com/[x]{y}|^\"<>`", "http://api.example.com/a;b=1", "http://api.example.com/*", "http://api.example.com/%25", "http://api.example.com/%2525",
	"http://api.example.com/?a=1;b=2", "http://api.example.com/?;", "http://api.example.com/?=1", "http://api.example.com/?a=1&=", "http://api.example.com/?%zz", "http://api.example.com/?a=%", "http://api.example.com/?a=%4", "http://api.example.com/?a=b c", "http://api.example.com/?a=\tb",
	"http://api.example.com/?a=é&中=文", "http://api.example.com/?a=%C3%A9", "http://api.example.com/?a=+&b=%20&c=%2B", "http://api.example.com/?&&a&&b=&", "http://api.example.com/?b=2&a=1&b=1&a", "http://api.example.com/?a=b=c", "http://api.example.com/?a?b", "http://api.example.com/?a=[1]{2}|^\"<>`'\\", "http://api.example.com/?a=\xff", "http://api.example.com/?a=%FF%00%0A",
	"http://api.example.com/?X-Sdk-Signature=1", "http://api.example.com/?X%2DAmz-Credential=1", "http://api.example.com/?X-Amz-Algorithm", "http://api.example.com/?x-sdk-date=1&X-Amz-Date=2", "http://api.example.com/?X-Sdk-Expires=1",
}

// wireChanges are odd ways to set the other parts of a request.
var wireChanges = map[string]func(*http.Request){
	"method get":            func(r *http.Request) { r.Method = "get" },
	"method head":           func(r *http.Request) { r.Method = "HEAD" },
	"method empty":          func(r *http.Request) { r.Method = "" },
	"method of its own":     func(r *http.Request) { r.Method = "Purge!" },
	"method with a blank":   func(r *http.Request) { r.Method = "GET /x" },
	"method CONNECT":        func(r *http.Request) { r.Method = "CONNECT" },
	"method OPTIONS *":      func(r *http.Request) { r.Method, r.URL = "OPTIONS", &url.URL{Scheme: "http", Host: "a", Path: "*"} },
	"host beside":           func(r *http.Request) { r.Host = "other.example:80" },
	"host empty":            func(r *http.Request) { r.Host = "" },
	"host not ASCII":        func(r *http.Request) { r.Host = "bücher.example" },
	"host with a zone":      func(r *http.Request) { r.Host = "[fe80::1%25eth0]:80" },
	"host with a path":      func(r *http.Request) { r.Host = "a.example/b" },
	"host with a blank":     func(r *http.Request) { r.Host = "a.example " },
	"host header":           func(r *http.Request) { r.Header.Set("Host", "other.example") },
	"opaque":                func(r *http.Request) { r.URL.Opaque = "//other.example/a" },
	"relative path":         func(r *http.Request) { r.URL.Path = "a" },
	"raw path":              func(r *http.Request) { r.URL.Path, r.URL.RawPath = "/a/b", "/a%2Fb" },
	"raw path of another":   func(r *http.Request) { r.URL.Path, r.URL.RawPath = "/a/b", "/c" },
	"question mark":         func(r *http.Request) { r.URL.ForceQuery = true },
	"fragment in the query": func(r *http.Request) { r.URL.RawQuery = "a=1#b" },
	"header with blanks":    func(r *http.Request) { r.Header.Set("X-Tenant", " \t blue  green ") },
	"header empty":          func(r *http.Request) { r.Header.Set("X-Tenant", "") },
	"header of blanks":      func(r *http.Request) { r.Header.Set("X-Tenant", "  ") },
	"header without values": func(r *http.Request) { r.Header["X-Tenant"] = nil },
	"header repeated":       func(r *http.Request) { r.Header["X-Tenant"] = []string{"b", "a", "", "a "} },
	"header in lower case":  func(r *http.Request) { r.Header["x-tenant"] = []string{"b"} },
	"header in two cases": func(r *http.Request) {
		r.Header["x-tenant"], r.Header["X-Tenant"], r.Header["X-TENANT"] = []string{"b"}, []string{"a"}, []string{"c"}
	},
	"header underscore":      func(r *http.Request) { r.Header["X_tenant"] = []string{"a"} },
	"header and underscore":  func(r *http.Request) { r.Header["X_Tenant"], r.Header["X-Tenant"] = []string{"a"}, []string{"b"} },
	"header name with blank": func(r *http.Request) { r.Header["X-Tenant "] = []string{"a"} },
	"header name empty":      func(r *http.Request) { r.Header[""] = []string{"a"} },
	"header with line break": func(r *http.Request) { r.Header.Set("X-Tenant", "a\r\nX-Role: root") },
	"header not ASCII":       func(r *http.Request) { r.Header.Set("X-Tenant", "bücher \xff") },
	"protocol header":        func(r *http.Request) { r.Header.Set("X-Sdk-Extra", "1") },
	"other protocol header":  func(r *http.Request) { r.Header.Set("X-Amz-Meta-A", "1") },
	"protocol header twice":  func(r *http.Request) { r.Header["X-Amz-Meta-A"] = []string{"1", "2"} },
	"protocol underscore":    func(r *http.Request) { r.Header["X_Sdk_Extra"] = []string{"1"} },
	"stale credential": func(r *http.Request) {
		r.Header.Set("Authorization", "stale")
		r.Header.Set("X-Sdk-Date", "stale")
		r.Header.Set("X-Amz-Date", "stale")
	},
	"stale digests": func(r *http.Request) {
		r.Header.Set("X-Sdk-Content-Sha256", "UNSIGNED-PAYLOAD")
		r.Header.Set("X-Amz-Content-Sha256", "stale")
	},
	"stale session token": func(r *http.Request) {
		r.Header.Set("X-Security-Token", "stale")
		r.Header.Set("X-Amz-Security-Token", "stale")
	},
	"two stale credentials":    func(r *http.Request) { r.Header["Authorization"] = []string{"a", "b"} },
	"method override":          func(r *http.Request) { r.Header.Set("X-HTTP-Method-Override", "DELETE") },
	"another method override":  func(r *http.Request) { r.Header.Set("X-Method-Override", "DELETE") },
	"cookies":                  func(r *http.Request) { r.Header["Cookie"] = []string{"a=1;b=2; c", ";d=;  e=5;"} },
	"user agents":              func(r *http.Request) { r.Header["User-Agent"] = []string{"a", "b"} },
	"no user agent":            func(r *http.Request) { r.Header.Set("User-Agent", "") },
	"connection":               func(r *http.Request) { r.Header.Set("Connection", "close, X-Tenant"); r.Header.Set("X-Tenant", "a") },
	"connection Authorization": func(r *http.Request) { r.Header.Set("Connection", "authorization") },
	"connection close":         func(r *http.Request) { r.Close = true },
	"upgrade":                  func(r *http.Request) { r.Header.Set("Connection", "Upgrade"); r.Header.Set("Upgrade", "x") },
	"TE":                       func(r *http.Request) { r.Header.Set("TE", "trailers") },
	"TE gzip":                  func(r *http.Request) { r.Header.Set("TE", "gzip") },
	"transfer encoding":        func(r *http.Request) { r.Header.Set("Transfer-Encoding", "chunked"); r.Header.Set("Trailer", "X-A") },
	"keep-alive":               func(r *http.Request) { r.Header.Set("Keep-Alive", "1"); r.Header.Set("Proxy-Connection", "x") },
	"content length":           func(r *http.Request) { r.Header.Set("Content-Length", "99") },
	"content type":             func(r *http.Request) { r.Header["Content-Type"] = []string{"text/plain;  charset=utf-8"} },
	"expect":                   func(r *http.Request) { r.Header.Set("Expect", "100-Continue"); body(r, "text") },
	"expect something else":    func(r *http.Request) { r.Header.Set("Expect", "tea") },
	"body":                     func(r *http.Request) { body(r, "text") },
	"body of GET":              func(r *http.Request) { body(r, "text"); r.Method = "GET" },
	"body empty":               func(r *http.Request) { body(r, "") },
	"body empty, unknown": func(r *http.Request) {
		r.Method, r.Body, r.ContentLength = "POST", io.NopCloser(strings.NewReader("")), -1
	},
	"body empty, chunked": func(r *http.Request) { body(r, ""); r.TransferEncoding = []string{"chunked"} },
	"body nil":            func(r *http.Request) { r.Method, r.Body = "POST", nil },
	"body of unknown length": func(r *http.Request) {
		r.Method, r.Body, r.ContentLength = "PUT", io.NopCloser(strings.NewReader("text")), -1
	},
	"body of no length": func(r *http.Request) {
		r.Method, r.Body, r.ContentLength = "PUT", io.NopCloser(strings.NewReader("text")), 0
	},
	"body chunked":           func(r *http.Request) { body(r, "text"); r.TransferEncoding = []string{"chunked"} },
	"body announced longer":  func(r *http.Request) { body(r, "text"); r.ContentLength = 9 },
	"body announced shorter": func(r *http.Request) { body(r, "text"); r.ContentLength = 2 },
	"body announced, none":   func(r *http.Request) { r.Method, r.Body, r.ContentLength = "POST", nil, 4 },
	"trailers":               func(r *http.Request) { body(r, "text"); r.Trailer = http.Header{"X-Role": {"root"}} },
	"trailers, no length": func(r *http.Request) {
		r.Method, r.Body, r.ContentLength = "PUT", io.NopCloser(strings.NewReader("text")), -1
		r.Trailer = http.Header{"X-Role": {"root"}}
	},
	"trailers, no body": func(r *http.Request) { r.Trailer = http.Header{"X-Role": {"root"}} },
}

func body(r *http.Request, text string) {
	with, err := http.NewRequest("POST", "http://a/", strings.NewReader(text))
	if err != nil {
		panic(err)
	}
	r.Method, r.Body, r.GetBody, r.ContentLength = "POST", with.Body, with.GetBody, with.ContentLength
}

// wire is a server of net/http that speaks HTTP/1.1 and HTTP/2, and clients that
// reach it under every host.
type wire struct {
	arrived, runs sync.Map // by number of the request: a request that is cut may arrive late
	number        int
	clients       map[string]http.RoundTripper
}

// numberHeader is set behind the signature.
const numberHeader = "Test-Number"

// numbered sends requests with their number.
type numbered struct {
	http.RoundTripper
	number string
}

func (n numbered) RoundTrip(r *http.Request) (*http.Response, error) {
	r.Header.Set(numberHeader, n.number) // of the copy that a Transport signs
	return n.RoundTripper.RoundTrip(r)
}

func newWire(t *testing.T, scheme core.Scheme) *wire {
	t.Helper()
	w := new(wire)
	v := testkit.New(t, core.Config{Environment: "test", Schemes: []core.Scheme{scheme}, Default: testkit.Orders.Name,
		AllowUnsignedPayload: true, AllowPresigned: true})
	verified := nethttp.Middleware(v)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		w.runs.Store(r.Header.Get(numberHeader), true)
		io.Copy(io.Discard, r.Body)
	}))
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.arrived.Store(r.Header.Get(numberHeader), true)
		verified.ServeHTTP(rw, r)
	}))
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetHTTP1(true)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.Start()
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
	}
	plain, h2c := &http.Transport{DialContext: dial}, &http.Transport{DialContext: dial, Protocols: new(http.Protocols)}
	h2c.Protocols.SetUnencryptedHTTP2(true)
	w.clients = map[string]http.RoundTripper{"HTTP/1.1": plain, "HTTP/2": h2c}
	t.Cleanup(func() { plain.CloseIdleConnections(); h2c.CloseIdleConnections(); server.Close() })
	return w
}

// try sends r, and fails where it was sent and refused.
func (w *wire) try(t *testing.T, what string, s signer.Signer, r *http.Request) (accepted bool) {
	t.Helper()
	// net/http finds out while it sends that a body has not the length that the caller
	// announced; a signer that covers the body does so before. The server may have closed
	// the connection by then, so the error can be any.
	cut := s.NewHash() == nil && misannounced(r)
	for name, base := range w.clients {
		w.number++
		number := strconv.Itoa(w.number)
		ctx, cancel := context.WithTimeout(r.Context(), 10*time.Second)
		defer cancel()
		again := r.Clone(ctx)
		if r.GetBody != nil {
			again.Body, _ = r.GetBody()
		} else if r.Body != nil && r.Body != http.NoBody {
			text, _ := io.ReadAll(r.Body)
			r.Body, again.Body = io.NopCloser(strings.NewReader(string(text))), io.NopCloser(strings.NewReader(string(text)))
		}
		answer, err := (&http.Client{Transport: &signer.Transport{Signer: s, Base: numbered{base, number}}}).Do(again)
		if err != nil {
			if _, arrived := w.arrived.Load(number); arrived && !cut {
				t.Errorf("%s over %s: sent, and then %v", what, name, err)
			}
			if !cut && !reason(err, "signer: ", "net/http: invalid header", "http: invalid Upgrade", "http: invalid Connection", "http2: invalid Upgrade", "http2: invalid Connection", "invalid HTTP header") {
				t.Errorf("%s over %s: the reason is not in %v", what, name, err)
			}
			continue
		}
		io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		if _, ran := w.runs.Load(number); answer.StatusCode != 200 || !ran {
			t.Errorf("%s over %s: sent and answered with %s; the handler ran: %v", what, name, answer.Status, ran)
		}
		accepted = true
	}
	return accepted
}

// misannounced reports whether the body of r has another length than r announces, and
// leaves r with a body that can be read again.
func misannounced(r *http.Request) bool {
	if r.Body == nil || r.Body == http.NoBody {
		return false
	}
	text, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(text))
	return r.ContentLength > 0 && r.ContentLength != int64(len(text))
}

// reason reports whether an error has one of the texts.
func reason(err error, texts ...string) bool {
	return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(err.Error(), text) })
}

// TestSignedIsSent_T190: whatever a Transport is given is accepted by the verifier,
// or not sent.
func TestSignedIsSent_T190(t *testing.T) {
	for _, pair := range testkit.Pairs("x-tenant", "x_tenant", "cookie", "user-agent", "content-length", "content-type",
		"x-http-method-override", "accept-encoding") {
		t.Run(pair.Name, func(t *testing.T) {
			w := newWire(t, pair.Scheme)
			accepted, all := 0, 0
			try := func(what string, target string, changes ...func(*http.Request)) {
				r, err := http.NewRequestWithContext(t.Context(), "GET", target, nil)
				if err != nil {
					return // net/http has the reason
				}
				for _, change := range changes {
					change(r)
				}
				if all++; w.try(t, what, pair.Signer, r) {
					accepted++
				}
			}
			for _, target := range wireURLs {
				try(target, target)
			}
			names := slices.Sorted(maps.Keys(wireChanges))
			for _, what := range names {
				try(what, "http://api.example.com/a?b=1", wireChanges[what])
			}
			random := rand.New(rand.NewPCG(1, 190))
			for range 150 {
				target := wireURLs[random.IntN(len(wireURLs))]
				a, b := names[random.IntN(len(names))], names[random.IntN(len(names))]
				try(fmt.Sprintf("%s with %s and %s", target, a, b), target, wireChanges[a], wireChanges[b])
			}
			if accepted < all/3 {
				t.Errorf("only %d of %d were accepted", accepted, all)
			}
		})
	}
}
