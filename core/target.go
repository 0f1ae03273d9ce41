package core

import (
	"net/http"
	"strings"
)

// checkTarget refuses methods and targets that routers could read differently, and
// targets that are too long.
func checkTarget(v *verification) error {
	limits := &v.policy.Limits
	if len(v.path)+len(v.query) > limits.Target {
		return Refuse(CodeRequestAmbiguous, "the request target is too long")
	}
	if err := v.message.CheckTarget(v.request, limits.QueryParameters); err != nil {
		return Refuse(CodeRequestAmbiguous, err.Error())
	}
	if v.request.RequestURI == "" && v.request.Method == http.MethodConnect { // the server has read an empty target
		return Refuse(CodeRequestAmbiguous, "the request target is empty")
	}
	if v.request.Method == "PRI" { // a handler that takes it (h2c) serves the rest of the connection itself
		return Refuse(CodeRequestAmbiguous, "PRI is no method: it starts a connection of HTTP/2")
	}
	if m := v.request.Method; strings.IndexByte(m, '\r') >= 0 || strings.IndexByte(m, '\n') >= 0 {
		return Refuse(CodeRequestAmbiguous, "the method is not a token")
	}
	return nil
}

// asSigned returns the request as the gateway sent it.
func (v *verification) asSigned() *http.Request {
	w := &v.policy.Rewrite
	if w.AddPrefix == "" && w.Host == "" {
		return v.request
	}
	signed := new(http.Request)
	*signed = *v.request
	signed.RequestURI = w.AddPrefix + v.path
	if v.query != "" {
		signed.RequestURI += "?" + v.query
	}
	if w.Host != "" {
		signed.Host = w.Host
	}
	return signed
}

// shownPath is the path for records. Targets in other forms than the origin form, and paths
// that clients take for //host/path, can hold a user and a password.
func (v *verification) shownPath() string {
	switch {
	case strings.HasPrefix(v.path, "/") && !strings.HasPrefix(v.path, "//"):
		return v.path
	case strings.IndexByte(v.query, '@') >= 0: // the question mark may be one of the password
		return withheldUser
	}
	return withoutUser(v.path)
}

const withheldUser = "..."

// withoutUser returns a URL or an authority without all that could be a user and a
// password. It does not parse: what is malformed holds them as well.
func withoutUser(s string) string {
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		return withheldUser + s[i:]
	}
	return s
}
