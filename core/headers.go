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

// Parameters that make a query a credential. Beside an Authorization header, or beside
// those of the other protocol, they leave open which of the two counts.
var (
	sdkParameters        = []string{"X-Sdk-Signature", "X-Sdk-Credential", "X-Sdk-Algorithm"}
	awsParameters        = []string{"X-Amz-Signature", "X-Amz-Credential", "X-Amz-Algorithm"}
	credentialParameters = slices.Concat(sdkParameters, awsParameters)
)

// credentialHeaders returns the names of the headers of the request that hold credentials.
func (v *verification) credentialHeaders() (names []string) {
	p := v.policy
	if p.usesHeader && len(v.authorization) > 0 {
		names = append(names, p.CredentialHeader)
	}
	for _, name := range p.headers {
		if len(v.request.Header[name]) > 0 {
			names = append(names, name)
		}
	}
	return names
}

// checkHeaders refuses headers that are malformed or can be read in two ways, whatever
// the scheme: nothing is known yet about who sent the request.
func checkHeaders(v *verification) error {
	r, p := v.request, v.policy
	if err := v.readHeaders(); err != nil {
		return err
	}
	if !isHost(r.Host) || v.hostHeader {
		return Refuse(CodeRequestAmbiguous, "the request has no Host, an invalid one, or two")
	}
	credentials := 0
	if p.usesHeader {
		credentials = min(1, len(v.authorization))
	}
	for _, name := range p.headers {
		credentials += min(1, len(r.Header[name]))
	}
	switch inHeader := credentials > 0 || len(v.authorization) > 0; {
	case credentials > 1:
		return refuseHeaders(CodeRequestAmbiguous, "credentials in several headers, of which the sender must send one", v.credentialHeaders()...)
	case inHeader && v.message.HasParameter(r, credentialParameters...):
		return Refuse(CodeRequestAmbiguous, "credentials in a header and in the query: the sender must send one of them")
	case !inHeader && v.message.HasParameter(r, sdkParameters...) && v.message.HasParameter(r, awsParameters...):
		return Refuse(CodeRequestAmbiguous, "credentials of two schemes in the query: the sender must send one of them")
	}
	if len(v.authorization) > 0 && len(v.authorization[0]) > p.Limits.Authorization {
		return p.refusalsOf.tooLong
	}
	return nil
}

// A protectedHeader is one that a check after the credential was read looks at again.
type protectedHeader struct {
	name string
	kind kind
}

type kind uint8

const (
	protocolHeader   kind = 1 << iota // steers a verification of some scheme: x-sdk-*, x-amz-*
	digestHeader                      // and is one of digestHeaders
	overrideHeader                    // changes the method
	reservedHeader                    // set by gateways: x-apig-*
	underscoreHeader                  // could be taken for another one
	credentialHeader                  // Config.CredentialHeader
	connectionHeader                  // Connection
	hostHeader                        // Host, which belongs elsewhere
)

// readHeaders goes over the headers, once for all checks: a map has no order,
// and going over one costs.
func (v *verification) readHeaders() error {
	lines := 0
	var repeated, respelled []string // not refused in the loop: a map has no order
	for name, values := range v.request.Header {
		if lines += len(values); lines > v.policy.Limits.Headers {
			return Refuse(CodeRequestAmbiguous, "too many header lines")
		}
		k := v.policy.kindOf(name)
		if len(values) > 1 && k&(protocolHeader|credentialHeader) != 0 {
			repeated = append(repeated, name)
		}
		switch {
		case k == 0:
		case k&credentialHeader != 0:
			v.authorization = values
		case k&connectionHeader != 0:
			v.connection = values
		case k&hostHeader != 0:
			v.hostHeader = len(values) > 0
		case k&underscoreHeader != 0 && (k&protocolHeader != 0 || sameSpelling(v.policy.headerName, name)):
			respelled = append(respelled, name)
		default:
			v.kinds |= k
			v.protected = append(v.protected, protectedHeader{name, k})
		}
	}
	switch {
	case len(repeated) > 0:
		return refuseHeaders(CodeRequestAmbiguous, "more than one value of a header that steers verification", repeated...)
	case len(respelled) > 0:
		return refuseHeaders(CodeRequestAmbiguous, "a header that steers verification is spelled with an underscore", respelled...)
	}
	return nil
}

// kindOf tells whether a header is protected and why; it is 0 for others. Underscores are
// taken for dashes, as CGI and its kin do.
func (p *policy) kindOf(name string) kind {
	if name == p.CredentialHeader {
		return credentialHeader
	}
	k := kindOf(name)
	for _, required := range p.underscored {
		if sameSpelling(required, name) && !sameName(required, name) {
			k |= underscoreHeader
		}
	}
	if startsWith(name, p.prefixes) {
		k |= protocolHeader
	}
	return k
}

// kindOf is the same for the schemes of this module.
func kindOf(name string) (k kind) {
	switch name {
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

// checkLookalikes refuses signed headers that someone on the way could take for
// another: with an underscore for a dash, or named by Connection, so that a
// proxy would have deleted them.
func checkLookalikes(v *verification) error {
	if len(v.connection) == 0 && v.kinds&underscoreHeader == 0 && !v.list.underscore {
		return nil
	}
	c := &v.credential
	isLookalike := func(name string) bool { return !c.signs(name, sameName) && c.signs(name, sameSpelling) }
	var found []string
	for name := range v.request.Header {
		// A name with dashes can be one where the list has a name with an underscore.
		if (v.list.underscore || strings.Contains(name, "_")) && isLookalike(name) {
			found = append(found, name)
		}
	}
	if len(found) > 0 {
		return refuseHeaders(CodeRequestAmbiguous, "a signed header is also present, unsigned, under a name that differs in dashes and underscores alone", found...)
	}
	const most = 64
	options := 0
	for _, value := range v.connection {
		for option := range strings.SplitSeq(value, ",") {
			name := canonical.Trim(option)
			if options++; options > most || sameName(v.policy.headerName, name) || v.policy.isProtocol(name) || c.signs(name, sameName) {
				return refuseHeaders(CodeRequestAmbiguous, "Connection names a header that steers verification or is signed, or too many", name)
			}
		}
	}
	return nil
}

// withoutReserved returns the headers without the x-apig-* ones that are not
// signed, in any spelling that a CGI-like handler would take for them.
func (v *verification) withoutReserved(h http.Header) http.Header {
	kept := h
	for _, header := range v.protected {
		if header.kind&reservedHeader != 0 && !v.credential.signs(header.name, sameName) {
			if len(kept) == len(h) {
				kept = h.Clone()
			}
			delete(kept, header.name)
		}
	}
	return kept
}
