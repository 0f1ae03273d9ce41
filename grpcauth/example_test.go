package grpcauth_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/grpcauth"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

var ordersKey = core.Key{Name: "orders_key", ID: "071fe2459cf64d75", Secret: core.NewSecret("not-a-secret-to-use")}

func ordersVerifier() *core.Verifier {
	v, err := core.New(core.Config{
		Environment:          "TEST",
		Schemes:              []core.Scheme{apig.New(apig.Config{Keys: core.Keys(ordersKey)})},
		Default:              "orders_key",
		AllowUnsignedPayload: true, // credentials of gRPC clients do not get the messages
		Logger:               slog.New(slog.DiscardHandler),
	})
	if err != nil {
		log.Fatal(err)
	}
	return v
}

// check makes one signed call, as the gateway would, and one unsigned call.
func check(address net.Addr) {
	signer := apig.NewSigner(ordersKey, apig.SignOptions{Payload: core.PayloadUnsigned})
	conn, err := grpc.NewClient(address.String(),
		grpc.WithTransportCredentials(insecure.NewCredentials()), // local work only
	)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	client := grpc_health_v1.NewHealthClient(conn)
	signed := grpc.PerRPCCredentials(grpcauth.Credentials(signer, grpcauth.WithInsecureTransport()))
	answer, err := client.Check(context.Background(), &grpc_health_v1.HealthCheckRequest{}, signed)
	fmt.Println("signed:", answer.GetStatus(), status.Code(err))
	_, err = client.Check(context.Background(), &grpc_health_v1.HealthCheckRequest{})
	fmt.Println("unsigned:", status.Code(err))
}

func listenLocally() net.Listener {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	return listener
}

// A server that verifies calls, and a client that signs them.
func ExampleServerOptions() {
	server := grpc.NewServer(grpcauth.ServerOptions(ordersVerifier())...)
	grpc_health_v1.RegisterHealthServer(server, health.NewServer())
	listener := listenLocally()
	go server.Serve(listener)
	defer server.GracefulStop() // a service calls Stop when that takes too long: examples/grpc

	check(listener.Addr())
	// Output:
	// signed: SERVING OK
	// unsigned: Unauthenticated
}

// Behind net/http's server, the whole body of a call is verified before the call begins.
// The gRPC server then has no options of this package.
func Example_serveHTTP() {
	server := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(server, health.NewServer())
	front := &http.Server{
		Handler:           nethttp.Middleware(ordersVerifier())(server),
		Protocols:         new(http.Protocols),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
	}
	front.Protocols.SetUnencryptedHTTP2(true) // or HTTP/2 over TLS, as always
	listener := listenLocally()
	go front.Serve(listener)
	defer front.Close() // a service calls Shutdown first, which waits for calls: examples/nethttp

	check(listener.Addr())
	// Output:
	// signed: SERVING OK
	// unsigned: Unauthenticated
}

// Every call of a connection is signed. Credentials do not see messages, so the payload is
// left unsigned, and the server must allow that.
func ExampleCredentials() {
	server := grpc.NewServer(grpcauth.ServerOptions(ordersVerifier())...)
	grpc_health_v1.RegisterHealthServer(server, health.NewServer())
	listener := listenLocally()
	go server.Serve(listener)
	defer server.GracefulStop()

	signer := apig.NewSigner(ordersKey, apig.SignOptions{Payload: core.PayloadUnsigned})
	conn, err := grpc.NewClient(listener.Addr().String(),
		grpc.WithTransportCredentials(insecure.NewCredentials()), // local work only, as is WithInsecureTransport
		grpc.WithPerRPCCredentials(grpcauth.Credentials(signer, grpcauth.WithInsecureTransport())))
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	answer, err := grpc_health_v1.NewHealthClient(conn).Check(context.Background(), &grpc_health_v1.HealthCheckRequest{})
	fmt.Println(answer.GetStatus(), err)
	// Output: SERVING <nil>
}
