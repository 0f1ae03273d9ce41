package core

import (
	"net/http"
	"slices"
	"strings"

	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
)

// signedHeaders is a SignedHeaders list, and what the policy makes of it. All of it
// depends on the policy and the text of the list alone.
type signedHeaders struct {
	canonical.SignedHeaders
	unsignable bool       // it has a header that cannot be signed
	underscore bool       // it has a name with an underscore
	lacks      []required // the headers of RequireSigned that it does not have
}

func (s *signedHeaders) reset() {
	clear(s.Names)
	clear(s.lacks)
	s.Text, s.Names, s.lacks, s.unsignable, s.underscore = "", s.Names[:0], s.lacks[:0], false, false
}

// checkList refuses lists in a form that honest signers do not send: not in lower
// case, not sorted, with a name twice or empty, or too long.
func checkList(v *verification) error {
	c, p := &v.credential, v.policy
	if c.SignedHeaders == "" { // refused later, for what is missing in it
		return nil
	}
	if list, known := p.lists.Get(c.SignedHeaders); known {
		v.list, c.SignedHeaders = list, list.Text
		return nil
	}
	return p.readList(c.SignedHeaders, v.list)
}

// readList reads a list into s.
func (p *policy) readList(text string, s *signedHeaders) error {
	if strings.Count(text, ";") >= p.Limits.SignedHeaders { // before there is memory for them
		return Refuse(CodeCredentialMalformed, "too many signed headers")
	}
	s.Split(text)
	previous := ""
	for i := range s.Names {
		name := s.Names[i].Name
		if !isHeaderName(name) || name <= previous {
			return refuseHeaders(CodeCredentialMalformed, "SignedHeaders is not a sorted list of lower-case names, each once", name)
		}
		s.unsignable = s.unsignable || p.unsignable(name)
		s.underscore = s.underscore || strings.IndexByte(name, '_') >= 0
		previous = name
	}
	for _, header := range p.required {
		if !s.has(header.name) {
			s.lacks = append(s.lacks, header)
		}
	}
	return nil
}

// rememberList keeps the list of an accepted request, in memory of its own.
func (v *verification) rememberList() {
	const most = 512
	if v.list == &v.unknown && v.list.Text != "" && len(v.list.Text) <= most {
		list := &signedHeaders{SignedHeaders: v.list.Clone(), unsignable: v.list.unsignable, underscore: v.list.underscore, lacks: slices.Clone(v.list.lacks)}
		v.policy.lists.Put(list.Text, list)
	}
}

// checkCoverage refuses a credential that leaves unsigned what must be signed.
func checkCoverage(v *verification) error {
	c, p := &v.credential, v.policy
	if c.SignsRequest {
		if err := v.checkSigned(); err != nil {
			return err
		}
	}
	var protocol, override, lookalike []string // not decided in the loop: a map has no order
	for _, h := range v.protected {
		signed := v.list.hasField(h.name) || c.signs(h.name, sameName)
		if h.kind&(protocolHeader|digestHeader) == protocolHeader && c.SignsRequest &&
			!signed && v.scheme.owns(h.name) && !p.allowsUnsigned(h.name) {
			protocol = append(protocol, h.name)
		}
		if h.kind&overrideHeader != 0 && !signed {
			override = append(override, h.name)
		}
		if h.kind&underscoreHeader != 0 && c.SignsRequest && p.requires(h.name) {
			lookalike = append(lookalike, h.name)
		}
	}
	switch {
	case slices.ContainsFunc(protocol, func(name string) bool { return p.steers(name) != "" }):
		return refuseHeadersWithHint(CodeHeaderNotSigned, v.scheme.notSigned, hintSignOrLeaveOut, protocol...)
	case len(protocol) > 0:
		return refuseHeaders(CodeHeaderNotSigned, v.scheme.notSigned, protocol...)
	case len(lookalike) > 0:
		return refuseHeadersWithHint(CodeHeaderNotSigned, "a header that must be signed is present with an underscore in its name", hintDashes, lookalike...)
	case len(override) > 0:
		return refuseHeadersWithHint(CodeHeaderNotSigned, "a method override header is present and not signed", hintSignOrLeaveOut, override...)
	}
	return nil
}

