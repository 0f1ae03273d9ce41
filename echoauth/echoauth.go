package echoauth

import (
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/echoauth/internal/problem"
)

// Middleware returns middleware that passes on the requests that v admits. For a refused
// request it returns an *[echo.HTTPError] without calling the next handler. The handler
// gets the identity with [core.FromContext] from c.Request().Context().
func Middleware(v *core.Verifier) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			admission, err := v.Admit(c.Response(), r, core.BodyForHandler, route(c))
			defer admission.Release()
			if err != nil {
				return refusal(c, err)
			}
			admitted := admission.Request
			if c.Path() != "" { // Echo has already found the route
				defer func() { r.MultipartForm = admitted.MultipartForm }() // net/http removes the files of r.MultipartForm
				c.SetRequest(admitted)
			} else { // after Pre, Echo finds the route of r, not of the request of SetRequest
				admission.Replace(c.Response(), r)
			}
			return watch(admission, next, c)
		}
	}
}

// watch calls next and tells the admission how the request is answered.
func watch(admission core.Admission, next echo.HandlerFunc, c echo.Context) error {
	c.Response().Writer = admission.Watch(c.Response().Writer)
	err := next(c)
	if answer := c.Response(); err == nil || answer.Committed {
		admission.Answer(http.StatusOK)
	} else { // Echo's error handler answers, perhaps with a writer that middleware in front has put back
		answer.Before(func() { admission.Answer(answer.Status) })
	}
	return err
}

// route returns the route that Echo runs for a request. A parameter stands for one
// segment of the path, but Echo's last parameter matches the rest of the path, so that
// /orders/7/x is a path of the route /orders/:id. If the router has not run, route runs
// it with a separate context, which keeps the result.
func route(c echo.Context) core.Route {
	e, r := c.Echo(), c.Request()
	router, exact := e.Routers()[r.Host]
	if !exact {
		router = e.Router()
	}
	found := core.Route{OtherHost: !exact && hasHost(e, r.Host)}
	if c.Path() != "" {
		found.Segments = named(c)
		return found
	}
	probe := e.AcquireContext()
	defer e.ReleaseContext(probe)
	probe.Reset(r, nil)
	router.Find(r.Method, echo.GetPath(r), probe)
	found.Segments = slices.Clone(named(probe))
	return found
}

// hasHost reports whether e has routes for a host in another spelling.
func hasHost(e *echo.Echo, host string) bool {
	name := func(host string) string {
		if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
			host = host[:i]
		}
		return strings.TrimSuffix(host, ".")
	}
	for known := range e.Routers() {
		if strings.EqualFold(name(known), name(host)) {
			return true
		}
	}
	return false
}

func named(c echo.Context) []string {
	names, values := c.ParamNames(), c.ParamValues()
	if last := len(names) - 1; last >= 0 && names[last] == "*" {
		return values[:last]
	}
	return values
}

// refusal returns an error that Echo's own error handler answers as core.WriteProblem does.
func refusal(c echo.Context, err error) error {
	p := problem.New(c.Response().Header(), c.Request(), err)
	return &echo.HTTPError{Code: p.StatusCode(), Message: p, Internal: err}
}
