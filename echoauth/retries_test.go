package echoauth_test

import (
	"net/http"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/echoauth"
	"github.com/gatewayauth/gatewayauth/internal/adaptertest"
)

func TestRetries_T193(t *testing.T) {
	for name, mount := range map[string]func(*echo.Echo, echo.MiddlewareFunc){
		"Use": func(e *echo.Echo, verify echo.MiddlewareFunc) { e.Use(verify) },
		"Pre": func(e *echo.Echo, verify echo.MiddlewareFunc) { e.Pre(verify) },
	} {
		t.Run(name, func(t *testing.T) {
			adaptertest.TestRetries(t, func(v *core.Verifier, next http.Handler) http.Handler {
				e := echo.New()
				mount(e, echoauth.Middleware(v))
				e.Any("/*", echo.WrapHandler(next))
				return e
			})
		})
	}
}

// TestRetriesOfErrors_T193 is that an error which the handler returns counts as Echo's
// error handler answers it, also with the writer that middleware in front puts back, as
// Echo's Gzip and Timeout do.
func TestRetriesOfErrors_T193(t *testing.T) {
	restore := func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			w := c.Response().Writer
			defer func() { c.Response().Writer = w }()
			return next(c)
		}
	}
	for name, front := range map[string][]echo.MiddlewareFunc{"alone": nil, "behind another writer": {restore}} {
		t.Run(name, func(t *testing.T) {
			adaptertest.TestRetries(t, func(v *core.Verifier, next http.Handler) http.Handler {
				e := echo.New()
				e.Use(front...)
				e.Use(echoauth.Middleware(v))
				e.Any("/*", func(c echo.Context) error {
					w := &errorWriter{ResponseWriter: c.Response()}
					next.ServeHTTP(w, c.Request())
					if w.status != 0 {
						return echo.NewHTTPError(w.status)
					}
					return nil
				})
				return e
			})
		})
	}
}

// errorWriter keeps a status from 400 on, which the handler then returns as an error.
type errorWriter struct {
	http.ResponseWriter
	status int
}

func (w *errorWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *errorWriter) WriteHeader(status int) {
	if status >= 400 && w.status == 0 {
		w.status = status
		return
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *errorWriter) Write(p []byte) (int, error) {
	if w.status != 0 {
		return len(p), nil
	}
	return w.ResponseWriter.Write(p)
}
