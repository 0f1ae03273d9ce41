package echoauth_test

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
)

// What Echo's own middleware does to a request, as far as it matters here. The
// originals are in a package that needs modules which nothing else here needs.

// before makes middleware of what is done to the request before it goes on.
func before(do func(*http.Request)) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			do(c.Request())
			return next(c)
		}
	}
}

func methodOverride(r *http.Request) {
	if to := r.Header.Get("X-Http-Method-Override"); r.Method == http.MethodPost && to != "" {
		r.Method = to
	}
}

// rewrite turns /old/... into /v1/..., and leaves the target as it was received.
func rewrite(r *http.Request) {
	if rest, ok := strings.CutPrefix(r.RequestURI, "/old/"); ok {
		r.URL, _ = r.URL.Parse("/v1/" + rest)
	}
}

// removeTrailingSlash changes the received target as well.
func removeTrailingSlash(r *http.Request) {
	r.URL.Path = strings.TrimSuffix(r.URL.Path, "/")
	r.RequestURI = r.URL.Path
}

func recovering(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		defer func() {
			if v := recover(); v != nil {
				c.Error(fmt.Errorf("%v", v))
			}
		}()
		return next(c)
	}
}

func cors(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if c.Request().Method == http.MethodOptions {
			return c.NoContent(http.StatusNoContent)
		}
		return next(c)
	}
}
