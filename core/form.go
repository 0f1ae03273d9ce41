package core

import (
	"net/http"
	"strings"

	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
)

// Headers with these prefixes steer a verification, so each occurs once, and
// each that is present must be signed.
var protocolPrefixes = [...]string{"x-sdk-", "x-amz-"}

// A content digest is acted on only where it is signed; unsigned, it is
// ignored, and the hash of the body is what counts.
var digestHeaders = [...]string{"x-sdk-content-sha256", "x-sdk-content-sm3", "x-amz-content-sha256"}

// Headers by which some frameworks change the method after verification. They
// must be signed where they are present.
var overrideHeaders = [...]string{"x-http-method-override", "x-method-override", "x-http-method"}

// reservedPrefix is that of headers which gateways set and clients may not
// (user guide, "Signature Keys"). Unsigned ones are kept from the handler.
const reservedPrefix = "x-apig-"

// Parameters that make a query a credential. Beside an Authorization header
// they leave open which of the two counts.
var credentialParameters = [...]string{
	"X-Sdk-Signature", "X-Sdk-Credential", "X-Sdk-Algorithm",
	"X-Amz-Signature", "X-Amz-Credential", "X-Amz-Algorithm",
}

// checkForm refuses what is malformed or can be read in two ways, whatever
// the scheme: nothing is known yet about who sent the request.
func (p *policy) checkForm(r *http.Request, path, query string) error {
	if len(path)+len(query) > p.Limits.Target {
		return Refuse(CodeRequestAmbiguous, "the request target is too long")
	}
	if err := canonical.CheckTarget(path, query, p.Limits.QueryParameters); err != nil {
		return &Error{Code: CodeRequestAmbiguous, Err: err}
	}
	if strings.ContainsAny(r.Method, "\r\n") {
		return Refuse(CodeRequestAmbiguous, "the method is not a token")
	}
	if !isHost(r.Host) || len(r.Header["Host"]) > 0 {
		return Refuse(CodeRequestAmbiguous, "no host, one that is none, or a host header beside it")
	}
	lines := 0
	for name, values := range r.Header {
		if lines += len(values); lines > p.Limits.Headers {
			return Refuse(CodeRequestAmbiguous, "too many header lines")
		}
		if len(values) > 1 && (name == "Authorization" || isProtocol(name)) {
			return Refuse(CodeRequestAmbiguous, "more than one value of a header that steers verification")
		}
		if strings.IndexByte(name, '_') >= 0 {
			if sameSpelling("authorization", name) || isProtocol(name) {
				return Refuse(CodeRequestAmbiguous, "a header that steers verification is spelled with an underscore")
			}
		}
	}
	credentials := 0
	for _, name := range p.headers {
		credentials += min(1, len(r.Header[name]))
	}
	auth := r.Header["Authorization"]
	switch {
	case credentials > 1:
		return Refuse(CodeRequestAmbiguous, "credentials in the headers of two schemes")
	case credentials == 0 && len(auth) == 0:
		return nil
	}
	for _, name := range credentialParameters {
		if canonical.HasParameter(query, name) {
			return Refuse(CodeRequestAmbiguous, "credentials in a header and in the query")
		}
	}
	if len(auth) > 0 && len(auth[0]) > p.Limits.Authorization {
		return Refuse(CodeCredentialMalformed, "the Authorization header is too long")
	}
	return nil
}

// checkSignedHeaders refuses lists in a form that honest signers do not send:
// not in lower case, not sorted, with a name twice or empty, or too long.
func checkSignedHeaders(list string, most int) error {
	if list == "" {
		return nil // refused later, for what is missing in it
	}
	count, previous := 0, ""
	for name := range strings.SplitSeq(list, ";") {
		if count++; count > most {
			return Refuse(CodeCredentialMalformed, "too many signed headers")
		}
		if !isHeaderName(name) || name <= previous {
			return Refuse(CodeCredentialMalformed, "SignedHeaders is not a sorted list of lower-case names, each once")
		}
		previous = name
	}
	return nil
}

// checkCoverage refuses a credential that leaves unsigned what must be signed.
func (p *policy) checkCoverage(r *http.Request, c *Credential) error {
	if c.SignsRequest {
		if !c.Presigned && !c.Signs(c.Date) {
			return Refuse(CodeHeaderNotSigned, "the date header is not signed")
		}
		if err := checkSignable(r, c); err != nil {
			return err
		}
		for _, name := range p.RequireSigned {
			var one [1]string
			if len(canonical.Values(r, name, &one)) > 0 && !c.Signs(name) {
				return &Error{Code: CodeHeaderNotSigned, Detail: "this environment requires it to be signed: " + name}
			}
		}
	}
	var protocol, override bool // not decided in the loop: a map has no order
	for header := range r.Header {
		protocol = protocol || c.SignsRequest && mustBeSigned(header) && !c.signs(header, sameName)
		override = override || isOneOf(header, overrideHeaders[:]) && !c.signs(header, sameName)
	}
	switch {
	case protocol:
		return Refuse(CodeHeaderNotSigned, "a protocol header (x-sdk-*, x-amz-*) is present and not signed")
	case override:
		return Refuse(CodeHeaderNotSigned, "a method override header is present and not signed")
	}
	return nil
}

