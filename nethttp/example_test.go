package nethttp_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"syscall"
	"time"

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
	server := &http.Server{
		Addr:              ":8080",
		Handler:           nethttp.Middleware(v)(orders),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute, // verified bodies have the policy's BodyTimeout, 30s
		IdleTimeout:       2 * time.Minute,
	}
	go func() {
		if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
			log.Fatal(err)
		}
	}()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	<-ctx.Done()
	ending, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := server.Shutdown(ending); err != nil { // waits for the requests in progress
		log.Fatal(err)
	}
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
