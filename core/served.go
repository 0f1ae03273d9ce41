package core

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
)

// An Admission is a request of net/http's server on its way to a handler.
type Admission struct {
	// Request is for the handler; nil where it was refused.
	Request *http.Request
	body    *bodyBuffer // nil where none is held
}

// Release is [Release]. It is called when the handler has returned, also where the
// request was refused.
func (a Admission) Release() {
	if a.body != nil {
		a.body.release()
	}
}

// AdmitServed is [Verifier.Admit] for a request of net/http's server, by way of
// which it is answered with w: reading its body can then be ended after
// [Config].BodyTimeout, as by [WithDeadline]. The server looks for its own body in r
// when it answers, so r stays as it is, and what Admit does is done to a copy.
//
// A router that finds routes in another way than [API].Match has adapters that pass
// the route of the request, at most one, since the verifier cannot tell it from r.
func (v *Verifier) AdmitServed(w http.ResponseWriter, r *http.Request, route ...Route) (a Admission, err error) {
	if r == nil {
		_, err = v.Verify(nil)
		return a, err
	}
	judged := new(http.Request)
	*judged = *r
	WithDeadline(w, judged)
	a.Request, err = v.admit(judged, handler, route, inPlace)
	if body, ok := judged.Body.(*bodyReader); ok {
		a.body = body.buffer
	}
	return a, err
}

// inPlace gives a request that nobody else has yet another context.
func inPlace(ctx context.Context, r *http.Request) *http.Request {
	*r = *r.WithContext(ctx)
	return r
}

// Replace makes r, which was passed to [Verifier.AdmitServed], the admitted request.
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
func (p *policy) checkRoute(a *attempt) error {
	for _, route := range a.route {
		if slices.ContainsFunc(route.Segments, func(value string) bool { return strings.Contains(value, "/") }) {
			return errRouteSegments
		}
		if route.OtherHost && p.bindings.hosts {
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
