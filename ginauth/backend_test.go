package ginauth_test

import (
	"net/http"
	"sync/atomic"

	"github.com/gin-gonic/gin"

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
func counted(runs *atomic.Int32) gin.HandlerFunc {
	return func(c *gin.Context) {
		runs.Add(1)
		c.String(http.StatusOK, "ok")
	}
}
