package grpcauth_test

import (
	"context"
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/grpcauth"
)

var chat = &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}

// exchange sends messages on a stream and returns how it ended.
func exchange(ctx context.Context, conn *grpc.ClientConn, method string, messages []*bytesValue, options ...grpc.CallOption) error {
	stream, err := conn.NewStream(ctx, chat, method, options...)
	if err != nil {
		return err
	}
	for _, m := range messages {
		if stream.SendMsg(m) != nil {
			break // RecvMsg returns the error
		}
	}
	stream.CloseSend()
	for {
		switch err := stream.RecvMsg(new(bytesValue)); {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}

// TestUnknownBytes: if the bytes of a body are not available, a credential that covers
// the body is refused with payload_unsupported, and one with an unsigned payload is
// accepted.
func TestUnknownBytes(t *testing.T) {
	message := text(strings.Repeat("compressible ", 100))
	alone := func(v *core.Verifier) []grpc.ServerOption {
		return []grpc.ServerOption{grpc.UnaryInterceptor(grpcauth.UnaryServerInterceptor(v)), grpc.StreamInterceptor(grpcauth.StreamServerInterceptor(v))}
	}
	whole := func(v *core.Verifier) []grpc.ServerOption { return grpcauth.ServerOptions(v) }
	codecBehind := func(v *core.Verifier) []grpc.ServerOption {
		return append(whole(v), grpc.ForceServerCodecV2(encoding.GetCodecV2("proto")))
	}
	for _, tt := range []struct {
		name    string
		options func(*core.Verifier) []grpc.ServerOption
		call    []grpc.CallOption
	}{
		{"compressed", whole, []grpc.CallOption{grpc.UseCompressor(gzip.Name)}},
		{"interceptors without ServerOptions", alone, nil},
		{"another codec behind ServerOptions", codecBehind, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, j := verifier(t, allowUnsigned)
			conn := start(t, readAll, tt.options(v)...)
			for _, payload := range []core.Payload{core.PayloadHashed, core.PayloadDeclared} {
				err := conn.Invoke(signed(t, echo+"Unary", payload, message), echo+"Unary", message, new(bytesValue), tt.call...)
				wantCode(t, "unary, "+payload.String(), err, codes.Unauthenticated)
				if got := j.codes(); !slices.Equal(got, []core.Code{core.CodePayloadUnsupported}) {
					t.Errorf("unary, %v: got verdicts %v, want %v", payload, got, core.CodePayloadUnsupported)
				}
				err = exchange(signed(t, echo+"Chat", payload, message), conn, echo+"Chat", []*bytesValue{message}, tt.call...)
				wantCode(t, "stream, "+payload.String(), err, codes.Unauthenticated)
				j.codes()
			}
			// Unknown messages are not the same as no messages.
			err := exchange(signed(t, echo+"Chat", core.PayloadDeclared), conn, echo+"Chat", []*bytesValue{message}, tt.call...)
			wantCode(t, "stream, the digest of nothing", err, codes.Unauthenticated)
			err = conn.Invoke(signed(t, echo+"Unary", core.PayloadUnsigned), echo+"Unary", message, new(bytesValue), tt.call...)
			wantCode(t, "unary, unsigned", err, codes.OK)
			err = exchange(signed(t, echo+"Chat", core.PayloadUnsigned), conn, echo+"Chat", []*bytesValue{message, message}, tt.call...)
			wantCode(t, "stream, unsigned", err, codes.OK)
		})
	}
}

// TestReportModeContinues: in report mode a stream whose digest cannot be compared
// continues, and is reported.
func TestReportModeContinues(t *testing.T) {
	for _, mode := range []core.Mode{core.Enforce, core.Report} {
		v, j := verifier(t, func(c *core.Config) { c.Mode = mode })
		conn := start(t, func(_ context.Context, receive func() ([]byte, error)) error {
			_, err := receive() // the handler does not receive to the end
			return err
		}, grpcauth.ServerOptions(v)...)
		err := exchange(signed(t, echo+"Upload", core.PayloadDeclared, text("one"), text("two")), conn, echo+"Upload", []*bytesValue{text("one"), text("two")})
		if got := j.codes(); (err == nil) != (mode == core.Report) || !slices.Contains(got, core.CodeBodyMismatch) {
			t.Errorf("%v: got %v, verdicts %v", mode, err, got)
		}
		// The bytes of the messages are not known.
		conn = start(t, readAll, append(grpcauth.ServerOptions(v), grpc.ForceServerCodecV2(encoding.GetCodecV2("proto")))...)
		err = exchange(signed(t, echo+"Upload", core.PayloadDeclared, text("one"), text("two")), conn, echo+"Upload", []*bytesValue{text("one"), text("two")})
		if got := j.codes(); (err == nil) != (mode == core.Report) || !slices.Contains(got, core.CodePayloadUnsupported) {
			t.Errorf("%v, unknown bytes: got %v, verdicts %v", mode, err, got)
		}
	}
}

// TestDeclaredWhereAPIsStream: for an API with Stream, the declared digest of a unary
// call is still compared before the handler runs.
func TestDeclaredWhereAPIsStream(t *testing.T) {
	for _, mode := range []core.Mode{core.Enforce, core.Report} {
		v, j := verifier(t, func(c *core.Config) {
			c.Mode = mode
			c.APIs = []core.API{{Match: "POST " + echo + "{method}", Key: "k1", Stream: true}}
		})
		for name, options := range map[string][]grpc.ServerOption{"interceptors": grpcauth.ServerOptions(v), "tap": grpcauth.TapServerOptions(v)} {
			var runs atomic.Int32
			conn := start(t, func(ctx context.Context, receive func() ([]byte, error)) error {
				runs.Add(1)
				return readAll(ctx, receive)
			}, options...)
			for _, method := range []string{"Unary", "Watch", "Upload"} {
				for _, sent := range []string{"one", "two"} {
					runs.Store(0)
					right := sent == "one" && name != "tap" // a tap handle has no body to compare
					err := exchange(signed(t, echo+method, core.PayloadDeclared, text("one")), conn, echo+method, []*bytesValue{text(sent)})
					verdicts := j.codes()
					refused := slices.ContainsFunc(verdicts, func(c core.Code) bool { return c != "" })
					switch {
					case refused == right, (err == nil) != (right || mode == core.Report):
						t.Errorf("%v, %s, %s with %q: got %v, verdicts %v", mode, name, method, sent, err, verdicts)
					case !right && mode == core.Enforce && method == "Unary" && runs.Load() > 0:
						t.Errorf("%s, %s with %q: the handler ran", name, method, sent)
					}
				}
			}
		}
	}
}

// TestBodiesAreReleased_T220: the bytes of messages are released after a call, however it
// ends.
func TestBodiesAreReleased_T220(t *testing.T) {
	message := text("one")
	v, _ := verifier(t, allowUnsigned)
	refuse := status.Error(codes.FailedPrecondition, "refused in front")
	interceptors := func(b *grpcauth.Bodies) []grpc.ServerOption {
		return []grpc.ServerOption{grpc.ChainUnaryInterceptor(b.UnaryInterceptor(v)), grpc.ChainStreamInterceptor(grpcauth.StreamServerInterceptor(v))}
	}
	for _, tt := range []struct {
		name    string
		options func(*grpcauth.Bodies) []grpc.ServerOption
		handle  func(context.Context, func() ([]byte, error)) error
		want    codes.Code
		call    []grpc.CallOption
	}{
		{name: "verified", options: interceptors, handle: readAll},
		{name: "no interceptors", handle: readAll},
		{name: "compressed", options: interceptors, handle: readAll, call: []grpc.CallOption{grpc.UseCompressor(gzip.Name)}, want: codes.Unauthenticated},
		{name: "an interceptor in front that refuses", want: codes.FailedPrecondition, handle: readAll, options: func(b *grpcauth.Bodies) []grpc.ServerOption {
			return append([]grpc.ServerOption{
				grpc.UnaryInterceptor(func(context.Context, any, *grpc.UnaryServerInfo, grpc.UnaryHandler) (any, error) { return nil, refuse }),
				grpc.ChainStreamInterceptor(func(_ any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, _ grpc.StreamHandler) error {
					ss.RecvMsg(new(bytesValue))
					ss.RecvMsg(new(bytesValue))
					return refuse
				})}, interceptors(b)...)
		}},
		{name: "a handler that fails", options: interceptors, want: codes.FailedPrecondition,
			handle: func(_ context.Context, receive func() ([]byte, error)) error { receive(); return refuse }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bodies, options := grpcauth.NewBodies()
			listener := listen(t)
			if tt.options != nil {
				options = append(options, tt.options(bodies)...)
			}
			server := serve(listener, tt.handle, options...)
			conn := dial(t, listener)
			for _, payload := range []core.Payload{core.PayloadHashed, core.PayloadDeclared} {
				err := conn.Invoke(signed(t, echo+"Unary", payload, message), echo+"Unary", message, new(bytesValue), tt.call...)
				wantCode(t, "unary", err, tt.want)
			}
			for _, messages := range [][]*bytesValue{{message}, {message, message, message}} {
				exchange(signed(t, echo+"Chat", core.PayloadUnsigned), conn, echo+"Chat", messages)
				exchange(signed(t, echo+"Chat", core.PayloadDeclared, message), conn, echo+"Chat", messages)
				exchange(signed(t, echo+"Watch", core.PayloadDeclared, message), conn, echo+"Watch", messages)
				exchange(signed(t, echo+"Unary", core.PayloadHashed, message), conn, echo+"Unary", messages)
			}
			conn.Invoke(signed(t, echo+"Unary", core.PayloadHashed), echo+"Unary", message, new(bytesValue), grpc.ForceCodecV2(garbage{}))
			for _, method := range []string{"Unary", "Watch", "Chat"} { // all messages at once
				raw(t, listener.Addr().String(), method, nil, strings.Repeat("\x00\x00\x00\x00\x03\x0a\x01x", 5))
			}
			ctx, cancel := context.WithCancel(signed(t, echo+"Chat", core.PayloadUnsigned))
			if stream, err := conn.NewStream(ctx, chat, echo+"Chat"); err == nil {
				stream.SendMsg(message)
			}
			cancel()
			server.Stop()
			released(t, bodies)
		})
	}
}

