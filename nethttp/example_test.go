package nethttp_test

import (
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

// A backend behind a gateway that signs the requests of every API of its RELEASE
// environment with one key.
func Example() {
	v, err := core.New(core.Config{
		Environment: "RELEASE",
		Schemes: []core.Scheme{apig.New(apig.Config{Keys: core.Keys(core.Key{
			Name:   "orders_key",
			ID:     "071fe2459cf64d75", // the gateway's "Key"
			Secret: core.NewSecret(os.Getenv("ORDERS_SECRET")),
		})})},
		Default: "orders_key",
	})
	if err != nil {
		log.Fatal(err)
	}
	orders := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, _ := core.FromContext(r.Context())
		fmt.Fprintf(w, "signed with %s of %s\n", id.Key(), id.Environment())
	})
	log.Fatal(http.ListenAndServe(":8080", nethttp.Middleware(v)(orders)))
}

// Requests that do not come from the gateway get the same response, whatever is wrong
// with them.
func ExampleMiddleware() {
	keys := core.Keys(core.Key{Name: "orders_key", ID: "071fe2459cf64d75", Secret: core.NewSecret("a-secret-of-the-gateway")})
	v, err := core.New(core.Config{
		Environment: "RELEASE",
		Schemes:     []core.Scheme{apig.New(apig.Config{Keys: keys})},
		APIs:        []core.API{{Match: "GET /healthz", Open: true}},
		Default:     "orders_key",
		Logger:      slog.New(slog.DiscardHandler),
	})
	if err != nil {
		log.Fatal(err)
	}
	handler := nethttp.Middleware(v)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}))
	for _, path := range []string{"/healthz", "/orders"} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		fmt.Printf("%s %d %q\n", path, w.Code, w.Header().Get("WWW-Authenticate"))
	}
	// Output:
	// /healthz 200 ""
	// /orders 401 "SDK-HMAC-SHA256 realm=\"gateway\""
}
