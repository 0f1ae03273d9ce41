package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"

	"github.com/gin-gonic/gin"
	"github.com/labstack/echo/v4"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/gatewayauth/gatewayauth/conformance/bench"
	"github.com/gatewayauth/gatewayauth/conformance/bench/internal/child"
	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/replay"
	"github.com/gatewayauth/gatewayauth/echoauth"
	"github.com/gatewayauth/gatewayauth/ginauth"
	"github.com/gatewayauth/gatewayauth/grpcauth"
	"github.com/gatewayauth/gatewayauth/internal/guard"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

// adapter is a framework, and its servers: a bare one, and others.
type adapter struct {
	name     string
	prepare  func(address string, q bench.Request, n, clients int) (*load, error)
	variants []variant
}

type variant struct {
	name  string
	serve func(net.Listener) error
}

const (
	bare     = "bare"
	verified = "middleware"
	replayed = "middleware and replay store"
)

var adapters = []adapter{
	{"net/http", overHTTP, append(variants(serveHTTP),
		variant{"reading and hashing the body only", func(l net.Listener) error { return http.Serve(l, hashing(router(allowed))) }},
		variant{"signing again with Huawei's SDK", func(l net.Listener) error { return http.Serve(l, huawei(router(allowed))) }})},
	{"Echo", overHTTP, variants(serveEcho)},
	{"Gin", overHTTP, variants(serveGin)},
	{"gRPC, unary", overGRPC(bench.NewSigner()), variants(interceptors)},
	{"gRPC, unary, payload unsigned", overGRPC(bench.NewUnsignedSigner()), append(variants(interceptors),
		variant{"tap handle", func(l net.Listener) error { return serveGRPC(l, identified, grpcauth.TapServerOptions(verifier(nil))) }})},
	{"guard", overHTTP, variants(serveProxy)},
}

func variants(serve func(net.Listener, *core.Verifier) error) []variant {
	return []variant{
		{bare, func(l net.Listener) error { return serve(l, nil) }},
		{verified, func(l net.Listener) error { return serve(l, verifier(nil)) }},
		{replayed, func(l net.Listener) error {
			store, err := replay.New(replay.Config{MaxEntries: 20_000_000})
			if err != nil {
				panic(err)
			}
			return serve(l, verifier(store))
		}},
	}
}

func verifier(store core.ReplayStore) *core.Verifier {
	c := bench.Config()
	c.Replay.Store, c.AllowUnsignedPayload = store, true
	v, err := core.New(c)
	if err != nil {
		panic(err)
	}
	return v
}

// serve runs every server until the parent process ends.
func serve() {
	addresses := make(map[string]string)
	for _, a := range adapters {
		for _, v := range a.variants {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				panic(err)
			}
			addresses[a.name+"/"+v.name] = l.Addr().String()
			go v.serve(l)
		}
	}
	child.Serve(addresses)
}

// identified reports whether the context has an identity, which every handler behind the
// middleware checks.
func identified(ctx context.Context) bool {
	_, ok := core.FromContext(ctx)
	return ok
}

func allowed(context.Context) bool { return true }

func handlerCheck(v *core.Verifier) func(context.Context) bool {
	if v == nil {
		return allowed
	}
	return identified
}

func serveHTTP(l net.Listener, v *core.Verifier) error {
	handler := router(handlerCheck(v))
	if v != nil {
		handler = nethttp.Middleware(v)(handler)
	}
	return http.Serve(l, handler)
}

// serveProxy serves a reverse proxy in front of a bare server: net/http/httputil's alone, or
// guard.
func serveProxy(l net.Listener, v *core.Verifier) error {
	behind, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go http.Serve(behind, router(allowed))
	to := &url.URL{Scheme: "http", Host: behind.Addr().String()}
	if v != nil {
		return http.Serve(l, guard.New(guard.Config{Verifier: v, To: to, Logger: slog.New(slog.DiscardHandler)}))
	}
	return http.Serve(l, &httputil.ReverseProxy{FlushInterval: -1, Transport: guard.NewTransport(to), Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host
	}})
}

func router(check func(context.Context) bool) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/v1/projects/{project}/orders/{order}", func(w http.ResponseWriter, r *http.Request) {
		if !check(r.Context()) {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	return mux
}

const route = "/v1/projects/:project/orders/:order"

func serveEcho(l net.Listener, v *core.Verifier) error {
	e := echo.New()
	check := handlerCheck(v)
	if v != nil {
		e.Use(echoauth.Middleware(v))
	}
	e.Any(route, func(c echo.Context) error {
		if !check(c.Request().Context()) {
			return echo.ErrInternalServerError
		}
		return c.NoContent(http.StatusOK)
	})
	return http.Serve(l, e)
}

func serveGin(l net.Listener, v *core.Verifier) error {
	gin.SetMode(gin.ReleaseMode)
	g := gin.New()
	check := handlerCheck(v)
	if v != nil {
		g.Use(ginauth.Middleware(v))
	}
	g.Any(route, func(c *gin.Context) {
		if !check(c.Request.Context()) {
			c.Status(http.StatusInternalServerError)
		}
	})
	return http.Serve(l, g)
}

func interceptors(l net.Listener, v *core.Verifier) error {
	var options []grpc.ServerOption
	if v != nil {
		options = grpcauth.ServerOptions(v)
	}
	return serveGRPC(l, handlerCheck(v), options)
}

func serveGRPC(l net.Listener, check func(context.Context) bool, options []grpc.ServerOption) error {
	call := func(ctx context.Context, _ any) (any, error) {
		if !check(ctx) {
			return nil, errors.New("no identity")
		}
		return new(wrapperspb.BytesValue), nil
	}
	s := grpc.NewServer(options...)
	s.RegisterService(&grpc.ServiceDesc{ServiceName: grpcService, HandlerType: (*any)(nil), Methods: []grpc.MethodDesc{{
		MethodName: "Call",
		Handler: func(_ any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
			in := new(wrapperspb.BytesValue)
			if err := decode(in); err != nil {
				return nil, err
			}
			if intercept == nil {
				return call(ctx, in)
			}
			return intercept(ctx, in, &grpc.UnaryServerInfo{FullMethod: grpcMethod}, call)
		},
	}}}, nil)
	return s.Serve(l)
}

// hashing returns middleware that only reads and hashes the body, as every verifier must.
func hashing(next http.Handler) http.Handler {
	hashes := sync.Pool{New: func() any { return sha256.New() }}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := hashes.Get().(hash.Hash)
		defer hashes.Put(h)
		h.Reset()
		if _, err := io.Copy(h, r.Body); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func huawei(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := bench.Huawei(r); err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}
