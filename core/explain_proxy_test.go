package core_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/signer"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
)

var (
	k4 = core.Key{Name: "k4", ID: "AKIDEXAMPLE", Secret: core.NewSecret("sigv4-0123456789abcdef0123456789"), Region: "eu-west-1", Service: "execute-api"}

	signed1 = func(headers ...string) func(core.Key) signer.Signer {
		return func(key core.Key) signer.Signer { return apig.NewSigner(key, apig.SignOptions{Headers: headers}) }
	}
	declared1 = func(key core.Key) signer.Signer {
		return apig.NewSigner(key, apig.SignOptions{Payload: core.PayloadDeclared})
	}
	signed4 = func(headers ...string) func(core.Key) signer.Signer {
		return func(key core.Key) signer.Signer { return sigv4.NewSigner(key, sigv4.SignOptions{Headers: headers}) }
	}
)

// A trip is a request from a client through a proxy to a backend.
type trip struct {
	name    string
	key     core.Key                     // zero: k1
	signer  func(core.Key) signer.Signer // nil: signed1()
	method  string                       // "": GET, or POST with a body
	target  string                       // "": /v1/items?b=2&a=1
	host    string                       // "": api.example.com
	body    string
	headers []string
	digest  string                          // in place of the body's
	late    time.Duration                   // of the backend's clock
	send    func(*http.Request)             // after it was signed
	proxy   func(*httputil.ProxyRequest)    // nil: passes everything on
	before  func(http.Handler) http.Handler // in front of the backend
	config  func(*core.Config)
	hints   core.Hints
	want    []core.Cause
	says    string // in the Change or Detail of the first
	// anyway is true for what is wrong whoever signed it.
	anyway bool
}

// explain takes the trip, over sockets.
func (trip trip) explain(t *testing.T) *core.Explanation {
	t.Helper()
	var x *core.Explanation
	var handler http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := explained(func(c *core.Config) { c.Now = func() time.Time { return instant.Add(trip.late) } })
		if trip.config != nil {
			trip.config(&c)
		}
		var err error
		if x, err = core.Explain(r, c, trip.hints); err != nil {
			t.Error(err)
		}
	})
	if trip.before != nil {
		handler = trip.before(handler)
	}
	backend := httptest.NewServer(handler)
	defer backend.Close()
	target, _ := url.Parse(backend.URL)
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.Out.URL.Scheme, p.Out.URL.Host = target.Scheme, target.Host
			p.Out.URL.RawQuery = p.In.URL.RawQuery
			if trip.proxy != nil {
				trip.proxy(p)
			}
		},
		Transport: &http.Transport{DisableCompression: true},
	})
	defer proxy.Close()
	r := trip.request(t)
	client := &http.Transport{DisableCompression: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", proxy.Listener.Addr().String())
	}}
	defer client.CloseIdleConnections()
	answer, err := client.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != 200 || x == nil {
		t.Fatalf("the request did not arrive: %s", answer.Status)
	}
	return x
}

// request is what the client sends.
func (trip trip) request(t *testing.T) *http.Request {
	t.Helper()
	method, target, host := trip.method, trip.target, trip.host
	if method == "" && trip.body != "" {
		method = "POST"
	}
	if target == "" {
		target = "/v1/items?b=2&a=1"
	}
	if host == "" {
		host = "api.example.com"
	}
	r, err := http.NewRequest(method, "http://"+host+target, bytes.NewReader([]byte(trip.body)))
	if err != nil {
		t.Fatal(err)
	}
	if trip.body == "" {
		r.Body = http.NoBody
	}
	for _, h := range trip.headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	if trip.key.Name == "" {
		trip.key = k1
	}
	if trip.signer == nil {
		trip.signer = signed1()
	}
	digest := trip.digest
	if digest == "" {
		digest = sha(trip.body)
	}
	if err := trip.signer(trip.key).Sign(r, digest, instant); err != nil {
		t.Fatal(err)
	}
	if trip.send != nil {
		trip.send(r)
	}
	return r
}

func sha(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// explained is the policy that requests are explained with.
func explained(change ...func(*core.Config)) core.Config {
	return config(append([]func(*core.Config){func(c *core.Config) {
		c.Schemes = append(c.Schemes, sigv4.New(sigv4.Config{Keys: core.Keys(k4)}))
		c.APIs = []core.API{{Match: "/v4/", Key: "k4"}, {Match: "/v1/", Key: "k1"}}
	}}, change...)...)
}

func stripped(prefix string) func(*httputil.ProxyRequest) {
	return func(p *httputil.ProxyRequest) {
		p.Out.URL.Path = strings.TrimPrefix(p.In.URL.Path, prefix)
		p.Out.URL.RawPath = ""
	}
}

func body(p *httputil.ProxyRequest, change func(string) string) {
	text, _ := io.ReadAll(p.In.Body)
	changed := change(string(text))
	p.Out.Body, p.Out.ContentLength = io.NopCloser(strings.NewReader(changed)), int64(len(changed))
	if changed == "" {
		p.Out.Body = http.NoBody
	}
}

// TestExplainNamesTheCause: each cause, brought about by a real proxy or client,
// is the first that is named; and it is not named where the request is signed
// with a secret that nobody knows.
func TestExplainNamesTheCause(t *testing.T) {
	for _, trips := range [][]trip{targetTrips, queryTrips, headerTrips, bodyTrips, keyTrips, timeTrips, pairTrips} {
		for _, trip := range trips {
			t.Run(trip.name, func(t *testing.T) {
				x := trip.explain(t)
				var got []core.Cause
				for _, f := range x.Causes {
					got = append(got, f.Cause)
					if !f.Proven && !trip.anyway {
						t.Errorf("%s is not proven", f.Cause)
					}
				}
				if !slices.Equal(got, trip.want) || x.Accepted() {
					t.Errorf("got causes %v, want %v\n%v", got, trip.want, x)
				}
				if len(x.Causes) > 0 && !strings.Contains(x.Causes[0].Change+"\n"+x.Causes[0].Detail, trip.says) {
					t.Errorf("the first finding does not say %q: %+v", trip.says, x.Causes[0])
				}
				silent(t, x)
				if t.Failed() || trip.key.ID == "nobody" {
					return
				}

				stranger := trip
				if stranger.key.Name == "" {
					stranger.key = k1
				}
				stranger.key.Secret, stranger.key.Previous = core.NewSecret("a-secret-that-nobody-knows"), nil
				stranger.key.SessionToken = trip.key.SessionToken
				for _, f := range stranger.explain(t).Causes {
					if f.Proven || !trip.anyway {
						t.Errorf("signed with an unknown secret, and explained by %+v", f)
					}
				}
			})
		}
	}
}

// silent fails where an explanation holds a secret.
func silent(t *testing.T, x *core.Explanation) {
	t.Helper()
	text := jsonText(t, x) + x.String()
	for _, key := range []core.Key{k1, k2, k4, user} {
		if strings.Contains(text, key.Secret.Reveal()) {
			t.Errorf("the explanation holds the secret of %s", key.Name)
		}
	}
	if strings.Contains(text, "Signature=") && !strings.Contains(text, "Signature=[redacted]") {
		t.Errorf("the explanation holds a signature:\n%s", text)
	}
}
