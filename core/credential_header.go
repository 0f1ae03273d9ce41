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
	missing, malformed, bearer, tooLong error
	notAccepted                         string // a detail
}

func newCredentialRefusals(header string) credentialRefusals {
	refuse := func(code Code, detail, hint string) error {
		return &Error{Code: code, Detail: fmt.Sprintf(detail, header), Hint: hint, known: true}
	}
	missing := refuse(CodeCredentialMissing, "no credential of an accepted scheme in the header %s, where this environment expects it", "")
	if header == authorization {
		missing = Refuse(CodeCredentialMissing, "no credential of an accepted scheme")
	}
	return credentialRefusals{missing,
		refuse(CodeCredentialMalformed, "the %s header holds no credential", ""),
		refuse(CodeSchemeNotAccepted, "the %s header holds a bearer token, which is no signature of a gateway", hintBearer),
		refuse(CodeCredentialMalformed, "the %s header is too long", ""),
		fmt.Sprintf("the %s header is of a scheme or form that is not accepted here", header)}
}

// otherScheme is the refusal of a credential that no scheme has recognised. Form is not nil
// if one knows its algorithm.
func (c *credentialRefusals) otherScheme(value string, form *OtherForm, accepted []*compiledScheme) error {
	return &Error{Code: CodeSchemeNotAccepted, Detail: c.notAccepted, Err: &otherScheme{value, form, accepted}}
}

// otherScheme names the scheme that was sent and those that are accepted, where somebody
// reads it. No answer has it.
type otherScheme struct {
	value    string // of the header
	form     *OtherForm
	accepted []*compiledScheme
}

func (o *otherScheme) Error() string {
	sent := "another scheme"
	algorithm := o.value
	if i := strings.IndexAny(o.value, " \t"); i >= 0 {
		algorithm = o.value[:i]
	}
	if isSchemeName(algorithm) {
		sent = algorithm
	}
	var names []string
	for _, s := range o.accepted {
		names = append(names, s.Algorithms()...)
	}
	if len(names) == 0 { // only where the mode is off
		return sent + " was sent; no scheme is configured"
	}
	if o.form != nil { // the algorithm is accepted as well
		sent = o.form.Sent
		names = append(slices.DeleteFunc(names, func(name string) bool { return name == algorithm }), o.form.Accepted)
	}
	slices.Sort(names)
	return sent + " was sent; accepted are " + strings.Join(slices.Compact(names), ", ")
}

// isSchemeName reports whether the first word of a credential is the name of a scheme, and
// no secret that stands in its place.
func isSchemeName(name string) bool {
	const most = 32
	if len(name) > most {
		return false
	}
	for i := 0; i < len(name); i++ {
		if b := name[i]; !('A' <= b && b <= 'Z' || '0' <= b && b <= '9' || b == '-') {
			return strings.EqualFold(name, "Basic") || strings.EqualFold(name, "Digest") || strings.EqualFold(name, "Negotiate")
		}
	}
	return strings.HasPrefix(name, "SDK-") || strings.HasPrefix(name, "V11-") || strings.HasPrefix(name, "AWS4-")
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
