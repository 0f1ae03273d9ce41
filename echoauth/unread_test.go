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

// TestUnreadBodies_T191: the unread rest of a body is never read as the next request,
// whether the handler closes the body or not, and the server does not panic.
func TestUnreadBodies_T191(t *testing.T) {
	verify := echoauth.Middleware(newVerifier(t, func(c *core.Config) {
		c.Schemes = []core.Scheme{basic.New(basic.Config{Keys: core.Keys(orders)})}
		c.APIs = []core.API{{Match: "GET /open", Open: true}}
	}))
	const smuggled = "GET /open?smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
	long := strings.Repeat("A", 256<<10) // as much as net/http reads to keep the connection
	bodies := map[string]string{"short": "12345678", "long": long, "request after it": long + smuggled, "request in front": smuggled + long + long}
	for mount, use := range map[string]func(*echo.Echo){
		"Pre": func(e *echo.Echo) { e.Pre(verify) },
		"Use": func(e *echo.Echo) { e.Use(verify) },
	} {
		for _, path := range []string{"/items", "/nothing"} { // only the first has a route
			for name, body := range bodies {
				for n := range 4 {
					closes, chunked := n&1 != 0, n&2 != 0
					ran, logged := leaveUnread(t, use, path, body, closes, chunked)
					what := fmt.Sprintf("%s, %s, %s, chunked: %v, closed by the handler: %v", mount, path, name, chunked, closes)
					if slices.Contains(ran, "/open?smuggled") || path == "/items" && (len(ran) == 0 || ran[0] != "/items") {
						t.Errorf("%s: the handlers ran for %v", what, ran)
					}
					if logged != "" {
						t.Errorf("%s: the server logs %s", what, logged)
					}
				}
			}
		}
	}
}

// leaveUnread sends a verified request and then another one to a server whose handlers do
// not read the body. It returns the targets for which handlers ran, and the log of the
// server.
func leaveUnread(t *testing.T, use func(*echo.Echo), path, body string, closes, chunked bool) (ran []string, logged string) {
	t.Helper()
	var mu sync.Mutex
	handler := func(c echo.Context) error {
		mu.Lock()
		ran = append(ran, c.Request().URL.RequestURI())
		mu.Unlock()
		if closes {
			c.Request().Body.Close()
		}
		return c.String(http.StatusOK, "ok")
	}
	e := echo.New()
	use(e)
	e.POST("/items", handler)
	e.GET("/open", handler)
	var text bytes.Buffer
	server := httptest.NewUnstartedServer(e)
	server.Config.ErrorLog = log.New(&text, "", 0)
	server.Start()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	go func() { // the server may stop reading
		const second = "GET /open?second HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
		r, _ := http.NewRequest("POST", "/", nil)
		r.SetBasicAuth(orders.ID, orders.Secret.Reveal())
		fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: a\r\nAuthorization: %s\r\n", path, r.Header.Get("Authorization"))
		if chunked {
			fmt.Fprintf(conn, "Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n%s", len(body), body, second)
		} else {
			fmt.Fprintf(conn, "Content-Length: %d\r\n\r\n%s%s", len(body), body, second)
		}
	}()
	io.Copy(io.Discard, conn) // until the server closes the connection
	conn.Close()
	server.Close()
	return ran, text.String()
}
