package grpcauth_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/grpcauth"
)

// inFront returns the options of a server whose interceptor for unary calls runs before
// those of ServerOptions.
func inFront(v *core.Verifier, interceptor grpc.UnaryServerInterceptor) []grpc.ServerOption {
	return append(grpcauth.ServerOptions(v), grpc.UnaryInterceptor(interceptor))
}

// TestOtherMessage_T221: a credential that covers the body of a unary call is accepted only
// for the message that was decoded from it.
func TestOtherMessage_T221(t *testing.T) {
	type unary = func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error)
	for name, tt := range map[string]struct {
		front   unary
		covered codes.Code // of a call whose credential covers the body
	}{
		"the received message": {func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			return next(ctx, req)
		}, codes.OK},
		"another message": {func(ctx context.Context, _ any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			return next(ctx, text("two"))
		}, codes.Unauthenticated},
		"a copy": {func(ctx context.Context, _ any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			return next(ctx, text("one"))
		}, codes.Unauthenticated},
		"the message twice": {func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			if response, err := next(ctx, req); err != nil {
				return response, err
			}
			return next(ctx, req)
		}, codes.Unauthenticated},
		"a stream that does not tell its compression": {func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			return next(grpc.NewContextWithServerTransportStream(ctx, quiet{grpc.ServerTransportStreamFromContext(ctx)}), req)
		}, codes.Unauthenticated},
		"other metadata": {func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			md, _ := metadata.FromIncomingContext(ctx)
			md.Set("x-sdk-date", "20260101T000000Z")
			return next(metadata.NewIncomingContext(ctx, md), req)
		}, codes.Unauthenticated},
	} {
		t.Run(name, func(t *testing.T) {
			v, j := verifier(t, allowUnsigned)
			conn := start(t, readAll, inFront(v, tt.front)...)
			for _, payload := range []core.Payload{core.PayloadHashed, core.PayloadDeclared} {
				err := conn.Invoke(signed(t, echo+"Unary", payload, text("one")), echo+"Unary", text("one"), new(bytesValue))
				wantCode(t, payload.String(), err, tt.covered)
				if got := j.codes(); slices.Contains(got, core.CodeBodyMismatch) {
					t.Errorf("%v: got verdicts %v: bytes were compared that are not the message's", payload, got)
				}
			}
			if name != "other metadata" {
				err := conn.Invoke(signed(t, echo+"Unary", core.PayloadUnsigned), echo+"Unary", text("one"), new(bytesValue))
				wantCode(t, "unsigned", err, codes.OK)
			}
		})
	}
}

// quiet is a stream of a transport that has only the methods of the interface.
type quiet struct{ grpc.ServerTransportStream }

// TestReusedMessage_T221: if the memory of a message is used again, the bytes of the earlier
// call are not taken for those of the later one.
func TestReusedMessage_T221(t *testing.T) {
	v, _ := verifier(t, nil)
	message := new(bytesValue)
	var refuse atomic.Bool
	var got atomic.Value
	desc := &grpc.ServiceDesc{ServiceName: "pooled", HandlerType: (*any)(nil), Methods: []grpc.MethodDesc{{MethodName: "Call",
		Handler: func(_ any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
			decode(message) // a handler that ignores the error
			return intercept(ctx, message, &grpc.UnaryServerInfo{FullMethod: "/pooled/Call"}, func(_ context.Context, req any) (any, error) {
				got.Store(string(req.(*bytesValue).Value))
				return new(bytesValue), nil
			})
		}}}}
	listener := listen(t)
	server := grpc.NewServer(append(inFront(v, func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		if refuse.Load() {
			return nil, status.Error(codes.ResourceExhausted, "refused in front")
		}
		return next(ctx, req)
	}), grpc.WaitForHandlers(true))...)
	server.RegisterService(desc, nil)
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	conn := dial(t, listener)
	call := func(signedText, sent string, refused bool, options ...grpc.CallOption) error {
		refuse.Store(refused)
		got.Store("")
		return conn.Invoke(signed(t, "/pooled/Call", core.PayloadHashed, text(signedText)), "/pooled/Call", text(sent), new(bytesValue), options...)
	}
	wantCode(t, "refused in front", call("one", "one", true), codes.ResourceExhausted)
	wantCode(t, "another message with the first one's signature", call("one", "two", false), codes.Unauthenticated)
	wantCode(t, "refused in front", call("one", "one", true), codes.ResourceExhausted)
	if err := call("one", "", false, grpc.ForceCodecV2(garbage{})); err == nil || got.Load() != "" {
		t.Errorf("garbage with the first one's signature: got %v, and the handler ran with %q", err, got.Load())
	}
	wantCode(t, "refused in front", call("one", "one", true), codes.ResourceExhausted)
	wantCode(t, "its own signature", call("two", "two", false), codes.OK)
	if got.Load() != "two" {
		t.Errorf("the handler got %q, want two", got.Load())
	}
}

// sized is a message whose first field has its address.
type sized struct {
	first bytesValue
	rest  int
}

