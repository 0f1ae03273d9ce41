package core

import (
	"context"
	"io"
	"net/http"
	"strings"
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
// The server and the handler then share r, and the server both looks for its own body
// in r and writes the trailers into it: a body that is still on its way keeps those of
// a verified request from the handler, and w is told not to read that body by itself.
func (a Admission) Replace(w http.ResponseWriter, r *http.Request) {
	chunked := r.ContentLength < 0 || len(r.TransferEncoding) > 0
	if r.Header.Get("Expect") != "" { // the server would wait for a body that it has not asked for
		w.Header().Set("Connection", "close")
	}
	*r = *a.Request
	if _, verified := FromContext(r.Context()); !verified || !chunked {
		return
	}
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = &withoutTrailers{r.Body, r}
	}
	if http.NewResponseController(w).EnableFullDuplex() != nil {
		w.Header().Set("Connection", "close") // which has the server read no body either
	}
}

// withoutTrailers is the body of a request into which net/http's server writes the
// trailers when it meets the end of the body.
type withoutTrailers struct {
	io.ReadCloser
	request *http.Request
}

// Read removes the trailers before the reader learns that the body has ended.
func (b *withoutTrailers) Read(p []byte) (int, error) {
	defer b.remove()
	return b.ReadCloser.Read(p)
}

// Close removes the trailers that came with what was left of the body.
func (b *withoutTrailers) Close() error {
	defer b.remove()
	return b.ReadCloser.Close()
}

func (b *withoutTrailers) remove() {
	if b.request.Trailer != nil { // without a write where there are none: others may read the request meanwhile
		b.request.Trailer = nil
	}
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
