package ginauth_test

import (
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"github.com/gin-gonic/gin"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/ginauth"
)

// Error middleware in front writes the responses to refused requests like those to all
// other errors.
func ExampleLeaveAnswer() {
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
	answerErrors := func(c *gin.Context) {
		c.Next()
		if err := c.Errors.Last(); err != nil && !c.Writer.Written() {
			c.JSON(core.StatusCode(err), gin.H{"error": http.StatusText(core.StatusCode(err))})
		}
	}
	engine := gin.New()
	engine.Use(answerErrors, ginauth.Middleware(v, ginauth.LeaveAnswer()))
	engine.GET("/healthz", func(c *gin.Context) { c.String(http.StatusOK, "well") })
	for _, path := range []string{"/healthz", "/orders"} {
		w := httptest.NewRecorder()
		engine.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		fmt.Println(path, w.Code, w.Body)
	}
	// Output:
	// /healthz 200 well
	// /orders 401 {"error":"Unauthorized"}
}
