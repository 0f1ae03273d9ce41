package main

import (
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/labstack/echo/v4"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/echoauth"
	"github.com/gatewayauth/gatewayauth/ginauth"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

// adapters put the verifier in front of a handler of each HTTP framework. gRPC has its
// own table.
var adapters = []struct {
	name  string
	mount func(*core.Verifier, http.Handler) http.Handler
}{
	{"net/http", func(v *core.Verifier, h http.Handler) http.Handler { return nethttp.Middleware(v)(h) }},
	{"Echo", func(v *core.Verifier, h http.Handler) http.Handler {
		e := echo.New()
		e.Use(echoauth.Middleware(v))
		e.Any("/*", echo.WrapHandler(h))
		e.Any("/items/:id", echo.WrapHandler(h))
		return e
	}},
	{"Gin", func(v *core.Verifier, h http.Handler) http.Handler {
		gin.SetMode(gin.ReleaseMode)
		engine := gin.New()
		engine.Use(ginauth.Middleware(v))
		engine.Any("/*path", gin.WrapH(h))
		return engine
	}},
}
