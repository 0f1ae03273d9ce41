package grpcauth

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/tap"

	"github.com/gatewayauth/gatewayauth/core"
)

// TapServerOptions is [ServerOptions] for callers that leave their payload
// unsigned, or send a password or token: it judges a call by its metadata alone,
// before there is a call. That costs a fraction of the interceptors, and nothing
// of a refused call without a deadline reaches the server: calls of unknown methods
// are refused as well. A credential that covers the body is refused ([core.CodePayloadUnsupported]),
// since no message has been received yet.
//
// All calls of a connection wait for the one that is being judged. Use it with
// keys and passwords in memory, and with no replay store or one in memory; never
// with a [core.KeySource] or store that asks another machine, and with no slow
// [core.Observer].
//
// Where gRPC does not run the tap handle, as under grpc.Server.ServeHTTP,
// interceptors judge in its place. A server has one tap handle.
func TapServerOptions(v *core.Verifier) []grpc.ServerOption {
	unary, stream := UnaryServerInterceptor(v), StreamServerInterceptor(v)
	return []grpc.ServerOption{
		grpc.InTapHandle(func(ctx context.Context, info *tap.Info) (context.Context, error) {
			r := request(ctx, info.FullMethodName, info.Header, &feed{new(mem.Reader), errUnknown})
			admission, err := v.Admit(nil, r, core.BodyConsumed)
			admission.Release()
			if err == nil {
				return context.WithValue(handlerContext(r, admission.Request), judgedKey{}, &verdict{by: v}), nil
			}
			err = refusal(err)
			if _, timed := ctx.Deadline(); timed {
				// gRPC would keep the context of a call that ends here until the time
				// that the caller has set, so that one is left to the interceptors.
				return context.WithValue(ctx, judgedKey{}, &verdict{v, err}), nil
			}
			return nil, err
		}),
		grpc.ChainUnaryInterceptor(func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
			switch judged := judged(ctx, v); {
			case judged == nil:
				return unary(ctx, req, info, handler)
			case judged.refusal != nil:
				return nil, judged.refusal
			}
			return handler(ctx, req)
		}),
		grpc.ChainStreamInterceptor(func(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
			switch judged := judged(ss.Context(), v); {
			case judged == nil:
				return stream(srv, ss, info, handler)
			case judged.refusal != nil:
				return judged.refusal
			}
			return handler(srv, ss)
		}),
	}
}

type judgedKey struct{}

// verdict is that of a tap handle.
type verdict struct {
	by      *core.Verifier
	refusal error
}

// judged returns the verdict of v's tap handle, nil where that has not run.
func judged(ctx context.Context, v *core.Verifier) *verdict {
	if judged, ok := ctx.Value(judgedKey{}).(*verdict); ok && judged.by == v {
		return judged
	}
	return nil
}
