package main

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/signer"
)

// message is a request as text, so that it can be sent with any defect. An HTTP client
// would correct it.
type message struct {
	method, target string
	headers        []string // "Name: value"
	body           string
}

func get(target string, headers ...string) message {
	return message{method: "GET", target: target, headers: headers}
}

func post(target, body string, headers ...string) message {
	return message{method: "POST", target: target, headers: headers, body: body}
}

// with returns a copy with one more header.
func (m message) with(header string) message {
	m.headers = append(append([]string(nil), m.headers...), header)
	return m
}

// replace returns a copy with old replaced by new in the method, target, headers and body.
func (m message) replace(old, new string) message {
	m.method = strings.ReplaceAll(m.method, old, new)
	m.target = strings.ReplaceAll(m.target, old, new)
	m.body = strings.ReplaceAll(m.body, old, new)
	headers := make([]string, len(m.headers))
	for i, h := range m.headers {
		headers[i] = strings.ReplaceAll(h, old, new)
	}
	m.headers = headers
	return m
}

func (m message) header(name string) string {
	for _, h := range m.headers {
		if n, v, _ := strings.Cut(h, ": "); strings.EqualFold(n, name) {
			return v
		}
	}
	return ""
}

// sign signs the message as the vendor's document describes it, with any list of signed
// headers. Path and query must be in canonical form.
func (m message) sign(key core.Key, at time.Time, signedHeaders string) message {
	date := at.UTC().Format("20060102T150405Z")
	m = m.with("X-Sdk-Date: " + date)
	path, query, _ := strings.Cut(m.target, "?")
	if !strings.HasSuffix(path, "/") {
		path += "/"
	}
	var lines strings.Builder
	for name := range strings.SplitSeq(signedHeaders, ";") {
		fmt.Fprintf(&lines, "%s:%s\n", name, m.header(name))
	}
	payload := m.header("X-Sdk-Content-Sha256")
	if payload == "" || !strings.Contains(signedHeaders, "x-sdk-content-sha256") {
		payload = hexSHA256(m.body)
	}
	canonical := strings.Join([]string{m.method, path, query, lines.String(), signedHeaders, payload}, "\n")
	mac := hmac.New(sha256.New, []byte(key.Secret.Reveal()))
	io.WriteString(mac, "SDK-HMAC-SHA256\n"+date+"\n"+hexSHA256(canonical))
	return m.with(fmt.Sprintf("Authorization: SDK-HMAC-SHA256 Access=%s, SignedHeaders=%s, Signature=%s",
		key.ID, signedHeaders, hex.EncodeToString(mac.Sum(nil))))
}

// signedBy signs the message as a signer of the library does.
func (m message) signedBy(s signer.Signer, at time.Time) message {
	r, err := http.NewRequest(m.method, "http://"+m.header("Host")+m.target, nil)
	if err == nil {
		digest := ""
		if h := s.NewHash(); h != nil {
			io.WriteString(h, m.body)
			digest = hex.EncodeToString(h.Sum(nil))
		}
		err = s.Sign(r, digest, at)
	}
	if err != nil {
		panic(err) // the cases are fixed
	}
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		m = m.with(name + ": " + r.Header.Get(name))
	}
	return m
}

func hexSHA256(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// exchange sends the message on a new connection and returns the status of the response.
func exchange(address string, m message) (int, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	var text bytes.Buffer
	fmt.Fprintf(&text, "%s %s HTTP/1.1\r\n", m.method, m.target)
	for _, h := range m.headers {
		fmt.Fprintf(&text, "%s\r\n", h)
	}
	text.WriteString("Connection: close\r\n")
	if m.header("Transfer-Encoding") == "chunked" {
		fmt.Fprintf(&text, "\r\n%x\r\n%s\r\n0\r\n\r\n", len(m.body), m.body)
	} else {
		fmt.Fprintf(&text, "Content-Length: %d\r\n\r\n%s", len(m.body), m.body)
	}
	if _, err := conn.Write(text.Bytes()); err != nil {
		return 0, err
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: m.method})
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	io.Copy(io.Discard, answer.Body)
	return answer.StatusCode, nil
}
