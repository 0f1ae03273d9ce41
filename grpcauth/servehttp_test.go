package grpcauth_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/signer"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

// frame returns a message as it is sent, compressed if flag is 1.
func frame(t *testing.T, flag byte, message *bytesValue) string {
	t.Helper()
	data, err := proto.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	if flag == 1 {
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		w.Write(data)
		w.Close()
		data = packed.Bytes()
	}
	return string(binary.BigEndian.AppendUint32([]byte{flag}, uint32(len(data)))) + string(data)
}

// tampering is a RoundTripper that changes the last byte of the signed body.
type tampering struct{ http.RoundTripper }

func (t tampering) RoundTrip(r *http.Request) (*http.Response, error) {
	body := new(bytes.Buffer)
	body.ReadFrom(r.Body)
	body.Bytes()[body.Len()-1] ^= 1
	r = r.Clone(r.Context())
	r.Body, r.GetBody = http.NoBody, nil
	if body.Len() > 0 {
		r.Body = readCloser{body}
	}
	return t.RoundTripper.RoundTrip(r)
}

type readCloser struct{ *bytes.Buffer }

func (readCloser) Close() error { return nil }

// TestServeHTTP: behind nethttp.Middleware, the whole body of every kind of call is
// verified before the call begins, compressed or not, declared or not.
func TestServeHTTP(t *testing.T) {
	v, j := verifier(t, func(c *core.Config) { c.AllowUnsignedPayload = true })
	var runs atomic.Int32
	var identified atomic.Bool
	server := grpc.NewServer()
	server.RegisterService(echoService(func(ctx context.Context, receive func() ([]byte, error)) error {
		runs.Add(1)
		id, ok := core.FromContext(ctx)
		identified.Store(ok && id.Key() == "k1")
		return readAll(ctx, receive)
	}), nil)
	listener := listen(t)
	front := &http.Server{Handler: nethttp.Middleware(v)(server), Protocols: new(http.Protocols)}
	front.Protocols.SetUnencryptedHTTP2(true)
	go front.Serve(listener)
	t.Cleanup(func() { front.Close(); server.Stop() })
	address := listener.Addr().String()

	one, packed := frame(t, 0, text("one")), frame(t, 1, text("one"))
	signing := func(payload core.Payload, base http.RoundTripper) *signer.Transport {
		return &signer.Transport{Signer: apig.NewSigner(key, apig.SignOptions{Payload: payload}), Base: base}
	}
	for _, tt := range []struct {
		name, method, body string
		header             http.Header
	}{
		{"unary", "Unary", one, nil},
		{"unary, compressed", "Unary", packed, http.Header{"Grpc-Encoding": {"gzip"}}},
		{"client stream", "Upload", one + one + one, nil},
		{"server stream", "Watch", one, nil},
		{"bidirectional stream", "Chat", one + one, nil},
		{"bidirectional stream, compressed", "Chat", one + packed, http.Header{"Grpc-Encoding": {"gzip"}}},
	} {
		for _, payload := range []core.Payload{core.PayloadHashed, core.PayloadDeclared, core.PayloadUnsigned} {
			name := tt.name + ", " + payload.String()
			runs.Store(0)
			if got := post(t, signing(payload, h2c(t)), address, tt.method, tt.header, tt.body); got != "0" || runs.Load() != 1 || !identified.Load() {
				t.Errorf("%s: got status %s, %d runs, identity %v; want 0, one and true", name, got, runs.Load(), identified.Load())
			}
			j.codes()
			runs.Store(0)
			got := post(t, signing(payload, tampering{h2c(t)}), address, tt.method, tt.header, tt.body)
			if refused := got == "" && runs.Load() == 0; refused != (payload != core.PayloadUnsigned) {
				t.Errorf("%s, with a changed body: got status %q, %d runs, refused %v", name, got, runs.Load(), refused)
			}
			j.codes()
		}
	}

	conn := dial(t, listener) // a gRPC client gets the status of the refusal
	wantCode(t, "unsigned", conn.Invoke(t.Context(), echo+"Unary", text("one"), new(bytesValue)), codes.Unauthenticated)
	wantCode(t, "unsigned stream", exchange(t.Context(), conn, echo+"Chat", nil), codes.Unauthenticated)
	wantCode(t, "signed", conn.Invoke(signed(t, echo+"Unary", core.PayloadHashed, text("one")), echo+"Unary", text("one"), new(bytesValue)), codes.OK)
	if got, want := j.codes(), []core.Code{core.CodeCredentialMissing, core.CodeCredentialMissing, ""}; !slices.Equal(got, want) {
		t.Errorf("got verdicts %v, want %v", got, want)
	}
}
