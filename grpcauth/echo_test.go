package grpcauth_test

import (
	"context"
	"io"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/coretest"
	"github.com/gatewayauth/gatewayauth/grpcauth"
)

const echo = "/gatewayauth.coretest.Echo/"

type bytesValue = wrapperspb.BytesValue

// echoService is the service of the conformance suite, without generated code.
func echoService(handle coretest.GRPCHandler) *grpc.ServiceDesc {
	unary := func(method string) grpc.MethodDesc {
		return grpc.MethodDesc{MethodName: method, Handler: func(_ any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
			in := new(bytesValue)
			if err := decode(in); err != nil {
				return nil, err
			}
			run := func(ctx context.Context, request any) (any, error) {
				err := io.EOF
				return new(bytesValue), handle(ctx, func() ([]byte, error) {
					if err == nil {
						return nil, io.EOF
					}
					err = nil
					return request.(*bytesValue).Value, nil
				})
			}
			if intercept == nil {
				return run(ctx, in)
			}
			return intercept(ctx, in, &grpc.UnaryServerInfo{FullMethod: echo + method}, run)
		}}
	}
	stream := func(method string, client, server bool) grpc.StreamDesc {
		return grpc.StreamDesc{StreamName: method, ClientStreams: client, ServerStreams: server, Handler: func(_ any, s grpc.ServerStream) error {
			ended := false
			err := handle(s.Context(), func() ([]byte, error) {
				in := new(bytesValue)
				if ended {
					return nil, io.EOF
				}
				err := s.RecvMsg(in)
				ended = !client
				return in.Value, err
			})
			if err != nil {
				return err
			}
			return s.SendMsg(new(bytesValue))
		}}
	}
	return &grpc.ServiceDesc{ServiceName: "gatewayauth.coretest.Echo", HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{unary("Unary"), unary("Open")},
		Streams: []grpc.StreamDesc{stream("Upload", true, false), stream("Watch", false, true), stream("Chat", true, true)}}
}

// serve starts a server with these options and the service of the suite.
func serve(listener net.Listener, handle coretest.GRPCHandler, options ...grpc.ServerOption) *grpc.Server {
	server := grpc.NewServer(append(options, grpc.WaitForHandlers(true))...)
	server.RegisterService(echoService(handle), nil)
	go server.Serve(listener)
	return server
}

func serveVerified(v *core.Verifier, listener net.Listener, handle coretest.GRPCHandler) func() {
	return serve(listener, handle, grpcauth.ServerOptions(v)...).Stop
}
