// Command echo5 is the smallest backend behind a gateway, with Echo v5.
package main

import (
	"log"
	"net/http"
	"os"

	"github.com/labstack/echo/v5"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/echoauth/v5"
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
	log.Fatal(e.Start("127.0.0.1:8080"))
}
