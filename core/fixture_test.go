package core_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/signer"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// The fixture of testkit, under short names.
var (
	instant      = testkit.Now()
	k1, k2, user = testkit.K1, testkit.K2, testkit.User
	hmacScheme   = testkit.HMAC
	config       = testkit.Policy
	request      = testkit.Received
	signed       = testkit.SignedBy
)

const (
	p1     = testkit.P1
	noBody = testkit.NoBody
)

func verifier(t testing.TB, change ...func(*core.Config)) *core.Verifier {
	t.Helper()
	return testkit.New(t, config(change...))
}

func jsonLogger(w io.Writer) *slog.Logger { return slog.New(slog.NewJSONHandler(w, nil)) }

// admit returns the admission of r, which must not be refused. It is released when the
// test ends.
func admit(t testing.TB, v *core.Verifier, r *http.Request, use core.BodyUse) core.Admission {
	t.Helper()
	admission, err := v.Admit(nil, r, use)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(admission.Release)
	return admission
}

func wantCode(t testing.TB, err error, code core.Code) {
	t.Helper()
	if got := core.CodeOf(err); got != code {
		t.Errorf("got code %q (%v), want %q", got, err, code)
	}
}

// wantVerdict verifies r, and releases its body.
func wantVerdict(t testing.TB, v *core.Verifier, r *http.Request, code core.Code) {
	t.Helper()
	_, err := v.Verify(r)
	core.Release(r)
	wantCode(t, err, code)
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

type sourceFunc func(context.Context, string) (*core.Key, error)

func (f sourceFunc) Key(ctx context.Context, id string) (*core.Key, error) { return f(ctx, id) }

// unread fails the test where a body is read that need not be.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) { u.t.Error("the body was read"); return 0, io.EOF }

func (u unread) Close() error { return nil }

// usual is a request of the usual size that s has signed: a path of 40 bytes, three
// parameters, and three further headers to sign beside host and date. before changes it
// before it is signed.
func usual(s signer.Signer, before ...func(*http.Request)) *http.Request {
	r := httptest.NewRequest("GET", "/v1/projects/0123456789abcdef/orders/42?limit=100&marker=abc&status=open", nil)
	r.Host, r.Body = "api.example.com", http.NoBody
	for name, value := range map[string]string{"Content-Type": "application/json", "X-Project-Id": "0123456789abcdef",
		"X-Request-Id": "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "User-Agent": "test", "Accept": "application/json"} {
		r.Header.Set(name, value)
	}
	for _, change := range before {
		change(r)
	}
	return testkit.Sign(s, r, "", instant)
}

var further = []string{"content-type", "x-project-id", "x-request-id"}

// wire is a request as it is sent with a body.
func wire(r *http.Request, body string) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n", r.Method, r.RequestURI, r.Host, len(body))
	r.Header.WriteSubset(&out, map[string]bool{"Content-Length": true})
	return out.String() + "\r\n" + body
}

// replaceIn changes the credential of r.
func replaceIn(r *http.Request, from, to string) {
	r.Header["Authorization"][0] = strings.Replace(r.Header["Authorization"][0], from, to, 1)
}
