package adaptertest

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// TestExpect sends requests with Expect: 100-continue to a server whose handler answers
// 409 and does not read the body. The server must answer them without asking for the
// body.
func TestExpect(t *testing.T, serve func(v *core.Verifier) http.Handler) {
	v := testkit.Verifier(t, func(c *core.Config) { c.AllowUnsignedPayload = true })
	server := httptest.NewServer(serve(v))
	defer server.Close()
	unsignedPayload := testkit.Sign(apig.NewSigner(testkit.Orders, apig.SignOptions{Payload: core.PayloadUnsigned}),
		testkit.Unsigned("POST", "/v1/items"), "", testkit.Now())
	for name, tt := range map[string]struct {
		request *http.Request
		want    int
	}{
		"refused":  {testkit.Unsigned("POST", "/v1/items"), http.StatusUnauthorized},
		"open":     {testkit.Unsigned("GET", "/health"), http.StatusConflict},
		"admitted": {unsignedPayload, http.StatusConflict},
	} {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(20 * time.Second))
		r := tt.request
		var head bytes.Buffer
		fmt.Fprintf(&head, "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: 2000\r\nExpect: 100-continue\r\n", r.Method, r.RequestURI, r.Host)
		r.Header.Write(&head)
		head.WriteString("\r\n")
		if _, err := conn.Write(head.Bytes()); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(bufio.NewReader(conn), r)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		res.Body.Close()
		if res.StatusCode != tt.want || !res.Close && !strings.EqualFold(res.Header.Get("Connection"), "close") {
			t.Errorf("%s: got %d, close %v; want %d, and the connection closed", name, res.StatusCode, res.Close, tt.want)
		}
	}
}
