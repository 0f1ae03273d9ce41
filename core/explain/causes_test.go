package explain_test

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
	"github.com/gatewayauth/gatewayauth/core/explain"
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

// A scenario is a request from a client through a proxy to a backend.
type scenario struct {
	name    string
	key     core.Key                     // zero: k1
	signer  func(core.Key) signer.Signer // nil: signed1()
	method  string                       // "": GET, or POST with a body
	target  string                       // "": /v1/items?b=2&a=1
	host    string                       // "": api.example.com
	body    string
	headers []string
	digest  string                          // instead of the body's
	late    time.Duration                   // by which the backend's clock is ahead
	send    func(*http.Request)             // changes the signed request
	proxy   func(*httputil.ProxyRequest)    // nil: forwards everything
	before  func(http.Handler) http.Handler // middleware in front of the verifier
	config  func(*core.Config)
	hints   explain.Hints
	want    []explain.Cause
	says    string // text in the Change or Detail of the first cause
	// anyway is true for causes that are reported whoever signed the request.
	anyway bool
}

// why sends the request over sockets, and explains it as the backend received it.
func (s scenario) why(t *testing.T) *explain.Explanation {
	t.Helper()
	var x *explain.Explanation
	var handler http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := backend(func(c *core.Config) { c.Now = func() time.Time { return instant.Add(s.late) } })
		if s.config != nil {
			s.config(&c)
		}
		var err error
		if x, err = explain.Explain(r, c, s.hints); err != nil {
			t.Error(err)
		}
	})
	if s.before != nil {
		handler = s.before(handler)
	}
	backend := httptest.NewServer(handler)
	defer backend.Close()
	target, _ := url.Parse(backend.URL)
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.Out.URL.Scheme, p.Out.URL.Host = target.Scheme, target.Host
			p.Out.URL.RawQuery = p.In.URL.RawQuery
			if s.proxy != nil {
				s.proxy(p)
			}
		},
		Transport: &http.Transport{DisableCompression: true},
	})
	defer proxy.Close()
	r := s.request(t)
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

// request returns the request that the client sends.
func (s scenario) request(t *testing.T) *http.Request {
	t.Helper()
	method, target, host := s.method, s.target, s.host
	if method == "" && s.body != "" {
		method = "POST"
	}
	if target == "" {
		target = "/v1/items?b=2&a=1"
	}
	if host == "" {
		host = "api.example.com"
	}
	r, err := http.NewRequest(method, "http://"+host+target, bytes.NewReader([]byte(s.body)))
	if err != nil {
		t.Fatal(err)
	}
	if s.body == "" {
		r.Body = http.NoBody
	}
	for _, h := range s.headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	if s.key.Name == "" {
		s.key = k1
	}
	if s.signer == nil {
		s.signer = signed1()
	}
	digest := s.digest
	if digest == "" {
		digest = sha(s.body)
	}
	if err := s.signer(s.key).Sign(r, digest, instant); err != nil {
		t.Fatal(err)
	}
	if s.send != nil {
		s.send(r)
	}
	return r
}

func sha(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// backend returns the policy that requests are explained with.
func backend(change ...func(*core.Config)) core.Config {
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

// TestCauses: each cause, produced by a real proxy or client, is reported first. It is not
// reported for the same request signed with an unknown secret.
func TestCauses(t *testing.T) {
	for _, cases := range [][]scenario{targetCases, queryCases, headerCases, bodyCases, keyCases, timeCases, pairCases} {
		for _, s := range cases {
			t.Run(s.name, func(t *testing.T) {
				x := s.why(t)
				got := causesOf(x)
				for _, f := range x.Causes {
					if !f.Proven && !s.anyway {
						t.Errorf("%s is not proven", f.Cause)
					}
				}
				if !slices.Equal(got, s.want) || x.Accepted() {
					t.Errorf("got causes %v, want %v\n%v", got, s.want, x)
				}
				if len(x.Causes) > 0 && !strings.Contains(x.Causes[0].Change+"\n"+x.Causes[0].Detail, s.says) {
					t.Errorf("the first finding does not contain %q: %+v", s.says, x.Causes[0])
				}
				silent(t, x)
				if t.Failed() || s.key.ID == "nobody" {
					return
				}

				stranger := s
				if stranger.key.Name == "" {
					stranger.key = k1
				}
				stranger.key.Secret, stranger.key.Previous = core.NewSecret("a-secret-that-nobody-knows"), nil
				stranger.key.SessionToken = s.key.SessionToken
				for _, f := range stranger.why(t).Causes {
					if f.Proven || !s.anyway {
						t.Errorf("signed with an unknown secret, and explained by %+v", f)
					}
				}
			})
		}
	}
}

// silent fails the test if an explanation contains a secret or a signature.
func silent(t *testing.T, x *explain.Explanation) {
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