// released fails the test unless the bytes of all messages are released when the garbage
// collector has run.
func released(t *testing.T, bodies *grpcauth.Bodies) {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); bodies.Held() > 0; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("the bytes of %d messages are in memory after all calls, want none", bodies.Held())
		}
		runtime.GC()
	}
}

// garbage is a codec whose messages cannot be decoded.
type garbage struct{}

func (garbage) Name() string                         { return "proto" }
func (garbage) Unmarshal(mem.BufferSlice, any) error { return errors.New("not asked for") }
func (garbage) Marshal(any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer("\xff\xff\xff")}, nil
}

// TestCodecOption: WithCodec accepts any codec, also one for messages that are not
// pointers.
func TestCodecOption(t *testing.T) {
	v, _ := verifier(t, nil)
	listener := listen(t)
	desc := &grpc.ServiceDesc{ServiceName: "maps", HandlerType: (*any)(nil), Streams: []grpc.StreamDesc{{StreamName: "Fill", ClientStreams: true,
		Handler: func(_ any, s grpc.ServerStream) error {
			m := map[string]string{}
			if err := s.RecvMsg(m); err != nil {
				return err
			}
			return s.SendMsg(m)
		}}}}
	server := grpc.NewServer(append(grpcauth.ServerOptions(v, grpcauth.WithCodec(mapCodec{})), grpc.WaitForHandlers(true))...)
	server.RegisterService(desc, nil)
	go server.Serve(listener)
	defer server.Stop()
	err := exchange(signed(t, "/maps/Fill", core.PayloadDeclared, text("x")), dial(t, listener), "/maps/Fill", []*bytesValue{text("x")})
	wantCode(t, "a map as a message", err, codes.Unauthenticated)
}

// mapCodec decodes into maps.
type mapCodec struct{}

func (mapCodec) Name() string { return "map" }
func (mapCodec) Marshal(any) (mem.BufferSlice, error) {
	return nil, nil
}
func (mapCodec) Unmarshal(data mem.BufferSlice, m any) error {
	m.(map[string]string)["data"] = string(data.Materialize())
	return nil
}

// TestTwoMessagesInAUnaryCall: two messages in a unary call are refused. gRPC's client
// cannot send them.
func TestTwoMessagesInAUnaryCall(t *testing.T) {
	v, _ := verifier(t, nil)
	bodies, options := grpcauth.NewBodies()
	listener := listen(t)
	ran := false
	server := serve(listener, func(context.Context, func() ([]byte, error)) error { ran = true; return nil },
		append(options, grpc.UnaryInterceptor(bodies.UnaryInterceptor(v)))...)
	frame := "\x00\x00\x00\x00\x03\x0a\x01x"
	got := raw(t, listener.Addr().String(), "Unary", nil, frame+frame)
	server.Stop()
	if got != "13" || ran {
		t.Errorf("got status %s, handler ran %v; want gRPC's Internal, and no run", got, ran)
	}
	released(t, bodies)
}
