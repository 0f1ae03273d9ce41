package grpcauth_test

import (
	"context"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/basic"
	"github.com/gatewayauth/gatewayauth/core/signer"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
	"github.com/gatewayauth/gatewayauth/grpcauth"
)

// port443 is a connection with 443 as the port of its remote address.
type port443 struct{ net.Conn }

func (port443) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 443} }

// TestCallsSignedAreSent_T190: a call with Credentials is accepted by the server, or
// fails before it is sent.
func TestCallsSignedAreSent_T190(t *testing.T) {
	flat := key
	user := core.Key{Name: "k1", ID: "user", Secret: key.Secret}
	scoped := key
	scoped.Region, scoped.Service = "r1", "s1"
	more := []string{"x-tenant", "x-trace-bin", "user-agent", "content-type", "cookie"}
	const made, notMade = true, false
	signers := map[string]struct {
		scheme core.Scheme
		signer signer.Signer
		works  bool
	}{
		"hmac":       {apig.New(apig.Config{Keys: core.Keys(flat)}), apig.NewSigner(flat, apig.SignOptions{Payload: core.PayloadUnsigned, Headers: more}), made},
		"hmac query": {apig.New(apig.Config{Keys: core.Keys(flat)}), apig.NewSigner(flat, apig.SignOptions{Payload: core.PayloadUnsigned, Expires: time.Minute}), notMade},
		"hmac body":  {apig.New(apig.Config{Keys: core.Keys(flat)}), apig.NewSigner(flat, apig.SignOptions{}), notMade},
		"sigv4":      {sigv4.New(sigv4.Config{Keys: core.Keys(scoped)}), sigv4.NewSigner(scoped, sigv4.SignOptions{Payload: core.PayloadUnsigned, Headers: more}), made},
		"basic":      {basic.New(basic.Config{Keys: core.Keys(user)}), basic.NewSigner(user), made},
	}
	type md = map[string][]string
	calls := []struct {
		name, target string
		authority    string // of WithAuthority
		options      []grpc.DialOption
		method       string
		metadata     md
		works        bool
		remote443    bool
	}{
		{name: "plain", target: "passthrough:///api.example.com:50051", works: made},
		{name: "without a port", target: "passthrough:///api.example.com", works: made},
		{name: "port 80", target: "passthrough:///api.example.com:80", works: made},
		{name: "port 443", target: "passthrough:///api.example.com:443", remote443: true},
		{name: "port 443 by default", target: "passthrough:///api.example.com", remote443: true},
		{name: "port 443, named", target: "passthrough:///api.example.com:443", authority: "api.example.com:443", remote443: true, works: made},
		{name: "port 443 of a balancer", target: "passthrough:///api.example.com:8443", remote443: true, works: made},
		{name: "upper case", target: "passthrough:///API.example.com", works: made},
		{name: "not ASCII", target: "passthrough:///bücher.example:80", works: made}, // gRPC writes %C3%BC
		{name: "IPv6", target: "passthrough:///[::1]:50051", works: made},
		{name: "IPv6 with a zone", target: "passthrough:///[fe80::1%25eth0]:50051"},
		{name: "a blank", target: "passthrough:///a b", works: made}, // gRPC writes %20
		{name: "no host", target: "passthrough:///"},
		{name: "authority with a path", target: "passthrough:///x", options: []grpc.DialOption{grpc.WithAuthority("a/b")}},
		{name: "authority not ASCII", target: "passthrough:///x", options: []grpc.DialOption{grpc.WithAuthority("bücher.example")}},
		{name: "metadata", target: "passthrough:///x", metadata: md{"x-tenant": {"blue  green", "b"}, "x-trace-bin": {"\x00\xff"}, "x-other": {"1"}}, works: made},
		{name: "metadata gRPC sets", target: "passthrough:///x", metadata: md{"user-agent": {"mine"}, "content-type": {"x"}, "te": {"x"}}, works: made},
		{name: "metadata of the protocol", target: "passthrough:///x", metadata: md{"x-sdk-extra": {"1"}, "x-amz-meta-a": {"2"}}, works: made},
		{name: "metadata of the protocol, twice", target: "passthrough:///x", metadata: md{"x-sdk-extra": {"1", "2"}}},
		{name: "metadata with an underscore", target: "passthrough:///x", metadata: md{"x_sdk_extra": {"1"}}},
		{name: "metadata with blanks", target: "passthrough:///x", metadata: md{"x-tenant": {" blue "}}},
		{name: "authorization", target: "passthrough:///x", metadata: md{"authorization": {"Bearer x"}}},
		{name: "a method override", target: "passthrough:///x", metadata: md{"x-http-method-override": {"GET"}}},
		{name: "a connection's header", target: "passthrough:///x", metadata: md{"connection": {"x-tenant"}, "x-tenant": {"a"}}},
		{name: "method with a blank", target: "passthrough:///x", method: echo + "Un ary"},
		{name: "method encoded", target: "passthrough:///x", method: echo + "Un%61ry"},
		{name: "method with a query", target: "passthrough:///x", method: echo + "Unary?a=1;b"},
	}
	for name, s := range signers {
		t.Run(name, func(t *testing.T) {
			v, j := verifier(t, func(c *core.Config) {
				c.Schemes, c.AllowUnsignedPayload, c.AllowPresigned, c.APIs = []core.Scheme{s.scheme}, true, true, nil
			})
			listener := listen(t)
			server := serve(listener, readAll, grpcauth.ServerOptions(v)...)
			t.Cleanup(server.Stop)
			for _, call := range calls {
				dialer := grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
					conn, err := new(net.Dialer).DialContext(ctx, "tcp", listener.Addr().String())
					if err == nil && call.remote443 {
						conn = port443{conn}
					}
					return conn, err
				})
				options := []grpcauth.Option{grpcauth.WithInsecureTransport()}
				if call.authority != "" {
					options = append(options, grpcauth.WithAuthority(call.authority))
				}
				conn, err := grpc.NewClient(call.target, append(slices.Clip(call.options), dialer,
					grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithPerRPCCredentials(grpcauth.Credentials(s.signer, options...)))...)
				if err != nil {
					continue // gRPC itself returns the error
				}
				ctx := metadata.NewOutgoingContext(deadline(t), metadata.MD(call.metadata))
				method := call.method
				if method == "" {
					method = echo + "Unary"
				}
				err = conn.Invoke(ctx, method, text("one"), new(bytesValue))
				refused := slices.ContainsFunc(j.codes(), func(c core.Code) bool { return c != "" })
				if refused {
					t.Errorf("%s: sent and refused: %v", call.name, err)
				}
				if err == nil != (s.works && call.works) && call.method == "" {
					t.Errorf("%s: got %v", call.name, err)
				}
				if err != nil && !strings.Contains(err.Error(), "grpcauth: ") && call.method == "" {
					t.Errorf("%s: the reason is not in %v", call.name, err)
				}
				conn.Close()
			}
		})
	}
}
