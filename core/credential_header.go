package core

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
)

const authorization = "Authorization"

// credentialRefusals are the refusals for what is wrong with the header of the
// credential. They name the header.
type credentialRefusals struct {
	missing, malformed, bearer, notAccepted, tooLong error
}

func newCredentialRefusals(header string) credentialRefusals {
	refuse := func(code Code, detail string) error {
		return &Error{Code: code, Detail: fmt.Sprintf(detail, header), known: true}
	}
	missing := refuse(CodeCredentialMissing, "no credential of an accepted scheme in the header %s, where this environment expects it")
	if header == authorization {
		missing = Refuse(CodeCredentialMissing, "no credential of an accepted scheme")
	}
	return credentialRefusals{missing,
		refuse(CodeCredentialMalformed, "the %s header holds no credential"),
		refuse(CodeSchemeNotAccepted, "the %s header holds a bearer token, which is no signature of a gateway"),
		refuse(CodeSchemeNotAccepted, "the %s header is of a scheme or form that is not accepted here"),
		refuse(CodeCredentialMalformed, "the %s header is too long")}
}

// changing are headers that proxies set, replace or remove, and those that say what the
// message is.
var changing = []string{"host", "date", "expect", "forwarded", "via", "x-real-ip", "cookie", "range", "accept-encoding",
	"cache-control", "pragma", "upgrade-insecure-requests", "http2-settings", "max-forwards", "early-data"}

// validateCredentialHeader checks that the header can hold credentials.
func (x *compiler) validateCredentialHeader() {
	name := strings.ToLower(x.CredentialHeader)
	switch {
	case name == "authorization":
	case !isHeaderName(name):
		x.wrongValue("CredentialHeader", x.CredentialHeader, "is not the name of a header")
	case strings.Contains(name, "_"):
		x.wrongValue("CredentialHeader", x.CredentialHeader, "has an underscore, and proxies such as nginx drop headers with one")
	case canonical.BelongsToConnection(name) || slices.Contains(changing, name) || strings.HasPrefix(name, "x-forwarded-") || strings.HasPrefix(name, "if-"):
		x.wrongValue("CredentialHeader", x.CredentialHeader, "is a header that proxies set, replace or drop")
	case strings.HasPrefix(name, "content-") || isOneOf(name, overrideHeaders[:]):
		x.wrongValue("CredentialHeader", x.CredentialHeader, "says what the request is, so it cannot hold the credential")
	case startsWith(name, protocolPrefixes[:]):
		x.wrongValue("CredentialHeader", x.CredentialHeader, protocolHeaderRule)
	}
	x.CredentialHeader, x.headerName = http.CanonicalHeaderKey(x.CredentialHeader), name
	x.refusalsOf = newCredentialRefusals(x.CredentialHeader)
	if x.AllowPresigned && name != "authorization" {
		x.problem("AllowPresigned", "set together with CredentialHeader, so that credentials could stand in the query as well")
	}
}

const protocolHeaderRule = "belongs to the protocol of a scheme, whose headers must be signed"

// addCredentialHeader notes where the credentials of a scheme stand.
func (x *compiler) addCredentialHeader(s *compiledScheme) {
	header := x.CredentialHeader
	own, ok := s.Scheme.(HeaderScheme)
	ok = ok && own.CredentialHeader() != ""
	if ok {
		header = http.CanonicalHeaderKey(own.CredentialHeader())
	}
	switch {
	case ok && header == x.CredentialHeader && header != authorization:
		x.wrongValue("CredentialHeader", header, "is the header of the credentials of the scheme "+s.Name())
	case s.owns(x.CredentialHeader) && !startsWith(x.headerName, protocolPrefixes[:]): // these are reported already
		x.wrongValue("CredentialHeader", x.CredentialHeader, protocolHeaderRule)
	case header == x.CredentialHeader:
		x.usesHeader = true
	case !slices.Contains(x.headers, header):
		x.headers = append(x.headers, header)
	}
}

// unsignable reports whether a header cannot be signed: one that a server does not see,
// that belongs to one connection, or that holds the credential.
func (p *policy) unsignable(name string) bool {
	return name == p.headerName || canonical.BelongsToConnection(name)
}
