package core

import (
	"context"
	"io"
	"net/http"
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
// Segments are the values that the router has already taken from the path for
// parameters of one segment each. Where one of them holds a slash, the request is
// refused with [CodeRequestAmbiguous]: the router has run a route on a path that the
// policy binds as another.
func (v *Verifier) AdmitServed(w http.ResponseWriter, r *http.Request, segments ...string) (a Admission, err error) {
	if r == nil {
		_, err = v.Verify(nil)
		return a, err
	}
	judged := new(http.Request)
	*judged = *r
	WithDeadline(w, judged)
	a.Request, err = v.admit(judged, handler, segments, inPlace)
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
	if r.Body == nil || r.Body == http.NoBody || a.body != nil { // held: the server has read all of its own
		return
	}
	_, verified := FromContext(r.Context())
	r.Body = &sharedBody{ReadCloser: r.Body, request: r, verified: verified}
	chunked := r.ContentLength < 0 || len(r.TransferEncoding) > 0
	waits := r.Header.Get("Expect") != "" // the server would wait for a body that it has not asked for
	if r.ProtoMajor == 1 && (waits || verified && chunked) {
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

// swallows reports whether a value for one segment of the path is of several.
func swallows(segments []string) bool {
	for _, value := range segments {
		if strings.Contains(value, "/") {
			return true
		}
	}
	return false
}
