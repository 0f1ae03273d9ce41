package grpcauth_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	channelz "google.golang.org/grpc/channelz/grpc_channelz_v1"
	channelzservice "google.golang.org/grpc/channelz/service"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/grpcauth"
)

// builtins starts a server with gRPC's own services behind the interceptors, and connects
// to it.
func builtins(t *testing.T, apis ...core.API) *grpc.ClientConn {
	t.Helper()
	v, _ := verifier(t, func(c *core.Config) { c.APIs = apis })
	listener := listen(t)
	server := grpc.NewServer(append(grpcauth.ServerOptions(v), grpc.WaitForHandlers(true))...)
	healthpb.RegisterHealthServer(server, health.NewServer())
	reflection.Register(server)
	channelzservice.RegisterChannelzServiceToServer(server)
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	return dial(t, listener)
}

// TestBuiltIns_T154: gRPC's own services are refused like every other service, unless
// they are open.
func TestBuiltIns_T154(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	calls := []struct {
		api  string
		call func(*grpc.ClientConn) error
	}{
		{"POST /grpc.health.v1.Health/Check", func(c *grpc.ClientConn) error {
			_, err := healthpb.NewHealthClient(c).Check(ctx, &healthpb.HealthCheckRequest{})
			return err
		}},
		{"/grpc.health.v1.Health/Watch", func(c *grpc.ClientConn) error {
			stream, err := healthpb.NewHealthClient(c).Watch(ctx, &healthpb.HealthCheckRequest{})
			if err == nil {
				_, err = stream.Recv()
			}
			return err
		}},
		{"POST /grpc.reflection.v1.ServerReflection/ServerReflectionInfo", func(c *grpc.ClientConn) error {
			return exchange(ctx, c, "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", nil)
		}},
		{"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", func(c *grpc.ClientConn) error {
			return exchange(ctx, c, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", nil)
		}},
		{"POST /grpc.channelz.v1.Channelz/GetServers", func(c *grpc.ClientConn) error {
			_, err := channelz.NewChannelzClient(c).GetServers(ctx, &channelz.GetServersRequest{})
			return err
		}},
	}
	closed := builtins(t)
	for _, open := range calls {
		constant(t, open.api, open.call(closed), codes.Unauthenticated)
		conn := builtins(t, core.API{Match: open.api, Open: true})
		for _, c := range calls { // T155: opening one method opens no other
			if err := c.call(conn); c.api == open.api && err != nil || c.api != open.api && status.Code(err) != codes.Unauthenticated {
				t.Errorf("with %s open, %s: got %v", open.api, c.api, err)
			}
		}
	}
}

// TestUnknownService_T153: the handler for unknown services runs behind the interceptor.
func TestUnknownService_T153(t *testing.T) {
	v, _ := verifier(t, allowUnsigned)
	var mu sync.Mutex
	var ran []string
	proxy := grpc.UnknownServiceHandler(func(_ any, s grpc.ServerStream) error {
		mu.Lock()
		defer mu.Unlock()
		method, _ := grpc.MethodFromServerStream(s)
		ran = append(ran, method)
		return s.SendMsg(text(""))
	})
	conn := start(t, readAll, append(grpcauth.ServerOptions(v), proxy)...)
	wantCode(t, "unsigned", exchange(t.Context(), conn, "/other.Svc/M", nil), codes.Unauthenticated)
	wantCode(t, "signed for another method", exchange(signed(t, "/other.Svc/N", core.PayloadUnsigned), conn, "/other.Svc/M", nil), codes.Unauthenticated)
	wantCode(t, "signed", exchange(signed(t, "/other.Svc/M", core.PayloadUnsigned), conn, "/other.Svc/M", nil), codes.OK)
	// T148: spellings of a method that gRPC passes to the handler for unknown services
	for _, method := range []string{"//other.Svc/M", "/other.Svc/M/"} {
		wantCode(t, method, exchange(signed(t, "/other.Svc/M", core.PayloadUnsigned), conn, method, nil), map[string]codes.Code{
			"//other.Svc/M": codes.Unauthenticated, "/other.Svc/M/": codes.OK}[method]) // /a and /a/ have the same signature in this scheme
	}
	if want := []string{"/other.Svc/M", "/other.Svc/M/"}; !slices.Equal(ran, want) {
		t.Errorf("the proxy ran for %v, want %v", ran, want)
	}
}

// TestServerOptionsVerifyBothKinds_T152: ServerOptions verifies unary calls and streams.
// With only one of the interceptors, calls of the other kind are not verified.
func TestServerOptionsVerifyBothKinds_T152(t *testing.T) {
	v, j := verifier(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	conn := start(t, readAll, grpcauth.ServerOptions(v)...)
	constant(t, "unary", conn.Invoke(ctx, echo+"Unary", text(""), new(bytesValue)), codes.Unauthenticated)
	constant(t, "stream", exchange(ctx, conn, echo+"Chat", nil), codes.Unauthenticated)
	for _, e := range j.events {
		if e.Method != "POST" || e.Host != host || !strings.HasPrefix(e.Path, echo) || !strings.HasPrefix(e.Remote, "127.0.0.1:") {
			t.Errorf("got an event of %s %s%s from %s, want the call's", e.Method, e.Host, e.Path, e.Remote)
		}
	}
	if got := j.codes(); len(got) != 2 {
		t.Errorf("got verdicts %v, want two", got)
	}
}
