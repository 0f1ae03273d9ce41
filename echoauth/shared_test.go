package echoauth_test

import (
	"net/http"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/echoauth"
	"github.com/gatewayauth/gatewayauth/internal/adaptertest"
)

// The tests of this file are those that the adapters share; internal/adaptertest
// documents them.

func TestNothingRunsAfterARefusal_T114(t *testing.T) {
	adaptertest.TestNothingRunsAfterARefusal(t, framework)
}

func TestIdentity_T115_T121(t *testing.T) { adaptertest.TestIdentity(t, framework) }

func TestReceivedTarget_T117(t *testing.T) { adaptertest.TestReceivedTarget(t, framework) }

func TestPreflight_T122(t *testing.T) { adaptertest.TestPreflight(t, framework) }

func TestMountedTwice_T171(t *testing.T) { adaptertest.TestMountedTwice(t, framework) }

func TestBodiesAreReleased(t *testing.T) { adaptertest.TestBodiesAreReleased(t, framework) }

func TestMultipartFilesAreRemoved_T062(t *testing.T) {
	adaptertest.TestMultipartFilesAreRemoved(t, mountUse)
}

func TestAnswersAreThoseOfNetHTTP_T128(t *testing.T) {
	adaptertest.TestAnswersAreThoseOfNetHTTP(t, false, map[string]adaptertest.Mount{"Use": mountUse, "Pre": mountPre})
}

func TestOnlyTheOpenRouteIsOpen_T120(t *testing.T) {
	adaptertest.TestOnlyTheOpenRouteIsOpen(t, func(v *core.Verifier, open, other http.Handler) http.Handler {
		e := echo.New()
		e.Use(echoauth.Middleware(v))
		e.GET("/health", echo.WrapHandler(open))
		e.GET("/files/*", echo.WrapHandler(open))
		e.Any("/*", echo.WrapHandler(other))
		return e
	})
}

func TestExpect_T056(t *testing.T) {
	for _, mount := range []adaptertest.Mount{mountUse, mountPre} {
		adaptertest.TestExpect(t, func(v *core.Verifier) http.Handler {
			return mount(v, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusConflict) }))
		})
	}
	for _, pre := range []bool{false, true} { // no route at all
		adaptertest.TestExpect(t, func(v *core.Verifier) http.Handler {
			e := echo.New()
			if e.Use(echoauth.Middleware(v)); pre {
				e.Pre(echoauth.Middleware(v))
			}
			e.HTTPErrorHandler = func(err error, c echo.Context) {
				if status := core.StatusCode(err); status != http.StatusServiceUnavailable {
					c.NoContent(status)
					return
				}
				c.NoContent(http.StatusConflict) // Echo's 404
			}
			return e
		})
	}
}
