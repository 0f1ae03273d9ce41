// Command gin is the smallest backend behind a gateway, with Gin.
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

	"github.com/gin-gonic/gin"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/ginauth"
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
	engine := gin.New()
	engine.RedirectTrailingSlash = false                            // Gin redirects before any middleware runs
	engine.Use(gin.Logger(), gin.Recovery(), ginauth.Middleware(v)) // before the routes: Use covers only later routes
	engine.GET("/healthz", func(c *gin.Context) { c.Status(http.StatusOK) })
	engine.Any("/orders/*path", func(c *gin.Context) {
		if id, ok := core.FromContext(c.Request.Context()); ok { // not in report and off mode
			c.JSON(http.StatusOK, gin.H{"key": id.Key(), "covers": id.Covers()})
		}
	})

	server := &http.Server{
		Handler:           engine,
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
