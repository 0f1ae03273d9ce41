// Package servers has a server of each adapter, with an empty handler behind a route.
package servers

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/labstack/echo/v4"
	echov5 "github.com/labstack/echo/v5"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/echoauth"
	echoauthv5 "github.com/gatewayauth/gatewayauth/echoauth/v5"
	"github.com/gatewayauth/gatewayauth/ginauth"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

// A Check is what a handler does: it looks at its context, and fails where it returns
// false.
type Check func(context.Context) bool

// Allowed is the Check of servers without middleware.
func Allowed(context.Context) bool { return true }

// Identified reports whether the context has an identity.
func Identified(ctx context.Context) bool {
	_, ok := core.FromContext(ctx)
	return ok
}

// HTTP returns a server of net/http; without middleware where v is nil, as do the others.
func HTTP(v *core.Verifier, check Check) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/v1/projects/{project}/orders/{order}", func(w http.ResponseWriter, r *http.Request) {
		if !check(r.Context()) {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	if v == nil {
		return mux
	}
	return nethttp.Middleware(v)(mux)
}

const route = "/v1/projects/:project/orders/:order"

// Echo returns a server of Echo v4.
func Echo(v *core.Verifier, check Check) http.Handler {
	e := echo.New()
	if v != nil {
		e.Use(echoauth.Middleware(v))
	}
	e.Any(route, func(c echo.Context) error {
		if !check(c.Request().Context()) {
			return echo.ErrInternalServerError
		}
		return c.NoContent(http.StatusOK)
	})
	return e
}

// EchoV5 returns a server of Echo v5.
func EchoV5(v *core.Verifier, check Check) http.Handler {
	e := echov5.New()
	if v != nil {
		e.Use(echoauthv5.Middleware(v))
	}
	e.Any(route, func(c *echov5.Context) error {
		if !check(c.Request().Context()) {
			return echov5.ErrInternalServerError
		}
		return c.NoContent(http.StatusOK)
	})
	return e
}

// Gin returns a server of Gin.
func Gin(v *core.Verifier, check Check) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	g := gin.New()
	if v != nil {
		g.Use(ginauth.Middleware(v))
	}
	g.Any(route, func(c *gin.Context) {
		if !check(c.Request.Context()) {
			c.Status(http.StatusInternalServerError)
		}
	})
	return g
}

const service = "gatewayauth.bench.Empty"

// The methods of [GRPC], with one message and with a stream of them.
const (
	Unary  = "/" + service + "/Unary"
	Stream = "/" + service + "/Stream"
)

var errCheck = errors.New("no identity")

// GRPC returns a gRPC server.
func GRPC(check Check, options ...grpc.ServerOption) *grpc.Server {
	unary := func(ctx context.Context, _ any) (any, error) {
		if !check(ctx) {
			return nil, errCheck
		}
		return new(wrapperspb.BytesValue), nil
	}
	s := grpc.NewServer(options...)
	s.RegisterService(&grpc.ServiceDesc{ServiceName: service, HandlerType: (*any)(nil), Methods: []grpc.MethodDesc{{
		MethodName: "Unary",
		Handler: func(_ any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
			in := new(wrapperspb.BytesValue)
			if err := decode(in); err != nil {
				return nil, err
			}
			if intercept == nil {
				return unary(ctx, in)
			}
			return intercept(ctx, in, &grpc.UnaryServerInfo{FullMethod: Unary}, unary)
		},
	}}, Streams: []grpc.StreamDesc{{StreamName: "Stream", ClientStreams: true, Handler: func(_ any, s grpc.ServerStream) error {
		if !check(s.Context()) {
			return errCheck
		}
		for {
			switch err := s.RecvMsg(new(wrapperspb.BytesValue)); err {
			case nil:
			case io.EOF:
				return s.SendMsg(new(wrapperspb.BytesValue))
			default:
				return err
			}
		}
	}}}}, nil)
	return s
}

// Authority is that of all calls.
const Authority = "api.example.com"

// SignedContext returns the context of a call whose metadata is signed.
func SignedContext(s *apig.Signer, method, digest, id string) (context.Context, error) {
	r := &http.Request{Method: http.MethodPost, URL: &url.URL{Path: method}, Host: Authority,
		Header: http.Header{"X-Request-Id": {id}, "X-Project-Id": {"0123456789abcdef"}}}
	if err := s.Sign(r, digest, time.Now()); err != nil {
		return nil, err
	}
	md := make(metadata.MD, len(r.Header))
	for name, values := range r.Header {
		md[strings.ToLower(name)] = values
	}
	return metadata.NewOutgoingContext(context.Background(), md), nil
}
