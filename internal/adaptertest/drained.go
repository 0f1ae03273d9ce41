package adaptertest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/signer"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
	"github.com/gatewayauth/gatewayauth/internal/needs"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// A Front is middleware in front of the verifier that reads the body.
type Front struct {
	Name string
	Read func(*http.Request)
	// Keeps is true if Read restores the body.
	Keeps bool
	// Hides is true if Read removes every sign of an HTTP/2 body without a length.
	Hides bool
}

// Fronts returns what real middleware does with bodies.
func Fronts() []Front {
	drain := func(r *http.Request) []byte {
		if r.Body == nil {
			return nil
		}
		text, _ := io.ReadAll(r.Body)
		return text
	}
	left := func(body func() io.ReadCloser) func(*http.Request) {
		return func(r *http.Request) {
			drain(r)
			r.Body = body()
		}
	}
	again := func(r *http.Request) { r.Body = io.NopCloser(bytes.NewReader(drain(r))) }
	return []Front{
		{Name: "nothing", Read: func(*http.Request) {}, Keeps: true},
		{Name: "put back", Read: again, Keeps: true},
		{Name: "put back, with its length", Read: func(r *http.Request) {
			text := drain(r)
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
		}, Keeps: true, Hides: true},
		{Name: "limited", Read: func(r *http.Request) { r.Body = http.MaxBytesReader(nil, r.Body, 1<<20) }, Keeps: true},
		{Name: "ReadAll", Read: func(r *http.Request) { drain(r) }},
		{Name: "ReadAll and Close", Read: func(r *http.Request) { drain(r); r.Body.Close() }},
		{Name: "NoBody", Read: left(func() io.ReadCloser { return http.NoBody })},
		{Name: "nil", Read: left(func() io.ReadCloser { return nil })},
		{Name: "an empty buffer", Read: left(func() io.ReadCloser { return io.NopCloser(new(bytes.Buffer)) })},
		{Name: "MaxBytesReader, drained", Read: func(r *http.Request) {
			r.Body = http.MaxBytesReader(nil, r.Body, 1<<20)
			drain(r)
		}},
		{Name: "NoBody and no length", Read: func(r *http.Request) {
			drain(r)
			r.Body, r.ContentLength = http.NoBody, 0
		}, Hides: true},
		{Name: "an empty buffer and no length", Read: func(r *http.Request) {
			drain(r)
			r.Body, r.ContentLength = io.NopCloser(new(bytes.Buffer)), 0
		}, Hides: true},
		{Name: "ParseForm", Read: func(r *http.Request) { r.ParseForm(); drain(r) }},
		{Name: "FormValue", Read: func(r *http.Request) { r.FormValue("amount"); drain(r) }},
		{Name: "ParseMultipartForm", Read: func(r *http.Request) { r.ParseMultipartForm(1 << 20); drain(r) }},
		{Name: "a JSON decoder", Read: func(r *http.Request) {
			var value any
			if r.Body != nil {
				json.NewDecoder(r.Body).Decode(&value)
				drain(r)
			}
		}},
	}
}

// A DrainedMount returns a server with front in front of v, and next behind it.
type DrainedMount func(v *core.Verifier, front func(*http.Request), next http.Handler) http.Handler

// TestDrained sends unmodified requests, and requests whose body was added after signing,
// to servers with middleware that reads the body in front of the verifier. If the
// identity covers the body, the handler has read the body that was sent, and it is the
// signed one. Unmodified requests whose body was restored are accepted.
func TestDrained(t *testing.T, mounts map[string]DrainedMount, fronts []Front) {
	v, codes := drainedVerifier(t)
	for mount, serve := range mounts {
		for _, front := range fronts {
			t.Run(mount+"/"+front.Name, func(t *testing.T) {
				seen := new(reader)
				address, client := start(t, serve(v, front.Read, seen))
				for i, x := range exchanges() {
					if i%needs.Rounds(5, 1) != 0 { // 5 divides neither the framings nor the bodies
						continue
					}
					seen.last.Store(new(sight))
					codes.Take()
					if err := x.send(address, client); err != nil {
						t.Errorf("%v: %v", x, err)
						continue
					}
					x.check(t, front, seen.last.Load(), codes.Take())
				}
			})
		}
	}
}

// reader is a handler that reads the body and records it.
type reader struct{ last atomic.Pointer[sight] }

type sight struct {
	covered bool // by the identity
	proven  bool // by the identity, or at the end of a streamed body
	text    string
}

// ServeHTTP implements [http.Handler].
func (s *reader) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(r.Body)
	saw := &sight{text: string(text)}
	if id, ok := core.FromContext(r.Context()); ok {
		saw.covered = id.Covers().Body
		saw.proven = saw.covered || id.Payload() == core.PayloadDeclared && err == nil
	}
	s.last.Store(saw)
}

// exchange is one request: the signed body, the sent body, and its framing.
type exchange struct {
	scheme, framing, signed, sent string
}

