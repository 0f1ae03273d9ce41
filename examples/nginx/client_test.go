//go:build unix

package nginx_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// curl sends a request unchanged, with body as its standard input, and returns the status
// and the response.
func curl(t *testing.T, body []byte, args ...string) (int, string) {
	t.Helper()
	cmd := exec.Command(program(t, "curl"), append([]string{
		// No configuration file, no proxy, and the URL unchanged.
		"-q", "--noproxy", "*", "--path-as-is", "--globoff",
		"--silent", "--show-error", "--max-time", "60", "--expect100-timeout", "30",
		"--write-out", "\n%{http_code}"}, args...)...)
	cmd.Stdin = bytes.NewReader(body)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("curl %q: %v: %s", args, err, &stderr)
	}
	i := bytes.LastIndexByte(out, '\n')
	status, err := strconv.Atoi(string(out[i+1:]))
	if err != nil {
		t.Fatalf("curl %q printed %q", args, out)
	}
	return status, string(out[:i])
}

// answer is the response of the backend.
type answer struct {
	Verified      bool     `json:"verified"`
	Key           string   `json:"key"`
	Scheme        string   `json:"scheme"`
	SignedHeaders []string `json:"signed_headers"`
	Payload       string   `json:"payload"`
	BodyBytes     int      `json:"body_bytes"`
	BodySHA256    string   `json:"body_sha256"`
}

// proven checks that the backend verified nginx's signature over this body, and that
// content-type was signed or absent.
func proven(t *testing.T, text string, body []byte, contentType bool) {
	t.Helper()
	var got answer
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Errorf("the response %q: %v", text, err)
		return
	}
	signed := []string{"host", "x-sdk-content-sha256", "x-sdk-date"}
	if contentType {
		signed = append([]string{"content-type"}, signed...)
	}
	if !got.Verified || got.Key != "nginx_key" || got.Scheme != "hmac" || got.Payload != "declared" || !slices.Equal(got.SignedHeaders, signed) {
		t.Errorf("got %+v; want it verified, with nginx_key, hmac, payload declared, headers %v", got, signed)
	}
	if sum := digest(body); got.BodyBytes != len(body) || got.BodySHA256 != sum {
		t.Errorf("got a body of %d bytes, %s; want %d, %s", got.BodyBytes, got.BodySHA256, len(body), sum)
	}
}

func digest(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// message is a request as it was sent.
type message struct {
	method, target, host string
	header               http.Header
	body                 []byte
}

// record starts an upstream that accepts every request, and returns its address and the
// requests.
func record(t *testing.T) (address string, taken <-chan message) {
	t.Helper()
	messages := make(chan message, 1)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		select {
		case messages <- message{r.Method, r.RequestURI, r.Host, r.Header.Clone(), body}:
		default:
			t.Error("there was an unexpected request")
		}
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String(), messages
}

// send sends m, with only its Content-Length added, and returns the status of the response.
func (m message) send(t *testing.T, address string) int {
	t.Helper()
	conn, err := net.DialTimeout("tcp", address, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Length: %d\r\n", m.method, m.target, m.host, len(m.body))
	header := m.header.Clone()
	header.Del("Content-Length")
	header.Write(&b)
	b.WriteString("\r\n")
	if _, err := io.WriteString(conn, b.String()+string(m.body)); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode
}
