package core_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/metrics"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/replay"
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

func newSender(t *testing.T, key core.Key, payload core.Payload, size int64, digest string, fill byte) sender {
	t.Helper()
	r := httptest.NewRequest("POST", "/v1/items", nil)
	r.Host = "api.example.com"
	if err := apig.NewSigner(key, apig.SignOptions{Payload: payload}).Sign(r, digest, instant); err != nil {
		t.Fatal(err)
	}
	return sender{r.Header, size, fill}
}

func (s sender) request(seen func()) *http.Request {
	r := httptest.NewRequest("POST", "/v1/items", &pieces{s.size, s.fill, seen})
	r.Host, r.Header, r.ContentLength = "api.example.com", s.header.Clone(), s.size
	return r
}

// TestLoad_F17: ten thousand requests at once, half of them wrong, with bodies of
// many times the memory that is allowed. No wrong one is let in, every right one
// is in the end, after as many 503 as it takes, and the memory stays bounded.
func TestLoad_F17(t *testing.T) {
	const (
		size   = 128 << 10
		budget = 16 << 20
	)
	requests := 10000
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

	var held, heap largest
	var reads, ran, busy atomic.Int64
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
	seen := func() {
		held.show(v.Buffered())
		if reads.Add(1)%1000 == 0 {
			heap.show(objects())
		}
	}
	runtime.GC()
	before := objects()
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
				handler.ServeHTTP(w, s.request(seen))
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
	if held.Load() > budget+inFlight() {
		t.Errorf("%d bytes were held at once, of %d", held.Load(), budget)
	}
	// What ten thousand requests take by themselves, and as much garbage again.
	if most := before + 2*(budget+int64(requests)*24<<10); heap.Load() > most {
		t.Errorf("the heap grew from %d to %d bytes, want at most %d", before, heap.Load(), most)
	}
	if v.Buffered() != 0 {
		t.Errorf("%d bytes are held at the end", v.Buffered())
	}
	t.Logf("%d answers of 503, at most %d MiB held, heap at most %d MiB", busy.Load(), held.Load()>>20, heap.Load()>>20)
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
	var held, heap largest
	var reads atomic.Int64
	runtime.GC()
	before := objects()
	seen := func() {
		held.show(v.Buffered())
		if reads.Add(1)%500 == 0 {
			heap.show(objects())
		}
	}
	requests, codes := make([]*http.Request, bodies), make([]core.Code, bodies)
	var all sync.WaitGroup
	for i := range requests {
		requests[i] = s.request(seen)
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
	if held.Load() > budget+inFlight() {
		t.Errorf("%d bytes were held at once, of %d", held.Load(), budget)
	}
	if most := before + 2*budget; heap.Load() > most {
		t.Errorf("the heap grew from %d to %d bytes, want at most %d", before, heap.Load(), most)
	}
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
	t.Logf("%d of %d held at once, at most %d MiB, heap at most %d MiB", accepted, bodies, held.Load()>>20, heap.Load()>>20)
}

// barrier is a body that says when it is read, and then waits.
type barrier struct {
	reached chan<- struct{}
	open    <-chan struct{}
	io.Reader
	once sync.Once
}

func (b *barrier) Read(p []byte) (int, error) {
	b.once.Do(func() {
		b.reached <- struct{}{}
		<-b.open
	})
	return b.Reader.Read(p)
}

// TestKeyRemoved_F11: requests that are under way when their key is removed finish
// under the policy they started with; the next one is refused.
func TestKeyRemoved_F11(t *testing.T) {
	const requests = 100
	for name, payload := range map[string]core.Payload{"hashed": core.PayloadHashed, "declared": core.PayloadDeclared} {
		t.Run(name, func(t *testing.T) {
			v := verifier(t, func(c *core.Config) { c.Environment = "old" })
			make1 := func(body io.Reader) *http.Request {
				r := signed(t, k1, "POST", "/v1/items", "text", apig.SignOptions{Payload: payload})
				r.Body = io.NopCloser(body)
				return r
			}
			reached, open := make(chan struct{}), make(chan struct{})
			var all sync.WaitGroup
			for i := range requests {
				text := "text"
				if i%2 == 1 {
					text = "TEXT"
				}
				r := make1(&barrier{reached: reached, open: open, Reader: strings.NewReader(text)})
				all.Go(func() {
					id, err := v.Verify(r)
					defer core.Release(r)
					switch {
					case text == "TEXT" && (err == nil || core.StatusCode(err) != 401):
						t.Errorf("another body: got %v", err)
					case text == "text" && (err != nil || id.Key() != "k1" || id.Environment() != "old"):
						t.Errorf("got %v, %v", id, err)
					}
				})
			}
			for range requests {
				<-reached
			}
			err := v.Reload(config(func(c *core.Config) {
				c.Environment, c.Schemes, c.Default = "new", []core.Scheme{hmacScheme(k2)}, "k2"
			}))
			if err != nil {
				t.Fatal(err)
			}
			after := make1(unread{t})
			_, err = v.Verify(after)
			wantCode(t, err, core.CodeKeyUnknown)
			close(open)
			all.Wait()
		})
	}
}

// TestRotation_F12: during the overlap both secrets of one id are accepted, and
// the identity tells them apart; when the old one is taken out, or its time has
// come, it is refused at once.
func TestRotation_F12(t *testing.T) {
	old := core.Key{Name: "k1", ID: k1.ID, Secret: core.NewSecret("old-0123456789abcdef")}
	now := instant
	with := func(previous ...core.PreviousSecret) core.Config {
		return config(func(c *core.Config) {
			key := k1
			key.Previous = previous
			c.Schemes, c.Now = []core.Scheme{hmacScheme(key)}, func() time.Time { return now }
		})
	}
	v, err := core.New(with(core.PreviousSecret{Secret: old.Secret, Until: instant.Add(time.Minute)}))
	if err != nil {
		t.Fatal(err)
	}
	expect := func(what string, key core.Key, code core.Code, secret int) {
		t.Helper()
		id, err := v.Verify(signed(t, key, "GET", "/v1/items", "", apig.SignOptions{}))
		if core.CodeOf(err) != code || err == nil && id.Secret() != secret {
			t.Errorf("%s: got %v, %v", what, id, err)
		}
	}
	expect("new", k1, "", 0)
	expect("old", old, "", 1)
	now = instant.Add(time.Minute)
	expect("new, at the end of the overlap", k1, "", 0)
	expect("old, at the end of the overlap", old, core.CodeSignatureMismatch, 0)
	now = instant
	expect("old", old, "", 1)
	if err := v.Reload(with()); err != nil {
		t.Fatal(err)
	}
	expect("new, alone", k1, "", 0)
	expect("old, taken out", old, core.CodeSignatureMismatch, 0)
}

// TestClientAbort_F14: clients that reset the connection in the middle of a body
// leave nothing behind: the handler does not run, no replay is recorded, no
// memory and no goroutine stays.
func TestClientAbort_F14(t *testing.T) {
	const clients = 100
	existing := goleak.IgnoreCurrent()
	store, err := replay.New(replay.Config{})
	if err != nil {
		t.Fatal(err)
	}
	verdicts := make(chan core.Code, clients)
	var ran atomic.Int32
	v := verifier(t, func(c *core.Config) {
		c.Replay.Store = store
		c.Observers = []core.Observer{core.ObserverFunc(func(_ context.Context, e core.Event) { verdicts <- e.Code })}
	})
	server := httptest.NewServer(nethttp.Middleware(v)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { ran.Add(1) })))
	body := strings.Repeat("x", 64<<10)
	raw := func(i int) []byte {
		options := apig.SignOptions{Payload: []core.Payload{core.PayloadHashed, core.PayloadDeclared}[i%2]}
		r := signed(t, k1, "POST", fmt.Sprintf("/v1/items/%d", i), body, options)
		var out bytes.Buffer
		fmt.Fprintf(&out, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n", r.RequestURI, r.Host, len(body))
		r.Header.Write(&out)
		out.WriteString("\r\n" + body)
		return out.Bytes()
	}
	for i := range clients {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		text := raw(i)
		if _, err := conn.Write(text[:len(text)-len(body)/2]); err != nil {
			t.Fatal(err)
		}
		conn.(*net.TCPConn).SetLinger(0) // a reset, not an end
		conn.Close()
	}
	for range clients { // each request that was begun comes to a verdict
		if code := <-verdicts; code != core.CodeBodyMismatch && code != core.CodeUnavailable {
			t.Errorf("got %q", code)
		}
	}
	if ran.Load() != 0 {
		t.Errorf("the handler ran %d times", ran.Load())
	}
	for i := range 2 { // whole, they are the first of their kind
		r := request(t, string(raw(i)))
		if _, err := v.Verify(r); err != nil {
			t.Errorf("the same request, whole: %v", err)
		}
		core.Release(r)
	}
	server.Close()
	if v.Buffered() != 0 {
		t.Errorf("%d bytes are held", v.Buffered())
	}
	if err := goleak.Find(existing); err != nil {
		t.Error(err)
	}
}

