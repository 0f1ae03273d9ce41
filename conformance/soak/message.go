package main

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/gatewayauth/gatewayauth/core/signer"
)

// A message is a signed request, and how it is sent.
type message struct {
	adapter  *adapter
	id       string // X-Request-Id
	key      string // that signs
	request  *http.Request
	body     []byte
	sent     time.Time // when it was sent first
	announce int       // the Content-Length; -1 for chunks
	plan     plan
	runs     *atomic.Int32 // of handlers that have read all of it
	accepted int           // how often it was accepted before
	state    int           // of Redis, when it was accepted last
}

// again is m to be sent once more, maybe to another adapter.
func (m *message) again(a *adapter) *message {
	next := *m
	next.adapter = a
	return &next
}

// plan says how a body is sent, and what the client does after that.
type plan struct {
	pieces int           // in which the body is sent, 0 as 1
	pause  time.Duration // after each piece
	only   int           // how many bytes of the body are sent, where then is set
	then   string        // "" to wait for the answer; wait (the rest never follows), half (close for writing), close, reset
	answer bool          // then is done when the answer begins, not after the body
}

// want is what a message is made of.
type want struct {
	adapter     *adapter
	api, key    string
	signer      signer.Signer
	stream      bool // an API whose handler reads the body, or a stream of gRPC
	size        int
	at          time.Time
	otherDigest bool // signs that of another body
}

var lastID atomic.Int64

// newMessage signs a message that is one of its kind.
func newMessage(w want) *message {
	n := lastID.Add(1)
	id, item := fmt.Sprintf("id-%d", n), n
	if n%4 > 0 { // most paths are seen again
		item %= 8
	}
	m := &message{adapter: w.adapter, id: id, key: w.key, body: bytes.Repeat([]byte(id[len(id)-1:]), w.size), announce: w.size, runs: new(atomic.Int32)}
	r := &http.Request{Method: http.MethodPost, Host: host, Header: http.Header{"X-Request-Id": {id}, "X-Note": {"a note"}}}
	switch {
	case w.adapter.conn != nil && w.stream:
		r.URL = &url.URL{Path: "/soak." + w.api + "/Chat"}
	case w.adapter.conn != nil:
		r.URL = &url.URL{Path: "/soak." + w.api + "/Unary"}
	default:
		r.URL = &url.URL{Path: "/" + w.api + "/", RawQuery: "q=a%20b&n=" + id}
		if w.stream {
			r.URL.Path += "stream/"
		}
		r.URL.Path += fmt.Sprint("item-", item)
		if w.size == 0 {
			r.Method = http.MethodGet
		}
		r.Header.Set("Content-Type", "application/octet-stream")
	}
	digest := ""
	if h := w.signer.NewHash(); h != nil {
		if w.otherDigest {
			h.Write([]byte("another body"))
		} else if w.adapter.conn == nil {
			h.Write(m.body)
		} else {
			for _, part := range m.parts(w.stream) {
				h.Write(framed(part))
			}
		}
		digest = hex.EncodeToString(h.Sum(nil))
	}
	if err := w.signer.Sign(r, digest, w.at); err != nil {
		panic(err) // of a request that this program wrote
	}
	m.request = r
	return m
}

// isStream reports whether the handler reads the body.
func (m *message) isStream() bool {
	return strings.HasSuffix(m.request.URL.Path, "/Chat") || strings.Contains(m.request.URL.Path, "/stream/")
}

// parts are the messages of a call.
func (m *message) parts(stream bool) [][]byte {
	if !stream {
		return [][]byte{m.body}
	}
	third := len(m.body) / 3
	return [][]byte{m.body[:third], m.body[third : 2*third], m.body[2*third:]}
}

func framed(part []byte) []byte {
	encoded, err := proto.Marshal(&wrapperspb.BytesValue{Value: part})
	if err != nil {
		panic(err) // of bytes
	}
	return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(encoded))), encoded...)
}

// head is the request in HTTP/1.1 without its body.
func (m *message) head() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", m.request.Method, m.request.URL.RequestURI(), m.request.Host)
	m.request.Header.Write(&b)
	if m.announce < 0 {
		b.WriteString("Transfer-Encoding: chunked\r\n")
	} else if m.announce > 0 || m.request.Method != http.MethodGet {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", m.announce)
	}
	b.WriteString("\r\n")
	return b.Bytes()
}

// String is the message as a person reads it.
func (m *message) String() string {
	return fmt.Sprintf("%.1500s[body of %d bytes, plan %+v]", m.head(), len(m.body), m.plan)
}
