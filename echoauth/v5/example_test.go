package echoauth_test

import (
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"github.com/labstack/echo/v5"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/echoauth/v5"
)

// A custom error handler writes the responses to refused requests like those to all other
// errors.
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
	e := echo.New()
	e.Use(echoauth.Middleware(v))
	e.GET("/healthz", func(c *echo.Context) error { return c.String(http.StatusOK, "well") })
	e.HTTPErrorHandler = func(c *echo.Context, err error) {
		if answer, status := echo.ResolveResponseStatus(c.Response(), err); !answer.Committed {
			c.JSON(status, map[string]string{"error": http.StatusText(status)})
		}
	}
	for _, path := range []string{"/healthz", "/orders"} {
		w := httptest.NewRecorder()
		e.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		fmt.Println(path, w.Code, w.Body)
	}
	// Output:
	// /healthz 200 well
	// /orders 401 {"error":"Unauthorized"}
}
