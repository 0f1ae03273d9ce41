package ginauth_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/ginauth"
	"github.com/gatewayauth/gatewayauth/internal/adaptertest"
)

// The tests of this file are those that the adapters share; internal/adaptertest
// documents them.

// TestNothingRunsAfterARefusal_T114 runs with and without LeaveAnswer.
func TestNothingRunsAfterARefusal_T114(t *testing.T) {
	adaptertest.TestNothingRunsAfterARefusal(t, framework())
	adaptertest.TestNothingRunsAfterARefusal(t, framework(ginauth.LeaveAnswer()))
}

func TestIdentity_T115_T121(t *testing.T) { adaptertest.TestIdentity(t, framework()) }

func TestReceivedTarget_T117(t *testing.T) { adaptertest.TestReceivedTarget(t, framework()) }

func TestPreflight_T122(t *testing.T) { adaptertest.TestPreflight(t, framework()) }

func TestMountedTwice_T171(t *testing.T) { adaptertest.TestMountedTwice(t, framework()) }

func TestBodiesAreReleased(t *testing.T) { adaptertest.TestBodiesAreReleased(t, framework()) }

func TestMultipartFilesAreRemoved_T062(t *testing.T) {
	adaptertest.TestMultipartFilesAreRemoved(t, mounted(verify))
}

// TestAnswersAreThoseOfNetHTTP_T128 also runs with error middleware that does not check
// whether the response was written.
func TestAnswersAreThoseOfNetHTTP_T128(t *testing.T) {
	adaptertest.TestAnswersAreThoseOfNetHTTP(t, true, map[string]adaptertest.Mount{
		"Use":                     mounted(verify),
		"behind error middleware": mounted(func(*core.Verifier) gin.HandlerFunc { return errorHandler }, verify),
	})
}

// TestOnlyTheOpenRouteIsOpen_T120 runs with every setting for how Gin reads paths.
func TestOnlyTheOpenRouteIsOpen_T120(t *testing.T) {
	for n := range 16 {
		t.Run(fmt.Sprintf("settings %04b", n), func(t *testing.T) {
			adaptertest.TestOnlyTheOpenRouteIsOpen(t, func(v *core.Verifier, open, other http.Handler) http.Handler {
				engine := gin.New()
				engine.RedirectTrailingSlash = false
				engine.UseRawPath, engine.UnescapePathValues = n&1 != 0, n&2 != 0
				engine.RemoveExtraSlash, engine.UseEscapedPath = n&4 != 0, n&8 != 0
				engine.Use(ginauth.Middleware(v))
				engine.GET("/health", gin.WrapH(open))
				engine.GET("/files/*path", gin.WrapH(open))
				engine.GET("/admin", gin.WrapH(other))
				engine.NoRoute(gin.WrapH(other))
				return engine
			})
		})
	}
}

func TestExpect_T056(t *testing.T) {
	adaptertest.TestExpect(t, func(v *core.Verifier) http.Handler {
		return mounted(verify)(v, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusConflict) }))
	})
}
