package core_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
)

type sourceFunc func(context.Context, string) (*core.Key, error)

func (f sourceFunc) Key(ctx context.Context, id string) (*core.Key, error) { return f(ctx, id) }

// TestKeySourceFaults_F15: a source that fails in any way gives 503, tells no
// secret, and takes nothing down.
func TestKeySourceFaults_F15(t *testing.T) {
	fail := true
	for name, source := range map[string]sourceFunc{
		"panic":     func(context.Context, string) (*core.Key, error) { panic("SK=" + k1.Secret.Reveal()) },
		"error":     func(context.Context, string) (*core.Key, error) { return nil, errors.New("connection refused") },
		"nothing":   func(context.Context, string) (*core.Key, error) { return nil, nil },
		"no secret": func(context.Context, string) (*core.Key, error) { return &core.Key{Name: "k1"}, nil },
	} {
		t.Run(name, func(t *testing.T) {
			var log strings.Builder
			v := verifier(t, func(c *core.Config) {
				c.Schemes = []core.Scheme{apig.New(apig.Config{Keys: sourceFunc(func(ctx context.Context, id string) (*core.Key, error) {
					if fail {
						return source(ctx, id)
					}
					return &k1, nil
				})})}
				c.Logger = slog.New(slog.NewJSONHandler(&log, nil))
			})
			fail = true
			_, err := v.Verify(request(t, p1))
			wantCode(t, err, core.CodeUnavailable)
			if strings.Contains(log.String(), k1.Secret.Reveal()) {
				t.Error("the log holds the secret")
			}
			fail = false
			if _, err := v.Verify(request(t, p1)); err != nil {
				t.Errorf("the next request: %v", err)
			}
		})
	}
}

// TestObserverFaults_F15: observers and log handlers that panic change no verdict.
func TestObserverFaults_F15(t *testing.T) {
	ran := 0
	v := verifier(t, func(c *core.Config) {
		c.Observers = []core.Observer{
			core.ObserverFunc(func(context.Context, core.Event) { panic("x") }),
			core.ObserverFunc(func(context.Context, core.Event) { ran++ }),
		}
		c.Logger = slog.New(slog.NewJSONHandler(panicWriter{}, &slog.HandlerOptions{Level: slog.LevelError}))
	})
	if _, err := v.Verify(request(t, p1)); err != nil || ran != 1 {
		t.Errorf("verdict %v, the second observer ran %d times", err, ran)
	}
	_, err := v.Verify(request(t, strings.Replace(p1, "items", "other", 1)))
	wantCode(t, err, core.CodeSignatureMismatch)
}

type panicWriter struct{}

func (panicWriter) Write([]byte) (int, error) { panic("disk") }

// TestOddRequests_T142 and T143, T144: no panic, no verdict in favour.
func TestOddRequests_T142(t *testing.T) {
	v := verifier(t)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, tt := range map[string]struct {
		r    *http.Request
		want core.Code
	}{
		"nil":             {nil, core.CodeRequestAmbiguous},
		"empty":           {&http.Request{}, core.CodeRequestAmbiguous},
		"no header":       {&http.Request{Host: "h", URL: request(t, p1).URL}, core.CodeCredentialMissing},
		"T144 cancelled":  {request(t, p1).WithContext(cancelled), core.CodeUnavailable},
		"newline in it":   {&http.Request{Method: "GET\nx", Host: "h", URL: request(t, p1).URL, Header: request(t, p1).Header}, core.CodeRequestAmbiguous},
		"T143 as client":  {func() *http.Request { r := request(t, p1); r.RequestURI = ""; return r }(), ""},
		"T143 nil body":   {func() *http.Request { r := request(t, p1); r.Body = nil; return r }(), ""},
		"T143 no address": {func() *http.Request { r := request(t, p1); r.RemoteAddr = ""; return r }(), ""},
		"T143 moved URL":  {func() *http.Request { r := request(t, p1); r.URL.Path = "/elsewhere"; return r }(), ""},
	} {
		t.Run(name, func(t *testing.T) {
			id, err := v.Verify(tt.r)
			wantCode(t, err, tt.want)
			if (id == nil) == (err == nil) {
				t.Errorf("got identity %v and error %v", id, err)
			}
		})
	}
	_, err := v.Verify(request(t, p1).WithContext(cancelled))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the error does not wrap the context's: %v", err)
	}
	r := request(t, p1)
	for range 2 {
		if _, err := v.Verify(r); err != nil {
			t.Errorf("served twice: %v", err)
		}
	}
}

