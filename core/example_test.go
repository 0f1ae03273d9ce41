package core_test

import (
	"fmt"
	"log"
	"log/slog"
	"net/http/httptest"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
)

// A verifier of one environment: two keys, each bound to its APIs, and one API that needs
// none.
func ExampleNew() {
	orders := core.Key{Name: "orders_key", ID: "071fe2459cf64d75", Secret: core.NewSecret("not-a-secret-to-use")}
	partner := core.Key{Name: "partner_key", ID: "98a1c5e07b3f4d26", Secret: core.NewSecret("another-secret-not-to-use")}
	v, err := core.New(core.Config{
		Environment: "RELEASE",
		Schemes:     []core.Scheme{apig.New(apig.Config{Keys: core.Keys(orders, partner)})},
		APIs: []core.API{
			{Match: "/partner/", Key: "partner_key"},
			{Match: "GET /healthz", Open: true},
		},
		Default: "orders_key",
		Logger:  slog.New(slog.DiscardHandler),
	})
	if err != nil {
		log.Fatal(err)
	}

	const noBody = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" // the SHA-256 of an empty body
	for _, path := range []string{"/orders/7", "/partner/report", "/healthz"} {
		r := httptest.NewRequest("GET", path, nil)
		if path != "/healthz" {
			if err := apig.NewSigner(orders, apig.SignOptions{}).Sign(r, noBody, time.Now()); err != nil {
				log.Fatal(err)
			}
		}
		id, err := v.Verify(r)
		fmt.Println(path, id, core.StatusCode(err))
	}
	// Output:
	// /orders/7 orders_key (hmac, RELEASE) 200
	// /partner/report not verified 403
	// /healthz not verified 200
}
