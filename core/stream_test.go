package core_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// TestStreamsAreProvenAtTheirEnd: a declared digest is compared whatever became
// of the body, and nothing says before the end that the body is proven.
func TestStreamsAreProvenAtTheirEnd(t *testing.T) {
	v := verifier(t)
	declared := apig.SignOptions{Payload: core.PayloadDeclared}
	forged := func(body io.ReadCloser) *http.Request {
		r := signed(t, k1, "POST", "/pay", "amount=100", declared)
		r.Body, r.ContentLength = body, -1
		return r
	}
	readsRefusal := func(t *testing.T, r *http.Request) {
		t.Helper()
		admitted := admit(t, v, r, core.BodyUnbuffered).Request
		if id, ok := core.FromContext(admitted.Context()); !ok || id.Covers().Body || id.Payload() != core.PayloadDeclared {
			t.Errorf("the identity says that the body is proven: %+v", id.Covers())
		}
		if admitted.GetBody != nil {
			t.Error("GetBody goes around the check")
		}
		_, err := io.ReadAll(admitted.Body)
		wantCode(t, err, core.CodeBodyMismatch)
	}
	t.Run("dropped", func(t *testing.T) { readsRefusal(t, forged(http.NoBody)) })
	t.Run("nil", func(t *testing.T) { readsRefusal(t, forged(nil)) })
	t.Run("GetBody set in front", func(t *testing.T) {
		r := forged(io.NopCloser(strings.NewReader("amount=999")))
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("amount=999")), nil }
		readsRefusal(t, r)
	})
	t.Run("verified before", func(t *testing.T) {
		r := forged(io.NopCloser(strings.NewReader("amount=999")))
		defer core.Release(r)
		_, err := v.Verify(r) // and it is not released
		wantCode(t, err, core.CodeBodyMismatch)
		readsRefusal(t, r)
	})
	t.Run("report in front", func(t *testing.T) {
		report := verifier(t, func(c *core.Config) { c.Mode = core.Report })
		r := forged(io.NopCloser(strings.NewReader("amount=999")))
		admission, err := report.Admit(nil, r, core.BodyForHandler)
		if err != nil {
			t.Fatal(err)
		}
		defer admission.Release()
		readsRefusal(t, admission.Request)
	})
	t.Run("report mode reads on", func(t *testing.T) {
		report := verifier(t, func(c *core.Config) { c.Mode = core.Report })
		admitted := admit(t, report, forged(io.NopCloser(strings.NewReader("amount=999"))), core.BodyUnbuffered).Request
		if got, err := io.ReadAll(admitted.Body); string(got) != "amount=999" || err != nil {
			t.Errorf("the handler read %q, %v", got, err)
		}
	})
}

// TestEveryDigitOfTheDigest: a body with another digest is refused wherever the two
// differ, when it is held and when it is streamed.
func TestEveryDigitOfTheDigest(t *testing.T) {
	v := verifier(t, streaming)
	digest := digestOf(t, 4, 'a')
	read := func(target string, use core.BodyUse, digest string) error {
		r := httptest.NewRequest("POST", target, strings.NewReader("aaaa"))
		if err := apig.NewSigner(k1, apig.SignOptions{Payload: core.PayloadDeclared}).Sign(r, digest, instant); err != nil {
			t.Fatal(err)
		}
		admission, err := v.Admit(nil, r, use)
		defer admission.Release()
		if err == nil {
			_, err = io.ReadAll(admission.Request.Body)
		}
		return err
	}
	for _, tt := range []struct {
		target string
		use    core.BodyUse
	}{{"/items", core.BodyForHandler}, {"/upload", core.BodyConsumed}, {"/upload", core.BodyForHandler}, {"/items", core.BodyUnbuffered}} {
		wantCode(t, read(tt.target, tt.use, digest), "")
		for i := range digest {
			digit := "0"
			if digest[i] == '0' {
				digit = "1"
			}
			if err := read(tt.target, tt.use, digest[:i]+digit+digest[i+1:]); core.CodeOf(err) != core.CodeBodyMismatch {
				t.Errorf("%s, use %d, another digit %d: got %v", tt.target, tt.use, i, err)
			}
		}
	}
}

