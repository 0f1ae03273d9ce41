package grpcauth

import (
	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
)

// Bodies is the codec and stats handler of ServerOptions.
type Bodies = bodies

// NewBodies returns the Bodies that keep the bytes of messages, and the options that
// install them.
func NewBodies() (*Bodies, []grpc.ServerOption) {
	b := &bodies{CodecV2: encoding.GetCodecV2("proto")}
	return b, []grpc.ServerOption{grpc.ForceServerCodecV2(b), grpc.StatsHandler(b)}
}

// Held returns the number of messages whose bytes are kept.
func (b *bodies) Held() (n int) {
	b.decoded.Range(func(any, any) bool { n++; return true })
	return n
}
