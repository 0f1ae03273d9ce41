package grpcauth

import (
	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
)

// Bodies is the codec and stats handler of ServerOptions, alone.
type Bodies = bodies

// NewBodies returns the parts of [ServerOptions] that keep bytes, and what
// holds them.
func NewBodies() (*Bodies, []grpc.ServerOption) {
	b := &bodies{CodecV2: encoding.GetCodecV2("proto")}
	return b, []grpc.ServerOption{grpc.ForceServerCodecV2(b), grpc.StatsHandler(b)}
}

// Held counts the messages whose bytes wait for their call.
func (b *bodies) Held() (n int) {
	b.decoded.Range(func(any, any) bool { n++; return true })
	return n
}