func streaming(c *core.Config) {
	c.APIs = []core.API{{Match: "/upload", Key: "k1", Stream: true, MaxBody: 1 << 40}}
}

// TestStreamedAPI: a declared digest is checked while the handler reads, and the last
// read fails where it does not fit; every other body is held as on any API. It does not
// matter whether the policy or the adapter says that the body is streamed, but that an
// adapter which must stream cannot take another body.
func TestStreamedAPI(t *testing.T) {
	const declared, hashed = core.PayloadDeclared, core.PayloadHashed
	forged := core.Key{ID: k1.ID, Secret: k2.Secret}
	for _, tt := range []struct {
		name         string
		key          core.Key
		payload      core.Payload
		signed, sent string
		early, late  core.Code // at Admit, and of the last Read
	}{
		{"declared", k1, declared, "text", "text", "", ""},
		{"declared, another body", k1, declared, "text", "TEXT", "", core.CodeBodyMismatch},
		{"declared, cut", k1, declared, "text", "tex", "", core.CodeBodyMismatch},
		{"declared, empty", k1, declared, "text", "", "", core.CodeBodyMismatch},
		{"declared, longer", k1, declared, "text", "texts", "", core.CodeBodyMismatch},
		{"declared, forged", forged, declared, "text", "text", core.CodeSignatureMismatch, ""},
		{"hashed", k1, hashed, "text", "text", "", ""},
		{"hashed, another body", k1, hashed, "text", "TEXT", core.CodeSignatureMismatch, ""},
	} {
		for _, use := range []core.BodyUse{core.BodyForHandler, core.BodyUnbuffered} {
			t.Run(fmt.Sprintf("%s, use %d", tt.name, use), func(t *testing.T) {
				var codes testkit.Codes
				target, held := "/upload", tt.payload == hashed
				if use == core.BodyUnbuffered {
					target = "/items"
					if held {
						tt.early = core.CodePayloadUnsupported
					}
				}
				v := verifier(t, streaming, func(c *core.Config) { c.Observers = []core.Observer{&codes} })
				r := signed(t, tt.key, "POST", target, tt.signed, apig.SignOptions{Payload: tt.payload})
				r.Body, r.ContentLength = io.NopCloser(iotest.OneByteReader(strings.NewReader(tt.sent))), int64(len(tt.sent))
				if use == core.BodyUnbuffered {
					r.ContentLength = -1
				}
				admission, err := v.Admit(nil, r, use)
				defer admission.Release()
				if wantCode(t, err, tt.early); err != nil {
					return
				}
				if n := v.Buffered(); (n > 0) != held {
					t.Errorf("%d bytes are held", n)
				}
				if id, ok := core.FromContext(admission.Request.Context()); !ok || id.Covers().Body != held {
					t.Errorf("identity %v, covers %+v", ok, id.Covers())
				}
				text, err := io.ReadAll(admission.Request.Body)
				wantCode(t, err, tt.late)
				if string(text) != tt.sent {
					t.Errorf("the handler read %q", text)
				}
				if _, again := admission.Request.Body.Read(make([]byte, 1)); tt.late != "" && again != err {
					t.Errorf("reading on gave %v, want the same refusal", again)
				}
				want := []core.Code{""}
				if tt.late != "" {
					want = append(want, tt.late)
				}
				if got := codes.Take(); !slices.Equal(got, want) {
					t.Errorf("got the verdicts %q, want %q", got, want)
				}
			})
		}
	}
}

