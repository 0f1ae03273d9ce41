package adaptertest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// TestStreamed checks that [core.API].Stream leaves a declared digest to the handler's last
// Read, and that without it the handler does not run for a body of another digest.
func TestStreamed(t *testing.T, mount Mount) {
	for _, stream := range []bool{false, true} {
		for _, body := range []string{"text", "texT"} {
			v := testkit.New(t, testkit.Policy(func(c *core.Config) {
				c.APIs = []core.API{{Match: "/v1/items", Key: testkit.K1.Name, Stream: stream}}
			}))
			ran, read := false, core.Code("")
			h := mount(v, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				_, err := io.ReadAll(r.Body)
				ran, read = true, core.CodeOf(err)
			}))
			r := testkit.SignedBy(t, testkit.K1, "POST", "/v1/items", "text", apig.SignOptions{Payload: core.PayloadDeclared})
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), 4
			h.ServeHTTP(httptest.NewRecorder(), r)
			want := core.Code("")
			if stream && body != "text" {
				want = core.CodeBodyMismatch
			}
			if ran != (stream || body == "text") || read != want {
				t.Errorf("Stream %v, body %q: the handler ran: %v; Read gives %q, want %q", stream, body, ran, read, want)
			}
		}
	}
}
