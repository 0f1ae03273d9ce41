package nethttp_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/coretest"
	"github.com/gatewayauth/gatewayauth/internal/adaptertest"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

// TestConformance runs the cases over the adapter (T113).
func TestConformance(t *testing.T) {
	coretest.Run(t, func(v *core.Verifier, next http.Handler) http.Handler {
		return nethttp.Middleware(v)(next)
	})
}

func TestMultipartFilesAreRemoved_T062(t *testing.T) {
	adaptertest.TestMultipartFilesAreRemoved(t, func(v *core.Verifier, next http.Handler) http.Handler { return nethttp.Middleware(v)(next) })
}

func TestExpect_T056(t *testing.T) {
	adaptertest.TestExpect(t, func(v *core.Verifier) http.Handler {
		return nethttp.Middleware(v)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusConflict) }))
	})
}

// TestOuterMiddleware: middleware in front of the verifier finds the pattern and the form
// that the router and the handler set in the request.
func TestOuterMiddleware(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/{what}", func(_ http.ResponseWriter, r *http.Request) { r.ParseMultipartForm(1 << 20) })
	r := testkit.Signed(testkit.Orders, "POST", "/v1/items", "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--b--\r\n",
		"Content-Type: multipart/form-data; boundary=b")
	nethttp.Middleware(testkit.Verifier(t, nil))(mux).ServeHTTP(httptest.NewRecorder(), r)
	if r.Pattern != "POST /v1/{what}" || r.MultipartForm == nil || r.MultipartForm.Value["a"][0] != "1" {
		t.Errorf("got pattern %q and form %v", r.Pattern, r.MultipartForm)
	}
}
