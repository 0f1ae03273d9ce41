package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/labstack/echo/v4"
	echo5 "github.com/labstack/echo/v5"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/echoauth"
	echoauth5 "github.com/gatewayauth/gatewayauth/echoauth/v5"
	"github.com/gatewayauth/gatewayauth/ginauth"
	"github.com/gatewayauth/gatewayauth/grpcauth"
	"github.com/gatewayauth/gatewayauth/internal/guard"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

// runs counts how often a handler has read a whole request, by X-Request-Id, for the
// requests whose client has not looked yet.
var runs sync.Map // string -> *atomic.Int32

// reached notes a run, and returns what the handler answers: whose key signed, and the
// digest of the body.
func reached(id, key string, sum []byte) string {
	if n, ok := runs.Load(id); ok {
		n.(*atomic.Int32).Add(1)
	}
	if key == "" {
		return "nobody"
	}
	return key + " " + hex.EncodeToString(sum)
}

// keyOf returns the name of the key of the identity, or "".
func keyOf(ctx context.Context) string {
	if identity, ok := core.FromContext(ctx); ok {
		return identity.Key()
	}
	return ""
}

// largeAnswer is what follows the answer where X-Want asks for it.
var largeAnswer = make([]byte, 2<<20)

func handle(w http.ResponseWriter, r *http.Request) {
	h := sha256.New()
	if _, err := io.Copy(h, r.Body); err != nil {
		core.WriteProblem(w, r, err)
		return
	}
	respond(w, r, keyOf(r.Context()), h.Sum(nil))
}

func respond(w http.ResponseWriter, r *http.Request, key string, sum []byte) {
	io.WriteString(w, reached(r.Header.Get("X-Request-Id"), key, sum)+"\n")
	if r.Header.Get("X-Want") != "" {
		w.Write(largeAnswer)
	}
}

// serveHTTP returns a server of one of the frameworks behind its adapter.
func serveHTTP(adapter string, v *core.Verifier, l net.Listener) (stop func()) {
	var handler http.Handler
	switch adapter {
	case "net/http":
		handler = nethttp.Middleware(v)(http.HandlerFunc(handle))
	case "Echo":
		e := echo.New()
		e.Use(echoauth.Middleware(v))
		e.Any("/*", func(c echo.Context) error { handle(c.Response(), c.Request()); return nil })
		handler = e
	case "Echo v5":
		e := echo5.New()
		e.Use(echoauth5.Middleware(v))
		e.Any("/*", echo5.WrapHandler(http.HandlerFunc(handle)))
		handler = e
	case "Gin":
		gin.SetMode(gin.ReleaseMode)
		g := gin.New()
		g.Use(ginauth.Middleware(v))
		g.Any("/*path", func(c *gin.Context) { handle(c.Writer, c.Request) })
		handler = g
	}
	return serve(handler, l)
}

func serve(handler http.Handler, l net.Listener) (stop func()) {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 30 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	go server.Serve(l)
	return func() { server.Close() }
}

// serveGuard returns the reverse proxy in front of a server without an adapter.
func serveGuard(v *core.Verifier, l net.Listener) (stop func(), err error) {
	behind, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	to := &url.URL{Scheme: "http", Host: behind.Addr().String()}
	transport := guard.NewTransport(to)
	stopService := serve(http.HandlerFunc(handleGuarded), behind)
	stopGuard := serve(guard.New(guard.Config{Verifier: v, To: to, Transport: transport, Logger: slog.New(slog.DiscardHandler)}), l)
	return func() {
		stopGuard()
		transport.CloseIdleConnections()
		stopService()
	}, nil
}

// handleGuarded is handle for the server behind the proxy.
func handleGuarded(w http.ResponseWriter, r *http.Request) {
	h := sha256.New()
	if _, err := io.Copy(h, r.Body); err != nil {
		panic(http.ErrAbortHandler) // the proxy answers
	}
	respond(w, r, r.Header.Get("X-Gatewayauth-Key"), h.Sum(nil))
}

// serveGRPC serves a service for each API, with the methods Unary and Chat.
func serveGRPC(v *core.Verifier, l net.Listener) (stop func()) {
	server := grpc.NewServer(grpcauth.ServerOptions(v)...)
	for api := range apis(0) {
		name := "soak." + api
		server.RegisterService(&grpc.ServiceDesc{ServiceName: name, HandlerType: (*any)(nil),
			Methods: []grpc.MethodDesc{{MethodName: "Unary", Handler: unary("/" + name + "/Unary")}},
			Streams: []grpc.StreamDesc{{StreamName: "Chat", Handler: chat, ClientStreams: true, ServerStreams: true}},
		}, nil)
	}
	go server.Serve(l)
	return server.Stop
}

func unary(method string) grpc.MethodHandler {
	call := func(ctx context.Context, in any) (any, error) {
		sum := sha256.Sum256(in.(*wrapperspb.BytesValue).Value)
		return text(reached(field(ctx, "x-request-id"), keyOf(ctx), sum[:])), nil
	}
	return func(_ any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
		in := new(wrapperspb.BytesValue)
		if err := decode(in); err != nil {
			return nil, err
		}
		return intercept(ctx, in, &grpc.UnaryServerInfo{FullMethod: method}, call)
	}
}

func chat(_ any, s grpc.ServerStream) error {
	h := sha256.New()
	for {
		in := new(wrapperspb.BytesValue)
		err := s.RecvMsg(in)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		h.Write(in.Value)
	}
	err := s.SendMsg(text(reached(field(s.Context(), "x-request-id"), keyOf(s.Context()), h.Sum(nil))))
	for range 16 {
		if field(s.Context(), "x-want") != "" && err == nil {
			err = s.SendMsg(&wrapperspb.BytesValue{Value: largeAnswer[:len(largeAnswer)/16]})
		}
	}
	return err
}

func field(ctx context.Context, name string) string {
	md, _ := metadata.FromIncomingContext(ctx)
	if values := md.Get(name); len(values) > 0 {
		return values[0]
	}
	return ""
}

func text(s string) *wrapperspb.BytesValue { return &wrapperspb.BytesValue{Value: []byte(s)} }
