package guard

import (
	"bufio"
	"cmp"
	"context"
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
	"sync/atomic"

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
	// MaxHeld bounds the bytes of bodies that are read into memory to be signed, all at
	// once: who sends them may be anybody. 0 means 256 MiB.
	MaxHeld int64
	// PathParameters accepts semicolons in paths, for services to which they are characters
	// as any other. Servlet containers and some frameworks drop what follows one in a
	// segment, so that /admin;x is /admin to them, and another API to the Verifier.
	PathParameters bool
	// Logger gets a record for each request that the service did not answer, or not whole; nil
	// means slog.Default. Refusals are in the log of the Verifier.
	Logger *slog.Logger
	// Failed, if set, is called for each request that the service did not answer, or not whole.
	Failed func(context.Context)

	failures *failures
}

// New returns the proxy.
func New(c Config) http.Handler {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Transport == nil {
		c.Transport = NewTransport(c.To)
	}
	c.Transport = once{c.Transport}
	if c.Signer != nil {
		c.Transport = onward{c.Signer, c.Transport, cmp.Or(c.MaxHeld, maxHeld), new(atomic.Int64)}
	}
	c.failures = &failures{logger: c.Logger, verifier: c.Verifier}
	proxy := &httputil.ReverseProxy{
		Transport:      c.Transport,
		FlushInterval:  -1,
		Rewrite:        c.rewrite,
		ModifyResponse: c.watch,
		ErrorHandler:   c.failed,
		ErrorLog:       log.New(io.Discard, "", 0), // what it logs besides is a client that has gone
	}
	verified := nethttp.Middleware(c.Verifier)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if id, ok := core.FromContext(r.Context()); ok {
			if err := checkLookalikes(r, id.SignedHeaders(), nil); err != nil { // only now it is known what is signed
				c.refuse(w, r, err)
				return
			}
		}
		if r.ContentLength != 0 {
			// Or HTTP/1.1 holds back the response until the whole body was read.
			http.NewResponseController(w).EnableFullDuplex()
		}
		out := c.forwardable(r)
		if r.ContentLength == 0 && out.Body != nil {
			// ReverseProxy sends no body then, and would not read the verdict on it.
			if _, err := io.Copy(io.Discard, out.Body); err != nil {
				c.failed(w, r, err)
				return
			}
		}
		proxy.ServeHTTP(w, out)
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := c.check(r); err != nil {
			c.refuse(w, r, err)
			return
		}
		verified.ServeHTTP(w, r)
	})
}

// check refuses requests that would not arrive as they came.
func (c *Config) check(r *http.Request) error {
	u, ok := target(r, c.To)
	if !ok {
		return core.Refuse(core.CodeRequestAmbiguous, "the target cannot be forwarded as it is: write it in origin form, and percent-encode it")
	}
	path, _, _ := strings.Cut(u.RequestURI(), "?")
	switch {
	case hidesDots(path):
		return core.Refuse(core.CodeRequestAmbiguous, "the path has a backslash, or dot segments that only some services resolve: send the plain spelling of the path")
	case !c.PathParameters && strings.Contains(path, ";"):
		return core.Refuse(core.CodeRequestAmbiguous, "the path has a semicolon, and some services drop what follows one: percent-encode it, or run guard with --path-parameters where it is a part of the path to the service")
	case strings.ContainsFunc(r.Method, func(c rune) bool { return !isToken(c) }): // over HTTP/2
		return core.Refuse(core.CodeRequestAmbiguous, "the method is not a token")
	case strings.ContainsFunc(r.Host, func(c rune) bool { return c <= ' ' || c > '~' || c == '/' || c == '%' }): // net/http would send another
		return core.Refuse(core.CodeRequestAmbiguous, "the host cannot be forwarded as it is")
	case len(r.Header["User-Agent"]) > 1: // net/http sends the first
		return core.Refuse(core.CodeRequestAmbiguous, "more than one User-Agent, of which one would be forwarded")
	}
	if err := checkLookalikes(r, variables, nil); err != nil {
		return err
	}
	return checkLookalikes(r, overrides, underscored)
}

// variables are headers that some services take for more than headers if their names have an
// underscore: for the length of the body, and, as gunicorn does with SCRIPT_NAME, for the part
// of the path that is not to be routed.
var variables = []string{"content-length", "transfer-encoding", "script-name", "path-info"}

// overrides are the headers by which some frameworks change the method; underscored are those
// names that the verifier takes for them itself.
var (
	overrides   = []string{"x-http-method-override", "x-method-override", "x-http-method"}
	underscored = []string{"x_http_method_override", "x_method_override", "x_http_method"}
)

