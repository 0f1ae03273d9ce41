package apig_test

import (
	"fmt"
	"log"
	"log/slog"
	"net/http/httptest"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
)

// A gateway's signature key of type hmac verifies requests, and a scoped one (an AK/SK
// pair) those of clients with the vendor's SDK. Both stand in one environment.
func ExampleNew() {
	gateway := core.Key{Name: "orders_key", ID: "071fe2459cf64d75", Secret: core.NewSecret("not-a-secret-to-use")}
	client := core.Key{Name: "client_key", ID: "QTWAOYTTINDUT2QVKYUC", Secret: core.NewSecret("another-secret-not-to-use"),
		Region: "eu-de", Service: "apig"}
	v, err := core.New(core.Config{
		Environment: "RELEASE",
		Schemes: []core.Scheme{
			apig.New(apig.Config{Keys: core.Keys(gateway)}),
			apig.NewScoped(apig.Config{Keys: core.Keys(client)}),
		},
		APIs:    []core.API{{Match: "/client/", Key: "client_key"}},
		Default: "orders_key",
		Logger:  slog.New(slog.DiscardHandler),
	})
	if err != nil {
		log.Fatal(err)
	}
	const noBody = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" // the SHA-256 of an empty body
	for path, signer := range map[string]*apig.Signer{
		"/orders/7": apig.NewSigner(gateway, apig.SignOptions{}),
		"/client/7": apig.NewScopedSigner(client, apig.SignOptions{}),
	} {
		r := httptest.NewRequest("GET", path, nil)
		if err := signer.Sign(r, noBody, time.Now()); err != nil {
			log.Fatal(err)
		}
		id, err := v.Verify(r)
		fmt.Println(path, id, err)
	}
	// Unordered output:
	// /orders/7 orders_key (hmac, RELEASE) <nil>
	// /client/7 client_key (aksk, RELEASE) <nil>
}