// listed returns the names of the list for which is holds.
func (v *verification) listed(is func(name string) bool) (names []string) {
	for i := range v.list.Names {
		if name := v.list.Names[i].Name; is(name) {
			names = append(names, name)
		}
	}
	return names
}

// hasOuterBlanks reports whether a value of a header begins or ends with a blank.
func (v *verification) hasOuterBlanks(name string) bool {
	var one [1]string
	return slices.ContainsFunc(canonical.Values(v.signed, name, &one), func(value string) bool { return canonical.Trim(value) != value })
}

// has reports whether the list has a header, given in lower case.
func (s *signedHeaders) has(name string) bool {
	for i := range s.Names {
		if s.Names[i].Name == name {
			return true
		}
	}
	return false
}

// hasField reports whether the list is known to have a header, given as [http.Header]
// has it. It does not know all: only the fields of a list that is remembered.
func (s *signedHeaders) hasField(field string) bool {
	for i := range s.Names {
		if s.Names[i].Field == field {
			return field != ""
		}
	}
	return false
}

// checkSigned refuses a list of signed headers that leaves out the date or a required
// header, names one that cannot be signed, or one that is not in the request.
func (v *verification) checkSigned() error {
	c := &v.credential
	switch {
	case !c.Presigned && !v.list.has(c.Date):
		return refuseHeadersWithHint(CodeHeaderNotSigned, "the date header is not signed", hintSignDate, c.Date)
	case c.SignedHeaders == "":
		return RefuseWithHint(CodeHeaderNotSigned, "SignedHeaders is empty", hintSignDate)
	case v.list.unsignable:
		return refuseHeadersWithHint(CodeHeaderNotSigned, "SignedHeaders lists a header that cannot be signed", hintUnsignable, v.listed(v.policy.unsignable)...)
	}
	for _, header := range v.list.lacks {
		if canonical.Has(v.signed, header.name) {
			return header.refusal
		}
	}
	if err := v.policy.checkWithBody(v.signed, c); err != nil {
		return err
	}
	if err := v.message.ReadHeaders(v.signed, &v.list.SignedHeaders); err != nil {
		return refuseHeadersWithHint(CodeHeaderNotSigned, "SignedHeaders lists a header that is not in the request", hintRemoved,
			v.listed(func(name string) bool { return !canonical.Has(v.signed, name) })...)
	}
	if v.message.OuterBlanks() {
		return refuseHeaders(CodeRequestAmbiguous, "the value of a signed header begins or ends with a blank, which its signature does not show",
			v.listed(v.hasOuterBlanks)...)
	}
	return nil
}

// requires reports whether a header could be taken for one that must be signed.
func (p *policy) requires(header string) bool {
	for _, h := range p.required {
		if sameSpelling(h.name, header) && !sameName(h.name, header) {
			return true
		}
	}
	return false
}

// required is a header that must be signed where it is present.
type required struct {
	name    string
	refusal error
}

func (x *compiler) validateRequired() {
	x.RequireSigned, x.required = x.requireSigned("RequireSigned", x.RequireSigned,
		"this environment requires it to be signed", hintRequired)
	x.RequireSignedWithBody, x.requiredWithBody = x.requireSigned("RequireSignedWithBody", x.RequireSignedWithBody,
		"this environment requires it to be present and signed where there is a body", hintRequiredWithBody)
}

// requireSigned reads the names of a field: in lower case, and with what is answered
// where one is not signed.
func (x *compiler) requireSigned(field string, given []string, why, hint string) (names []string, list []required) {
	names = make([]string, 0, len(given))
	for i, name := range given {
		name = strings.ToLower(name)
		if !isHeaderName(name) || x.unsignable(name) {
			x.wrongValue(item(field, i), name, "is not the name of a header that can be signed")
		}
		if names = append(names, name); strings.Contains(name, "_") {
			x.underscored = append(x.underscored, name)
		}
		list = append(list, required{name, &Error{Code: CodeHeaderNotSigned, Detail: why, Header: name, Hint: hint, known: true}})
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