// wild is a scheme that misbehaves.
type wild struct{ secret int }

func (wild) Name() string         { return "wild" }
func (wild) Algorithms() []string { return []string{"WILD"} }
func (wild) Keys() core.KeySource { return core.Keys(k1) }
func (wild) Parse(_ *http.Request, c *core.Credential) error {
	c.KeyID = k1.ID
	return nil
}
func (w wild) Verify(*http.Request, *core.Credential, *core.Key, []core.Secret, string) (int, error) {
	return w.secret, nil
}

// TestSchemeMustNameASecret: a scheme that returns no error and no secret has
// not accepted.
func TestSchemeMustNameASecret(t *testing.T) {
	for _, n := range []int{-1, 1, 99} {
		v := verifier(t, func(c *core.Config) { c.Schemes = []core.Scheme{wild{n}} })
		_, err := v.Verify(request(t, p1))
		wantCode(t, err, core.CodeSignatureMismatch)
	}
}

// TestMemoryBudget: bodies over the budget get 503, and the memory comes back.
func TestMemoryBudget(t *testing.T) {
	const limit = 100 << 10
	v := verifier(t, func(c *core.Config) { c.MaxBody, c.MaxBuffered = limit, limit })
	body := strings.Repeat("x", limit)
	first := signed(t, k1, "POST", "/", body, apig.SignOptions{})
	if _, err := v.Verify(first); err != nil {
		t.Fatalf("a body of the size of the budget: %v", err)
	}
	if held := v.Buffered(); held < limit || held > limit+64<<10 {
		t.Errorf("%d bytes are held for %d", held, limit)
	}
	second := signed(t, k1, "POST", "/", "y", apig.SignOptions{})
	_, err := v.Verify(second)
	wantCode(t, err, core.CodeUnavailable)
	core.Release(second)
	core.Release(first)
	core.Release(first)
	if v.Buffered() != 0 {
		t.Errorf("%d bytes are held after all were released", v.Buffered())
	}
	if _, err := first.Body.Read(make([]byte, 1)); !errors.Is(err, http.ErrBodyReadAfterClose) {
		t.Errorf("reading after Release: %v", err)
	}
	third := signed(t, k1, "POST", "/", "y", apig.SignOptions{})
	if _, err := v.Verify(third); err != nil {
		t.Errorf("after Release: %v", err)
	}
	core.Release(third)
}

// failing is a body that breaks after some bytes.
type failing struct {
	io.Reader
	closed int
}

func (f *failing) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
func (f *failing) Close() error { f.closed++; return nil }

// stuck returns nothing and no error, for ever.
type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }
func (stuck) Close() error             { return nil }

// TestBrokenBodies_T058: a body that ends early or does not move is refused, and
// in report mode the handler meets the same error in the same place.
func TestBrokenBodies_T058(t *testing.T) {
	for name, body := range map[string]io.ReadCloser{"short": &failing{Reader: strings.NewReader("1234")}, "stuck": stuck{}} {
		t.Run(name, func(t *testing.T) {
			v := verifier(t, func(c *core.Config) { c.Mode = core.Report })
			r := signed(t, k1, "POST", "/", "123456", apig.SignOptions{})
			r.Body = body
			if _, err := v.Verify(r); core.CodeOf(err) != core.CodeBodyMismatch {
				t.Errorf("got %v", err)
			}
			got, err := io.ReadAll(r.Body)
			if name == "short" && (string(got) != "1234" || !errors.Is(err, io.ErrUnexpectedEOF)) {
				t.Errorf("the handler reads %q, %v", got, err)
			}
			r.Body.Close()
			r.Body.Close()
			if f, ok := body.(*failing); ok && f.closed != 1 {
				t.Errorf("the body was closed %d times", f.closed)
			}
			core.Release(r)
			if v.Buffered() != 0 {
				t.Error("memory is held")
			}
		})
	}
}

