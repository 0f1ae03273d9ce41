package adaptertest

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/basic"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// uses are ways in which handlers use a request. Each calls look whenever trailers might
// be visible.
var uses = map[string]func(w http.ResponseWriter, r *http.Request, look func(*http.Request)){
	"read": func(_ http.ResponseWriter, r *http.Request, look func(*http.Request)) {
		r.Body.Read(make([]byte, 1))
		look(r)
		io.ReadAll(r.Body)
		look(r)
		r.Body.Read(make([]byte, 1))
		r.Body.Close()
	},
	"read by a copy": func(_ http.ResponseWriter, r *http.Request, look func(*http.Request)) {
		derived := r.WithContext(context.WithValue(r.Context(), sight{}, 1))
		io.ReadAll(derived.Body)
		look(derived)
	},
	"close": func(_ http.ResponseWriter, r *http.Request, look func(*http.Request)) {
		r.Body.Close()
	},
	"write": func(w http.ResponseWriter, r *http.Request, look func(*http.Request)) { // net/http reads the body then
		w.Header().Set("Connection", "keep-alive")
		w.Write(make([]byte, 1<<16))
		look(r)
		io.ReadAll(r.Body)
	},
	"flush": func(w http.ResponseWriter, r *http.Request, look func(*http.Request)) {
		http.NewResponseController(w).Flush()
		look(r)
		io.ReadAll(r.Body)
	},
	"form":    func(_ http.ResponseWriter, r *http.Request, look func(*http.Request)) { r.ParseForm() },
	"nothing": func(_ http.ResponseWriter, r *http.Request, look func(*http.Request)) {},
}

// TestTrailers: handlers never see trailers. It sends verified requests with announced and
// unannounced trailers, whose bodies are read before or after the verdict.
func TestTrailers(t *testing.T, mounts map[string]Mount) {
	for _, mode := range []core.Mode{core.Enforce, core.Report} {
		v := trailerVerifier(t, mode)
		for mount, serve := range mounts {
			t.Run(mode.String()+"/"+mount, func(t *testing.T) {
				handler := make(trailerHandler, 1000) // larger than the number of requests
				address, client := start(t, serve(v, handler))
				for scheme := range trailerSchemes {
					for use := range uses {
						for framing, send := range trailerFramings(client) {
							if framing == "HTTP/2" && !strings.HasPrefix(use, "read") {
								continue // the client of net/http waits until its body is read, and nothing reads it here
							}
							r := trailerRequest(address, scheme)
							r.Header.Set("X-Use", use)
							if err := send(address, r); err != nil {
								t.Errorf("%s, %s, %s: %v", scheme, use, framing, err)
								continue
							}
							select {
							case err := <-handler:
								if err != nil {
									t.Errorf("%s, %s, %s: %v", scheme, use, framing, err)
								}
							case <-time.After(20 * time.Second):
								t.Fatalf("%s, %s, %s: the handler did not run or did not return", scheme, use, framing)
							}
						}
					}
				}
			})
		}
	}
}

// trailerHandler uses the request as its header X-Use says. When it returns, it sends the
// error, or nil.
type trailerHandler chan error

// ServeHTTP implements [http.Handler].
func (ended trailerHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var seen error
	look := func(r *http.Request) {
		if r.Trailer != nil && seen == nil {
			seen = fmt.Errorf("the handler got trailers: %v", r.Trailer)
		}
	}
	defer func() { ended <- seen }()
	if _, verified := core.FromContext(r.Context()); !verified {
		seen = fmt.Errorf("not verified")
	}
	look(r)
	uses[r.Header.Get("X-Use")](w, r, look)
	look(r)
}

// trailerFramings are the ways to send a request with trailers.
func trailerFramings(client *http.Transport) map[string]func(address string, r *http.Request) error {
	return map[string]func(string, *http.Request) error{
		"chunked":            func(address string, r *http.Request) error { return sendTrailers(address, r, false) },
		"chunked, announced": func(address string, r *http.Request) error { return sendTrailers(address, r, true) },
		"HTTP/2": func(_ string, r *http.Request) error {
			r.Trailer.Del("Authorization") // net/http does not send it as a trailer
			res, err := client.RoundTrip(r)
			if err == nil {
				io.Copy(io.Discard, res.Body)
				res.Body.Close()
			}
			return err
		},
	}
}

const trailerBody = "amount=1"

var trailers = http.Header{"X-Role": {"admin"}, "Authorization": {"Basic Og=="}}

// trailerSchemes sign requests, by the first segment of the path. Bodies are read before
// the verdict ("hashed", "declared") or after it.
var trailerSchemes = map[string]func(*http.Request){
	"hashed":   trailerSigner(core.PayloadHashed),
	"declared": trailerSigner(core.PayloadDeclared),
	"streamed": trailerSigner(core.PayloadDeclared),
	"unsigned": trailerSigner(core.PayloadUnsigned),
	"basic":    func(r *http.Request) { r.SetBasicAuth(testkit.Partner.ID, testkit.Partner.Secret.Reveal()) },
}

func trailerSigner(payload core.Payload) func(*http.Request) {
	return func(r *http.Request) {
		testkit.Sign(apig.NewSigner(testkit.Orders, apig.SignOptions{Payload: payload}), r, trailerBody, testkit.Now())
	}
}

func trailerVerifier(t *testing.T, mode core.Mode) *core.Verifier {
	return testkit.Verifier(t, func(c *core.Config) {
		c.Schemes = []core.Scheme{apig.New(apig.Config{Keys: core.Keys(testkit.Orders)}), basic.New(basic.Config{Keys: core.Keys(testkit.Partner)})}
		c.APIs = []core.API{{Match: "/basic/", Key: testkit.Partner.Name}, {Match: "/streamed/", Key: testkit.Orders.Name, Stream: true},
			{Match: "/unsigned/", Key: testkit.Orders.Name, AllowUnsignedPayload: true}}
		c.Mode = mode
	})
}

func trailerRequest(address, scheme string) *http.Request {
	r, err := http.NewRequest("POST", "http://"+address+"/"+scheme+"/items", io.NopCloser(strings.NewReader(trailerBody)))
	if err != nil {
		panic(err)
	}
	r.Host = "api.example.com"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	trailerSchemes[scheme](r)
	r.Trailer = maps.Clone(trailers)
	return r
}

// sendTrailers sends r in chunks with trailers; the header section is sent first.
func sendTrailers(address string, r *http.Request, announced bool) error {
	var m bytes.Buffer
	fmt.Fprintf(&m, "POST %s HTTP/1.1\r\nHost: %s\r\nTransfer-Encoding: chunked\r\n", r.URL.RequestURI(), r.Host)
	r.Header.Write(&m)
	if announced {
		m.WriteString("Trailer: X-Role\r\n")
	}
	fmt.Fprintf(&m, "\r\n%x\r\n%s\r\n0\r\n", len(trailerBody), trailerBody)
	r.Trailer.Write(&m)
	m.WriteString("\r\n")
	return Exchange(address, m.Bytes(), func(*http.Response, *bufio.Reader) {})
}
