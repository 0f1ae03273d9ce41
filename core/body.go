package core

import (
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
)

// Bodies are held in pooled chunks: a small one first, since most bodies are
// small and the memory budget counts chunks.
const (
	firstChunk = 4 << 10
	nextChunk  = 64 << 10
)

var (
	firstChunks = sync.Pool{New: func() any { return new([firstChunk]byte) }}
	nextChunks  = sync.Pool{New: func() any { return new([nextChunk]byte) }}
)

// hashBody reads r's body to its end into memory, at most most bytes of it
// and within the memory budget, writing it to h. In every case r.Body is
// replaced by one that gives all of it to the next reader, whether it was read
// here or not; on success r.GetBody gives it again.
func (p *policy) hashBody(r *http.Request, h hash.Hash, most int64) error {
	if r.Body == nil || r.Body == http.NoBody {
		return nil
	}
	b := &bodyBuffer{source: r.Body, lease: &lease{used: p.buffered}}
	runtime.AddCleanup(b, (*lease).end, b.lease) // for callers of Verify that do not call Release
	timed := p.timed(r)
	if timed != nil {
		timed.within(p.BodyTimeout)
	}
	failed, err := b.fill(h, min(most, p.MaxBuffered), p.MaxBuffered)
	if timed != nil && failed == nil { // else the server shall not wait for the rest either
		timed.within(0)
	}
	if err == nil && r.ContentLength >= 0 && b.size != r.ContentLength {
		err = Refuse(CodeBodyMismatch, "something in front of the verifier has read the body")
	}
	body := &bodyReader{buffer: b}
	if err == nil && len(b.chunks[0]) == 0 {
		body.Close()
		b.release()
		r.Body, r.GetBody = http.NoBody, nil
		return nil
	}
	r.Body = body
	if err == nil {
		r.GetBody = func() (io.ReadCloser, error) { return &bodyReader{buffer: b}, nil }
		return nil
	}
	if failed != nil {
		body.tail = errReader{failed}
	} else {
		body.tail = b.source
	}
	return err
}

// Release gives back the memory that holds the body of r, a request that
// [Verifier.Admit] or [Verifier.Verify] has seen: the request as passed to
// them. Adapters call it when the handler has returned; reading the body
// afterwards fails with [http.ErrBodyReadAfterClose]. Calling it twice, or for
// a request without a body, does nothing.
func Release(r *http.Request) {
	if body, ok := r.Body.(*bodyReader); ok {
		body.buffer.release()
	}
}

// bodyBuffer holds the bytes of one body until it is released.
type bodyBuffer struct {
	source io.ReadCloser
	closed atomic.Bool // source was closed
	lease  *lease

	mu       sync.RWMutex // release against readers that outlive the handler
	chunks   [][]byte
	size     int64
	released bool
}

// fill reads the source. The error says why the body cannot be used; failed is
// the source's own error, if it was that.
func (b *bodyBuffer) fill(h hash.Hash, most, budget int64) (failed, err error) {
	for idle := 0; ; {
		last := len(b.chunks) - 1
		if last < 0 || len(b.chunks[last]) == cap(b.chunks[last]) {
			if !b.grow(most, budget) {
				return nil, Refuse(CodeUnavailable, "the memory budget for bodies is used up")
			}
			last++
		}
		chunk := b.chunks[last]
		n, err := b.source.Read(chunk[len(chunk):cap(chunk)])
		h.Write(chunk[len(chunk) : len(chunk)+n])
		b.chunks[last] = chunk[:len(chunk)+n]
		if b.size += int64(n); b.size > most {
			return nil, Refuse(CodeBodyTooLarge, "the body exceeds the limit")
		}
		if idle++; n > 0 {
			idle = 0
		}
		if err == nil && idle == 100 {
			err = io.ErrNoProgress
		}
		switch {
		case err == io.EOF:
			return nil, nil
		case err != nil:
			return err, unreadable(err)
		}
	}
}

// grow adds a chunk as large as all before it, so that what is held is at most
// twice what has arrived. A body is charged for at most the largest that is
// allowed, so that one of that size fits into a budget of the same.
func (b *bodyBuffer) grow(most, budget int64) bool {
	size := min(max(firstChunk, b.size), nextChunk)
	if !b.lease.take(min(size, most-b.lease.mine.Load()), budget) {
		return false
	}
	switch size {
	case firstChunk:
		b.chunks = append(b.chunks, firstChunks.Get().(*[firstChunk]byte)[:0])
	case nextChunk:
		b.chunks = append(b.chunks, nextChunks.Get().(*[nextChunk]byte)[:0])
	default:
		b.chunks = append(b.chunks, make([]byte, 0, size))
	}
	return true
}

