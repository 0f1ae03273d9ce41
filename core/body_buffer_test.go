package core_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
)

// TestBudgetOfUnannouncedBodies: a body whose length nobody announced is refused when
// the budget is used up, and gives back what it took of it.
func TestBudgetOfUnannouncedBodies(t *testing.T) {
	const limit = 100 << 10
	v := verifier(t, func(c *core.Config) { c.MaxBody, c.MaxBuffered = limit, limit })
	first := signed(t, k1, "POST", "/", strings.Repeat("x", limit/2+1), apig.SignOptions{})
	if _, err := v.Verify(first); err != nil {
		t.Fatal(err)
	}
	held := v.Buffered()
	second := signed(t, k1, "POST", "/", strings.Repeat("y", limit), apig.SignOptions{})
	second.ContentLength = -1
	_, err := v.Verify(second)
	wantCode(t, err, core.CodeUnavailable)
	if n := v.Buffered(); n > limit {
		t.Errorf("%d bytes are held, and the budget is %d", n, limit)
	}
	core.Release(second)
	if n := v.Buffered(); n != held {
		t.Errorf("%d bytes are held after the refused body was released, want %d", n, held)
	}
	core.Release(first)
}

// TestAnnouncedBodiesOverTheBudget: a body that is announced to be longer than what is
// left of the budget is not read.
func TestAnnouncedBodiesOverTheBudget(t *testing.T) {
	const limit = 100 << 10
	v := verifier(t, func(c *core.Config) { c.MaxBody, c.MaxBuffered = limit, limit })
	first := signed(t, k1, "POST", "/", strings.Repeat("x", 40<<10), apig.SignOptions{})
	if _, err := v.Verify(first); err != nil {
		t.Fatal(err)
	}
	defer core.Release(first)
	left := limit - v.Buffered()
	wantVerdict(t, v, signed(t, k1, "POST", "/", strings.Repeat("y", 4<<10), apig.SignOptions{}), "")
	over := signed(t, k1, "POST", "/", strings.Repeat("y", int(left)+1), apig.SignOptions{})
	over.Body = unread{t}
	wantVerdict(t, v, over, core.CodeUnavailable)
}

// TestForgottenBodies: the memory of a body that nobody releases comes back when its
// request is gone.
func TestForgottenBodies(t *testing.T) {
	v := verifier(t)
	func() {
		if _, err := v.Verify(signed(t, k1, "POST", "/", "text", apig.SignOptions{})); err != nil {
			t.Fatal(err)
		}
	}()
	if v.Buffered() == 0 {
		t.Fatal("no body is held")
	}
	for end := time.Now().Add(time.Minute); v.Buffered() > 0; {
		if time.Now().After(end) {
			t.Fatalf("%d bytes are still held", v.Buffered())
		}
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
}

// counted is a body that counts how often it is closed.
type counted struct {
	io.Reader
	closed int
}

func (c *counted) Close() error { c.closed++; return nil }

// TestBodiesAfterVerify: what the handler can do with a body that was read before it.
func TestBodiesAfterVerify(t *testing.T) {
	v := verifier(t)
	r := signed(t, k1, "POST", "/", "text", apig.SignOptions{})
	source := &counted{Reader: strings.NewReader("text")}
	r.Body = source
	if _, err := v.Verify(r); err != nil {
		t.Fatal(err)
	}
	defer core.Release(r)
	for range 2 {
		again, err := r.GetBody()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(again); string(got) != "text" || err != nil {
			t.Errorf("GetBody gave %q, %v", got, err)
		}
	}
	if err := iotest.TestReader(r.Body, []byte("text")); err != nil {
		t.Error(err)
	}
	for range 2 {
		if n, err := r.Body.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("at the end: got %d, %v", n, err)
		}
		if n, err := r.Body.Read(nil); n != 0 || err != nil {
			t.Errorf("reading nothing: got %d, %v", n, err)
		}
	}
	r.Body.Close()
	r.Body.Close()
	if source.closed != 1 {
		t.Errorf("the body was closed %d times, want once", source.closed)
	}
	if n, err := r.Body.Read(make([]byte, 8)); n != 0 || !errors.Is(err, http.ErrBodyReadAfterClose) {
		t.Errorf("reading a closed body: got %d, %v", n, err)
	}
	if again, _ := r.GetBody(); again != nil {
		if got, err := io.ReadAll(again); string(got) != "text" || err != nil {
			t.Errorf("after Close, GetBody gave %q, %v", got, err)
		}
	}
}

// TestEmptyBodies: where there is no byte, the handler sees that there is no body.
func TestEmptyBodies(t *testing.T) {
	v := verifier(t)
	r := signed(t, k1, "POST", "/", "", apig.SignOptions{})
	source := &counted{Reader: strings.NewReader("")}
	r.Body, r.GetBody = source, func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("other")), nil }
	if _, err := v.Verify(r); err != nil {
		t.Fatal(err)
	}
	if r.Body != http.NoBody || r.GetBody != nil {
		t.Errorf("got the body %v, and GetBody is set: %v; want NoBody", r.Body, r.GetBody != nil)
	}
	if source.closed != 1 {
		t.Errorf("the body was closed %d times, want once", source.closed)
	}
}

