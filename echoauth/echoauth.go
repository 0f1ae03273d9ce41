package echoauth

import (
	"encoding/json"
	"net/http"
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
			admission, err := v.AdmitServed(c.Response(), r)
			defer admission.Release()
			if err == nil && swallowed(c) {
				err = core.Refuse(core.CodeRequestAmbiguous, "a parameter of the route holds a slash")
			}
			if err != nil {
				return refusal(c, err)
			}
			admitted := admission.Request
			if c.Path() != "" { // routed already
				defer func() { r.MultipartForm = admitted.MultipartForm }() // net/http removes its files
				c.SetRequest(admitted)
				return next(c)
			}
			// In place: after Pre, Echo routes by r, whatever SetRequest was told. There
			// net/http does not find its own body when it answers, and would wait for
			// one that it has not asked for.
			if r.Header.Get("Expect") != "" {
				c.Response().Header().Set("Connection", "close")
			}
			*r = *admitted
			return next(c)
		}
	}
}

// swallowed reports whether the route took more of the path for a parameter than
// a segment, as Echo's last parameter does: to the verifier, /orders/7/x is not
// an /orders/{id}, and may be bound to another key.
func swallowed(c echo.Context) bool {
	for i, name := range c.ParamNames() {
		if name != "*" && strings.Contains(c.ParamValues()[i], "/") {
			return true
		}
	}
	return false
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
