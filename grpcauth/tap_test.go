package grpcauth_test

import (
	"context"
	"net/http"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/signer"
	"github.com/gatewayauth/gatewayauth/grpcauth"
)

// TestTap: calls of every kind are verified by their metadata, each once, before the
// server creates them. A credential that covers the body is refused.
func TestTap(t *testing.T) {
	v, j := verifier(t, allowUnsigned)
	var runs atomic.Int32
	conn := start(t, func(ctx context.Context, receive func() ([]byte, error)) error {
		runs.Add(1)
		id, ok := core.FromContext(ctx)
		md, _ := metadata.FromIncomingContext(ctx)
		if !ok || id.Key() != "k1" || id.Covers().Body || len(md["x-apig-identity"]) > 0 || len(md["x-other"]) != 1 {
			t.Errorf("got identity %v and metadata %v, want k1, and all but x-apig-identity", id, md)
		}
		return readAll(ctx, receive)
	}, grpcauth.TapServerOptions(v)...)
	messages := []*bytesValue{text("one")}
	for _, tt := range []struct {
		name, method string
		ctx          func(method string) context.Context
		want         codes.Code
		verdict      core.Code
	}{
		{"signed", "Unary", func(m string) context.Context { return signed(t, m, core.PayloadUnsigned) }, codes.OK, ""},
		{"signed", "Upload", func(m string) context.Context { return signed(t, m, core.PayloadUnsigned) }, codes.OK, ""},
		{"signed", "Watch", func(m string) context.Context { return signed(t, m, core.PayloadUnsigned) }, codes.OK, ""},
		{"signed", "Chat", func(m string) context.Context { return signed(t, m, core.PayloadUnsigned) }, codes.OK, ""},
		{"no credential", "Unary", func(string) context.Context { return t.Context() }, codes.Unauthenticated, core.CodeCredentialMissing},
		{"for another method", "Unary", func(string) context.Context { return signed(t, echo+"Other", core.PayloadUnsigned) }, codes.Unauthenticated, core.CodeSignatureMismatch},
		{"unknown method", "Nothing", func(string) context.Context { return t.Context() }, codes.Unauthenticated, core.CodeCredentialMissing},
		{"covers the body", "Unary", func(m string) context.Context { return signed(t, m, core.PayloadHashed, text("one")) }, codes.Unauthenticated, core.CodePayloadUnsupported},
		{"declares the body", "Unary", func(m string) context.Context { return signed(t, m, core.PayloadDeclared, text("one")) }, codes.Unauthenticated, core.CodePayloadUnsupported},
		{"declares the body", "Chat", func(m string) context.Context { return signed(t, m, core.PayloadDeclared, text("one")) }, codes.Unauthenticated, core.CodePayloadUnsupported},
	} {
		runs.Store(0)
		ctx := metadata.AppendToOutgoingContext(tt.ctx(echo+tt.method), "x-apig-identity", "root", "x-other", "kept")
		err := exchange(ctx, conn, echo+tt.method, messages)
		wantCode(t, tt.name+", "+tt.method, err, tt.want)
		if tt.want != codes.OK {
			constant(t, tt.name, err, tt.want)
		}
		if got := j.codes(); !slices.Equal(got, []core.Code{tt.verdict}) || (runs.Load() == 1) != (tt.want == codes.OK) {
			t.Errorf("%s, %s: got verdicts %v and %d runs, want %q", tt.name, tt.method, got, runs.Load(), tt.verdict)
		}
	}
}

// TestTapDeadlines: no memory of refused calls is kept until their deadline.
func TestTapDeadlines(t *testing.T) {
	v, j := verifier(t, allowUnsigned)
	listener := listen(t)
	server := serve(listener, readAll, grpcauth.TapServerOptions(v)...)
	t.Cleanup(server.Stop)
	conn := dial(t, listener)
	refused := func(calls int) {
		for range calls {
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			for _, method := range []string{"Unary", "Chat"} {
				wantCode(t, method, exchange(ctx, conn, echo+method, []*bytesValue{text("one")}), codes.Unauthenticated)
			}
			cancel()
		}
		j.codes()
	}
	held := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapObjects
	}
	refused(50)
	const calls = 500
	before := held()
	refused(calls)
	if after := held(); after > before+calls {
		t.Errorf("%d objects are in memory after %d refused calls", after-before, 2*calls)
	}
}

