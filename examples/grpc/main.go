// Command grpc is the smallest gRPC backend behind a gateway: a health service
// that is open for Check, and signed for everything else.
package main

import (
	"cmp"
	"context"
	"log"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/grpcauth"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	key := core.Key{
		Name:   "orders_key",
		ID:     "071fe2459cf64d75", // the gateway's "Key"
		Secret: core.NewSecret(os.Getenv("ORDERS_SECRET")),
	}
	v, err := core.New(core.Config{
		Environment: "RELEASE",
		Schemes:     []core.Scheme{apig.New(apig.Config{Keys: core.Keys(key)})},
		APIs: []core.API{
			{Match: "POST /grpc.health.v1.Health/Check", Open: true},
			// A gateway that streams does not know the digest of the body when it signs.
			{Match: "POST /grpc.health.v1.Health/Watch", Key: "orders_key", AllowUnsignedPayload: true},
		},
		Default: "orders_key",
	})
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer(append(grpcauth.ServerOptions(v),
		grpc.ConnectionTimeout(10*time.Second),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			MaxConnectionIdle:     5 * time.Minute,
			MaxConnectionAge:      time.Hour, // ends streams, and messages that do not arrive
			MaxConnectionAgeGrace: time.Minute,
		}))...)
	// Handlers find the identity with core.FromContext(ctx).
	grpc_health_v1.RegisterHealthServer(server, health.NewServer())
	listener, err := net.Listen("tcp", cmp.Or(os.Getenv("LISTEN"), "127.0.0.1:8081"))
	if err != nil {
		log.Fatal(err)
	}
	log.Print("listening on ", listener.Addr())
	go func() {
		if err := server.Serve(listener); err != nil { // nil after GracefulStop
			log.Fatal(err)
		}
	}()

	<-ctx.Done()                                // SIGTERM, or Ctrl-C
	stop()                                      // a second one ends the program at once
	time.AfterFunc(20*time.Second, server.Stop) // ends the calls that are still in progress
	server.GracefulStop()                       // waits for them
}
