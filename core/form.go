package core

import (
	"net/http"
	"slices"
	"strings"

	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
)

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

// checkTarget refuses methods and targets that routers could read differently, and
// targets that are too long.
func (p *policy) checkTarget(r *http.Request, a *attempt) error {
	if len(a.path)+len(a.query) > p.Limits.Target {
		return Refuse(CodeRequestAmbiguous, "the request target is too long")
	}
	if err := a.message.CheckTarget(r, p.Limits.QueryParameters); err != nil {
		return Refuse(CodeRequestAmbiguous, err.Error())
	}
	if holdsLineEnd(r.Method) {
		return Refuse(CodeRequestAmbiguous, "the method is not a token")
	}
	return nil
}

// checkForm refuses headers that are malformed or can be read in two ways, whatever
// the scheme: nothing is known yet about who sent the request.
func (p *policy) checkForm(r *http.Request, a *attempt) error {
	if err := p.readHeaders(r, a); err != nil {
		return err
	}
	if !isHost(r.Host) || a.hostHeader {
		return Refuse(CodeRequestAmbiguous, "no host, one that is none, or a host header beside it")
	}
	auth := a.authorization
	credentials := 0
	if p.inAuthorization {
		credentials = min(1, len(auth))
	}
	for _, name := range p.headers {
		credentials += min(1, len(r.Header[name]))
	}
	switch {
	case credentials > 1:
		return Refuse(CodeRequestAmbiguous, "credentials in the headers of two schemes")
	case credentials == 0 && len(auth) == 0:
		return nil
	case a.message.HasParameter(r, credentialParameters[:]...):
		return Refuse(CodeRequestAmbiguous, "credentials in a header and in the query")
	}
	if len(auth) > 0 && len(auth[0]) > p.Limits.Authorization {
		return Refuse(CodeCredentialMalformed, "the Authorization header is too long")
	}
	return nil
}

// A notable header is one that a check after the credential was read looks at
// again.
type notable struct {
	name   string
	kind   kind
	signed bool // where SignedHeaders is the list that is remembered
}

type kind uint8

const (
	protocolHeader   kind = 1 << iota // steers a verification of some scheme: x-sdk-*, x-amz-*
	digestHeader                      // and is one of digestHeaders
	overrideHeader                    // changes the method
	reservedHeader                    // set by gateways: x-apig-*
	underscoreHeader                  // could be taken for another one
	credentialHeader                  // Authorization
	connectionHeader                  // Connection
	hostHeader                        // Host, which belongs elsewhere
)

// readHeaders goes over the headers, once for all checks: a map has no order,
// and going over one costs.
func (p *policy) readHeaders(r *http.Request, a *attempt) error {
	lines := 0
	a.message.Finding(r)
	for name, values := range r.Header {
		if lines += len(values); lines > p.Limits.Headers {
			return Refuse(CodeRequestAmbiguous, "too many header lines")
		}
		var k kind
		known := a.message.Find(name)
		if known != nil {
			k, known.Values = kind(known.Kind), values
		} else {
			k = p.kindOf(name)
		}
		if k == 0 {
			continue
		}
		if len(values) > 1 && k&(protocolHeader|credentialHeader) != 0 {
			return Refuse(CodeRequestAmbiguous, "more than one value of a header that steers verification")
		}
		switch {
		case k&credentialHeader != 0:
			a.authorization = values
		case k&connectionHeader != 0:
			a.connection = values
		case k&hostHeader != 0:
			a.hostHeader = len(values) > 0
		case k&underscoreHeader != 0 && (k&protocolHeader != 0 || sameSpelling("authorization", name)):
			return Refuse(CodeRequestAmbiguous, "a header that steers verification is spelled with an underscore")
		default:
			a.kinds |= k
			if known == nil {
				a.strange |= k
			}
			a.notable = append(a.notable, notable{name, k, known != nil})
		}
	}
	return nil
}

// kindOf says what is notable about a header, 0 for nothing. Underscores are
// taken for dashes, as CGI and its kin do.
func (p *policy) kindOf(name string) kind {
	k := kindOf(name)
	if len(p.prefixes) > 0 && startsWith(name, p.prefixes) {
		k |= protocolHeader
	}
	return k
}