// TestUnsignedBodyIsLimited: a body that is not read before the handler runs is
// bounded while it does.
func TestUnsignedBodyIsLimited(t *testing.T) {
	v := verifier(t, func(c *core.Config) { c.MaxBody, c.MaxBuffered, c.Default = 10, 10, "user" })
	r := httptest.NewRequest("POST", "/", io.MultiReader(strings.NewReader("0123456789a")))
	r.SetBasicAuth(user.ID, user.Secret.Reveal())
	r.ContentLength = -1
	admission, err := v.Admit(nil, r, core.BodyForHandler)
	admitted := admission.Request
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(admitted.Body)
	if _, ok := errors.AsType[*http.MaxBytesError](err); !ok || len(got) != 10 {
		t.Errorf("read %d bytes, %v", len(got), err)
	}
	r = httptest.NewRequest("POST", "/", strings.NewReader("0123456789a"))
	r.SetBasicAuth(user.ID, user.Secret.Reveal())
	_, err = v.Admit(nil, r, core.BodyForHandler)
	wantCode(t, err, core.CodeBodyTooLarge)
}

// unread fails the test where a body is read that need not be.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) { u.t.Error("the body was read"); return 0, io.EOF }
func (u unread) Close() error             { return nil }

// TestNoBodyByteForNothing: requests that can be refused without the body are.
func TestNoBodyByteForNothing(t *testing.T) {
	v := verifier(t)
	declared := apig.SignOptions{Payload: core.PayloadDeclared}
	for name, tt := range map[string]struct {
		r    *http.Request
		want core.Code
	}{
		"unsigned":         {httptest.NewRequest("POST", "/", nil), core.CodeCredentialMissing},
		"unknown key":      {signed(t, core.Key{ID: "no", Secret: k1.Secret}, "POST", "/", "x", apig.SignOptions{}), core.CodeKeyUnknown},
		"declared, forged": {signed(t, core.Key{ID: k1.ID, Secret: k2.Secret}, "POST", "/", "x", declared), core.CodeSignatureMismatch},
		"declared, other":  {signed(t, k2, "POST", "/", "x", declared), core.CodeKeyNotBound},
		"unsigned payload": {signed(t, k1, "POST", "/", "x", apig.SignOptions{Payload: core.PayloadUnsigned}), core.CodePayloadNotSigned},
	} {
		t.Run(name, func(t *testing.T) {
			tt.r.Body = unread{t}
			_, err := v.Verify(tt.r)
			wantCode(t, err, tt.want)
		})
	}
}

// TestAdmitStream: a declared digest is checked while the handler reads, and
// the last read fails where it does not fit.
func TestAdmitStream(t *testing.T) {
	var codes []core.Code
	v := verifier(t, func(c *core.Config) {
		c.Observers = []core.Observer{core.ObserverFunc(func(_ context.Context, e core.Event) { codes = append(codes, e.Code) })}
	})
	declared := apig.SignOptions{Payload: core.PayloadDeclared}
	for _, tt := range []struct {
		name, sent string
		want       []core.Code
	}{
		{"right", "text", []core.Code{""}},
		{"changed", "next", []core.Code{"", core.CodeBodyMismatch}},
		{"cut", "tex", []core.Code{"", core.CodeBodyMismatch}},
		{"longer", "text!", []core.Code{"", core.CodeBodyMismatch}},
		{"empty", "", []core.Code{"", core.CodeBodyMismatch}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			codes = nil
			r := signed(t, k1, "POST", "/", "text", declared)
			r.Body, r.ContentLength = io.NopCloser(iotest.OneByteReader(strings.NewReader(tt.sent))), -1
			admission, err := v.Admit(nil, r, core.BodyUnbuffered)
			admitted := admission.Request
			if err != nil {
				t.Fatal(err)
			}
			if v.Buffered() != 0 {
				t.Error("the stream is held in memory")
			}
			got, err := io.ReadAll(admitted.Body)
			if string(got) != tt.sent {
				t.Errorf("the handler read %q", got)
			}
			wantCode(t, err, tt.want[len(tt.want)-1])
			_, again := admitted.Body.Read(make([]byte, 1))
			if err != nil && again != err {
				t.Errorf("the next read gives %v, want the same refusal", again)
			}
			if !slices.Equal(codes, tt.want) {
				t.Errorf("verdicts %q, want %q", codes, tt.want)
			}
		})
	}
	_, err := v.Admit(nil, signed(t, k1, "POST", "/", "text", apig.SignOptions{}), core.BodyUnbuffered)
	wantCode(t, err, core.CodePayloadUnsupported)
	_, err = v.Admit(nil, signed(t, core.Key{ID: k1.ID, Secret: k2.Secret}, "POST", "/", "text", declared), core.BodyUnbuffered)
	wantCode(t, err, core.CodeSignatureMismatch)
}