// TestTapServeHTTP: if gRPC does not run the tap handle, the interceptors verify every
// call.
func TestTapServeHTTP(t *testing.T) {
	v, j := verifier(t, allowUnsigned)
	var runs atomic.Int32
	server := grpc.NewServer(grpcauth.TapServerOptions(v)...)
	server.RegisterService(echoService(func(ctx context.Context, receive func() ([]byte, error)) error {
		runs.Add(1)
		return readAll(ctx, receive)
	}), nil)
	listener := listen(t)
	front := &http.Server{Handler: server, Protocols: new(http.Protocols)}
	front.Protocols.SetUnencryptedHTTP2(true)
	go front.Serve(listener)
	t.Cleanup(func() { front.Close(); server.Stop() })
	signing := func(payload core.Payload) http.RoundTripper {
		return &signer.Transport{Signer: apig.NewSigner(key, apig.SignOptions{Payload: payload}), Base: h2c(t)}
	}
	for _, method := range []string{"Unary", "Chat"} {
		for name, tt := range map[string]struct {
			transport http.RoundTripper
			status    string
			verdict   core.Code
		}{
			"unsigned call":    {h2c(t), "16", core.CodeCredentialMissing},
			"unsigned payload": {signing(core.PayloadUnsigned), "0", ""},
			"signed payload":   {signing(core.PayloadHashed), "16", core.CodePayloadUnsupported},
		} {
			runs.Store(0)
			got := post(t, tt.transport, listener.Addr().String(), method, nil, frame(t, 0, text("one")))
			if verdicts := j.codes(); got != tt.status || !slices.Equal(verdicts, []core.Code{tt.verdict}) || (runs.Load() == 1) != (tt.status == "0") {
				t.Errorf("%s, %s: got status %s, verdicts %v, %d runs; want %s, %q", name, method, got, verdicts, runs.Load(), tt.status, tt.verdict)
			}
		}
	}
}

// TestTapOfAnotherVerifier: a second verifier also verifies the calls that the first one
// accepts.
func TestTapOfAnotherVerifier(t *testing.T) {
	first, _ := verifier(t, allowUnsigned)
	second, _ := verifier(t, func(c *core.Config) {
		c.Schemes, c.APIs, c.Default = schemes(core.Key{Name: "k2", ID: "other", Secret: key.Secret}), nil, "k2"
	})
	conn := start(t, readAll, append(grpcauth.TapServerOptions(first), grpcauth.TapServerOptions(second)[1:]...)...)
	err := exchange(signed(t, echo+"Unary", core.PayloadUnsigned), conn, echo+"Unary", []*bytesValue{text("one")})
	wantCode(t, "behind two verifiers", err, codes.Unauthenticated)
}

// TestTapReport: in report mode every call continues.
func TestTapReport(t *testing.T) {
	v, j := verifier(t, func(c *core.Config) { c.Mode = core.Report })
	var identified atomic.Bool
	conn := start(t, func(ctx context.Context, receive func() ([]byte, error)) error {
		_, ok := core.FromContext(ctx)
		identified.Store(ok)
		return readAll(ctx, receive)
	}, grpcauth.TapServerOptions(v)...)
	err := exchange(t.Context(), conn, echo+"Unary", []*bytesValue{text("one")})
	if got := j.codes(); err != nil || identified.Load() || !slices.Equal(got, []core.Code{core.CodeCredentialMissing}) {
		t.Errorf("got %v, identity %v, verdicts %v", err, identified.Load(), got)
	}
}
