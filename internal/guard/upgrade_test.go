package guard_test

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/internal/needs"
)

// serveWebSocket starts a service that echoes the messages of a WebSocket connection (RFC
// 6455), and answers other requests with the Upgrade header that it got.
func serveWebSocket(t *testing.T) (address string) {
	t.Helper()
	l := listen(t)
	accept(t, l, func(conn net.Conn) {
		in := bufio.NewReader(conn)
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		if r.Header.Get("Upgrade") != "websocket" || r.Header.Get("Connection") != "Upgrade" {
			text := fmt.Sprintf("%q %q", r.Header["Connection"], r.Header["Upgrade"])
			fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(text), text)
			return
		}
		sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
		fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: %s\r\n\r\n",
			base64.StdEncoding.EncodeToString(sum[:]))
		for {
			var head [2]byte
			if _, err := io.ReadFull(in, head[:]); err != nil {
				return
			}
			length := uint64(head[1] & 0x7f)
			if length == 126 {
				var long [2]byte
				io.ReadFull(in, long[:])
				length = uint64(binary.BigEndian.Uint16(long[:]))
			}
			message := make([]byte, 4+length) // with the mask
			if _, err := io.ReadFull(in, message); err != nil {
				return
			}
			for i := range message[4:] {
				message[4+i] ^= message[i%4]
			}
			out := []byte{head[0], head[1] & 0x7f}
			if length > 125 {
				out = binary.BigEndian.AppendUint16(out, uint16(length))
			}
			conn.Write(append(out, message[4:]...))
			if head[0]&0x0f == 8 { // close
				return
			}
		}
	})
	return l.Addr().String()
}

// TestWebSocket_T204: a connection of Node's WebSocket client through the guard.
func TestWebSocket_T204(t *testing.T) {
	p := start(t, "http://"+serveWebSocket(t), off)
	node := needs.Program(t, "node", "nodejs")
	script := `
const text = "x".repeat(1000) + "ä";
const s = new WebSocket("ws://` + p.address + `/chat");
s.onopen = () => s.send(text);
s.onmessage = m => { console.log(m.data === text); s.close(1000); };
s.onclose = c => console.log(c.code, c.wasClean);
s.onerror = e => console.log(e.message);
`
	args := []string{"-e", script}
	if out, _ := exec.Command(node, "-p", "typeof WebSocket").Output(); strings.TrimSpace(string(out)) != "function" {
		args = append([]string{"--experimental-websocket"}, args...)
	}
	cmd := exec.CommandContext(t.Context(), node, args...)
	out, err := cmd.Output()
	if err != nil || string(out) != "true\n1000 true\n" {
		t.Errorf("got %q, %v; want the echo and a clean end", out, err)
	}
}

// TestUpgrades_T204: a signed WebSocket request gets through, without a signature it is refused,
// and other protocols are not offered to the service.
func TestUpgrades_T204(t *testing.T) {
	p := start(t, "http://"+serveWebSocket(t), nil)
	lines := []string{"Connection: keep-alive, Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="}
	if status, _ := p.send(t, unsigned("GET", "/chat", lines...)); status != 401 {
		t.Errorf("without a signature: got %d", status)
	}
	conn := p.dial(t)
	in := bufio.NewReader(conn)
	io.WriteString(conn, signed("GET", "/chat", "", lines...))
	res, err := http.ReadResponse(in, nil)
	if err != nil || res.StatusCode != 101 || res.Header.Get("Sec-WebSocket-Accept") == "" {
		t.Fatalf("got %v, %v; want 101", res, err)
	}
	io.WriteString(conn, "\x81\x82\x00\x00\x00\x00hi")
	got := make([]byte, 4)
	if io.ReadFull(in, got); string(got) != "\x81\x02hi" {
		t.Errorf("got %q, want the echo", got)
	}
	conn.Close()
	for _, offer := range [][]string{
		{"Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__", "Connection: Upgrade, HTTP2-Settings"}, {"Upgrade: HTTP/2.0"}, {"Upgrade: TLS/1.2"},
		{"Upgrade: websocket, h2c"}, {"Upgrade: h2c", "Upgrade: websocket"}, {"Upgrade: websocket", "Upgrade: h2c"}, {"Upgrade: w\xe4"}, {"Upgrade:"},
	} {
		lines := append([]string{"Connection: Upgrade"}, offer...)
		if status, body := p.send(t, signed("GET", "/chat", "", lines...)); status != 200 || body != "[] []" {
			t.Errorf("%q: got %d, the service got %s", offer, status, body)
		}
	}
}
