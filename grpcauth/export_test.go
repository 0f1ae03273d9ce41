package grpcauth

import (
	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/tap"

	"github.com/gatewayauth/gatewayauth/core"
)

// Bodies is the codec of ServerOptions.
type Bodies = bodies

// NewBodies returns the Bodies that keep the bytes of messages, and the options that
// install them.
func NewBodies() (*Bodies, []grpc.ServerOption) {
	b := newBodies(encoding.GetCodecV2("proto"))
	return b, b.options()
}

// NewBodiesOf returns the Bodies for a codec.
func NewBodiesOf(codec encoding.CodecV2) *Bodies { return newBodies(codec) }

// Knows takes the bytes of a message and reports whether they were known.
func (b *bodies) Knows(message any) bool { return b.take(message) != nil }

// Held returns the number of messages whose bytes are kept.
func (b *bodies) Held() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.kept)
}

// UnaryInterceptor returns the interceptor of ServerOptions.
func (b *bodies) UnaryInterceptor(v *core.Verifier) grpc.UnaryServerInterceptor {
	return b.unaryInterceptor(v)
}

// StreamInterceptor returns the interceptor of ServerOptions that runs first, with next
// behind it.
func (b *bodies) StreamInterceptor(next grpc.StreamServerInterceptor) grpc.StreamServerInterceptor {
	return func(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		return b.streamInterceptor(srv, ss, info, func(srv any, ss grpc.ServerStream) error { return next(srv, ss, info, handler) })
	}
}

// TapHandle returns the tap handle of TapServerOptions.
func TapHandle(v *core.Verifier) tap.ServerInHandle { return tapHandle(v) }
