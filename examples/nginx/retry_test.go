//go:build unix

package nginx_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/config"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

// TestRetries_T193 is that nginx sends a request with the same signature to a second server
// if the first one dies while it handles the request, and that this is accepted where
// replay.retries permits it.
func TestRetries_T193(t *testing.T) {
	for _, tt := range []struct {
		method, retries string
		status, runs    int
	}{
		{"PUT", "retries: {methods: [PUT], within: 5s}", 200, 2},
		{"DELETE", "retries: {methods: [PUT, DELETE], within: 5s}", 200, 2},
		{"PUT", "exempt_methods: [GET]", 401, 1},
		{"DELETE", "retries: {methods: [PUT], within: 5s}", 401, 1},
		{"POST", "retries: {methods: [PUT], within: 5s}", 502, 1}, // nginx does not retry it
	} {
		t.Run(tt.method+" "+tt.retries, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "environments.yaml")
			write(t, file, fmt.Appendf(nil, "environments:\n  R:\n    replay: {store: memory, %s}\n    keys:\n"+
				"      - {name: nginx_key, type: hmac, key: %s, secret: %s}\n    default: nginx_key\n", tt.retries, keyID, secret))
			loaded, err := config.Load(file)
			if err != nil {
				t.Fatal(err)
			}
			v, err := loaded.Verifier("R")
			if err != nil {
				t.Fatal(err)
			}
			var runs atomic.Int32
			var retried atomic.Bool
			app := nethttp.Middleware(v)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				if runs.Add(1) == 1 {
					panic(http.ErrAbortHandler)
				}
				id, _ := core.FromContext(r.Context())
				retried.Store(id.Retry())
			}))
			servers := ""
			for range 2 {
				s := httptest.NewServer(app)
				t.Cleanup(s.Close)
				servers += "server " + s.Listener.Addr().String() + ";"
			}
			n := startNginx(t, "nginx.conf", env, edit{"server 127.0.0.1:9000;", servers})
			status, text := curl(t, []byte("text"), "--request", tt.method, "--data-binary", "@-", "http://"+n.addresses[0]+"/orders/7")
			if status != tt.status || int(runs.Load()) != tt.runs || retried.Load() != (tt.status == 200) {
				t.Errorf("got %d %s, %d runs, Retry %v; want %d, %d runs", status, text, runs.Load(), retried.Load(), tt.status, tt.runs)
			}
		})
	}
}
