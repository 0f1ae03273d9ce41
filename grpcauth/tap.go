package grpcauth

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/tap"

	"github.com/gatewayauth/gatewayauth/core"
)

// TapServerOptions is [ServerOptions] for callers that leave their payload unsigned, or
// send a password or token. It verifies the metadata of a call in a tap handle, before
// gRPC creates the call, which costs less than the interceptors do. A refused call
// without a deadline does not reach the server, and calls of unknown methods are
// also verified. A credential that covers the body is refused
// ([core.CodePayloadUnsupported]), because no message has been received yet.
//
// All other calls of a connection wait while one is verified. Use it only with keys and
// passwords in memory, and with no replay store or one in memory. Do not use it with a
// [core.KeySource] or store that calls another machine, or with a slow [core.Observer].
//
// If gRPC does not run the tap handle, as with grpc.Server.ServeHTTP, interceptors
// verify the call. A server has only one tap handle.
func TapServerOptions(v *core.Verifier) []grpc.ServerOption {
	unary, stream := UnaryServerInterceptor(v), StreamServerInterceptor(v)
	return []grpc.ServerOption{
		grpc.InTapHandle(tapHandle(v)),
		grpc.ChainUnaryInterceptor(func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
			switch judged := tapVerdict(ctx, v); {
			case judged == nil:
				return unary(ctx, req, info, handler)
			case judged.refusal != nil:
				return nil, judged.refusal
			}
			return handler(ctx, req)
		}),
		grpc.ChainStreamInterceptor(func(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
			switch judged := tapVerdict(ss.Context(), v); {
			case judged == nil:
				return stream(srv, ss, info, handler)
			case judged.refusal != nil:
				return judged.refusal
			}
			return handler(srv, ss)
		}),
	}
}

// tapHandle returns the tap handle of v.
func tapHandle(v *core.Verifier) tap.ServerInHandle {
	accepted, body := &verdict{by: v}, &feed{end: errUnknown}
	return func(ctx context.Context, info *tap.Info) (context.Context, error) {
		admitted, err := admit(v, newRequest(ctx, info.FullMethodName, info.Header, body))
		if err == nil {
			return context.WithValue(admitted, judgedKey{}, accepted), nil
		}
		if _, timed := ctx.Deadline(); timed {
			// gRPC would keep the context of a call that is refused here until the
			// caller's deadline, so the interceptors refuse it.
			return context.WithValue(ctx, judgedKey{}, &verdict{v, err}), nil
		}
		return nil, err
	}
}

type judgedKey struct{}

// verdict is the result of a tap handle.
type verdict struct {
	by      *core.Verifier
	refusal error
}

// tapVerdict returns the verdict of v's tap handle, or nil if the tap handle has not run.
func tapVerdict(ctx context.Context, v *core.Verifier) *verdict {
	if judged, ok := ctx.Value(judgedKey{}).(*verdict); ok && judged.by == v {
		return judged
	}
	return nil
}
