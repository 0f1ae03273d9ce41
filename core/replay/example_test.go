package replay_test

import (
	"fmt"
	"log"
	"log/slog"
	"net/http/httptest"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/replay"
)

// A request is accepted once. Requests that only read are not checked, so that clients
// may send two equal ones within a second.
func ExampleNew() {
	store, err := replay.New(replay.Config{})
	if err != nil {
		log.Fatal(err)
	}
	key := core.Key{Name: "orders_key", ID: "071fe2459cf64d75", Secret: core.NewSecret("not-a-secret-to-use")}
	v, err := core.New(core.Config{
		Environment: "RELEASE",
		Schemes:     []core.Scheme{apig.New(apig.Config{Keys: core.Keys(key)})},
		Default:     "orders_key",
		Replay:      core.Replay{Store: store, ExemptMethods: []string{"GET", "HEAD"}},
		Logger:      slog.New(slog.DiscardHandler),
	})
	if err != nil {
		log.Fatal(err)
	}
	const noBody = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" // the SHA-256 of an empty body
	for _, method := range []string{"DELETE", "GET"} {
		r := httptest.NewRequest(method, "/orders/7", nil)
		if err := apig.NewSigner(key, apig.SignOptions{}).Sign(r, noBody, time.Now()); err != nil {
			log.Fatal(err)
		}
		for range 2 {
			_, err := v.Verify(r)
			fmt.Println(method, core.StatusCode(err))
		}
	}
	// Output:
	// DELETE 200
	// DELETE 401
	// GET 200
	// GET 200
}
