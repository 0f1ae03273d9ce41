// Command gin is the smallest backend behind a gateway, with Gin.
package main

import (
	"log"
	"net/http"
	"os"

	"github.com/gin-gonic/gin"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/ginauth"
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
	engine := gin.New()
	engine.RedirectTrailingSlash = false                            // Gin redirects before any middleware runs
	engine.Use(gin.Logger(), gin.Recovery(), ginauth.Middleware(v)) // before the routes: Use covers only later routes
	engine.GET("/healthz", func(c *gin.Context) { c.Status(http.StatusOK) })
	engine.Any("/orders/*path", func(c *gin.Context) {
		if id, ok := core.FromContext(c.Request.Context()); ok { // not in report and off mode
			c.JSON(http.StatusOK, gin.H{"key": id.Key(), "covers": id.Covers()})
		}
	})
	log.Fatal(engine.Run("127.0.0.1:8080"))
}