// TestLateVerdict: the second verdict on a streamed body is as complete as the first: with
// the challenge of its answer, what is exposed in development, and the time of its end.
func TestLateVerdict(t *testing.T) {
	for _, expose := range []bool{false, true} {
		now := instant
		var events []core.Event
		v := verifier(t, streaming, func(c *core.Config) {
			c.ExposeReason, c.Now = expose, func() time.Time { return now }
			c.Observers = []core.Observer{core.ObserverFunc(func(_ context.Context, e core.Event) { events = append(events, e) })}
		})
		r := signed(t, k1, "POST", "/upload", "text", apig.SignOptions{Payload: core.PayloadDeclared})
		r.Body = io.NopCloser(strings.NewReader("TEXT"))
		admitted := admit(t, v, r, core.BodyForHandler).Request
		now = now.Add(7 * time.Minute)
		n, err := io.ReadFull(admitted.Body, make([]byte, 5))
		if wantCode(t, err, core.CodeBodyMismatch); n != 4 {
			t.Errorf("read %d bytes", n)
		}
		header := http.Header{}
		problem := core.ProblemOf(err)
		problem.SetHeader(header, r)
		if problem.Status != 401 || header.Get("WWW-Authenticate") == "" {
			t.Errorf("got the answer %+v %v, want one with a challenge", problem, header)
		}
		if exposed := problem.Code != "" && strings.HasPrefix(problem.CanonicalRequest, "POST\n/upload/\n") && problem.StringToSign != ""; exposed != expose {
			t.Errorf("expose %v: got %+v", expose, problem)
		}
		if len(events) != 2 {
			t.Fatalf("got the events %+v", events)
		}
		if e := events[1]; e.Code != core.CodeBodyMismatch || !e.Time.Equal(now) || e.Skew != 7*time.Minute || e.Duration != 0 || e.Key != "k1" || e.API != "/upload" {
			t.Errorf("got the event %+v", e)
		}
	}
}

// TestBrokenStreams: a streamed body that breaks or is too long is refused for that.
func TestBrokenStreams(t *testing.T) {
	v := verifier(t, func(c *core.Config) { c.APIs = []core.API{{Match: "/upload", Key: "k1", Stream: true, MaxBody: 4}} })
	for name, tt := range map[string]struct {
		body io.ReadCloser
		want core.Code
	}{
		"short": {&failing{Reader: strings.NewReader("te")}, core.CodeBodyMismatch},
		"long":  {io.NopCloser(strings.NewReader("text and more")), core.CodeBodyTooLarge},
	} {
		r := signed(t, k1, "POST", "/upload", "text", apig.SignOptions{Payload: core.PayloadDeclared})
		r.Body, r.ContentLength = tt.body, -1
		admitted := admit(t, v, r, core.BodyForHandler).Request
		_, err := io.ReadAll(admitted.Body)
		if wantCode(t, err, tt.want); name == "short" && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("got %v, want the error of the body in it", err)
		}
		if n, again := admitted.Body.Read(make([]byte, 8)); n != 0 || again != err {
			t.Errorf("%s: reading on gave %d, %v", name, n, again)
		}
	}
}

// TestStreamedDecoder: where the end of a body comes with its last bytes, as it does
// from servers that know its length, a decoder does not get a whole value first.
func TestStreamedDecoder(t *testing.T) {
	for sent, late := range map[string]core.Code{`{"amount":1}`: "", `{"amount":9}`: core.CodeBodyMismatch} {
		v := verifier(t, streaming)
		r := signed(t, k1, "POST", "/upload", `{"amount":1}`, apig.SignOptions{Payload: core.PayloadDeclared})
		r.Body, r.ContentLength = io.NopCloser(iotest.DataErrReader(strings.NewReader(sent))), int64(len(sent))
		admission, err := v.Admit(nil, r, core.BodyForHandler)
		admitted := admission.Request
		defer admission.Release()
		wantCode(t, err, "")
		var order struct{ Amount int }
		wantCode(t, json.NewDecoder(admitted.Body).Decode(&order), late)
		if (order.Amount == 0) != (late != "") {
			t.Errorf("%s: the decoder got %+v", sent, order)
		}
	}
}

// TestStreamedVerify: Verify tells the whole truth, and so reads the body.
func TestStreamedVerify(t *testing.T) {
	v := verifier(t, streaming)
	r := signed(t, k1, "POST", "/upload", "text", apig.SignOptions{Payload: core.PayloadDeclared})
	defer core.Release(r)
	if id, err := v.Verify(r); err != nil || !id.Covers().Body {
		t.Errorf("got %v, %v", id, err)
	}
	r = signed(t, k1, "POST", "/upload", "text", apig.SignOptions{Payload: core.PayloadDeclared})
	r.Body = io.NopCloser(strings.NewReader("TEXT"))
	wantVerdict(t, v, r, core.CodeBodyMismatch)
}
