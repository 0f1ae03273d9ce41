package echoauth

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/gatewayauth/gatewayauth/core"
)

// Middleware returns middleware that passes on what v admits and refuses the
// rest: it returns an *[echo.HTTPError] without calling the next handler. The
// handler finds the identity with [core.FromContext] in c.Request().Context().
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
			if c.Path() != "" { // routed already
				defer func() { r.MultipartForm = admitted.MultipartForm }() // net/http removes its files
				c.SetRequest(admitted)
				return next(c)
			}
			admission.Replace(c.Response(), r) // after Pre, Echo routes by r, whatever SetRequest was told
			return next(c)
		}
	}
}

// route is what Echo runs for a request. Its parameters stand for one segment of the
// path each, but for a wildcard; Echo's last one takes the rest of the path as well,
// and /orders/7/x is then a path of the route /orders/:id. Before the router has run,
// it is asked in a context of its own: what it finds stays in there.
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

// refusal is an error that Echo's own error handler answers as
// core.WriteProblem does, and any other as it likes.
func refusal(c echo.Context, err error) error {
	a := answer{core.ProblemOf(err), c.Response().Header(), c.Request()}
	a.problem.SetHeader(a.header, a.request)
	if a.request.Method != http.MethodHead {
		a.header.Del(echo.HeaderContentType) // c.JSON, c.HTML and c.File would keep it for what they write
	}
	return &echo.HTTPError{Code: a.problem.Status, Message: a, Internal: err}
}

// answer sets the Content-Type of a problem where, and only where, the problem
// is what gets written.
type answer struct {
	problem *core.Problem
	header  http.Header
	request *http.Request
}

func (a answer) MarshalJSON() ([]byte, error) {
	a.problem.SetHeader(a.header, a.request)
	return json.Marshal(a.problem)
}

// String keeps the text of the *echo.HTTPError to one line.
func (a answer) String() string { return a.problem.Detail }
