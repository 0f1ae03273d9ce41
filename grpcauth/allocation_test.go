//go:build !race

package grpcauth_test

import (
	"context"
	"io"
	"net"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/tap"
	"google.golang.org/protobuf/proto"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/grpcauth"
)

// With the race detector, pools drop values, so this file is excluded.

// uncompressed is the stream of a call without grpc-encoding.
type uncompressed struct{ grpc.ServerTransportStream }

func (uncompressed) RecvCompress() string { return "" }

// TestAllocations_T223: what this package adds to a call allocates memory exactly so often,
// the message included. The test calls the codec, the interceptor and the tap handle as gRPC does.
func TestAllocations_T223(t *testing.T) {
	v, _ := verifier(t, func(c *core.Config) { c.AllowUnsignedPayload, c.Observers = true, nil })
	bodies := grpcauth.NewBodiesOf(anything{})
	message := text("one")
	encoded, err := proto.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	data := mem.BufferSlice{mem.SliceBuffer(encoded)}
	received := func(payload core.Payload) context.Context {
		ctx := peer.NewContext(incoming(signed(t, echo+"Unary", payload, message), "content-type", "application/grpc", "user-agent", "grpc-go"),
			&peer.Peer{Addr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4000}})
		return grpc.NewContextWithServerTransportStream(ctx, uncompressed{})
	}
	ran, info := 0, &grpc.UnaryServerInfo{FullMethod: echo + "Unary"}
	handler := func(ctx context.Context, _ any) (any, error) {
		if _, ok := core.FromContext(ctx); ok {
			ran++
		}
		return nil, nil
	}
	unary, tapped := bodies.UnaryInterceptor(v), grpcauth.TapHandle(v)
	intercepted := func(ctx context.Context) func() {
		return func() {
			in := new(bytesValue)
			bodies.Unmarshal(data, in)
			unary(ctx, in, info, handler)
		}
	}
	unsigned := received(core.PayloadUnsigned)
	md, _ := metadata.FromIncomingContext(unsigned)
	for _, tt := range []struct {
		name string
		call func()
		want float64
	}{
		{"hashed", intercepted(received(core.PayloadHashed)), 15},
		{"declared", intercepted(received(core.PayloadDeclared)), 15},
		{"unsigned", intercepted(unsigned), 12},
		{"tap handle", func() {
			ctx, err := tapped(unsigned, &tap.Info{FullMethodName: echo + "Unary", Header: md})
			if err == nil {
				handler(ctx, nil)
			}
		}, 8},
	} {
		const runs = 100
		ran = 0
		if got := testing.AllocsPerRun(runs, tt.call); got != tt.want || ran != runs+1 {
			t.Errorf("%s: got %v allocations, want %v; %d of %d calls were verified", tt.name, got, tt.want, ran, runs+1)
		}
	}
}

// messages is a stream that receives the same message several times.
type messages struct {
	grpc.ServerStream
	ctx    context.Context
	bodies *grpcauth.Bodies
	data   mem.BufferSlice
	left   int
}

func (m *messages) Context() context.Context { return m.ctx }

func (m *messages) RecvMsg(message any) error {
	if m.left--; m.left < 0 {
		return io.EOF
	}
	return m.bodies.Unmarshal(m.data, message)
}

// TestStreamAllocations_T281: a message of a verified stream allocates exactly so often, the
// message included.
func TestStreamAllocations_T281(t *testing.T) {
	v, _ := verifier(t, func(c *core.Config) { c.AllowUnsignedPayload, c.Observers = true, nil })
	bodies := grpcauth.NewBodiesOf(anything{})
	encoded, err := proto.Marshal(text("one"))
	if err != nil {
		t.Fatal(err)
	}
	data := mem.BufferSlice{mem.SliceBuffer(encoded)}
	verify, info := bodies.StreamInterceptor(grpcauth.StreamServerInterceptor(v)), &grpc.StreamServerInfo{FullMethod: echo + "Streamed", IsClientStream: true}
	for payload, want := range map[core.Payload]float64{core.PayloadUnsigned: 3, core.PayloadDeclared: 4} {
		of := func(n int) float64 {
			sent := make([]proto.Message, n)
			for i := range sent {
				sent[i] = text("one")
			}
			ctx := grpc.NewContextWithServerTransportStream(incoming(signed(t, echo+"Streamed", payload, sent...)), uncompressed{})
			return testing.AllocsPerRun(100, func() {
				received := 0
				err := verify(nil, &messages{ctx: ctx, bodies: bodies, data: data, left: n}, info, func(_ any, s grpc.ServerStream) error {
					for {
						switch err := s.RecvMsg(new(bytesValue)); err {
						case nil:
							received++
						case io.EOF:
							return nil
						default:
							return err
						}
					}
				})
				if err != nil || received != n {
					t.Errorf("payload %v: received %d of %d messages, error %v", payload, received, n, err)
				}
			})
		}
		if got := (of(150) - of(50)) / 100; got != want {
			t.Errorf("payload %v: got %v allocations for each message, want %v", payload, got, want)
		}
	}
}
