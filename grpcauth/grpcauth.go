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

// ServerOptions returns the options that verify the calls of a server: both
// interceptors, and a codec and a stats handler that give them the bytes of messages.
//
// Pass them before all other options. Chained interceptors run in the order in which
// they are given. An interceptor that is set with grpc.UnaryInterceptor or
// grpc.StreamInterceptor runs before all of them and sees calls that are not verified.
// Credentials that cover the body are refused if an earlier interceptor has received
// from the stream, or if a later option forces another codec.
func ServerOptions(v *core.Verifier, opts ...Option) []grpc.ServerOption {
	bodies := &bodies{CodecV2: newOptions(opts).codec}
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

// UnaryServerInterceptor verifies unary calls, but not streams. Install it with
// [ServerOptions]; otherwise the bytes of the body are not available, and credentials
// that cover the body are refused.
func UnaryServerInterceptor(v *core.Verifier) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		c := callOf(ctx)
		body := &feed{c.take(), errUnknown}
		r := c.request(ctx, info.FullMethod, body)
		if size := body.Remaining(); size > 0 {
			body.end, r.ContentLength = io.EOF, int64(size)
		}
		admission, err := v.Admit(nil, r, core.BodyConsumed)
		admission.Release() // before the handler runs: the handler has the message, and does not read the body
		body.Close()
		if err != nil {
			return nil, refusal(err)
		}
		return handler(handlerContext(r, admission.Request), req)
	}
}

// StreamServerInterceptor verifies streams: the credential before the handler runs, and
// a declared digest when the client has sent its last message. Install it with
// [ServerOptions]; otherwise the bytes of the body are not available, and credentials
// that cover the body are refused.
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

// request returns the call as an HTTP/2 request.
func (c *call) request(ctx context.Context, method string, body io.ReadCloser) *http.Request {
	if c != nil && c.header != nil {
		return request(ctx, method, c.header, body)
	}
	md, _ := metadata.FromIncomingContext(ctx)
	return request(ctx, method, md, body)
}

// request returns an HTTP/2 request with the metadata as headers. It does not change
// the metadata.
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
		case strings.HasSuffix(name, "-bin"): // gRPC has decoded it, and the text was signed
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

// handlerContext returns the context for the handler: that of the admitted request,
// without the metadata that core removes from requests.
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
