package main

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/labstack/echo/v4"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/echoauth"
	"github.com/gatewayauth/gatewayauth/ginauth"
	"github.com/gatewayauth/gatewayauth/grpcauth"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

type server interface {
	Serve(net.Listener) error
	Shutdown(context.Context) error
}

// adapters has the adapters, each with the flag for its address.
var adapters = []struct {
	flag, usage string
	server      func(*core.Verifier) server
}{
	{"nethttp", "`address` to serve net/http on (HTTP/1.1 and unencrypted HTTP/2)", func(v *core.Verifier) server {
		return serving(nethttp.Middleware(v)(http.HandlerFunc(handle)))
	}},
	{"echo", "`address` to serve Echo on", func(v *core.Verifier) server {
		e := echo.New()
		e.Use(echoauth.Middleware(v))
		e.RouteNotFound("/*", echo.WrapHandler(http.HandlerFunc(handle)))
		return serving(e)
	}},
	{"gin", "`address` to serve Gin on", func(v *core.Verifier) server {
		gin.SetMode(gin.ReleaseMode)
		engine := gin.New()
		engine.Use(ginauth.Middleware(v))
		engine.NoRoute(gin.WrapF(handle))
		return serving(engine)
	}},
	{"grpc", "`address` to serve gRPC on: health and reflection", func(v *core.Verifier) server {
		s := grpc.NewServer(append(grpcauth.ServerOptions(v), grpc.ConnectionTimeout(10*time.Second),
			grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionIdle: 5 * time.Minute}))...)
		healthpb.RegisterHealthServer(s, health.NewServer())
		reflection.Register(s)
		return grpcServer{s}
	}},
}

// serving returns a server for HTTP/1.1 and unencrypted HTTP/2.
func serving(h http.Handler) server {
	s := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second, // for bodies there is body_timeout in the file
		IdleTimeout:       2 * time.Minute,
		Protocols:         new(http.Protocols),
	}
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetUnencryptedHTTP2(true)
	return s
}

// grpcServer is a gRPC server with the methods of http.Server.
type grpcServer struct{ *grpc.Server }

func (s grpcServer) Shutdown(ctx context.Context) error {
	stop := context.AfterFunc(ctx, s.Stop)
	defer stop()
	s.GracefulStop()
	return ctx.Err()
}
