// Command nethttp is the smallest backend behind a gateway, with net/http.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

func main() {
	key := core.Key{Name: "orders_key", ID: "071fe2459cf64d75", Secret: core.NewSecret(os.Getenv("ORDERS_SECRET"))}
	v, err := core.New(core.Config{
		Environment: "RELEASE",
		Schemes:     []core.Scheme{apig.New(apig.Config{Keys: core.Keys(key)})},
		APIs:        []core.API{{Match: "GET /healthz", Open: true}},
		Default:     "orders_key",
	})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		id, ok := core.FromContext(r.Context())
		if ok { // always, in enforce mode
			fmt.Fprintf(w, "signed with %s, covers %+v\n", id.Key(), id.Covers())
		}
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", nethttp.Middleware(v)(mux)))
}
