package ginauth

import (
	"slices"

	"github.com/gin-gonic/gin"

	"github.com/gatewayauth/gatewayauth/core"
)

// Middleware returns middleware that passes on what v admits and refuses the
// rest: it attaches the error to c.Errors, aborts the chain, and answers with
// [core.WriteProblem] unless told otherwise by [LeaveAnswer]. The handler finds
// the identity with [core.FromContext] in c.Request.Context().
func Middleware(v *core.Verifier, options ...Option) gin.HandlerFunc {
	leave := slices.Contains(options, LeaveAnswer())
	return func(c *gin.Context) {
		r := c.Request
		admission, err := v.Admit(c.Writer, r, core.BodyForHandler)
		defer admission.Release()
		if err == nil {
			admitted := admission.Request
			// net/http removes the files of the form that it finds in r.
			defer func() { r.MultipartForm = admitted.MultipartForm }()
			c.Request = admitted
			c.Next()
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
		c.Writer.Header().Del("Content-Type") // c.JSON and c.HTML would keep it for what they write
		c.Status(p.Status)
	}
}

// Option changes how [Middleware] refuses.
type Option struct{ leaveAnswer bool }

// LeaveAnswer leaves the answer to a middleware in front of this one, which
// looks at c.Errors when c.Next has returned: status and header fields of the
// answer are set (but for Content-Type), nothing is written. If nobody writes,
// they go out without a body. Without this option the answer is written at
// once, and what is written after it does not reach the caller.
func LeaveAnswer() Option { return Option{leaveAnswer: true} }
