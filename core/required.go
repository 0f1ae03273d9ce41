package core

import (
	"net/http"
	"strings"
)

// required is a header that must be signed where it is present.
type required struct {
	name    string
	refusal error
}

func (x *compiler) validateRequired() {
	x.RequireSigned, x.required = x.requireSigned("RequireSigned", x.RequireSigned,
		"this environment requires it to be signed: ")
	x.RequireSignedWithBody, x.requiredWithBody = x.requireSigned("RequireSignedWithBody", x.RequireSignedWithBody,
		"this environment requires it to be present and signed where there is a body: ")
}

// requireSigned reads the names of a field: in lower case, and with what is answered
// where one is not signed.
func (x *compiler) requireSigned(field string, given []string, why string) (names []string, list []required) {
	names = make([]string, 0, len(given))
	for i, name := range given {
		name = strings.ToLower(name)
		if !isHeaderName(name) || unsignable(name) {
			x.wrongValue(item(field, i), name, "is not the name of a header that can be signed")
		}
		names = append(names, name)
		list = append(list, required{name, &Error{Code: CodeHeaderNotSigned, Detail: why + name, known: true}})
	}
	return names, list
}

// checkWithBody refuses a request with a body that leaves unsigned what must be
// signed then. (A header that is signed and absent is refused for every request.)
//
// A body whose length is not announced counts as one before it is read: it must not
// be read for a request that is refused, and what turns out to be empty was sent by
// somebody who could have announced that.
func (p *policy) checkWithBody(r *http.Request, c *Credential) error {
	if r.ContentLength == 0 {
		return nil
	}
	for _, header := range p.requiredWithBody {
		if !c.Signs(header.name) {
			return header.refusal
		}
	}
	return nil
}
