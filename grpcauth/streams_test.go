package grpcauth_test

import (
	"context"
	"io"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/grpcauth"
)

// passing receives messages and passes on others.
type passing struct{ grpc.ServerStream }

func (p passing) RecvMsg(m any) error {
	received := new(bytesValue)
	if err := p.ServerStream.RecvMsg(received); err != nil {
		return err
	}
	proto.Merge(m.(proto.Message), text("other than "+string(received.Value)))
	return nil
}

// TestOtherMessageOfAStream_T221: an interceptor in front of the verifier passes on other
// messages than those that it has received.
func TestOtherMessageOfAStream_T221(t *testing.T) {
	v, _ := verifier(t, nil)
	conn := start(t, func(_ context.Context, receive func() ([]byte, error)) error {
		for {
			if _, err := receive(); err == io.EOF {
				return nil
			} else if err != nil {
				return err
			}
		}
	}, append([]grpc.ServerOption{grpc.ChainStreamInterceptor(func(srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
		return next(srv, passing{ss})
	})}, grpcauth.ServerOptions(v)...)...)
	ctx := signed(t, echo+"Chat", core.PayloadDeclared, text("one"), text("two"))
	if err := exchange(ctx, conn, echo+"Chat", []*bytesValue{text("one"), text("two")}); status.Code(err) != codes.Unauthenticated {
		t.Errorf("got %v, want Unauthenticated", err)
	}
}

// success is an error to Go, and success to gRPC.
type success struct{}

func (success) Error() string              { return "done" }
func (success) GRPCStatus() *status.Status { return status.New(codes.OK, "") }

// TestEarlySuccess_T284: a handler that returns success, in either form, before it has
// received the end of a stream.
func TestEarlySuccess_T284(t *testing.T) {
	for name, result := range map[string]error{"nil": nil, "an error whose status is OK": success{}} {
		v, _ := verifier(t, nil)
		conn := start(t, func(_ context.Context, receive func() ([]byte, error)) error {
			if _, err := receive(); err != nil {
				return err
			}
			return result // acts on the first message, which is another one than was signed
		}, grpcauth.ServerOptions(v)...)
		ctx := signed(t, echo+"Chat", core.PayloadDeclared, text("pay 1"), text("pay 2"))
		if err := exchange(ctx, conn, echo+"Chat", []*bytesValue{text("pay 9"), text("pay 2")}); status.Code(err) != codes.Unauthenticated {
			t.Errorf("%s: got %v, want Unauthenticated", name, err)
		}
	}
}
