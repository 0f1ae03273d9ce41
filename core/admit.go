package core

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
)

// BodyUse says who reads the body of a request after [Verifier.Admit].
type BodyUse uint8

const (
	// BodyForHandler: the handler. It is the zero value.
	BodyForHandler BodyUse = iota
	// BodyConsumed: nobody, since it is there in another form, such as the message of
	// a gRPC call. It is verified whole, where [API].Stream would leave it to the
	// handler.
	BodyConsumed
	// BodyUnbuffered: the handler, of a body that nobody can hold, such as a gRPC
	// stream. The credential is verified at once, and a declared digest at the end of
	// the body, as for [API].Stream. A credential that covers the hash of the body
	// without declaring it is refused with [CodePayloadUnsupported]. The caller vouches
	// that nothing has read from the body before: where no length is announced, an
	// empty stream is an empty body.
	BodyUnbuffered
)

// An Admission is a request on its way to a handler.
type Admission struct {
	// Request is for the handler; nil where it was refused.
	Request *http.Request
	body    *bodyBuffer // nil where none is held

	permission *permission // nil where no retry can be permitted
}

// Release gives back the memory that holds the body. It is called when the handler
// has returned, also where the request was refused. Reading the body afterwards fails
// with [http.ErrBodyReadAfterClose].
func (a Admission) Release() {
	if a.body != nil {
		a.body.release()
	}
}

// Admit judges r as the mode says and returns the request for the handler, or
// the refusal. Adapters call it, and release the Admission when the handler has
// returned.
//
// In enforce mode a refused request gives an error. A verified one gives a
// copy of r whose context carries the [Identity], without trailers, without
// unsigned x-apig-* headers, and with a body of at most MaxBody bytes, which
// may still be on its way where [API].Stream or use says so. In
// report mode the same is done for what verifies, but that no body is bounded;
// what does not verify is logged as "would be refused" and goes through
// unchanged and without identity. In off mode nothing is verified.
//
// r stays as it is, but that its body may have been read: net/http's server looks for
// its own body in r when it answers.
//
// w is the ResponseWriter of r; it is used to set the deadlines by which the body must
// have been read ([Config.BodyTimeout]). With nil, or where it cannot set deadlines
// ([http.ResponseController]), a slow sender is bounded by the server alone.
//
// The adapter of a router that finds routes in another way than [API].Match passes
// the route of the request, at most one, since the verifier cannot tell it from r.
func (v *Verifier) Admit(w http.ResponseWriter, r *http.Request, use BodyUse, route ...Route) (a Admission, err error) {
	p := v.current()
	switch {
	case p == nil:
		return a, errNotBuilt
	case r == nil:
		_, err = v.Verify(nil)
		return a, err
	}
	if p.Mode == Off {
		return Admission{Request: r}, nil
	}
	admitted := new(http.Request)
	*admitted = *r
	setDeadlines(w, admitted)
	deadlines := p.deadlines(admitted)
	verification := p.newVerification(admitted, use)
	verification.routes = append(verification.route[:0], route...) // route itself would be allocated for each request
	returned := false
	defer func() {
		a.body = heldBody(admitted)
		if returned {
			verification.free()
		} else { // the user's code panicked
			a.Release()
		}
	}()
	id, err := verification.verifyAndReport()
	returned = true
	a.permission = verification.permission
	if err != nil && p.Mode != Report {
		if deadlines != nil { // net/http's server reads a small body to its end before it answers
			deadlines.within(p.BodyTimeout)
		}
		return a, err
	}
	admitted.Header = withoutHTTP2(admitted.Header)
	admitted.Trailer = r.Trailer // the server has written it into r
	a.Request = withIdentity(admitted, id)
	if id.Verified() {
		verification.limit(admitted)
	}
	return a, nil
}

// Refuse reports that the adapter refuses r itself with err, as a proxy does with a request
// that it cannot forward as it is: the log, the observers and [Verifier.Status] get the
// refusal as one of the Verifier's own. It returns what to answer with [WriteProblem].
//
// The request does not get through in report and off mode either, so it is counted and
// logged as refused in every mode ([Event].ByAdapter). If r was admitted before, it has two
// verdicts. w is used as by [Verifier.Admit].
func (v *Verifier) Refuse(w http.ResponseWriter, r *http.Request, err error) error {
	p := v.current()
	if p == nil {
		return errNotBuilt
	}
	verification := p.newVerification(r, BodyConsumed)
	verification.refused = true
	if r != nil {
		timed := *r
		setDeadlines(w, &timed)
		if deadlines := p.deadlines(&timed); deadlines != nil { // as in Admit
			deadlines.within(p.BodyTimeout)
		}
		if r.URL != nil {
			verification.path, verification.query = verification.message.Target(r)
		}
	}
	refusal := verification.refuse(err)
	verification.free()
	return refusal
}

