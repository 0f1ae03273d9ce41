// Command grpc is the smallest gRPC backend behind a gateway: a health service
// that is open for Check, and signed for everything else.
package main

import (
	"log"
	"net"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/grpcauth"
)

func main() {
	key := core.Key{Name: "orders_key", ID: "071fe2459cf64d75", Secret: core.NewSecret(os.Getenv("ORDERS_SECRET"))}
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
	server := grpc.NewServer(grpcauth.ServerOptions(v)...)
	// Handlers find the identity with core.FromContext(ctx).
	grpc_health_v1.RegisterHealthServer(server, health.NewServer())
	listener, err := net.Listen("tcp", "127.0.0.1:8081")
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(server.Serve(listener))
}
