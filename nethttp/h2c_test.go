package nethttp_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"golang.org/x/net/http2"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

// TestHandlerOfHTTP2_T292: a handler of h2c behind the middleware, such as Gin's, which would
// serve the requests that follow on the connection itself, is never asked to.
func TestHandlerOfHTTP2_T292(t *testing.T) {
	gin.SetMode(gin.ReleaseMode)
	signed := func() *http.Request { return testkit.Signed(testkit.Orders, "GET", "/orders/1", "") }
	open := func() *http.Request { return httptest.NewRequest("GET", "http://api.example.com/health", nil) }
	upgrade := func(r *http.Request) string {
		var b bytes.Buffer
		b.WriteString("GET " + r.URL.RequestURI() + " HTTP/1.1\r\nHost: " + r.Host + "\r\n")
		r.Header.Write(&b)
		b.WriteString("Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: websocket\r\nUpgrade: H2C\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n")
		return b.String()
	}
	for _, tt := range []struct {
		name   string
		mode   core.Mode
		text   string
		status int
	}{
		{"signed", core.Enforce, upgrade(signed()), 200},
		{"open", core.Enforce, upgrade(open()), 200},
		{"signed, in report mode", core.Report, upgrade(signed()), 200},
		{"not signed, in report mode", core.Report, upgrade(httptest.NewRequest("GET", "http://api.example.com/orders/1", nil)), 200},
		{"not signed", core.Enforce, upgrade(httptest.NewRequest("GET", "http://api.example.com/orders/1", nil)), 401},
		{"preface", core.Enforce, http2.ClientPreface, 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := testkit.Verifier(t, func(c *core.Config) { c.Mode = tt.mode })
			var mu sync.Mutex
			var ran []string
			engine := gin.New()
			engine.UseH2C = true
			engine.NoRoute(func(c *gin.Context) {
				mu.Lock()
				defer mu.Unlock()
				ran = append(ran, c.Request.Proto)
				c.String(http.StatusOK, "ok")
			})
			server := httptest.NewServer(nethttp.Middleware(v)(engine.Handler()))
			defer server.Close()
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(time.Minute))
			if _, err := io.WriteString(conn, tt.text); err != nil {
				t.Fatal(err)
			}
			answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			mu.Lock()
			defer mu.Unlock()
			if want := tt.status == 200; answer.StatusCode != tt.status || answer.ProtoMajor != 1 || (len(ran) == 1 && ran[0] == "HTTP/1.1") != want || len(ran) > 1 {
				t.Errorf("got %s %s, and the handler ran for %v", answer.Proto, answer.Status, ran)
			}
		})
	}
}