// kindOf is the same for the schemes of this module.
func kindOf(name string) (k kind) {
	switch name {
	case "Authorization":
		return credentialHeader
	case "Connection":
		return connectionHeader
	case "Host":
		return hostHeader
	}
	if strings.IndexByte(name, '_') >= 0 {
		k = underscoreHeader
	}
	if len(name) < 3 || lower(name[0]) != 'x' {
		return k
	}
	switch lower(name[2]) {
	case 's', 'a':
		switch {
		case startsWith(name, protocolPrefixes[:]):
			k |= protocolHeader
			if isOneOf(name, digestHeaders[:]) {
				k |= digestHeader
			}
		case len(name) >= len(reservedPrefix) && sameSpelling(reservedPrefix, name[:len(reservedPrefix)]):
			k |= reservedHeader
		}
	case 'h', 'm':
		if isOneOf(name, overrideHeaders[:]) {
			k |= overrideHeader
		}
	}
	return k
}

// checkSignedHeaders refuses lists in a form that honest signers do not send:
// not in lower case, not sorted, with a name twice or empty, or too long.
func (p *policy) checkSignedHeaders(a *attempt) error {
	list, most := a.credential.SignedHeaders, p.Limits.SignedHeaders
	if list == "" {
		return nil // refused later, for what is missing in it
	}
	if usual := a.message.Remembered(); list == usual {
		a.asUsual, a.credential.SignedHeaders = true, usual
		return nil
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
func (p *policy) checkCoverage(r *http.Request, a *attempt) error {
	c := &a.credential
	if c.SignsRequest {
		if !a.isUsual() {
			if err := p.checkList(r, c); err != nil {
				return err
			}
		}
		if err := p.checkWithBody(r, c); err != nil {
			return err
		}
		if err := readSigned(r, a); err != nil {
			return err
		}
	}
	if a.strange == 0 && a.isUsual() {
		return nil // what is notable is signed
	}
	var protocol, override, twin bool // not decided in the loop: a map has no order
	for i := range a.notable {
		h := &a.notable[i]
		protocol = protocol || h.kind&(protocolHeader|digestHeader) == protocolHeader && c.SignsRequest &&
			a.scheme.owns(h.name) && !a.signs(h) && !p.allowsUnsigned(h.name)
		override = override || h.kind&overrideHeader != 0 && !a.signs(h)
		twin = twin || h.kind&underscoreHeader != 0 && c.SignsRequest && p.requires(h.name)
	}
	switch {
	case protocol:
		return a.scheme.notSigned
	case twin:
		return Refuse(CodeHeaderNotSigned, "a header that must be signed is present with an underscore in its name")
	case override:
		return Refuse(CodeHeaderNotSigned, "a method override header is present and not signed")
	}
	return nil
}

// checkList refuses lists of signed headers that leave out the date or a required
// header, or name one that cannot be signed.
func (p *policy) checkList(r *http.Request, c *Credential) error {
	if !c.Presigned && !c.Signs(c.Date) {
		return Refuse(CodeHeaderNotSigned, "the date header is not signed")
	}
	if c.SignedHeaders == "" {
		return Refuse(CodeHeaderNotSigned, "SignedHeaders is empty")
	}
	for name := range strings.SplitSeq(c.SignedHeaders, ";") {
		if unsignable(name) {
			return Refuse(CodeHeaderNotSigned, "SignedHeaders lists a header that cannot be signed")
		}
	}
	for _, header := range p.required {
		if !c.Signs(header.name) && canonical.Has(r, header.name) {
			return header.refusal
		}
	}
	return nil
}

// coversAlways reports whether checkList would accept the list of an accepted
// credential with every request that has the date in the same header.
func (p *policy) coversAlways(c *Credential) bool {
	return c.SignsRequest && c.Date != "" && c.Signs(c.Date) &&
		!slices.ContainsFunc(p.required, func(header required) bool { return !c.Signs(header.name) })
}

// isUsual reports whether checkList has accepted the list and the date's header
// before, for every request.
func (a *attempt) isUsual() bool {
	return a.asUsual && a.usual.date != "" && a.usual.date == a.credential.Date
}

func (a *attempt) signsHost() bool {
	if a.isUsual() {
		return a.usual.signsHost
	}
	return a.credential.Signs("host")
}

// requires reports whether a header could be taken for one that must be signed.
func (p *policy) requires(header string) bool {
	for _, h := range p.required {
		if sameSpelling(h.name, header) && h.name != header {
			return true
		}
	}
	return false
}

// checkTwins refuses signed headers that someone on the way could take for
// another: with an underscore for a dash, or named by Connection, so that a
// proxy would have deleted them.
func (p *policy) checkTwins(a *attempt) error {
	if len(a.connection) == 0 && a.kinds&underscoreHeader == 0 {
		return nil
	}
	c := &a.credential
	for i := range a.notable {
		h := &a.notable[i]
		if h.kind&underscoreHeader != 0 && !a.signs(h) && c.signs(h.name, sameSpelling) {
			return Refuse(CodeRequestAmbiguous, "a signed header is also present with an underscore in its name")
		}
	}
	const most = 64
	options := 0
	for _, value := range a.connection {
		for option := range strings.SplitSeq(value, ",") {
			name := canonical.Trim(option)
			if options++; options > most || sameName("authorization", name) || p.isProtocol(name) || c.signs(name, sameName) {
				return Refuse(CodeRequestAmbiguous, "Connection names a header that steers verification or is signed, or too many")
			}
		}
	}
	return nil
}

// readSigned reads the signed headers, and refuses those that are absent.
func readSigned(r *http.Request, a *attempt) error {
	if err := a.message.ReadHeaders(r, a.credential.SignedHeaders); err != nil {
		return Refuse(CodeHeaderNotSigned, "SignedHeaders lists a header that is not in the request")
	}
	if a.message.OuterBlanks() {
		return Refuse(CodeRequestAmbiguous, "the value of a signed header begins or ends with a blank, which its signature does not show")
	}
	return nil
}

// checkOpen refuses what would let an open API become another one.
func checkOpen(r *http.Request) error {
	for name := range r.Header {
		if kindOf(name)&overrideHeader != 0 {
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

func isOneOf(header string, names []string) bool {
	for _, name := range names {
		if sameSpelling(name, header) {
			return true
		}
	}
	return false
}

// signs reports whether a header of the request is signed.
func (a *attempt) signs(h *notable) bool {
	return a.asUsual && h.signed || a.credential.signs(h.name, sameName)
}

// signs reports whether a signed header is the given one, in the sense of same.
func (c *Credential) signs(header string, same func(name, header string) bool) bool {
	for list := c.SignedHeaders; header != "" && list != ""; {
		name := list
		if end := strings.IndexByte(list, ';'); end >= 0 {
			name, list = list[:end], list[end+1:]
		} else {
			list = ""
		}
		if len(name) == len(header) && same(name, header) {
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
		if notInHost[host[i]] {
			return false
		}
	}
	return host != ""
}

// holdsLineEnd is for texts of a few bytes.
func holdsLineEnd(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] == '\r' || s[i] == '\n' {
			return true
		}
	}
	return false
}

// notInHost are the bytes that no authority has; inName those of a field name in
// lower case.
var notInHost, inName = func() (host, name [256]bool) {
	for i := range host {
		host[i] = i <= ' ' || i == 0x7f
	}
	for _, b := range []byte(`/\@?#,`) {
		host[b] = true
	}
	for _, b := range []byte("abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~") {
		name[b] = true
	}
	return host, name
}()

// isHeaderName reports whether name is a field name (RFC 9110 section 5.1) in
// lower case.
func isHeaderName(name string) bool {
	for i := 0; i < len(name); i++ {
		if !inName[name[i]] {
			return false
		}
	}
	return name != ""
}

// withoutReserved returns headers without the x-apig-* ones that are not
// signed, in any spelling that a CGI-like handler would take for them.
func withoutReserved(h http.Header, a *attempt) http.Header {
	kept := h
	for i := range a.notable {
		n := &a.notable[i]
		if n.kind&reservedHeader != 0 && !a.signs(n) {
			if len(kept) == len(h) {
				kept = h.Clone()
			}
			delete(kept, n.name)
		}
	}
	return kept
}