// hidesDots reports whether a service could find dot segments in the path of a target that
// the verifier does not know as such: /a/..;/b is /b to servlet containers, and /a/..\b to
// who parses it as a URL of the WHATWG.
func hidesDots(path string) bool {
	if strings.Contains(path, `\`) {
		return true
	}
	decoded, err := url.PathUnescape(path)
	if err != nil || !strings.ContainsAny(decoded, `;\`) {
		return false
	}
	for segment := range strings.SplitSeq(strings.ReplaceAll(decoded, `\`, "/"), "/") {
		if name, _, _ := strings.Cut(segment, ";"); name == "." || name == ".." {
			return true
		}
	}
	return false
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
	// HTTP/2 carries a space, which would end the target in HTTP/1.1. What follows a #, which
	// is signed as %23, is no part of the target to those who parse it as a URL.
	return &u, strings.HasPrefix(raw, "/") && !strings.ContainsAny(raw, " #") && u.RequestURI() == raw && r.Method != http.MethodConnect
}

// isLate reports whether the verdict on the body of r is still to come.
func isLate(r *http.Request) bool {
	id, ok := core.FromContext(r.Context())
	return ok && id.Payload() == core.PayloadDeclared && !id.Covers().Body
}

// forwardable returns r without what the proxy does not forward, and that ReverseProxy
// would.
func (c *Config) forwardable(r *http.Request) *http.Request {
	out := *r
	out.Trailer = nil
	if isLate(r) {
		out.Body = &lastByte{ReadCloser: r.Body, buffered: bufio.NewReaderSize(r.Body, 32<<10)}
	}
	if out.Body != nil && out.Body != http.NoBody {
		body := &callersBody{ReadCloser: out.Body, request: r}
		out = *out.WithContext(context.WithValue(out.Context(), callersBodyKey{}, body))
		out.Body = body
	}
	// An upgrade to HTTP or TLS would let requests through that nobody verifies, and HTTP/2
	// has no upgrades.
	if upgrade := r.Header["Upgrade"]; len(upgrade) > 0 && (c.To.Scheme == "h2c" || len(upgrade) > 1 || !strings.EqualFold(upgrade[0], "websocket")) {
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

// callersBody tells errors of the caller's body from those of the service. It gives back the
// memory of a body that was sent: the response may take long, and its reader too.
type callersBody struct {
	io.ReadCloser
	request *http.Request
	ended   bool
	failed  atomic.Bool
}

// callersBodyKey is the key in the context of a forwarded request for its *callersBody.
type callersBodyKey struct{}

func (b *callersBody) Read(p []byte) (int, error) {
	if b.ended {
		return 0, io.EOF
	}
	n, err := b.ReadCloser.Read(p)
	if b.ended = err == io.EOF; b.ended {
		core.Release(b.request)
	}
	if err != nil && err != io.EOF {
		b.failed.Store(true)
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
	// Report mode lets any body through, so that nothing would tell the service that it got
	// another one.
	id, _ := core.FromContext(p.In.Context())
	unproven := isLate(p.In) && id.Mode() == core.Report // not the Verifier's mode, which may have changed since
	setIdentity(p.Out.Header, p.In, !unproven)
}

// failed answers a request that the service did not get whole, or did not answer.
func (c *Config) failed(w http.ResponseWriter, r *http.Request, err error) {
	_, callers := errors.AsType[callersError](err)
	_, tooLarge := errors.AsType[*http.MaxBytesError](err)
	refusal, refused := errors.AsType[*core.Error](err)
	switch {
	case tooLarge:
		c.refuse(w, r, core.Refuse(core.CodeBodyTooLarge, "the body exceeds the limit"))
	case refused && callers: // the Verifier has reported what it says about a body
		core.WriteProblem(w, r, refusal)
	case refused && refusal.Code == core.CodeBodyTooLarge: // the signer's
		c.refuse(w, r, core.Refuse(core.CodeBodyTooLarge, "the body is larger than the 12 MiB that --sign-with signs: use --sign-payload unsigned, or send less"))
	case refused:
		c.refuse(w, r, refusal)
	case callers, r.Context().Err() != nil: // the client has gone, or is too slow
		panic(http.ErrAbortHandler)
	default:
		c.serviceFailed(r, err, false)
		writeBadGateway(w)
	}
}

// watch reports an answer that the service breaks off. The caller has its header then, and
// gets a closed connection.
func (c *Config) watch(res *http.Response) error {
	if res.StatusCode == http.StatusSwitchingProtocols || res.Body == nil || res.Body == http.NoBody {
		return nil
	}
	r := res.Request
	res.Body = answer{res.Body, func(err error) {
		sent, _ := r.Context().Value(callersBodyKey{}).(*callersBody)
		if r.Context().Err() == nil && (sent == nil || !sent.failed.Load()) { // otherwise it was the client
			c.serviceFailed(r, err, true)
		}
	}}
	return nil
}

// serviceFailed counts and logs that the service did not answer, or not whole.
func (c *Config) serviceFailed(r *http.Request, err error, within bool) {
	if c.Failed != nil {
		c.Failed(r.Context())
	}
	c.failures.log(r, err, within, c.To)
}

// refuse answers a request that the proxy refuses itself, in every mode.
func (c *Config) refuse(w http.ResponseWriter, r *http.Request, err error) {
	core.WriteProblem(w, r, c.Verifier.Refuse(w, r, err))
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
