package grpcauth_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

const host = "api.example.com"

var key = core.Key{Name: "k1", ID: "AKTESTAKTEST0001", Secret: core.NewSecret("sktest-0123456789abcdef0123456789abcdef")}

// journal is an observer that records the verdicts.
type journal struct {
	mu     sync.Mutex
	events []core.Event
}

func (j *journal) Observe(_ context.Context, e core.Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.events = append(j.events, e)
}

// codes returns the codes that were recorded since the last call.
func (j *journal) codes() (codes []core.Code) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, e := range j.events {
		code := e.Code
		if why := core.CodePayloadUnsupported; errors.Is(e.Err, &core.Error{Code: why}) {
			code = why // the code of the error from reading the body
		}
		codes = append(codes, code)
	}
	j.events = nil
	return codes
}

// verifier returns a verifier that binds every API to key. Chat may leave its payload
// unsigned.
func verifier(t *testing.T, change func(*core.Config)) (*core.Verifier, *journal) {
	t.Helper()
	j := new(journal)
	c := core.Config{
		Environment: "prod",
		Schemes:     schemes(key),
		APIs:        []core.API{{Match: "POST " + echo + "Chat", Key: "k1", AllowUnsignedPayload: true}},
		Default:     "k1",
		Observers:   []core.Observer{j},
	}
	if change != nil {
		change(&c)
	}
	return testkit.New(t, c), j
}

func allowUnsigned(c *core.Config) { c.AllowUnsignedPayload = true }

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

func dial(t *testing.T, listener net.Listener, options ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///"+listener.Addr().String(), append([]grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithAuthority(host)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// start serves the suite's service behind options, and connects to it.
func start(t *testing.T, handle func(context.Context, func() ([]byte, error)) error, options ...grpc.ServerOption) *grpc.ClientConn {
	t.Helper()
	listener := listen(t)
	server := serve(listener, handle, options...)
	t.Cleanup(server.Stop)
	return dial(t, listener)
}

// readAll is a handler that receives to the end.
func readAll(_ context.Context, receive func() ([]byte, error)) error {
	for {
		switch _, err := receive(); {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}

// signed returns the context of a call, signed over these messages as payload says.
func signed(t *testing.T, method string, payload core.Payload, messages ...proto.Message) context.Context {
	t.Helper()
	encoded := make([][]byte, len(messages))
	for i, m := range messages {
		var err error
		if encoded[i], err = proto.Marshal(m); err != nil {
			t.Fatal(err)
		}
	}
	return signedBytes(t, method, payload, encoded...)
}

// signedBytes is signed for messages that are encoded.
func signedBytes(t *testing.T, method string, payload core.Payload, messages ...[]byte) context.Context {
	t.Helper()
	h := sha256.New()
	for _, m := range messages {
		h.Write(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(m))))
		h.Write(m)
	}
	return withCredential(t, method, http.Header{}, apig.SignOptions{Payload: payload}, hex.EncodeToString(h.Sum(nil)))
}

// signedWith returns the context of a call to Unary with one more signed header.
func signedWith(t *testing.T, name, value string) context.Context {
	t.Helper()
	header := http.Header{http.CanonicalHeaderKey(name): {value}}
	return withCredential(t, echo+"Unary", header, apig.SignOptions{Payload: core.PayloadUnsigned, Headers: []string{name}}, "")
}

func withCredential(t *testing.T, method string, header http.Header, options apig.SignOptions, digest string) context.Context {
	t.Helper()
	r := &http.Request{Method: "POST", Host: host, URL: &url.URL{Path: method}, Header: header}
	if err := apig.NewSigner(key, options).Sign(r, digest, time.Now()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	for _, name := range []string{"authorization", "x-sdk-date", "x-sdk-content-sha256"} {
		if value := r.Header.Get(name); value != "" {
			ctx = metadata.AppendToOutgoingContext(ctx, name, value)
		}
	}
	return ctx
}

func schemes(keys ...core.Key) []core.Scheme {
	return []core.Scheme{apig.New(apig.Config{Keys: core.Keys(keys...)})}
}

func text(s string) *bytesValue { return &bytesValue{Value: []byte(s)} }

// wantCode fails unless err has the status code.
func wantCode(t *testing.T, what string, err error, want codes.Code) {
	t.Helper()
	if got := status.Code(err); got != want {
		t.Errorf("%s: got %v (%v), want %v", what, got, err, want)
	}
}

// h2c returns a transport for unencrypted HTTP/2.
func h2c(t *testing.T) *http.Transport {
	transport := &http.Transport{Protocols: new(http.Protocols), DisableCompression: true}
	transport.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// raw sends a body as a call, and returns the status. A gRPC client cannot send malformed
// calls.
func raw(t *testing.T, address, method string, header http.Header, body string) string {
	t.Helper()
	return post(t, h2c(t), address, method, header, body)
}

func post(t *testing.T, transport http.RoundTripper, address, method string, header http.Header, body string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+address+echo+method, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if r.Header = header.Clone(); header == nil {
		r.Header = http.Header{}
	}
	r.Host = host
	r.Header.Set("Content-Type", "application/grpc")
	r.Header.Set("Te", "trailers")
	response, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		t.Fatal(err)
	}
	return response.Header.Get("Grpc-Status") + response.Trailer.Get("Grpc-Status")
}