// TestBodyThatFailsAtOnce: in report mode, the handler of a body that gives nothing but an
// error meets that error, and not an empty body.
func TestBodyThatFailsAtOnce(t *testing.T) {
	v := verifier(t, func(c *core.Config) { c.Mode = core.Report })
	r := signed(t, k1, "POST", "/", "text", apig.SignOptions{})
	r.Body = &failing{Reader: strings.NewReader("")}
	admitted := admit(t, v, r, core.BodyForHandler).Request
	if _, ok := core.FromContext(admitted.Context()); ok {
		t.Error("the request is verified")
	}
	if got, err := io.ReadAll(admitted.Body); len(got) > 0 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the handler read %q, %v, want the error of the body", got, err)
	}
}

// TestSourceRefuses: a body that middleware has wrapped may refuse by itself, and its
// reason counts.
func TestSourceRefuses(t *testing.T) {
	for _, code := range []core.Code{core.CodeBodyTooLarge, core.CodePayloadUnsupported} {
		r := signed(t, k1, "POST", "/", "text", apig.SignOptions{})
		r.Body = io.NopCloser(iotest.ErrReader(fmt.Errorf("wrapped: %w", core.Refuse(code, "no"))))
		wantVerdict(t, verifier(t), r, code)
	}
	r := signed(t, k1, "POST", "/", "text", apig.SignOptions{})
	r.Body = http.MaxBytesReader(nil, r.Body, 3)
	wantVerdict(t, verifier(t), r, core.CodeBodyTooLarge)
}

// TestEmptyStreams: where nobody but the caller of Admit has read, an empty stream of unknown
// length is an empty body. One that is announced to be longer is not.
func TestEmptyStreams(t *testing.T) {
	for _, tt := range []struct {
		use    core.BodyUse
		length int64
		want   core.Code
	}{{core.BodyUnbuffered, -1, ""}, {core.BodyUnbuffered, 0, ""}, {core.BodyUnbuffered, 4, core.CodeBodyMismatch}, {core.BodyForHandler, -1, core.CodeBodyMismatch}} {
		r := signed(t, k1, "POST", "/", "", apig.SignOptions{Payload: core.PayloadDeclared})
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader("")), tt.length
		admission, err := verifier(t, streaming).Admit(nil, r, tt.use)
		if err == nil {
			_, err = io.ReadAll(admission.Request.Body)
		}
		admission.Release()
		if core.CodeOf(err) != tt.want {
			t.Errorf("use %d, length %d: got %v, want %q", tt.use, tt.length, err, tt.want)
		}
	}
}

// TestEmptyReads: a source may return nothing and no error, but not 100 times in a row.
func TestEmptyReads(t *testing.T) {
	for _, tt := range []struct {
		name  string
		reads []int // how many times in front of each byte, and of the end
		want  core.Code
	}{
		{"99 at the start", []int{99, 0, 0}, ""},
		{"99 in front of each byte, and of the end", []int{99, 99, 99}, ""},
		{"100 at the start", []int{100, 0, 0}, core.CodeBodyMismatch},
		{"100 at the end", []int{0, 0, 100}, core.CodeBodyMismatch},
		{"many single bytes", make([]int, 500), ""},
	} {
		v := verifier(t)
		reads := tt.reads
		r := signed(t, k1, "POST", "/", strings.Repeat("x", len(reads)-1), apig.SignOptions{})
		r.Body = io.NopCloser(readerFunc(func(p []byte) (int, error) {
			switch {
			case len(reads) == 0:
				return 0, io.EOF
			case reads[0] > 0:
				reads[0]--
				return 0, nil
			}
			if reads = reads[1:]; len(reads) == 0 {
				return 0, io.EOF
			}
			return copy(p, "x"), nil
		}))
		_, err := v.Verify(r)
		core.Release(r)
		if core.CodeOf(err) != tt.want {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}

// TestReportLimitsNoBody: report mode bounds no body, also not of a verified request,
// and a request without a body keeps none.
func TestReportLimitsNoBody(t *testing.T) {
	const sent = "0123456789a"
	for _, mode := range []core.Mode{core.Enforce, core.Report} {
		v := verifier(t, func(c *core.Config) { c.Mode, c.MaxBody, c.MaxBuffered, c.Default = mode, 10, 10, "user" })
		r := httptest.NewRequest("POST", "/", io.NopCloser(strings.NewReader(sent)))
		r.SetBasicAuth(user.ID, user.Secret.Reveal())
		r.ContentLength = -1
		admitted := admit(t, v, r, core.BodyForHandler).Request
		if _, ok := core.FromContext(admitted.Context()); !ok {
			t.Errorf("%v: not verified", mode)
		}
		got, err := io.ReadAll(admitted.Body)
		if whole := string(got) == sent && err == nil; whole != (mode == core.Report) {
			t.Errorf("%v: the handler read %q, %v", mode, got, err)
		}
		for _, body := range []io.ReadCloser{nil, http.NoBody} {
			r := httptest.NewRequest("GET", "/", nil)
			r.SetBasicAuth(user.ID, user.Secret.Reveal())
			r.Body = body
			if got := admit(t, v, r, core.BodyForHandler).Request.Body; got != http.NoBody {
				t.Errorf("%v: got the body %v, want NoBody", mode, got)
			}
		}
	}
}