// anything is a codec that decodes nothing.
type anything struct{ garbage }

func (anything) Unmarshal(mem.BufferSlice, any) error { return nil }

// TestIdentityOfMessages_T221: bytes are known only for the message itself, not for one
// with the same address.
func TestIdentityOfMessages_T221(t *testing.T) {
	bodies, data := grpcauth.NewBodiesOf(anything{}), mem.BufferSlice{mem.SliceBuffer("data")}
	whole := &sized{rest: 1}
	bodies.Unmarshal(data, whole)
	if bodies.Knows(&whole.first) {
		t.Error("the first field of a message is taken for the message")
	}
	if !bodies.Knows(whole) || bodies.Knows(whole) {
		t.Error("the bytes of a message are not known once")
	}
	for name, message := range map[string]any{"no size": new(struct{}), "a map": map[string]string{}, "nil": nil, "a nil pointer": (*sized)(nil)} {
		bodies.Unmarshal(data, message)
		if bodies.Knows(message) || bodies.Held() > 0 {
			t.Errorf("%s: the bytes are kept of a message that has no address of its own", name)
		}
	}
	const messages = 1000
	for range 20 {
		for range messages {
			bodies.Unmarshal(data, &sized{rest: 2})
		}
		runtime.GC()
		for range messages {
			if bodies.Knows(&sized{rest: 3}) {
				t.Fatal("a new message is taken for one that had its address")
			}
		}
	}
}

// lazy is a codec whose messages are decoded when they are used.
type lazy struct{}

type lazyMessage struct{ data mem.BufferSlice }

func (lazy) Name() string { return "lazy" }
func (lazy) Marshal(m any) (mem.BufferSlice, error) {
	return m.(*lazyMessage).data, nil
}
func (lazy) Unmarshal(data mem.BufferSlice, m any) error {
	data.Ref()
	m.(*lazyMessage).data = data
	return nil
}

// TestLazyCodec_T221: the bytes of a message that is decoded later are verified, and are
// those that the handler decodes.
func TestLazyCodec_T221(t *testing.T) {
	v, _ := verifier(t, nil)
	var got []byte
	desc := &grpc.ServiceDesc{ServiceName: "lazy", HandlerType: (*any)(nil), Methods: []grpc.MethodDesc{{MethodName: "Call",
		Handler: func(_ any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
			in := new(lazyMessage)
			if err := decode(in); err != nil {
				return nil, err
			}
			return intercept(ctx, in, &grpc.UnaryServerInfo{FullMethod: "/lazy/Call"}, func(_ context.Context, req any) (any, error) {
				got = req.(*lazyMessage).data.Materialize()
				return new(lazyMessage), nil
			})
		}}}}
	listener := listen(t)
	server := grpc.NewServer(append(grpcauth.ServerOptions(v, grpcauth.WithCodec(lazy{})), grpc.WaitForHandlers(true))...)
	server.RegisterService(desc, nil)
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	conn := dial(t, listener)
	large := make([]byte, 100_000) // in pooled buffers
	for sent, want := range map[string]codes.Code{string(large): codes.OK, "x" + string(large[1:]): codes.Unauthenticated} {
		got = nil
		message := &lazyMessage{mem.BufferSlice{mem.SliceBuffer(sent)}}
		err := conn.Invoke(signedBytes(t, "/lazy/Call", core.PayloadHashed, large), "/lazy/Call", message, new(lazyMessage), grpc.ForceCodecV2(lazy{}))
		wantCode(t, "a lazy message", err, want)
		if (string(got) == sent) != (want == codes.OK) {
			t.Errorf("the handler got %d bytes", len(got))
		}
	}
}

// TestWithoutCodec_T221: a message that did not come through the codec is refused if the
// credential covers it.
func TestWithoutCodec_T221(t *testing.T) {
	v, _ := verifier(t, allowUnsigned)
	bodies, _ := grpcauth.NewBodies()
	for payload, want := range map[core.Payload]codes.Code{core.PayloadHashed: codes.Unauthenticated, core.PayloadDeclared: codes.Unauthenticated, core.PayloadUnsigned: codes.OK} {
		ctx := incoming(signed(t, echo+"Unary", payload, text("one")))
		_, err := bodies.UnaryInterceptor(v)(ctx, text("one"), &grpc.UnaryServerInfo{FullMethod: echo + "Unary"},
			func(context.Context, any) (any, error) { return nil, nil })
		wantCode(t, payload.String(), err, want)
	}
}

// TestSecondStreamInterceptor_T221: a server does not start with an interceptor that would
// see streams before the bytes of their messages are kept.
func TestSecondStreamInterceptor_T221(t *testing.T) {
	v, _ := verifier(t, nil)
	defer func() {
		if recover() == nil {
			t.Error("the server started")
		}
	}()
	grpc.NewServer(append(grpcauth.ServerOptions(v), grpc.StreamInterceptor(
		func(any, grpc.ServerStream, *grpc.StreamServerInfo, grpc.StreamHandler) error {
			return errors.New("not asked for")
		}))...)
}
