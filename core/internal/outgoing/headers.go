package outgoing

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/internal/authorization"
	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
)

// headers gives the headers the form in which they are sent.
func headers(r *http.Request) error {
	if r.Header == nil {
		r.Header = http.Header{}
	}
	if err := canonicalNames(r.Header); err != nil {
		return err
	}
	for name, values := range r.Header {
		r.Header[name] = trimmed(values)
	}
	for _, name := range [...]string{"Host", "Content-Length", "Transfer-Encoding", "Trailer"} {
		delete(r.Header, name) // Transport takes them from fields of r
	}
	if agents := r.Header["User-Agent"]; len(agents) > 1 {
		r.Header["User-Agent"] = agents[:1] // Transport sends no other
	}
	for name, values := range r.Header {
		switch plain := dashed(name); {
		case !isProtected(plain):
		case strings.Contains(name, "_"):
			return refuse("the header %s has an underscore, and is otherwise one of the protocol: write it with dashes", name)
		case len(values) > 1:
			return refuse("the header %s steers the verification, and has more than one value", name)
		}
	}
	for _, value := range r.Header["Te"] {
		if value != "trailers" {
			return refuse("the header TE asks for more than trailers, which HTTP/2 does not have")
		}
	}
	for _, value := range r.Header["Expect"] {
		if !strings.EqualFold(value, "100-continue") {
			return refuse("the header Expect is not 100-continue, and net/http's server refuses others")
		}
	}
	return Connection(r.Header, func(option string) bool { return option == "authorization" || isProtected(option) })
}

// canonicalNames gives all names the spelling of [http.Header], and joins the
// values of names that differ in their case alone, in one order.
func canonicalNames(h http.Header) error {
	for _, name := range slices.Sorted(maps.Keys(h)) {
		if !isToken(name) {
			return refuse("%q is no name of a header", name)
		}
		if canonical := http.CanonicalHeaderKey(name); canonical != name {
			h[canonical] = append(slices.Clip(h[canonical]), h[name]...)
			delete(h, name)
		}
	}
	return nil
}

// trimmed returns the values without blanks around them, which HTTP/1.1 does not
// send and HTTP/2 does not allow.
func trimmed(values []string) []string {
	if !slices.ContainsFunc(values, func(value string) bool { return authorization.Trim(value) != value }) {
		return values
	}
	made := make([]string, len(values))
	for i, value := range values {
		made[i] = authorization.Trim(value)
	}
	return made
}

// Connection refuses a Connection header that names what is signed: a proxy would
// take it away. The options are in lower case.
func Connection(h http.Header, signed func(option string) bool) error {
	for _, value := range h["Connection"] {
		for option := range strings.SplitSeq(value, ",") {
			if signed(strings.ToLower(authorization.Trim(option))) {
				return refuse("the header Connection names a header that is signed or steers the verification")
			}
		}
	}
	return nil
}

// SignedHeaders returns the sorted list of what is signed of r, which [Prepare] has
// seen: host, the protocol's headers (x-sdk-*, x-amz-*), and those of more, in any
// case, that r has. It refuses lists that no verifier accepts.
func SignedHeaders(r *http.Request, more ...string) (string, error) {
	names := []string{"host"}
	wants := func(name string) bool {
		return slices.ContainsFunc(more, func(h string) bool { return strings.EqualFold(h, name) })
	}
	if r.ContentLength > 0 && len(r.TransferEncoding) == 0 && wants("content-length") {
		names = append(names, "content-length")
	}
	for header, values := range r.Header {
		name := strings.ToLower(header)
		wanted := wants(name)
		switch {
		case len(values) == 0 || name == "user-agent" && values[0] == "": // which are not sent
		case wanted && isUnsignable(name):
			return "", core.Refuse(core.CodeHeaderNotSigned, "the header "+header+" cannot be signed: it belongs to one connection, or holds the credential")
		case wanted || isProtected(name):
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if slices.Contains(names, "cookie") {
		r.Header["Cookie"] = []string{crumbs(r.Header["Cookie"])}
	}
	return strings.Join(names, ";"), covers(r.Header, names)
}

// PrepareUnsigned is [Prepare] for a request whose credential signs nothing. It
// refuses headers that must be signed as well.
func PrepareUnsigned(r *http.Request) error {
	if err := Prepare(r); err != nil {
		return err
	}
	return covers(r.Header, nil)
}

// covers refuses headers that must be signed and are not in names, and headers
// that could be taken for one that is.
func covers(h http.Header, names []string) error {
	for header, values := range h {
		name, plain := strings.ToLower(header), dashed(header)
		switch {
		case len(values) == 0 || slices.Contains(names, name):
		case overrides[plain]:
			return core.Refuse(core.CodeHeaderNotSigned, "the header "+header+" changes the method, and must be signed: name it among the headers to sign, or leave it out")
		case slices.ContainsFunc(names, func(signed string) bool { return dashed(signed) == plain }):
			return refuse("the header %s could be taken for one that is signed: leave it out", header)
		}
	}
	return Connection(h, func(option string) bool { return slices.Contains(names, option) })
}

// crumbs joins cookies to the one value that a server of HTTP/2 makes of them
// (RFC 9113 section 8.2.3).
func crumbs(values []string) string {
	var all []string
	for _, value := range values {
		for cookie := range strings.SplitSeq(value, ";") {
			if cookie = strings.TrimLeft(cookie, " "); cookie != "" {
				all = append(all, cookie)
			}
		}
	}
	return strings.Join(all, "; ")
}

// isProtected reports the headers of the protocols, given in lower case with
// dashes.
func isProtected(name string) bool {
	return strings.HasPrefix(name, "x-sdk-") || strings.HasPrefix(name, "x-amz-")
}

// overrides are headers by which some frameworks change the method.
var overrides = map[string]bool{"x-http-method-override": true, "x-method-override": true, "x-http-method": true}

// isUnsignable reports headers that belong to one connection, that net/http's server of
// HTTP/2 does not see (Expect), or that hold the signature.
func isUnsignable(name string) bool {
	return canonical.BelongsToConnection(name) || name == "expect" || name == "authorization"
}

// dashed returns a name in lower case, as readers take it that take underscores
// for dashes.
func dashed(name string) string { return strings.ReplaceAll(strings.ToLower(name), "_", "-") }
