package core_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
)

// TestSlowBodies: date and rotation are judged again when the body has arrived.
func TestSlowBodies(t *testing.T) {
	now := instant
	rotated := k1
	rotated.Secret = core.NewSecret("the-new-secret-0123")
	rotated.Previous = []core.PreviousSecret{{Secret: k1.Secret, Until: instant.Add(time.Minute)}}
	for name, tt := range map[string]struct {
		key   core.Key
		takes time.Duration
		want  core.Code
	}{
		"in time":                  {k1, 15 * time.Minute, ""},
		"too old at its end":       {k1, 15*time.Minute + time.Second, core.CodeSignatureExpired},
		"secret ended on the way":  {rotated, 2 * time.Minute, core.CodeSignatureMismatch},
		"secret still good at end": {rotated, 30 * time.Second, ""},
	} {
		for _, payload := range []core.Payload{core.PayloadHashed, core.PayloadDeclared} {
			if tt.want == core.CodeSignatureMismatch && payload == core.PayloadDeclared {
				continue // the signature is judged before the body
			}
			t.Run(name+", "+payload.String(), func(t *testing.T) {
				now = instant
				v := verifier(t, func(c *core.Config) {
					c.Now = func() time.Time { return now }
					c.Schemes[0] = hmacScheme(tt.key, k2)
				})
				r := signed(t, k1, "POST", "/", "text", apig.SignOptions{Payload: payload})
				r.Body = io.NopCloser(io.MultiReader(strings.NewReader("te"), readerFunc(func([]byte) (int, error) {
					now = instant.Add(tt.takes)
					return 0, io.EOF
				}), strings.NewReader("xt")))
				wantVerdict(t, v, r, tt.want)
			})
		}
	}
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

func (stuck) Close() error { return nil }

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
	admitted := admit(t, v, r, core.BodyForHandler).Request
	got, err := io.ReadAll(admitted.Body)
	if _, ok := errors.AsType[*http.MaxBytesError](err); !ok || len(got) != 10 {
		t.Errorf("read %d bytes, %v", len(got), err)
	}
	r = httptest.NewRequest("POST", "/", strings.NewReader("0123456789a"))
	r.SetBasicAuth(user.ID, user.Secret.Reveal())
	_, err = v.Admit(nil, r, core.BodyForHandler)
	wantCode(t, err, core.CodeBodyTooLarge)
}

// TestNoBodyByteForNothing: requests that can be refused without the body are.
func TestNoBodyByteForNothing(t *testing.T) {
	v := verifier(t)
	declared := apig.SignOptions{Payload: core.PayloadDeclared}
	with := func(change func(*http.Request)) *http.Request { // a body whose hash is signed, which has to be read otherwise
		r := signed(t, k1, "POST", "/", "x", apig.SignOptions{})
		change(r)
		return r
	}
	for name, tt := range map[string]struct {
		r    *http.Request
		want core.Code
	}{
		"unsigned":         {httptest.NewRequest("POST", "/", nil), core.CodeCredentialMissing},
		"unknown key":      {signed(t, core.Key{ID: "no", Secret: k1.Secret}, "POST", "/", "x", apig.SignOptions{}), core.CodeKeyUnknown},
		"declared, forged": {signed(t, core.Key{ID: k1.ID, Secret: k2.Secret}, "POST", "/", "x", declared), core.CodeSignatureMismatch},
		"declared, other":  {signed(t, k2, "POST", "/", "x", declared), core.CodeKeyNotBound},
		"unsigned payload": {signed(t, k1, "POST", "/", "x", apig.SignOptions{Payload: core.PayloadUnsigned}), core.CodePayloadNotSigned},
		"ambiguous path":   {with(func(r *http.Request) { r.RequestURI = "/%2e" }), core.CodeRequestAmbiguous},
		"two dates":        {with(func(r *http.Request) { r.Header.Add("X-Sdk-Date", "20260115T120000Z") }), core.CodeRequestAmbiguous},
		"malformed":        {with(func(r *http.Request) { r.Header.Set("Authorization", "SDK-HMAC-SHA256 x") }), core.CodeCredentialMalformed},
		"too large":        {with(func(r *http.Request) { r.ContentLength = 1 << 40 }), core.CodeBodyTooLarge},
		"too old":          {with(func(r *http.Request) { r.Header.Set("X-Sdk-Date", "20260115T110000Z") }), core.CodeSignatureExpired},
		"too early":        {with(func(r *http.Request) { r.Header.Set("X-Sdk-Date", "20260115T130000Z") }), core.CodeSignatureNotYetValid},
		"protocol header":  {with(func(r *http.Request) { r.Header.Set("X-Sdk-Foo", "x") }), core.CodeHeaderNotSigned},
	} {
		t.Run(name, func(t *testing.T) {
			tt.r.Body = unread{t}
			wantVerdict(t, v, tt.r, tt.want)
		})
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
