package core_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/internal/needs"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

// largest keeps the greatest value that it is shown.
type largest struct{ atomic.Int64 }

func (l *largest) show(n int64) {
	for old := l.Load(); n > old && !l.CompareAndSwap(old, n); old = l.Load() {
	}
}

// objects is the size of what is on the heap, garbage included.
func objects() int64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64())
}

// inFlight is what a chunk that is being refused counts for, for an instant, in
// the readings of [core.Verifier.Buffered]: one for each request that runs.
func inFlight() int64 { return int64(4*runtime.GOMAXPROCS(0)) * 64 << 10 }

// memoryWatch keeps the most memory that a verifier holds for bodies, and the largest
// heap, while it is shown that a body is read.
type memoryWatch struct {
	v          *core.Verifier
	before     int64 // size of the heap
	held, heap largest
	reads      atomic.Int64
}

func newMemoryWatch(v *core.Verifier) *memoryWatch {
	runtime.GC()
	return &memoryWatch{v: v, before: objects()}
}

func (w *memoryWatch) read() {
	w.held.show(w.v.Buffered())
	if w.reads.Add(1)%500 == 0 {
		w.heap.show(objects())
	}
}

// check fails where more was held than the budget, or the heap grew by more than most.
func (w *memoryWatch) check(t *testing.T, budget, most int64) {
	t.Helper()
	if w.held.Load() > budget+inFlight() {
		t.Errorf("%d bytes were held at once, of %d", w.held.Load(), budget)
	}
	if grown := w.heap.Load() - w.before; grown > most {
		t.Errorf("the heap grew by %d bytes, want at most %d", grown, most)
	}
	t.Logf("at most %d MiB held, heap at most %d MiB", w.held.Load()>>20, w.heap.Load()>>20)
}

var pages = map[byte][]byte{'a': bytes.Repeat([]byte("a"), 32<<10), 'b': bytes.Repeat([]byte("b"), 32<<10)}

// pieces is a body that is made as it is read and lets others run in between:
// only what the verifier holds of it takes memory.
type pieces struct {
	left int64
	fill byte
	seen func() // at every Read
}

func (p *pieces) Read(b []byte) (int, error) {
	runtime.Gosched()
	if p.seen != nil {
		p.seen()
	}
	if p.left == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(int64(len(b)), p.left)], pages[p.fill])
	p.left -= int64(n)
	return n, nil
}

func (p *pieces) Close() error { return nil }

