package grpcauth

import (
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/gatewayauth/gatewayauth/core"
)

// ServerOptions returns all that a server needs: both interceptors, and a codec
// and a stats handler that keep the bytes of a message for its digest.
//
// Put them in front of all other options. Chained interceptors run in the order
// in which they are given; one that is set with grpc.UnaryInterceptor or
// grpc.StreamInterceptor runs before all of them, and sees calls that nobody
// has verified. Where one in front has received from a stream, credentials that cover
// the body are refused. A codec that is forced behind these options takes the bytes
// away: credentials that cover the body are refused then.
func ServerOptions(v *core.Verifier, opts ...Option) []grpc.ServerOption {
	bodies := &bodies{CodecV2: settle(opts).codec}
	return []grpc.ServerOption{
		grpc.ForceServerCodecV2(bodies),
		grpc.StatsHandler(bodies),
		grpc.ChainUnaryInterceptor(UnaryServerInterceptor(v)),
		grpc.ChainStreamInterceptor(StreamServerInterceptor(v)),
	}
}

// An Option changes [ServerOptions] or [Credentials].
type Option func(*options)

type options struct {
	codec     encoding.CodecV2
	authority string
	insecure  bool
}

func settle(opts []Option) options {
	o := options{codec: encoding.GetCodecV2("proto")}
	for _, set := range opts {
		set(&o)
	}
	return o
}

// WithCodec sets the server's codec, which is protobuf's otherwise. As with
// grpc.ForceServerCodecV2, it serves calls of every content type.
func WithCodec(c encoding.CodecV2) Option { return func(o *options) { o.codec = c } }

// UnaryServerInterceptor verifies unary calls and leaves streams alone: install
// it by [ServerOptions]. Without them it knows no body, and refuses credentials
// that cover one.
func UnaryServerInterceptor(v *core.Verifier) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		c := callOf(ctx)
		body := &feed{c.take(), errUnknown}
		r := c.request(ctx, info.FullMethod, body)
		if size := body.Remaining(); size > 0 {
			body.end, r.ContentLength = io.EOF, int64(size)
		}
		admission, err := v.Admit(nil, r, core.BodyConsumed)
		admission.Release() // at once: the handler has the message, and reads no body
		body.Close()
		if err != nil {
			return nil, refusal(err)
		}
		return handler(handlerContext(r, admission.Request), req)
	}
}

// StreamServerInterceptor verifies streams: the credential before the handler
// runs, a declared digest where the client's messages end. Install it by
// [ServerOptions]. Without them it knows no body, and refuses credentials that
// cover one.
func StreamServerInterceptor(v *core.Verifier) grpc.StreamServerInterceptor {
	return func(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		s := &serverStream{ServerStream: ss, call: callOf(ss.Context()), single: !info.IsClientStream,
			feed: feed{new(mem.Reader), errUnknown}}
		r, use := s.call.request(ss.Context(), info.FullMethod, &s.feed), core.BodyConsumed
		switch {
		case s.call.begun():
			s.feed.end = errBegun
		case s.call.known():
			s.feed.end, use = nil, core.BodyUnbuffered
		}
		admission, err := v.Admit(nil, r, use)
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

// request is the HTTP/2 request that the call is.
func (c *call) request(ctx context.Context, method string, body io.ReadCloser) *http.Request {
	if c != nil && c.header != nil {
		return request(ctx, method, c.header, body)
	}
	md, _ := metadata.FromIncomingContext(ctx)
	return request(ctx, method, md, body)
}

// request is an HTTP/2 request with metadata for headers, which stays as it is.
func request(ctx context.Context, method string, md metadata.MD, body io.ReadCloser) *http.Request {
	r := new(http.Request).WithContext(ctx)
	r.Method, r.RequestURI, r.URL, r.ProtoMajor = http.MethodPost, method, &url.URL{Path: method}, 2
	r.Header, r.Body, r.ContentLength = make(http.Header, len(md)), body, -1
	for name, values := range md {
		switch {
		case name == ":authority" && len(values) == 1:
			r.Host = values[0]
			continue
		case strings.HasPrefix(name, ":"):
			continue
		case strings.HasSuffix(name, "-bin"): // decoded by gRPC; what was signed is the text
			values = slices.Clone(values)
			for i, value := range values {
				values[i] = base64.RawStdEncoding.EncodeToString([]byte(value))
			}
		}
		r.Header[http.CanonicalHeaderKey(name)] = values
	}
	if p, ok := peer.FromContext(ctx); ok && p.Addr != nil {
		r.RemoteAddr = p.Addr.String()
	}
	return r
}

// handlerContext is the handler's context: the admitted request's, without the metadata
// that core keeps from handlers.
func handlerContext(r, admitted *http.Request) context.Context {
	ctx := admitted.Context()
	if len(admitted.Header) == len(r.Header) {
		return ctx
	}
	md, _ := metadata.FromIncomingContext(ctx)
	for name := range r.Header {
		if _, kept := admitted.Header[name]; !kept {
			delete(md, strings.ToLower(name))
		}
	}
	return metadata.NewIncomingContext(ctx, md)
}
