// Command echo5 is the smallest backend behind a gateway, with Echo v5.
package main

import (
	"cmp"
	"context"
	"errors"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/labstack/echo/v5"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/echoauth/v5"
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
		APIs:        []core.API{{Match: "GET /healthz", Open: true}},
		Default:     "orders_key",
	})
	if err != nil {
		log.Fatal(err)
	}
	e := echo.New()
	e.Use(echoauth.Middleware(v))
	e.GET("/healthz", func(c *echo.Context) error { return c.NoContent(http.StatusOK) })
	e.Any("/*", func(c *echo.Context) error {
		id, ok := core.FromContext(c.Request().Context())
		if !ok { // in report and off mode
			return c.NoContent(http.StatusOK)
		}
		return c.JSON(http.StatusOK, map[string]any{"key": id.Key(), "covers": id.Covers()})
	})

	server := &http.Server{
		Handler:           e,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute, // verified bodies have the policy's BodyTimeout, 30s
		IdleTimeout:       2 * time.Minute,
	}
	listener, err := net.Listen("tcp", cmp.Or(os.Getenv("LISTEN"), "127.0.0.1:8080"))
	if err != nil {
		log.Fatal(err)
	}
	log.Print("listening on ", listener.Addr())
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Fatal(err)
		}
	}()

	<-ctx.Done() // SIGTERM, or Ctrl-C
	stop()       // a second one ends the program at once
	ending, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := server.Shutdown(ending); err != nil { // waits for the requests in progress
		log.Fatal("requests were still in progress: ", err)
	}
}
