package guard

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/signer"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

// Config is what a proxy is made of.
type Config struct {
	// Verifier judges the requests. Required.
	Verifier *core.Verifier
	// To is the service, as [ParseTarget] returns it. Required.
	To *url.URL
	// Transport sends the requests; nil means [NewTransport] of To.
	Transport http.RoundTripper
	// Signer, if set, returns what signs a request onward. The credential of the caller is
	// removed.
	Signer func() signer.Signer
	// Logger gets a record for each request that could not be forwarded; nil means
	// slog.Default. The Verifier has its own.
	Logger *slog.Logger
}

// New returns the proxy.
func New(c Config) http.Handler {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Transport == nil {
		c.Transport = NewTransport(c.To)
	}
	if c.Signer != nil {
		c.Transport = onward{c.Signer, c.Transport}
	}
	proxy := &httputil.ReverseProxy{
		Transport:     c.Transport,
		FlushInterval: -1,
		Rewrite:       c.rewrite,
		ErrorHandler:  c.failed,
		ErrorLog:      log.New(io.Discard, "", 0), // what it logs besides is a client that has gone
	}
	return nethttp.Middleware(c.Verifier)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := c.check(r); err != nil {
			c.failed(w, r, err)
			return
		}
		if r.ContentLength != 0 {
			// Or HTTP/1.1 holds back the response until the whole body was read.
			http.NewResponseController(w).EnableFullDuplex()
		}
		proxy.ServeHTTP(w, forwardable(r))
	}))
}

// check refuses requests that would not arrive as they came.
func (c *Config) check(r *http.Request) error {
	_, ok := target(r, c.To)
	switch {
	case !ok:
		return core.Refuse(core.CodeRequestAmbiguous, "the target cannot be forwarded as it is: write it in origin form, and percent-encode it")
	case len(r.Header["User-Agent"]) > 1: // net/http sends the first
		return core.Refuse(core.CodeRequestAmbiguous, "more than one User-Agent, of which one would be forwarded")
	}
	return nil
}

// target returns the URL by which the target of r is sent byte for byte, and false if it
// cannot.
func target(r *http.Request, to *url.URL) (*url.URL, bool) {
	raw := r.RequestURI
	if raw == "" { // r is not of a server
		raw = r.URL.RequestURI()
	}
	if scheme, rest, absolute := strings.Cut(raw, "://"); absolute && !strings.ContainsAny(scheme, "/?") {
		// The origin form of the absolute form. The server has taken the host out of it.
		end := strings.IndexAny(rest, "/?")
		if end < 0 {
			end = len(rest)
		}
		if raw = rest[end:]; !strings.HasPrefix(raw, "/") {
			raw = "/" + raw
		}
	}
	u := *r.URL
	u.User = nil
	if u.Scheme, u.Host = base(to); u.RequestURI() != raw { // net/url would escape it in another way
		u = url.URL{Scheme: u.Scheme, Host: u.Host, Opaque: raw}
	}
	return &u, strings.HasPrefix(raw, "/") && u.RequestURI() == raw && r.Method != http.MethodConnect
}

// forwardable returns r without what the proxy does not forward, and that ReverseProxy
// would.
func forwardable(r *http.Request) *http.Request {
	late := false // whether the verdict on the body is still to come
	if id, ok := core.FromContext(r.Context()); ok {
		late = id.Payload() == core.PayloadDeclared && !id.Covers().Body
	}
	out := *r
	out.Trailer = nil
	if late {
		out.Body = &lastByte{ReadCloser: r.Body, buffered: bufio.NewReaderSize(r.Body, 32<<10)}
	}
	if out.Body != nil && out.Body != http.NoBody {
		out.Body = callersBody{out.Body}
	}
	// An upgrade to HTTP or TLS would let requests through that nobody verifies.
	if upgrade := r.Header["Upgrade"]; len(upgrade) > 0 && (len(upgrade) > 1 || !strings.EqualFold(upgrade[0], "websocket")) {
		out.Header = r.Header.Clone()
		delete(out.Header, "Upgrade")
	}
	return &out
}

// lastByte is a body that holds back its last byte until the verdict on it: otherwise the
// service could have all of a wrong body, and the announced length, before the verifier has
// seen its end.
type lastByte struct {
	io.ReadCloser
	buffered *bufio.Reader
}

func (b *lastByte) Read(p []byte) (int, error) {
	switch _, err := b.buffered.Peek(2); err {
	case nil:
		return b.buffered.Read(p[:min(len(p), b.buffered.Buffered()-1)])
	case io.EOF:
		return b.buffered.Read(p)
	default:
		return 0, err
	}
}

// callersBody tells errors of the caller's body from those of the service.
type callersBody struct{ io.ReadCloser }

func (b callersBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = callersError{err}
	}
	return n, err
}

type callersError struct{ error }

func (e callersError) Unwrap() error { return e.error }

// forwarding are the headers that ReverseProxy removes.
var forwarding = [...]string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"}

func (c *Config) rewrite(p *httputil.ProxyRequest) {
	p.Out.URL, _ = target(p.In, c.To)
	for _, name := range forwarding {
		if values, ok := p.In.Header[name]; ok {
			p.Out.Header[name] = values
		}
	}
	delete(p.Out.Header, "Expect") // the server answers it when the body is first read
	if c.Signer != nil {
		stripCredential(p.Out.Header)
	}
	setIdentity(p.Out.Header, p.In)
}

// failed answers a request that the service did not get whole, or did not answer.
func (c *Config) failed(w http.ResponseWriter, r *http.Request, err error) {
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		err = core.Refuse(core.CodeBodyTooLarge, "the body exceeds the limit")
	}
	_, callers := errors.AsType[callersError](err)
	refusal, refused := errors.AsType[*core.Error](err)
	switch {
	case refused:
		if !callers { // the Verifier has logged what it says about a body
			c.Logger.WarnContext(r.Context(), "request refused", "code", string(refusal.Code), "error", refusal.Error(), "remote", r.RemoteAddr)
		}
		core.WriteProblem(w, r, refusal)
	case callers, r.Context().Err() != nil: // the client has gone, or is too slow
		panic(http.ErrAbortHandler)
	default:
		c.Logger.ErrorContext(r.Context(), "gatewayauth: the service failed", "error", err, "to", c.To.Redacted())
		writeBadGateway(w)
	}
}

// writeBadGateway answers in the form of refusals.
func writeBadGateway(w http.ResponseWriter) {
	const status = http.StatusBadGateway
	body, _ := json.Marshal(core.Problem{Title: http.StatusText(status), Status: status, Detail: "The service did not answer."})
	body = append(body, '\n')
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body)
}
