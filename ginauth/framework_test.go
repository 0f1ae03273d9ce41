package ginauth_test

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/ginauth"
	"github.com/gatewayauth/gatewayauth/internal/adaptertest"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// The policy and the requests are those of the tests of every HTTP adapter.
var (
	orders      = testkit.Orders
	newVerifier = testkit.Verifier
	unsigned    = testkit.Unsigned
	signed      = testkit.Signed
	serve       = testkit.Serve
	expect      = testkit.Expect
)

type (
	counter  = testkit.Counter
	exchange = testkit.Exchange
)

// framework is Gin, for the tests that the adapters share.
func framework(options ...ginauth.Option) adaptertest.Framework[gin.HandlerFunc] {
	return adaptertest.Framework[gin.HandlerFunc]{
		New: func() adaptertest.Router[gin.HandlerFunc] {
			engine := gin.New()
			return router{engine, engine}
		},
		Verify:  func(v *core.Verifier) gin.HandlerFunc { return ginauth.Middleware(v, options...) },
		Step:    step,
		Recover: gin.RecoveryWithWriter(io.Discard),
		Fail:    func(c *gin.Context) { c.AbortWithError(http.StatusInternalServerError, errors.New("of the handler")) },
	}
}

// router is Gin's engine, or a group of it.
type router struct {
	http.Handler
	routes gin.IRouter
}

func (r router) Use(through ...gin.HandlerFunc) { r.routes.Use(through...) }

func (r router) Group(prefix string, through ...gin.HandlerFunc) adaptertest.Router[gin.HandlerFunc] {
	return router{r.Handler, r.routes.Group(prefix, through...)}
}

func (r router) Handle(method, path string, handler http.Handler, through ...gin.HandlerFunc) {
	if strings.HasSuffix(path, "*") {
		path += "rest" // Gin's wildcards have a name
	}
	through = append(through, gin.WrapH(handler))
	if method == "" {
		r.routes.Any(path, through...)
		return
	}
	r.routes.Handle(method, path, through...)
}

func step(do adaptertest.Step) gin.HandlerFunc {
	return func(c *gin.Context) {
		c.Set("identity", "root")
		c.Set("user", "root")
		passed := false
		do(c.Writer, c.Request, func(r *http.Request) {
			passed, c.Request = true, r
			c.Next()
		})
		if !passed {
			c.Abort()
		}
	}
}

// counted returns a handler that counts its runs.
func counted(runs *counter) gin.HandlerFunc { return gin.WrapH(runs) }

// mounted returns a Mount with the middleware for the whole engine, in front of one
// handler for every path.
func mounted(chain ...func(*core.Verifier) gin.HandlerFunc) adaptertest.Mount {
	return func(v *core.Verifier, next http.Handler) http.Handler {
		engine := gin.New()
		for _, middleware := range chain {
			engine.Use(middleware(v))
		}
		engine.Any("/*path", gin.WrapH(next))
		return engine
	}
}

// verify is the adapter without options.
func verify(v *core.Verifier) gin.HandlerFunc { return ginauth.Middleware(v) }
