package explain_test

import (
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/explain"
)

// A request is refused because a proxy removed the prefix /v1 and replaced the signed host
// by its own.
func ExampleExplain() {
	key := core.Key{Name: "orders_key", ID: "071fe2459cf64d75", Secret: core.NewSecret("not-a-secret-to-use")}
	now := time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
	c := core.Config{
		Environment: "RELEASE",
		Schemes:     []core.Scheme{apig.New(apig.Config{Keys: core.Keys(key)})},
		Default:     "orders_key",
		Now:         func() time.Time { return now },
	}
	r, err := http.NewRequest(http.MethodGet, "http://api.example.com/v1/orders/7", nil)
	if err != nil {
		log.Fatal(err)
	}
	const digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" // of no body
	if err := apig.NewSigner(key, apig.SignOptions{}).Sign(r, digest, now); err != nil {
		log.Fatal(err)
	}
	r.RequestURI = "/orders/7"
	r.Host = "127.0.0.1:9000"
	r.Header.Set("X-Forwarded-Host", "api.example.com")

	x, err := explain.Explain(r, c, explain.Hints{Prefixes: []string{"/v1"}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(x.Code)
	for _, f := range x.Causes {
		fmt.Printf("%s: %s\n", f.Cause, f.Change)
	}
	// Output:
	// signature_mismatch
	// host: host api.example.com instead of 127.0.0.1:9000
	// path_prefix: path /v1/orders/7 instead of /orders/7
}
