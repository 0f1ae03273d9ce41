package core

import (
	"io"
	"net/http"
	"time"
)

// WithDeadline gives the verifier the means to end the reading of r's body
// after [Config].BodyTimeout. Adapters call it with the request that they pass
// to [Verifier.Admit]. Where w cannot set deadlines
// ([http.ResponseController]), a slow sender is bounded by the server alone.
func WithDeadline(w http.ResponseWriter, r *http.Request) {
	if r.Body == nil || r.Body == http.NoBody {
		return
	}
	r.Body = &timedBody{ReadCloser: r.Body, controller: http.NewResponseController(w)}
}

// timedBody is a body whose reading can be given an end.
type timedBody struct {
	io.ReadCloser
	controller *http.ResponseController
	each       time.Duration // that a Read may take; 0 is no end
}

// Read ends after its time.
func (b *timedBody) Read(p []byte) (int, error) {
	if b.each == 0 {
		return b.ReadCloser.Read(p)
	}
	b.within(b.each)
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		b.within(0)
	}
	return n, err
}

// within sets the time in which what follows must have been read, 0 for no end.
// Deadlines are of the connection and of real time, whatever Now says.
func (b *timedBody) within(d time.Duration) {
	var deadline time.Time
	if d > 0 {
		deadline = time.Now().Add(d)
	}
	b.controller.SetReadDeadline(deadline) // where it cannot, the server's own is what there is
}

// timed returns r's body if its reading can be given an end, unless the server
// does so, sooner: setting another would undo that.
func (p *policy) timed(r *http.Request) *timedBody {
	b, _ := r.Body.(*timedBody)
	if server, ok := r.Context().Value(http.ServerContextKey).(*http.Server); ok && b != nil {
		if server.ReadTimeout > 0 && server.ReadTimeout <= p.BodyTimeout {
			return nil
		}
	}
	return b
}