// checkTwins refuses signed headers that someone on the way could take for
// another: with an underscore for a dash, or named by Connection, so that a
// proxy would have deleted them.
func checkTwins(r *http.Request, c *Credential) error {
	for header := range r.Header {
		if strings.IndexByte(header, '_') >= 0 && !c.signs(header, sameName) && c.signs(header, sameSpelling) {
			return Refuse(CodeRequestAmbiguous, "a signed header is also present with an underscore in its name")
		}
	}
	const most = 64
	options := 0
	for _, value := range r.Header["Connection"] {
		for option := range strings.SplitSeq(value, ",") {
			name := canonical.Trim(option)
			if options++; options > most || sameName("authorization", name) || isProtocol(name) || c.signs(name, sameName) {
				return Refuse(CodeRequestAmbiguous, "Connection names a header that steers verification or is signed, or too many")
			}
		}
	}
	return nil
}

// checkSignable refuses signed headers that are absent, and those that belong
// to one connection or to the credential itself.
func checkSignable(r *http.Request, c *Credential) error {
	for name := range strings.SplitSeq(c.SignedHeaders, ";") {
		if unsignable(name) {
			return Refuse(CodeHeaderNotSigned, "SignedHeaders lists a header that cannot be signed")
		}
		var one [1]string
		if len(canonical.Values(r, name, &one)) == 0 {
			return Refuse(CodeHeaderNotSigned, "SignedHeaders lists a header that is not in the request")
		}
	}
	return nil
}

// checkOpen refuses what would let an open API become another one.
func checkOpen(r *http.Request) error {
	for header := range r.Header {
		if isOneOf(header, overrideHeaders[:]) {
			return Refuse(CodeHeaderNotSigned, "a method override header on an open API")
		}
	}
	return nil
}

// unsignable reports headers that are absent from what a server sees, belong
// to one connection, or hold the signature.
func unsignable(name string) bool {
	switch name {
	case "authorization", "connection", "keep-alive", "proxy-authorization", "proxy-connection",
		"te", "trailer", "transfer-encoding", "upgrade":
		return true
	}
	return false
}

// isProtocol reports headers with a protocol prefix, underscores taken for dashes.
func isProtocol(header string) bool {
	for _, prefix := range protocolPrefixes {
		if len(header) >= len(prefix) && sameSpelling(prefix, header[:len(prefix)]) {
			return true
		}
	}
	return false
}

func mustBeSigned(header string) bool {
	return isProtocol(header) && !isOneOf(header, digestHeaders[:])
}

func isOneOf(header string, names []string) bool {
	for _, name := range names {
		if sameSpelling(name, header) {
			return true
		}
	}
	return false
}

// signs reports whether a signed header is the given one, in the sense of same.
func (c *Credential) signs(header string, same func(name, header string) bool) bool {
	if header == "" {
		return false
	}
	for name := range strings.SplitSeq(c.SignedHeaders, ";") {
		if same(name, header) {
			return true
		}
	}
	return false
}

// sameName reports whether header is name, which is in lower case. Header names
// are ASCII; other letters fold to nothing.
func sameName(name, header string) bool {
	if len(name) != len(header) {
		return false
	}
	for i := 0; i < len(header); i++ {
		if lower(header[i]) != name[i] {
			return false
		}
	}
	return true
}

// sameSpelling is sameName for readers that take underscores for dashes, as
// CGI and its kin do.
func sameSpelling(name, header string) bool {
	if len(name) != len(header) {
		return false
	}
	for i := 0; i < len(header); i++ {
		if b := lower(header[i]); b != name[i] && !(b == '_' && name[i] == '-') {
			return false
		}
	}
	return true
}

func lower(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		b += 'a' - 'A'
	}
	return b
}

// isHost reports whether host can be an authority: HTTP/2 servers let through
// what HTTP/1 does not.
func isHost(host string) bool {
	for i := 0; i < len(host); i++ {
		if b := host[i]; b <= ' ' || b == 0x7f || strings.IndexByte(`/\@?#,`, b) >= 0 {
			return false
		}
	}
	return host != ""
}

// isHeaderName reports whether name is a field name (RFC 9110 section 5.1) in
// lower case.
func isHeaderName(name string) bool {
	for i := 0; i < len(name); i++ {
		c := name[i]
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0) {
			return false
		}
	}
	return name != ""
}

// withoutReserved returns headers without the x-apig-* ones that are not
// signed, in any spelling that a CGI-like handler would take for them.
func withoutReserved(h http.Header, c *Credential) http.Header {
	var kept http.Header
	for header := range h {
		reserved := len(header) >= len(reservedPrefix) && sameSpelling(reservedPrefix, header[:len(reservedPrefix)])
		if reserved && !c.signs(header, sameName) {
			if kept == nil {
				kept = h.Clone()
			}
			delete(kept, header)
		}
	}
	if kept == nil {
		return h
	}
	return kept
}
