// Package problem has what the adapters for Echo v4 and v5 share: a refusal whose JSON is
// the problem of [core.WriteProblem].
package problem

import (
	"encoding/json"
	"net/http"

	"github.com/gatewayauth/gatewayauth/core"
)

// Refusal is the problem of a refused request. When Echo writes it as JSON, it sets the
// Content-Type of a problem.
type Refusal struct {
	problem *core.Problem
	header  http.Header
	request *http.Request
}

// New sets the headers of the response to r in header. It leaves out the Content-Type if
// the response has a body: c.JSON, c.HTML and c.File would not replace it.
func New(header http.Header, r *http.Request, err error) Refusal {
	f := Refusal{core.ProblemOf(err), header, r}
	f.problem.SetHeader(header, r)
	if r.Method != http.MethodHead {
		header.Del("Content-Type")
	}
	return f
}

// StatusCode implements echo.HTTPStatusCoder of Echo v5.
func (f Refusal) StatusCode() int { return f.problem.Status }

// MarshalJSON implements [json.Marshaler].
func (f Refusal) MarshalJSON() ([]byte, error) {
	f.problem.SetHeader(f.header, f.request)
	return json.Marshal(f.problem)
}

// String keeps the text of an *echo.HTTPError of Echo v4 to one line.
func (f Refusal) String() string { return f.problem.Detail }
