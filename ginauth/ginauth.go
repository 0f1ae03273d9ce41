package ginauth

import (
	"slices"

	"github.com/gin-gonic/gin"

	"github.com/gatewayauth/gatewayauth/core"
)

// Middleware returns middleware that passes on the requests that v admits. For a refused
// request it attaches the error to c.Errors, aborts the chain, and answers with
// [core.WriteProblem], except with the option [LeaveAnswer]. The handler gets the
// identity with [core.FromContext] from c.Request.Context().
func Middleware(v *core.Verifier, options ...Option) gin.HandlerFunc {
	leave := slices.Contains(options, LeaveAnswer())
	return func(c *gin.Context) {
		r := c.Request
		admission, err := v.Admit(c.Writer, r, core.BodyForHandler)
		defer admission.Release()
		if err == nil {
			admitted := admission.Request
			// net/http removes the files of r.MultipartForm.
			defer func() { r.MultipartForm = admitted.MultipartForm }()
			c.Request = admitted
			if admission.PermitRetry() {
				c.Writer = &watchedWriter{c.Writer, admission}
			}
			c.Next()
			admission.Answer(finalStatus(c.Writer))
			return
		}
		c.Error(err)
		c.Abort()
		if !leave {
			core.WriteProblem(c.Writer, r, err)
			return
		}
		p := core.ProblemOf(err)
		p.SetHeader(c.Writer.Header(), r)
		c.Writer.Header().Del("Content-Type") // c.JSON and c.HTML would not replace it
		c.Status(p.Status)
	}
}

// Option changes how [Middleware] refuses.
type Option struct{ leaveAnswer bool }

// LeaveAnswer leaves the response to a refused request to middleware in front of this
// one, which reads c.Errors after c.Next has returned. The status and the headers except
// Content-Type are set, and nothing is written. If no middleware writes a body, the
// response has none. Without this option the response is written immediately, and later
// writes do not reach the caller.
func LeaveAnswer() Option { return Option{leaveAnswer: true} }
