package grpcauth

import (
	"context"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"

	"github.com/gatewayauth/gatewayauth/core"
)

// ServerOptions returns the options that verify the calls of a server: a codec that keeps
// the bytes of messages, and the interceptors that verify them.
//
// Pass them before all other options. Chained interceptors run in the order in which
// they are given. An interceptor that is set with grpc.UnaryInterceptor runs before all
// of them and sees calls that are not verified. grpc.StreamInterceptor cannot be used
// besides: use grpc.ChainStreamInterceptor. Credentials that cover the body are refused
// if an earlier interceptor has received from the stream or passes on another message
// than the received one, or if a later option forces another codec.
func ServerOptions(v *core.Verifier, opts ...Option) []grpc.ServerOption {
	bodies := newBodies(newOptions(opts).codec)
	return append(bodies.options(),
		grpc.ChainUnaryInterceptor(bodies.unaryInterceptor(v)),
		grpc.ChainStreamInterceptor(StreamServerInterceptor(v)))
}

// An Option changes [ServerOptions] or [Credentials].
type Option func(*options)

type options struct {
	codec     encoding.CodecV2
	authority string
	insecure  bool
}

func newOptions(opts []Option) options {
	o := options{codec: encoding.GetCodecV2("proto")}
	for _, set := range opts {
		set(&o)
	}
	return o
}

// WithCodec sets the server's codec; the default is the protobuf codec. As with
// grpc.ForceServerCodecV2, it is used for calls of every content type.
func WithCodec(c encoding.CodecV2) Option { return func(o *options) { o.codec = c } }

// UnaryServerInterceptor verifies unary calls, but not streams. Only the interceptor of
// [ServerOptions] has the bytes of the message: this one refuses credentials that cover
// the body.
func UnaryServerInterceptor(v *core.Verifier) grpc.UnaryServerInterceptor {
	return (*bodies)(nil).unaryInterceptor(v)
}

func (b *bodies) unaryInterceptor(v *core.Verifier) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		body := &feed{end: errUnknown}
		r := newRequest(ctx, info.FullMethod, incoming(ctx), body)
		switch message := b.take(req); {
		case message == nil:
		case uncompressed(ctx):
			body.next(message)
			body.end, r.ContentLength = io.EOF, int64(body.remaining())
		default:
			message.Close()
		}
		ctx, err := admit(v, r)
		body.Close()
		if err != nil {
			return nil, err
		}
		return handler(ctx, req)
	}
}

// admit returns the context for the handler of a call whose body the handler does not
// read, or the refusal. It frees r.
func admit(v *core.Verifier, r *request) (ctx context.Context, err error) {
	admission, err := v.Admit(nil, &r.Request, core.BodyConsumed)
	admission.Release()
	if err != nil {
		err = refusal(err)
	} else {
		ctx = handlerContext(r, admission.Request)
	}
	r.free()
	return ctx, err
}

// StreamServerInterceptor verifies streams: the credential before the handler runs, and
// a declared digest when the client has sent its last message. Install it with
// [ServerOptions]; otherwise the bytes of the body are not available, and credentials
// that cover the body are refused.
func StreamServerInterceptor(v *core.Verifier) grpc.StreamServerInterceptor {
	return func(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		s := &serverStream{ServerStream: ss, received: receivedOf(ss.Context()), single: !info.IsClientStream,
			feed: feed{end: errUnknown}}
		r, use := newRequest(ss.Context(), info.FullMethod, incoming(ss.Context()), &s.feed), core.BodyConsumed
		switch {
		case s.received.hasBegun():
			s.feed.end = errBegun
		case s.received != nil && uncompressed(ss.Context()):
			s.feed.end, use = nil, core.BodyUnbuffered
		}
		admission, err := v.Admit(nil, &r.Request, use)
		admission.Release()
		if err != nil {
			return refusal(err)
		}
		s.ctx = handlerContext(r, admission.Request)
		if id, ok := core.FromContext(s.ctx); ok && id.Payload() == core.PayloadDeclared {
			s.body = admission.Request.Body
		}
		return s.finish(handler(srv, s))
	}
}

// uncompressed reports whether the messages of a call are known to be as the codec gets
// them.
func uncompressed(ctx context.Context) bool {
	stream, ok := grpc.ServerTransportStreamFromContext(ctx).(interface{ RecvCompress() string })
	if !ok {
		return false
	}
	encoded := stream.RecvCompress()
	return encoded == "" || encoded == encoding.Identity
}