func (b *bodyBuffer) release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.released {
		return
	}
	b.released = true
	for _, chunk := range b.chunks {
		switch cap(chunk) {
		case firstChunk:
			firstChunks.Put((*[firstChunk]byte)(chunk[:firstChunk]))
		case nextChunk:
			nextChunks.Put((*[nextChunk]byte)(chunk[:nextChunk]))
		}
	}
	b.chunks = nil
	b.lease.end()
}

// bodyReader reads a buffered body, and then the rest of the source where that
// was not read whole.
type bodyReader struct {
	buffer *bodyBuffer
	chunk  int
	offset int
	tail   io.Reader
	closed atomic.Bool
}

// Read copies out under the lock, so that nobody is left holding a chunk that
// has gone back to the pool.
func (r *bodyReader) Read(p []byte) (int, error) {
	n, err := r.readHeld(p)
	if err == io.EOF && r.tail != nil {
		return r.tail.Read(p)
	}
	return n, err
}

func (r *bodyReader) readHeld(p []byte) (n int, err error) {
	b := r.buffer
	b.mu.RLock()
	defer b.mu.RUnlock()
	if r.closed.Load() || b.released {
		return 0, http.ErrBodyReadAfterClose
	}
	for n < len(p) && r.chunk < len(b.chunks) {
		copied := copy(p[n:], b.chunks[r.chunk][r.offset:])
		n += copied
		if r.offset += copied; r.offset == len(b.chunks[r.chunk]) {
			r.chunk, r.offset = r.chunk+1, 0
		}
	}
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// Close closes the source, once for all readers of the buffer. The memory stays
// until [Release], so that GetBody works afterwards.
func (r *bodyReader) Close() error {
	r.closed.Store(true)
	if r.buffer.closed.Swap(true) {
		return nil
	}
	return r.buffer.source.Close()
}

// unreadable is the refusal of a body whose source failed. A source may refuse
// by itself.
func unreadable(err error) error {
	if refusal, ok := errors.AsType[*Error](err); ok {
		return refusal
	}
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return &Error{Code: CodeBodyTooLarge, Err: err}
	}
	return &Error{Code: CodeBodyMismatch, Detail: "the body could not be read to its end", Err: err}
}

// verifyingReader checks a declared digest while the handler reads.
type verifyingReader struct {
	io.ReadCloser
	hash   hash.Hash
	want   string
	refuse func(error) error // completes and publishes a refusal
	report bool              // the handler gets what the body gave, whatever is refused
	end    error             // of every further Read
}

// verifying returns body with its digest checked at the end.
func (p *policy) verifying(r *http.Request, a *attempt, body io.ReadCloser) io.ReadCloser {
	judged := *a
	return &verifyingReader{ReadCloser: body, hash: a.credential.NewHash(), want: a.credential.Declared,
		refuse: func(err error) error {
			refusal := p.refusal(r, &judged, err)
			p.publish(r, &judged, nil, refusal)
			return refusal
		}, report: p.Mode == Report}
}

func (v *verifyingReader) Read(b []byte) (int, error) {
	if v.end != nil {
		return 0, v.end
	}
	n, err := v.ReadCloser.Read(b)
	v.hash.Write(b[:n])
	if v.end = err; err == nil {
		return n, nil
	}
	refusal := errDigest
	if err != io.EOF {
		refusal = unreadable(err)
	} else if equal(hex.EncodeToString(v.hash.Sum(nil)), v.want) {
		return n, err
	}
	if published := v.refuse(refusal); !v.report {
		v.end = published
	}
	return n, v.end
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

// lease is a body's share of the memory budget.
type lease struct {
	used *atomic.Int64 // of the Verifier
	mine atomic.Int64
}

func (l *lease) take(n, budget int64) bool {
	if l.used.Add(n) > budget {
		l.used.Add(-n)
		return false
	}
	l.mine.Add(n)
	return true
}

func (l *lease) end() { l.used.Add(-l.mine.Swap(0)) }
