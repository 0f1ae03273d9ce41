package core_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
)

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
	_, err := v.Verify(r)
	wantCode(t, err, core.CodeBodyMismatch)
}

// zeros is a body of any size that takes no memory.
type zeros struct{ left int64 }

func (z *zeros) Read(p []byte) (int, error) {
	if z.left == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), z.left)
	clear(p[:n])
	z.left -= n
	return int(n), nil
}

// TestStreamMemory: a body costs a constant when it is streamed, and one copy of
// itself when it is held.
func TestStreamMemory(t *testing.T) {
	const size = 12 << 20
	h := sha256.New()
	io.Copy(h, &zeros{size})
	digest := fmt.Sprintf("%x", h.Sum(nil))
	for _, tt := range []struct {
		target string
		most   uint64
	}{{"/upload", 256 << 10}, {"/items", size + size/8}} {
		v := verifier(t, streaming)
		r := httptest.NewRequest("POST", tt.target, &zeros{size})
		r.Host, r.ContentLength = "api.example.com", size
		if err := apig.NewSigner(k1, apig.SignOptions{Payload: core.PayloadDeclared}).Sign(r, digest, instant); err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		admission, err := v.Admit(nil, r, core.BodyForHandler)
		admitted := admission.Request
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, struct{ io.Reader }{admitted.Body})
		runtime.ReadMemStats(&after)
		admission.Release()
		if err != nil || n != size {
			t.Errorf("%s: read %d bytes, %v", tt.target, n, err)
		}
		if allocated := after.TotalAlloc - before.TotalAlloc; allocated > tt.most {
			t.Errorf("%s: %d bytes allocated for a body of %d, want at most %d", tt.target, allocated, size, tt.most)
		}
	}
}

// TestAPIBodyConfig: sizes that cannot be, and what an open API cannot have.
func TestAPIBodyConfig(t *testing.T) {
	for want, api := range map[string]core.API{
		"MaxBody: -1 is":                  {Match: "/a", Key: "k1", MaxBody: -1},
		"more than MaxBuffered":           {Match: "/a", Key: "k1", MaxBody: 1 << 40},
		"says how bodies are verified":    {Match: "/a", Open: true, Stream: true},
		"open, and says how bodies are v": {Match: "/a", Open: true, MaxBody: 1},
	} {
		c := config()
		c.APIs = []core.API{api}
		if _, err := core.New(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// TestAPIMaxBody: an API's own limit, smaller or larger than the environment's.
func TestAPIMaxBody(t *testing.T) {
	v := verifier(t, func(c *core.Config) {
		c.MaxBody = 8
		c.APIs = []core.API{{Match: "/small", Key: "k1", MaxBody: 4}, {Match: "/large", Key: "k1", MaxBody: 16}}
	})
	for _, tt := range []struct {
		target string
		size   int
		want   core.Code
	}{
		{"/small", 4, ""}, {"/small", 5, core.CodeBodyTooLarge}, {"/large", 16, ""}, {"/large", 17, core.CodeBodyTooLarge},
		{"/items", 8, ""}, {"/items", 9, core.CodeBodyTooLarge},
		{"/large/", 9, core.CodeBodyTooLarge}, // which a router may take for it, or not
	} {
		for _, announced := range []bool{true, false} {
			r := signed(t, k1, http.MethodPost, tt.target, strings.Repeat("x", tt.size), apig.SignOptions{})
			if !announced {
				r.ContentLength = -1
			}
			_, err := v.Verify(r)
			core.Release(r)
			wantCode(t, err, tt.want)
		}
	}
}
