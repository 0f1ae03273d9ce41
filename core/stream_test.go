package core_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
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
		admission, err := v.Admit(nil, r, core.BodyUnbuffered)
		admitted := admission.Request
		if err != nil {
			t.Fatal(err)
		}
		if id, ok := core.FromContext(admitted.Context()); !ok || id.Covers().Body || id.Payload() != core.PayloadDeclared {
			t.Errorf("the identity says that the body is proven: %+v", id.Covers())
		}
		if admitted.GetBody != nil {
			t.Error("GetBody goes around the check")
		}
		_, err = io.ReadAll(admitted.Body)
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
		_, err := v.Verify(r)
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
		admission, err := report.Admit(nil, forged(io.NopCloser(strings.NewReader("amount=999"))), core.BodyUnbuffered)
		admitted := admission.Request
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(admitted.Body); string(got) != "amount=999" || err != nil {
			t.Errorf("the handler read %q, %v", got, err)
		}
	})
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

func streaming(c *core.Config) {
	c.APIs = []core.API{{Match: "/upload", Key: "k1", Stream: true, MaxBody: 1 << 40}}
}

// TestStreamedAPI: a declared digest is checked while the handler reads; every
// other body is held as on any API.
func TestStreamedAPI(t *testing.T) {
	for _, tt := range []struct {
		name         string
		payload      core.Payload
		signed, sent string
		early, late  core.Code // at Admit, and of the last Read
		covered      bool      // by the identity
	}{
		{"declared", core.PayloadDeclared, "text", "text", "", "", false},
		{"declared, another body", core.PayloadDeclared, "text", "TEXT", "", core.CodeBodyMismatch, false},
		{"declared, cut", core.PayloadDeclared, "text", "tex", "", core.CodeBodyMismatch, false},
		{"declared, empty", core.PayloadDeclared, "text", "", "", core.CodeBodyMismatch, false},
		{"declared, longer", core.PayloadDeclared, "text", "texts", "", core.CodeBodyMismatch, false},
		{"hashed", core.PayloadHashed, "text", "text", "", "", true},
		{"hashed, another body", core.PayloadHashed, "text", "TEXT", core.CodeSignatureMismatch, "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := verifier(t, streaming)
			r := signed(t, k1, "POST", "/upload", tt.signed, apig.SignOptions{Payload: tt.payload})
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(tt.sent)), int64(len(tt.sent))
			admission, err := v.Admit(nil, r, core.BodyForHandler)
			admitted := admission.Request
			defer admission.Release()
			wantCode(t, err, tt.early)
			if err != nil {
				return
			}
			if held := v.Buffered(); (held > 0) != tt.covered {
				t.Errorf("%d bytes are held", held)
			}
			if id, ok := core.FromContext(admitted.Context()); !ok || id.Covers().Body != tt.covered {
				t.Errorf("identity %v, covers %+v", ok, id.Covers())
			}
			text, err := io.ReadAll(admitted.Body)
			wantCode(t, err, tt.late)
			if string(text) != tt.sent {
				t.Errorf("the handler read %q", text)
			}
			if _, again := admitted.Body.Read(make([]byte, 1)); tt.late != "" && core.CodeOf(again) != tt.late {
				t.Errorf("reading on gave %v", again)
			}
		})
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
	defer core.Release(r)
	_, err := v.Verify(r)
	wantCode(t, err, core.CodeBodyMismatch)
}