func exchanges() (all []exchange) {
	const evil, form = "amount=900", "--b\r\nContent-Disposition: form-data; name=\"amount\"\r\n\r\n900\r\n--b--\r\n"
	for scheme := range drainedSchemes {
		for _, framing := range []string{"length", "chunked", "HTTP/2 with length", "HTTP/2"} {
			for _, body := range [][2]string{{"", ""}, {"", evil}, {"", `{"amount":900}`}, {"", form}, {evil, evil}, {"other", evil}} {
				all = append(all, exchange{scheme, framing, body[0], body[1]})
			}
		}
	}
	return all
}

var (
	scoped = core.Key{Name: "scoped", ID: "AKSCOPED00000001", Secret: core.NewSecret("the-secret-of-the-scoped-key"), Region: "r", Service: "s"}
	amazon = core.Key{Name: "amazon", ID: "AKAMAZON00000001", Secret: core.NewSecret("the-secret-of-the-amazon-key"), Region: "r", Service: "s"}
)

// drainedSchemes are the schemes that cover bodies, by the first segment of the path.
var drainedSchemes = map[string]signer.Signer{
	"hashed":   apig.NewSigner(testkit.Orders, apig.SignOptions{}),
	"declared": apig.NewSigner(testkit.Orders, apig.SignOptions{Payload: core.PayloadDeclared}),
	"streamed": apig.NewSigner(testkit.Orders, apig.SignOptions{Payload: core.PayloadDeclared}),
	"v11":      apig.NewV11Signer(scoped, apig.SignOptions{}),
	"sigv4":    sigv4.NewSigner(amazon, sigv4.SignOptions{}),
	"s3":       sigv4.NewSigner(amazon, sigv4.SignOptions{Payload: core.PayloadDeclared}),
}

func drainedVerifier(t *testing.T) (*core.Verifier, *testkit.Codes) {
	observed := new(testkit.Codes)
	return testkit.Verifier(t, func(c *core.Config) {
		c.Schemes = append(c.Schemes, apig.NewV11(apig.Config{Keys: core.Keys(scoped)}), sigv4.New(sigv4.Config{Keys: core.Keys(amazon)}))
		c.APIs = []core.API{{Match: "/streamed/", Key: testkit.Orders.Name, Stream: true}, {Match: "/v11/", Key: scoped.Name},
			{Match: "/sigv4/", Key: amazon.Name}, {Match: "/s3/", Key: amazon.Name}}
		c.Observers = []core.Observer{observed}
	}), observed
}

func (x exchange) request(address string) *http.Request {
	r, err := http.NewRequest("POST", "http://"+address+"/"+x.scheme+"/orders", strings.NewReader(x.sent))
	if err != nil {
		panic(err)
	}
	r.Host = "api.example.com"
	testkit.Sign(drainedSchemes[x.scheme], r, x.signed, testkit.Now())
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if strings.HasPrefix(x.sent, "--b") {
		r.Header.Set("Content-Type", "multipart/form-data; boundary=b")
	}
	return r
}

func (x exchange) send(address string, client *http.Transport) error {
	r := x.request(address)
	if strings.HasPrefix(x.framing, "HTTP/2") {
		if x.framing == "HTTP/2" {
			r.Body, r.ContentLength = io.NopCloser(onlyReader{strings.NewReader(x.sent)}), -1
		}
		res, err := client.RoundTrip(r)
		if err == nil {
			res.Body.Close()
		}
		return err
	}
	var message bytes.Buffer
	fmt.Fprintf(&message, "POST %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n", r.URL.RequestURI(), r.Host)
	r.Header.Write(&message)
	switch {
	case x.framing == "length":
		fmt.Fprintf(&message, "Content-Length: %d\r\n\r\n%s", len(x.sent), x.sent)
	case x.sent == "":
		message.WriteString("Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
	default:
		fmt.Fprintf(&message, "Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(x.sent), x.sent)
	}
	return Exchange(address, message.Bytes(), func(res *http.Response, _ *bufio.Reader) {})
}

type onlyReader struct{ io.Reader }

func (x exchange) check(t *testing.T, front Front, seen *sight, codes []core.Code) {
	t.Helper()
	unknown := x.framing == "chunked" || x.framing == "HTTP/2"
	if x.framing == "HTTP/2" && front.Hides && x.sent != "" && !front.Keeps {
		return // it cannot be distinguished from a request without a body
	}
	refused := len(codes) > 0 && codes[len(codes)-1] == core.CodeBodyMismatch
	switch {
	case seen.proven && x.signed != x.sent:
		t.Errorf("%+v: accepted, the handler read %+v", x, seen)
	case seen.covered && seen.text != x.sent:
		t.Errorf("%+v: the handler read %+v", x, seen)
	case x.signed != x.sent && front.Keeps: // refused, with a code that depends on the scheme
	case x.sent == "" && !unknown || x.sent != "" && front.Keeps:
		if !seen.proven || seen.text != x.sent {
			t.Errorf("%+v: got %v, the handler read %+v; want it accepted", x, codes, seen)
		}
	case x.sent == "" && front.Hides && x.framing == "HTTP/2":
	case !refused:
		t.Errorf("%+v: got %v, want body_mismatch", x, codes)
	}
}
