package echoauth_test

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/basic"
	"github.com/gatewayauth/gatewayauth/echoauth"
)

// TestUnreadBodies_T191: what a handler leaves of a body on the connection is never
// the next request, whether it closes the body or not, and the server does not panic.
func TestUnreadBodies_T191(t *testing.T) {
	key := core.Key{Name: "gateway", ID: "gateway", Secret: core.NewSecret("password-of-gateway")}
	v := newVerifier(t, func(c *core.Config) {
		c.Schemes, c.Default = []core.Scheme{basic.New(basic.Config{Keys: core.Keys(key)})}, key.Name
		c.APIs = []core.API{{Match: "GET /open", Open: true}}
	})
	const smuggled, second = "GET /open?smuggled HTTP/1.1\r\nHost: a\r\n\r\n", "GET /open?second HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
	long := strings.Repeat("A", 256<<10) // what net/http reads to keep a connection
	for _, mount := range []string{"Pre", "Use"} {
		for _, path := range []string{"/items", "/nothing"} {
			for _, closes := range []bool{false, true} {
				for name, body := range map[string]string{"short": "12345678", "long": long, "smuggling behind": long + smuggled, "smuggling in front": smuggled + long + long} {
					for _, framing := range []string{"chunked", "length"} {
						var mu sync.Mutex
						var ran []string
						var logged bytes.Buffer
						e := echo.New()
						if mount == "Pre" {
							e.Pre(echoauth.Middleware(v))
						} else {
							e.Use(echoauth.Middleware(v))
						}
						handler := func(c echo.Context) error {
							mu.Lock()
							ran = append(ran, c.Request().URL.RequestURI())
							mu.Unlock()
							if closes {
								c.Request().Body.Close()
							}
							return c.String(http.StatusOK, "ok")
						}
						e.POST("/items", handler)
						e.GET("/open", handler)
						server := httptest.NewUnstartedServer(e)
						server.Config.ErrorLog = log.New(&logged, "", 0)
						server.Start()
						conn, err := net.Dial("tcp", server.Listener.Addr().String())
						if err != nil {
							t.Fatal(err)
						}
						go func() { // the server may stop reading
							r, _ := http.NewRequest("POST", "/", nil)
							r.SetBasicAuth(key.ID, key.Secret.Reveal())
							fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: a\r\nAuthorization: %s\r\n", path, r.Header.Get("Authorization"))
							if framing == "chunked" {
								fmt.Fprintf(conn, "Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n%s", len(body), body, second)
							} else {
								fmt.Fprintf(conn, "Content-Length: %d\r\n\r\n%s%s", len(body), body, second)
							}
						}()
						io.Copy(io.Discard, conn) // until the server ends the connection
						conn.Close()
						server.Close()
						what := fmt.Sprintf("%s, %s, %s, %s, closed by the handler: %v", mount, path, name, framing, closes)
						if slices.Contains(ran, "/open?smuggled") || path == "/items" && (len(ran) == 0 || ran[0] != "/items") {
							t.Errorf("%s: the handlers ran for %v", what, ran)
						}
						if logged.Len() > 0 {
							t.Errorf("%s: the server logs %s", what, logged.String())
						}
					}
				}
			}
		}
	}
}