// TestRaces_F19: verification, reloads and readers of every kind at once. Each
// verdict is that of one policy as a whole, and identities cannot be changed.
func TestRaces_F19(t *testing.T) {
	const rounds = 400
	policies := [2]core.Config{
		config(func(c *core.Config) { c.Environment = "a" }),
		config(func(c *core.Config) {
			c.Environment, c.Schemes, c.Default = "b", []core.Scheme{hmacScheme(k2)}, "k2"
		}),
	}
	v, err := core.New(policies[0])
	if err != nil {
		t.Fatal(err)
	}
	var readers, writer sync.WaitGroup
	done := make(chan struct{})
	for i, key := range []core.Key{k1, k2, k1, k2} {
		readers.Go(func() {
			for n := range rounds {
				options := apig.SignOptions{Payload: []core.Payload{core.PayloadHashed, core.PayloadDeclared}[n%2]}
				r := signed(t, key, "POST", "/v1/items", "text", options)
				admission, err := v.Admit(nil, r, core.BodyForHandler)
				admitted := admission.Request
				mine := map[string]string{"k1": "a", "k2": "b"}[key.Name]
				switch code := core.CodeOf(err); {
				case err == nil:
					id, ok := core.FromContext(admitted.Context())
					if !ok || id.Environment() != mine || id.Key() != key.Name {
						t.Errorf("key %s: got %v", key.Name, id)
						break
					}
					covers := id.Covers()
					covers.Headers[0], id.SignedHeaders()[0] = "changed", "changed"
					if got := id.Covers().Headers[0]; got != "host" {
						t.Errorf("an identity was changed: it covers %q", got)
					}
					if text, err := io.ReadAll(admitted.Body); string(text) != "text" || err != nil {
						t.Errorf("read %q, %v", text, err)
					}
				case code == core.CodeKeyUnknown: // b knows k2 alone
					if key.Name != "k1" {
						t.Errorf("%s is unknown", key.Name)
					}
				case code == core.CodeKeyNotBound: // a knows both, and k1 is bound
					if key.Name != "k2" {
						t.Errorf("%s is not bound", key.Name)
					}
				default:
					t.Errorf("reader %d: %v", i, err)
				}
				admission.Release()
			}
		})
	}
	writer.Go(func() {
		for n := 1; ; n++ {
			select {
			case <-done:
				return
			default:
			}
			c := policies[n%2]
			if n%5 == 0 {
				c.Environment = "" // a policy that cannot be: the last one stays
			}
			if err := v.Reload(c); (err == nil) == (n%5 == 0) {
				t.Errorf("Reload: %v", err)
			}
			runtime.Gosched()
		}
	})
	writer.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			if s := v.Status(); s.Environment != "a" && s.Environment != "b" {
				t.Errorf("got status of %q", s.Environment)
			}
			_ = fmt.Sprint(v)
			if v.Mode() != core.Enforce || v.Buffered() < 0 {
				t.Error("the mode or the memory is wrong")
			}
			runtime.Gosched()
		}
	})
	readers.Wait()
	close(done)
	writer.Wait()
	if v.Buffered() != 0 {
		t.Errorf("%d bytes are held", v.Buffered())
	}
}
