package grpcauth_test

import (
	"context"
	"net"
	"os"
	"os/exec"
	"regexp"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/coretest"
	"github.com/gatewayauth/gatewayauth/grpcauth"
)

// TestConformance runs the suite for the adapter (T113), or for the mutant that the environment
// variable names.
func TestConformance(t *testing.T) {
	serve := coretest.ServeGRPC(serveVerified)
	if name := os.Getenv(mutantVariable); name != "" {
		serve = mutants[name].serve
	}
	coretest.RunGRPC(t, serve)
}

const mutantVariable = "GRPCAUTH_TEST_MUTANT"

// mutants are adapters with one mistake, each with a case that must fail.
var mutants = map[string]struct {
	serve coretest.ServeGRPC
	red   string
}{
	"the handler gets the old context of a stream": {around(nil, func(ss, _ grpc.ServerStream) grpc.ServerStream { return ss }), `T151_bidirectional`},
	"the handler gets the new context, and unchecked messages": {around(nil, func(ss, inner grpc.ServerStream) grpc.ServerStream {
		return withContext{ss, inner.Context()}
	}), `T151_client_stream`},
	"the handler runs after a refusal": {afterRefusal, `T148_the_signature`},
	"nothing is verified":              {only(), `T147_no_credential`},
	"only unary calls are verified":    {only(unaryOnly), `T151_unsigned`},
	"only streams are verified":        {only(streamOnly), `T147_no_credential`},
	"the response has the reason": {around(func(err error) error {
		if status.Code(err) == codes.Unauthenticated {
			return status.Error(codes.Unauthenticated, "the signature is that of another method")
		}
		return err
	}, nil), `T148_the_signature`},
	"all refusals have the same status": {around(func(err error) error {
		if err != nil {
			return status.Error(codes.Internal, "refused")
		}
		return nil
	}, nil), `T150_two_dates`},
}

// TestMutants: the suite fails for each mutant, which runs in its own process.
func TestMutants(t *testing.T) {
	for name, mutant := range mutants {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestConformance$")
			run.Env = append(os.Environ(), mutantVariable+"="+name)
			out, err := run.CombinedOutput()
			if _, failed := err.(*exec.ExitError); !failed || !regexp.MustCompile(`--- FAIL: TestConformance/`+mutant.red).Match(out) {
				t.Errorf("the suite or case %s passes, want it to fail: %v\n%s", mutant.red, err, out)
			}
		})
	}
}

// around returns an adapter that changes the results of the interceptors with result, and
// the stream for the handler with stream, which gets the server's stream and the
// interceptor's.
func around(result func(error) error, stream func(ss, inner grpc.ServerStream) grpc.ServerStream) coretest.ServeGRPC {
	if result == nil {
		result = func(err error) error { return err }
	}
	if stream == nil {
		stream = func(_, inner grpc.ServerStream) grpc.ServerStream { return inner }
	}
	return func(v *core.Verifier, listener net.Listener, handle coretest.GRPCHandler) func() {
		bodies, options := grpcauth.NewBodies()
		unary, streaming := bodies.UnaryInterceptor(v), grpcauth.StreamServerInterceptor(v)
		return serve(listener, handle, append(options,
			grpc.UnaryInterceptor(func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
				answer, err := unary(ctx, req, info, handler)
				return answer, result(err)
			}),
			grpc.ChainStreamInterceptor(func(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
				return result(streaming(srv, ss, info, func(srv any, inner grpc.ServerStream) error { return handler(srv, stream(ss, inner)) }))
			}))...).Stop
	}
}

type withContext struct {
	grpc.ServerStream
	ctx context.Context
}

func (s withContext) Context() context.Context { return s.ctx }

func afterRefusal(v *core.Verifier, listener net.Listener, handle coretest.GRPCHandler) func() {
	bodies, options := grpcauth.NewBodies()
	unary, streaming := bodies.UnaryInterceptor(v), grpcauth.StreamServerInterceptor(v)
	return serve(listener, handle, append(options,
		grpc.UnaryInterceptor(func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
			answer, err := unary(ctx, req, info, handler)
			if err != nil {
				handler(ctx, req)
			}
			return answer, err
		}),
		grpc.ChainStreamInterceptor(func(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
			err := streaming(srv, ss, info, handler)
			if err != nil {
				handler(srv, ss)
			}
			return err
		}))...).Stop
}

func unaryOnly(b *grpcauth.Bodies, v *core.Verifier) grpc.ServerOption {
	return grpc.UnaryInterceptor(b.UnaryInterceptor(v))
}

func streamOnly(_ *grpcauth.Bodies, v *core.Verifier) grpc.ServerOption {
	return grpc.ChainStreamInterceptor(grpcauth.StreamServerInterceptor(v))
}

// only returns an adapter that installs only some of ServerOptions.
func only(options ...func(*grpcauth.Bodies, *core.Verifier) grpc.ServerOption) coretest.ServeGRPC {
	return func(v *core.Verifier, listener net.Listener, handle coretest.GRPCHandler) func() {
		bodies, installed := grpcauth.NewBodies()
		for _, option := range options {
			installed = append(installed, option(bodies, v))
		}
		return serve(listener, handle, installed...).Stop
	}
}
