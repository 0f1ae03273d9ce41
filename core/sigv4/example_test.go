package sigv4_test

import (
	"fmt"
	"log"
	"log/slog"
	"net/http/httptest"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
)

// Requests that are signed with AWS Signature Version 4, for one region and service. A
// request for another region is refused.
func ExampleNew() {
	key := core.Key{Name: "orders_key", ID: "AKIAIOSFODNN7EXAMPLE", Secret: core.NewSecret("not-a-secret-to-use"),
		Region: "eu-central-1", Service: "execute-api"}
	v, err := core.New(core.Config{
		Environment: "prod",
		Schemes:     []core.Scheme{sigv4.New(sigv4.Config{Keys: core.Keys(key)})},
		Default:     "orders_key",
		Logger:      slog.New(slog.DiscardHandler),
	})
	if err != nil {
		log.Fatal(err)
	}
	const noBody = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" // the SHA-256 of an empty body
	elsewhere := key
	elsewhere.Region = "us-east-1"
	for _, signing := range []core.Key{key, elsewhere} {
		r := httptest.NewRequest("GET", "/orders/7?fields=id", nil)
		if err := sigv4.NewSigner(signing, sigv4.SignOptions{}).Sign(r, noBody, time.Now()); err != nil {
			log.Fatal(err)
		}
		id, err := v.Verify(r)
		fmt.Println(id, core.StatusCode(err))
	}
	// Output:
	// orders_key (sigv4, prod) 200
	// not verified 401
}
