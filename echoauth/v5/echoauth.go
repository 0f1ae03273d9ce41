package echoauth

import (
	"net/http"

	"github.com/labstack/echo/v5"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/echoauth/internal/problem"
)

// Middleware returns middleware that passes on the requests that v admits. For a refused
// request it returns an error that wraps the *[core.Error], without calling the next
// handler. The handler gets the identity with [core.FromContext] from
// c.Request().Context().
func Middleware(v *core.Verifier) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c *echo.Context) error {
			r := c.Request()
			admission, err := v.Admit(c.Response(), r, core.BodyForHandler, route(c))
			defer admission.Release()
			if err != nil {
				return &refusal{problem.New(c.Response().Header(), r, err), err}
			}
			admitted := admission.Request
			// The server removes the files of r.MultipartForm.
			defer func() { r.MultipartForm, r.Pattern = admitted.MultipartForm, admitted.Pattern }()
			c.SetRequest(admitted)
			return watch(admission, next, c)
		}
	}
}

// watch calls next and tells the admission how the request is answered.
func watch(admission core.Admission, next echo.HandlerFunc, c *echo.Context) error {
	answer, err := echo.UnwrapResponse(c.Response())
	if err != nil {
		return next(c) // the writer of other middleware hides Echo's: no retry is permitted
	}
	answer.ResponseWriter = admission.Watch(answer.ResponseWriter)
	err = next(c)
	if err == nil || answer.Committed {
		admission.Answer(http.StatusOK)
	} else { // Echo's error handler answers
		answer.Before(func() { admission.Answer(answer.Status) })
	}
	return err
}

// route returns the route that Echo runs for a request. A parameter stands for one
// segment of the path, but Echo's last parameter matches the rest of the path, so that
// /orders/7/x is a path of the route /orders/:id. If the router has not run, route runs
// it with a separate context, which keeps the result.
func route(c *echo.Context) (found core.Route) {
	if c.Path() == "" {
		e, r := c.Echo(), c.Request()
		probe := e.AcquireContext()
		defer e.ReleaseContext(probe)
		probe.Reset(r, nil)
		e.Router().Route(probe)
		c = probe
	}
	for _, value := range c.PathValues() {
		if value.Name != "*" {
			found.Segments = append(found.Segments, value.Value)
		}
	}
	return found
}

// refusal is an error that Echo's own error handler answers as [core.WriteProblem] does.
type refusal struct {
	problem.Refusal
	error
}

// Unwrap returns the *[core.Error].
func (r *refusal) Unwrap() error { return r.error }
