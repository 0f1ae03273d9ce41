package core

import (
	"errors"
	"fmt"
	"hash"
	"io"
	"math/bits"
	"net/http"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Bodies are held in pooled chunks: a small one first, since most bodies are
// small, and then each as large as all before it.
const (
	smallest = 12 // bits of the size of the first chunk: 4 KiB
	largest  = 16 // and of the largest: 64 KiB
)

// A chunk is a piece of a body; its capacity is a power of two.
type chunk struct{ bytes []byte }

var chunks [largest - smallest + 1]sync.Pool

func newChunk(size int64) *chunk {
	if c, ok := chunks[class(size)].Get().(*chunk); ok {
		return c
	}
	return &chunk{make([]byte, 0, size)}
}

func (c *chunk) free() {
	size := int64(cap(c.bytes))
	c.bytes = c.bytes[:0]
	chunks[class(size)].Put(c)
}

func class(size int64) int { return bits.Len64(uint64(size)) - 1 - smallest }

// hashBody reads the body to its end into memory and returns its hash, in lower-case
// hex. It reads at most what the API allows, within the memory budget, and compares the
// length with the announced one. In every case the request's Body then gives all of it
// to the next reader, whether it was read here or not; on success GetBody gives it
// again.
func (v *verification) hashBody() (digest string, err error) {
	r, p := v.request, v.policy
	announced, err := checkUnread(r)
	switch {
	case err != nil:
		return "", err
	case r.Body == nil || r.Body == http.NoBody:
		return v.credential.Hash.empty, nil
	case r.ContentLength > p.MaxBuffered-p.buffered.Load(): // reading it would only use up memory that other requests need
		return "", errBudget
	}
	v.held = true
	h := v.credential.Hash.get()
	defer v.credential.Hash.put(h)
	b := &bodyBuffer{source: r.Body, lease: &lease{used: p.buffered}}
	b.chunks = b.space[:0]
	if v.cleanup {
		runtime.AddCleanup(b, (*lease).end, b.lease)
	}
	deadlines := p.deadlines(r)
	if deadlines != nil {
		deadlines.within(p.BodyTimeout)
	}
	filled := false
	defer func() {
		if !filled { // the body's Read panicked
			b.release()
		}
	}()
	failed, err := b.fill(h, min(v.binding.maxBody, p.MaxBuffered), p.MaxBuffered)
	filled = true
	switch {
	case deadlines == nil:
	case failed == nil: // else the server shall not wait for the rest either
		deadlines.within(0)
	case errors.Is(failed, os.ErrDeadlineExceeded):
		err = tooSlow(p.BodyTimeout, b.size, announced, failed)
	}
	if err == nil {
		err = checkLength(b.size, announced)
	}
	b.replace(r, failed, err)
	if err != nil {
		return "", err
	}
	return string(h.digest()), nil
}

// replace makes the buffer the body of r. Where the body cannot be used, what was not
// read of the source, or why that failed, follows what is held.
func (b *bodyBuffer) replace(r *http.Request, failed, err error) {
	body := &b.reader
	body.buffer = b
	switch {
	case err == nil && b.size == 0:
		body.Close()
		b.release()
		r.Body, r.GetBody = http.NoBody, nil
		return
	case err == nil:
		r.GetBody = b.again
	case failed != nil:
		body.tail = errReader{failed}
	default:
		body.tail = b.source
	}
	r.Body = body
}

var errBudget = Refuse(CodeUnavailable, "the memory budget for bodies is used up")

// Release gives back the memory that holds the body of r after [Verifier.Verify]: the
// request as passed to it. Reading the body afterwards fails with
// [http.ErrBodyReadAfterClose]. Calling it twice, or for a request without a body, does
// nothing.
func Release(r *http.Request) {
	if b := heldBody(r); b != nil {
		b.release()
	}
}

// heldBody returns what holds the body of r in memory, nil where nothing does.
func heldBody(r *http.Request) *bodyBuffer {
	if body, ok := r.Body.(*bodyReader); ok {
		return body.buffer
	}
	return nil
}

// bodyBuffer holds the bytes of one body until it is released.
type bodyBuffer struct {
	source io.ReadCloser
	closed atomic.Bool // source was closed
	lease  *lease

	mu       sync.RWMutex // guards release: a reader can outlive the handler
	chunks   []*chunk
	space    [8]*chunk // room for them, of bodies that are not large
	size     int64
	released bool
	reader   bodyReader // the first one
}

// again is r.GetBody.
func (b *bodyBuffer) again() (io.ReadCloser, error) { return &bodyReader{buffer: b}, nil }

// fill reads the source. The error says why the body cannot be used; failed is
// the source's own error, if it was that.
func (b *bodyBuffer) fill(h hash.Hash, most, budget int64) (failed, err error) {
	for idle := 0; ; {
		last := len(b.chunks) - 1
		if last < 0 || len(b.chunks[last].bytes) == cap(b.chunks[last].bytes) {
			if !b.grow(most, budget) {
				return nil, errBudget
			}
			last++
		}
		held := b.chunks[last].bytes
		n, err := b.source.Read(held[len(held):cap(held)])
		h.Write(held[len(held) : len(held)+n])
		b.chunks[last].bytes = held[:len(held)+n]
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
	size := min(max(1<<smallest, b.size), 1<<largest)
	if !b.lease.take(min(size, most-b.lease.mine.Load()), budget) {
		return false
	}
	b.chunks = append(b.chunks, newChunk(size))
	return true
}

func (b *bodyBuffer) release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.released {
		return
	}
	b.released = true
	for _, c := range b.chunks {
		c.free()
	}
	b.space = [len(b.space)]*chunk{}
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
		copied := copy(p[n:], b.chunks[r.chunk].bytes[r.offset:])
		n += copied
		if r.offset += copied; r.offset == len(b.chunks[r.chunk].bytes) {
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

// tooSlow is the refusal of a body that had not arrived in time.
func tooSlow(limit time.Duration, arrived, announced int64, err error) error {
	of := ""
	if announced > 0 {
		of = fmt.Sprintf(" of %d", announced)
	}
	return &Error{Code: CodeBodyMismatch, Detail: fmt.Sprintf("the body did not arrive within %v (body_timeout): %d%s bytes had", limit, arrived, of), Err: err,
		Hint: "Raise body_timeout if bodies may take longer; otherwise look for what is slow between the sender and this service."}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

// lease is a body's share of the memory budget.
type lease struct {
	used *atomic.Int64 // of the Verifier
	mine atomic.Int64
}

func (l *lease) take(n, budget int64) bool {
	for {
		used := l.used.Load()
		if used+n > budget {
			return false
		}
		if l.used.CompareAndSwap(used, used+n) {
			l.mine.Add(n)
			return true
		}
	}
}

func (l *lease) end() { l.used.Add(-l.mine.Swap(0)) }
