package grpcauth_test

import (
	"slices"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/grpcauth"
)

// TestDrainedStreams_T174: the verifier does not get messages that an interceptor in
// front has received, so it refuses a credential that covers the body of such a stream.
// It accepts a stream without messages.
func TestDrainedStreams_T174(t *testing.T) {
	receiving := func(n int) grpc.ServerOption {
		return grpc.ChainStreamInterceptor(func(srv any, s grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
			for range n {
				if err := s.RecvMsg(new(bytesValue)); err != nil {
					return err
				}
			}
			return next(srv, s)
		})
	}
	for _, tt := range []struct {
		name     string
		inFront  int // messages received by an interceptor in front
		payload  core.Payload
		signed   []*bytesValue
		sent     []*bytesValue
		want     codes.Code
		mismatch bool
	}{
		{"no messages", 0, core.PayloadDeclared, nil, nil, codes.OK, false},
		{"one added, and received in front", 1, core.PayloadDeclared, nil, []*bytesValue{text("amount=900")}, codes.Unauthenticated, true},
		{"one in front of those that were signed", 1, core.PayloadDeclared, []*bytesValue{text("b")}, []*bytesValue{text("a"), text("b")}, codes.Unauthenticated, true},
		{"all received in front", 2, core.PayloadDeclared, nil, []*bytesValue{text("a"), text("b")}, codes.Unauthenticated, true},
		{"an empty one received in front", 1, core.PayloadDeclared, nil, []*bytesValue{text("")}, codes.Unauthenticated, true},
		{"not covered", 1, core.PayloadUnsigned, nil, []*bytesValue{text("a"), text("b")}, codes.OK, false},
	} {
		v, j := verifier(t, allowUnsigned)
		conn := start(t, readAll, append([]grpc.ServerOption{receiving(tt.inFront)}, grpcauth.ServerOptions(v)...)...)
		messages := func(list []*bytesValue) (all []proto.Message) {
			for _, m := range list {
				all = append(all, m)
			}
			return all
		}
		err := exchange(signed(t, echo+"Chat", tt.payload, messages(tt.signed)...), conn, echo+"Chat", tt.sent)
		wantCode(t, tt.name, err, tt.want)
		if got := j.codes(); slices.Contains(got, core.CodeBodyMismatch) != tt.mismatch {
			t.Errorf("%s: got verdicts %v, want body_mismatch %v", tt.name, got, tt.mismatch)
		}
	}
}
