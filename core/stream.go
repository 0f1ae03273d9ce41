package core

import (
	"context"
	"encoding/hex"
	"hash"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// digestReader checks a declared digest while the handler reads the body.
type digestReader struct {
	io.ReadCloser
	hash      *hashState // not given back: the handler may keep the body
	declared  string
	length    int64 // that was read
	announced int64
	end       error // of every further Read
	verdict   lateVerdict
}

// lateVerdict is what a second verdict needs, after the one that let the request in.
type lateVerdict struct {
	policy  *policy
	ctx     context.Context
	event   Event     // of the request, without a verdict
	exposed *exposure // nil unless the policy exposes reasons
}

func (v *verification) newDigestReader(r *http.Request) *digestReader {
	c := &v.credential
	d := &digestReader{ReadCloser: r.Body, hash: c.Hash.get(), declared: c.Declared, announced: v.announced,
		verdict: lateVerdict{policy: v.policy, ctx: r.Context(), event: v.event()}}
	if len(v.policy.Observers) > 0 {
		d.verdict.event.Request = ofItsOwn(r)
	}
	if v.policy.ExposeReason {
		d.verdict.exposed = v.exposure()
	}
	return d
}

// ofItsOwn returns a copy of a request without its body, for observers of a late verdict:
// the handler may change the request meanwhile, in another goroutine than the one that
// reads the body.
func ofItsOwn(r *http.Request) *http.Request {
	own, u := *r, *r.URL
	own.URL, own.Header, own.TransferEncoding = &u, r.Header.Clone(), slices.Clone(r.TransferEncoding)
	own.Body, own.GetBody, own.Trailer = http.NoBody, nil, nil
	return &own
}

func (d *digestReader) Read(b []byte) (int, error) {
	if d.end != nil {
		return 0, d.end
	}
	n, err := d.ReadCloser.Read(b)
	d.hash.Write(b[:n])
	d.length += int64(n)
	if d.end = err; err == nil {
		return n, nil
	}
	var refusal error
	if err != io.EOF {
		refusal = unreadable(err)
	} else if refusal = d.check(); refusal == nil {
		return n, err
	}
	refusal = d.verdict.refuse(refusal)
	if d.verdict.policy.Mode == Report { // the handler gets what the body gave
		return n, d.end
	}
	d.end = refusal
	return 0, d.end // without the last bytes: decoders take a whole value for good, whatever error comes with it
}

// check compares what was read with what was announced and declared.
func (d *digestReader) check() error {
	if err := checkLength(d.length, d.announced); err != nil {
		return err
	}
	if !equal(string(d.hash.digest()), d.declared) {
		return errDigest
	}
	return nil
}

// refuse reports a refusal, and returns the error that can answer the request.
func (l *lateVerdict) refuse(err error) error {
	refusal := l.policy.complete(err)
	if l.exposed != nil {
		refusal.exposed = l.exposed
	}
	l.policy.reportRefused(l.ctx, l.event.API, l.policy.Mode, refusal, func() Event {
		e := l.event
		e.Time, e.Duration = l.policy.Now(), 0
		if !e.SignedAt.IsZero() {
			e.Skew = e.Time.Sub(e.SignedAt)
		}
		return e
	})
	return refusal
}

// A Hash makes the hashes of bodies, and keeps those that were used for the next
// body. A scheme makes one, once.
type Hash struct {
	newHash func() hash.Hash
	states  sync.Pool
	empty   string
}

// NewHash returns a Hash of what newHash makes, such as [crypto/sha256.New].
func NewHash(newHash func() hash.Hash) *Hash {
	h := &Hash{newHash: newHash, states: sync.Pool{New: func() any { return &hashState{Hash: newHash()} }}}
	h.empty = hex.EncodeToString(newHash().Sum(nil))
	return h
}

// New returns a hash of its own.
func (h *Hash) New() hash.Hash { return h.newHash() }

// hashState is a hash with room for its result.
type hashState struct {
	hash.Hash
	sum [64]byte
	hex [128]byte
}

func (h *Hash) get() *hashState {
	s := h.states.Get().(*hashState)
	s.Reset()
	return s
}

func (h *Hash) put(s *hashState) { h.states.Put(s) }

// digest is the hash of what was written, in lower-case hex.
func (s *hashState) digest() []byte {
	sum := s.Sum(s.sum[:0])
	return hex.AppendEncode(s.hex[:0], sum)
}

// setDeadlines gives the verifier the means to end the reading of r's body after
// [Config].BodyTimeout.
func setDeadlines(w http.ResponseWriter, r *http.Request) {
	if w == nil || r.Body == nil || r.Body == http.NoBody {
		return
	}
	r.Body = &timedBody{ReadCloser: r.Body, controller: http.NewResponseController(w)}
}

// timedBody is a body with read deadlines.
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

// deadlines returns r's body if its reading can be given an end, unless the server
// does so, sooner: setting another would undo that.
func (p *policy) deadlines(r *http.Request) *timedBody {
	b, _ := r.Body.(*timedBody)
	if server, ok := r.Context().Value(http.ServerContextKey).(*http.Server); ok && b != nil {
		if server.ReadTimeout > 0 && server.ReadTimeout <= p.BodyTimeout {
			return nil
		}
	}
	return b
}