// withIdentity gives a request that nobody else has yet another context.
func withIdentity(r *http.Request, id *Identity) *http.Request {
	*r = *r.WithContext(NewContext(r.Context(), id))
	return r
}

// withoutHTTP2 returns the headers without the wish to go on with HTTP/2, which a server may
// ignore. A handler that grants it (h2c) serves the rest of the connection itself, and the
// verifier would not see those requests.
func withoutHTTP2(h http.Header) http.Header {
	for _, value := range h["Upgrade"] {
		if strings.Contains(strings.ToLower(value), "h2c") {
			h = h.Clone()
			delete(h, "Upgrade")
			delete(h, "Http2-Settings")
			break
		}
	}
	return h
}

// limit keeps from the handler what is not verified: the trailers, headers that only
// gateways set, and bytes of the body beyond the limit. It has the digest of a body
// checked that the handler will be the first to read.
func (v *verification) limit(r *http.Request) {
	r.Header, r.Trailer = v.withoutReserved(r.Header), nil
	if v.held {
		return
	}
	p := v.policy
	r.GetBody = nil // it would go around
	if r.Body == nil {
		r.Body = http.NoBody
	}
	if deadlines := p.deadlines(r); deadlines != nil && v.binding.stream {
		deadlines.each = p.BodyTimeout
	}
	if r.Body != http.NoBody && p.Mode != Report {
		r.Body = http.MaxBytesReader(nil, r.Body, v.binding.maxBody)
	}
	if v.credential.Payload == PayloadDeclared {
		r.Body = v.newDigestReader(r)
	}
}

// Replace makes r, which was passed to [Verifier.Admit], the admitted request.
// It is for frameworks that go on with the request that they were given, whatever a
// middleware makes of it; all others hand on a.Request, and leave r alone.
//
// The server and the handler then share r. The server looks for its own body in r to
// find out what is left of it on the connection, and writes the trailers into r. So a
// body that the handler may read is closed by the server alone, and removes the
// trailers of a verified request; and a connection on which such trailers may follow
// ends with the answer, since the server would else read to them before it answers.
// Where w has no method Before(func()), a handler that sets Connection undoes that.
func (a Admission) Replace(w http.ResponseWriter, r *http.Request) {
	*r = *a.Request
	if r.Body == nil || r.Body == http.NoBody {
		return
	}
	_, verified := FromContext(r.Context())
	r.Body = &sharedBody{ReadCloser: r.Body, request: r, verified: verified}
	chunked := r.ContentLength < 0 || len(r.TransferEncoding) > 0
	waits := r.Header.Get("Expect") != "" // the server would wait for a body that it has not asked for
	if held := a.body != nil; r.ProtoMajor == 1 && !held && (waits || verified && chunked) {
		closes := func() { w.Header().Set("Connection", "close") }
		if b, ok := w.(interface{ Before(func()) }); ok { // Echo's: whatever the handler sets
			b.Before(closes)
		}
		closes()
	}
}

// sharedBody is the body of a request that net/http's server has as well.
type sharedBody struct {
	io.ReadCloser
	request  *http.Request
	verified bool
	closed   atomic.Bool
}

// Read removes the trailers of a verified request before the reader learns that the
// body has ended: the server has just written them.
func (b *sharedBody) Read(p []byte) (int, error) {
	if b.closed.Load() {
		return 0, http.ErrBodyReadAfterClose
	}
	n, err := b.ReadCloser.Read(p)
	if b.verified && b.request.Trailer != nil {
		b.request.Trailer = nil
	}
	return n, err
}

// Close leaves the rest of the body to the server, which would take a body that
// somebody else has closed for one that was read to its end.
func (b *sharedBody) Close() error {
	b.closed.Store(true)
	return nil
}

// A Route is what an adapter knows about the route that its router runs for a request.
// The request is refused with [CodeRequestAmbiguous] where the policy binds it as
// another API.
type Route struct {
	// Segments are the values of the parameters that stand for one segment of the
	// path each. A router whose parameter takes several has run the route on a path
	// that is another API to the policy.
	Segments []string
	// OtherHost says that the router has routes for the host of the request in another
	// spelling, such as without its port, and has not taken these. The policy binds
	// all spellings alike where APIs are bound by host.
	OtherHost bool
}

// checkRoute refuses a request whose route is not the API that it is bound as.
func checkRoute(v *verification) error {
	for _, route := range v.routes {
		if slices.ContainsFunc(route.Segments, func(value string) bool { return strings.Contains(value, "/") }) {
			return errRouteSegments
		}
		if route.OtherHost && v.policy.bindings.hosts {
			return errRouteHost
		}
	}
	return nil
}

var (
	errRouteSegments = Refuse(CodeRequestAmbiguous, "a parameter of the route for one segment of the path holds a slash, "+
		"so the route is another one than the API that the path is bound as")
	errRouteHost = Refuse(CodeRequestAmbiguous, "the router has routes for this host in another spelling, and APIs are bound by host: "+
		"send the host as the router has it, without a port")
)
