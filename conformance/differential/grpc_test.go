package differential_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/conformance/reference"
)

// TestGRPC has grpcauth and the reference judge the same calls, one for ten messages of
// TestDifferential.
func TestGRPC(t *testing.T) {
	worlds := newWorlds(t)
	if *only != "" {
		worlds = ofType(worlds, *only)
	}
	r := newRun(t, worlds)
	sent, accepted := map[string]int{}, map[string]int{} // by kind of method; with counts.mu
	r.all(max(1, *messages/10), func(number uint64) {
		d := newDice(*seed, number)
		d.calls = true
		w := pick(d, worlds)
		raw, _ := d.generate(w)
		call := overGRPC(raw)
		if call == nil {
			return
		}
		v := call.judge(w)
		o, found := r.backends.sendGRPC(w, call, v)
		if o == nil {
			return
		}
		r.counts.mu.Lock()
		r.counts.messages++
		sent[call.kind()]++
		if o.accepted {
			accepted[call.kind()]++
		}
		r.counts.mu.Unlock()
		if found != nil {
			r.failOnce(found.class, func() {
				r.Errorf("%s\n%s\nseed %d, call %d, verifier %q, after %v\nmessage:\n%s\nreference: %v\nlibrary: %s",
					found.class, found.text, *seed, number, w.name, time.Since(r.start).Round(time.Millisecond), brief(raw), verdict(v), o)
			})
		}
	})
	t.Logf("seed %d, calls %d to %d in %v: sent %v, accepted %v", *seed, *first, r.next.Load(), time.Since(r.start).Round(time.Millisecond), sent, accepted)
	for _, kind := range []string{"unary", "client stream", "server stream", "unknown method"} {
		if *messages >= 1000 && (accepted[kind] == 0 || accepted[kind] == sent[kind]) {
			t.Errorf("%s: %d of %d calls were accepted", kind, accepted[kind], sent[kind])
		}
	}
}

// The methods that the server knows. All others are streams of its unknown service.
const (
	unary        = "/pkg.Svc/Unary"
	clientStream = "/pkg.Svc/ClientStream"
	serverStream = "/pkg.Svc/ServerStream"
)

// call makes a message that is not signed yet a gRPC call.
func (m *message) call(d dice) {
	m.method, m.version = http.MethodPost, "HTTP/1.1"
	if !d.one(4) {
		m.path = pick(d, []string{unary, unary, clientStream, serverStream})
	}
	if !d.one(8) {
		m.query, m.mark = "", false
	}
	m.remove("Content-Type")
	m.insert(d, line{"Content-Type", pick(d, []string{" application/grpc", "application/grpc+proto"})})
	if d.one(3) {
		m.insert(d, line{"X-Trace-Bin", " " + base64.RawStdEncoding.EncodeToString([]byte(d.text("\x00\xffab", 6)))})
	}
	messages := 1
	if m.path != unary && m.path != serverStream {
		messages = d.IntN(4)
	}
	m.body = ""
	for range messages {
		m.body += framed(d.content())
	}
}

// framed is a message as gRPC sends it: after a flag and its length.
func framed(text string) string {
	return string(binary.BigEndian.AppendUint32(make([]byte, 1, 5), uint32(len(text)))) + text
}

// A grpcCall is a message that is sent as a gRPC call.
type grpcCall struct {
	raw     []byte
	request *http.Request // without its address
	body    []byte
}

// overGRPC returns a message as a gRPC call, or nil where gRPC has none that means the same:
// where overHTTP2 has none, for headers of gRPC's own, for a second content-type, which gRPC
// hides if it is not its own, and for binary metadata that gRPC writes in another way.
func overGRPC(raw []byte) *grpcCall {
	r := overHTTP2(raw, "")
	if r == nil || r.Method != http.MethodPost || len(r.Header["Content-Type"]) != 1 {
		return nil
	}
	if r.ContentLength < 0 && bytes.Contains(bytes.ToLower(raw), []byte("content-length")) {
		return nil // signed: in a unary call it is the length of the body, announced or not
	}
	for name, values := range r.Header {
		if strings.HasPrefix(name, "Grpc-") {
			return nil
		}
		for _, value := range values {
			binaryValue, err := base64.RawStdEncoding.DecodeString(value)
			if strings.HasSuffix(name, "-Bin") && (err != nil || base64.RawStdEncoding.EncodeToString(binaryValue) != value) {
				return nil
			}
		}
	}
	c := &grpcCall{raw: raw, request: r}
	if r.Body != nil {
		c.body, _ = io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(c.body))
	}
	if c.stream() && (len(c.body) == 0 && r.ContentLength != 0 || len(c.body) > maxBody) {
		return nil // a stream may be empty, and an unsigned one has no limit
	}
	r.Header["Te"] = []string{"trailers"}
	return c
}

// method is the full method, in which gRPC leaves a query.
func (c *grpcCall) method() string {
	return strings.TrimPrefix(c.request.URL.Opaque, "http://"+c.request.Host)
}

func (c *grpcCall) kind() string {
	switch c.method() {
	case unary:
		return "unary"
	case clientStream:
		return "client stream"
	case serverStream:
		return "server stream"
	}
	return "unknown method"
}

func (c *grpcCall) stream() bool { return c.method() != unary }

// judge returns the verdict of the reference on the equivalent message of HTTP/1.1, and adds
// what grpcauth refuses beyond it.
func (c *grpcCall) judge(w *world) reference.Verdict {
	v := reference.Judge(c.raw, w.settings)
	messages, rest := 0, c.body
	for len(rest) >= 5 && rest[0] == 0 && int(binary.BigEndian.Uint32(rest[1:])) <= len(rest)-5 {
		messages, rest = messages+1, rest[5+binary.BigEndian.Uint32(rest[1:]):]
	}
	if len(rest) > 0 || messages != 1 && (c.kind() == "unary" || c.kind() == "server stream") {
		v.Policies = append(v.Policies, "the body is not the messages of the method")
	}
	for _, name := range w.settings.RequireSignedWithBody { // every call has a body, also an empty stream
		if v.Scheme != "Basic" && !slices.Contains(v.Signed, name) {
			v.Policies = append(v.Policies, reference.PolicyWithBody)
		}
	}
	i := slices.IndexFunc(keys, func(k *key) bool { return k.id == v.KeyID })
	if c.stream() && v.Body && i >= 0 {
		name := strings.ToLower(keys[i].digestHeader())
		_, query, _ := strings.Cut(strings.ToLower(c.method()), "?")
		if !slices.Contains(v.Signed, name) && !(keys[i].aws() && strings.Contains(query, name+"=")) {
			v.Policies = append(v.Policies, "the stream does not declare its digest")
		}
	}
	return v
}
