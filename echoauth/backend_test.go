package echoauth_test

import (
	"net/http"
	"sync/atomic"

	"github.com/labstack/echo/v4"

	"github.com/gatewayauth/gatewayauth/internal/adaptertest"
)

// The policy and the requests of these tests are those of every HTTP adapter.
var (
	orders, partner = adaptertest.Orders, adaptertest.Partner
	newVerifier     = adaptertest.NewVerifier
	unsigned        = adaptertest.Unsigned
	signed          = adaptertest.Signed
	serve           = adaptertest.Serve
	keyName         = adaptertest.KeyName
)

// counted returns a handler that counts its runs.
func counted(runs *atomic.Int32) echo.HandlerFunc {
	return func(c echo.Context) error {
		runs.Add(1)
		return c.String(http.StatusOK, "ok")
	}
}