func digestOf(t *testing.T, size int64, fill byte) string {
	t.Helper()
	h := sha256.New()
	if n, err := io.Copy(h, struct{ io.Reader }{&pieces{left: size, fill: fill}}); err != nil || n != size {
		t.Fatalf("hashed %d bytes, %v", n, err)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// sender makes requests that all carry one signature; change makes it a wrong one.
type sender struct {
	header http.Header
	size   int64
	fill   byte
}

func (s sender) request(seen func()) *http.Request {
	r := httptest.NewRequest("POST", "/v1/items", &pieces{s.size, s.fill, seen})
	r.Host, r.Header, r.ContentLength = "api.example.com", s.header.Clone(), s.size
	return r
}

func newSender(t *testing.T, key core.Key, payload core.Payload, size int64, digest string, fill byte) sender {
	t.Helper()
	r := httptest.NewRequest("POST", "/v1/items", nil)
	r.Host = "api.example.com"
	if err := apig.NewSigner(key, apig.SignOptions{Payload: payload}).Sign(r, digest, instant); err != nil {
		t.Fatal(err)
	}
	return sender{r.Header, size, fill}
}

// TestLoad_F17: ten thousand requests at once, half of them wrong, with bodies of
// many times the memory that is allowed. No wrong one is let in, every right one
// is in the end, after as many 503 as it takes, and the memory stays bounded.
func TestLoad_F17(t *testing.T) {
	const (
		size   = 128 << 10
		budget = 16 << 20
	)
	requests := needs.Rounds(2000, 10000)
	if raceEnabled { // which makes each of them ten times as slow
		requests = 2000
	}
	digest, other := digestOf(t, size, 'a'), digestOf(t, size, 'b')
	// The handler is told by the first byte which body it has.
	good := []sender{
		newSender(t, k1, core.PayloadHashed, size, digest, 'a'),
		newSender(t, k1, core.PayloadDeclared, size, digest, 'a'),
	}
	forged := core.Key{ID: k1.ID, Secret: k2.Secret}
	bad := []sender{
		newSender(t, k1, core.PayloadHashed, size, other, 'b'), // made a wrong one below
		newSender(t, k1, core.PayloadHashed, size, digest, 'b'),
		newSender(t, k1, core.PayloadDeclared, size, digest, 'b'),
		newSender(t, forged, core.PayloadHashed, size, other, 'b'),
		newSender(t, forged, core.PayloadDeclared, size, other, 'b'),
		newSender(t, core.Key{ID: "UNKNOWN", Secret: k1.Secret}, core.PayloadHashed, size, other, 'b'),
		newSender(t, k2, core.PayloadHashed, size, other, 'b'), // another API's key
		{http.Header{}, size, 'b'},
	}
	bad[0].header.Set("X-Sdk-Date", "20260115T120001Z")

	var ran, busy atomic.Int64
	v := verifier(t, func(c *core.Config) { c.MaxBody, c.MaxBuffered, c.LogLimit = size, budget, 1 })
	handler := nethttp.Middleware(v)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ran.Add(1)
		h, first := sha256.New(), make([]byte, 1)
		io.ReadFull(r.Body, first)
		h.Write(first)
		io.Copy(h, r.Body)
		if id, ok := core.FromContext(r.Context()); !ok || id.Key() != "k1" || first[0] != 'a' || hex.EncodeToString(h.Sum(nil)) != digest {
			t.Errorf("the handler ran for a wrong request (first byte %q)", first)
		}
	}))
	memory := newMemoryWatch(v)
	start := make(chan struct{})
	later := make(chan struct{}, budget/size) // who was told to come later comes with no more than fit
	var all sync.WaitGroup
	for i := range requests {
		all.Go(func() {
			<-start
			s, want := good[i/2%len(good)], map[int]bool{200: true}
			if i%2 == 1 {
				s, want = bad[i/2%len(bad)], map[int]bool{401: true, 403: true}
			}
			for tries := 0; ; tries++ {
				if tries == 1 {
					later <- struct{}{}
					defer func() { <-later }()
				}
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, s.request(memory.read))
				if w.Code != http.StatusServiceUnavailable {
					if !want[w.Code] {
						t.Errorf("request %d: got status %d", i, w.Code)
					}
					return
				}
				busy.Add(1)
			}
		})
	}
	close(start)
	all.Wait()
	if n := ran.Load(); n != int64(requests/2) {
		t.Errorf("the handler ran %d times, want %d", n, requests/2)
	}
	if busy.Load() == 0 {
		t.Error("the budget was never used up: nothing was shown")
	}
	// What ten thousand requests take by themselves, and as much garbage again.
	memory.check(t, budget, 2*(budget+int64(requests)*24<<10))
	t.Logf("%d answers of 503", busy.Load())
}

// TestLargeBodies_F17: sixty-four bodies of 12 MiB at once stay within the budget:
// those that fit are held, the others get 503, and none is cut.
func TestLargeBodies_F17(t *testing.T) {
	const (
		size   = 12 << 20
		bodies = 64
		budget = 128 << 20
	)
	v := verifier(t, func(c *core.Config) { c.MaxBuffered = budget })
	s := newSender(t, k1, core.PayloadHashed, size, digestOf(t, size, 'a'), 'a')
	memory := newMemoryWatch(v)
	requests, codes := make([]*http.Request, bodies), make([]core.Code, bodies)
	var all sync.WaitGroup
	for i := range requests {
		requests[i] = s.request(memory.read)
		all.Go(func() {
			_, err := v.Verify(requests[i]) // and it is not released before all are here
			if codes[i] = core.CodeOf(err); err != nil {
				core.Release(requests[i])
			}
		})
	}
	all.Wait()
	accepted := 0
	for i, code := range codes {
		switch code {
		case "":
			accepted++
			n, err := io.Copy(io.Discard, struct{ io.Reader }{requests[i].Body})
			if n != size || err != nil {
				t.Errorf("%d bytes of a body were read, %v", n, err)
			}
			core.Release(requests[i])
		case core.CodeUnavailable:
		default:
			t.Errorf("got %q", code)
		}
	}
	if accepted == 0 || accepted > budget/size {
		t.Errorf("%d bodies were held at once, want some, and at most %d", accepted, budget/size)
	}
	memory.check(t, budget, 2*budget)
	if v.Buffered() != 0 {
		t.Errorf("%d bytes are held at the end", v.Buffered())
	}
	for range bodies - accepted { // who was told to come later is served
		r := s.request(nil)
		if _, err := v.Verify(r); err != nil {
			t.Errorf("later: %v", err)
		}
		core.Release(r)
	}
	t.Logf("%d of %d held at once", accepted, bodies)
}
