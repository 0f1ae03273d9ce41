package explain

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
)

// withNames adds the names of the headers that caused a refusal to its detail. It finds
// them by verifying the request once for each header: with that header and the signed
// ones, which have one trimmed value each. A header for which the refusal is the same is
// named.
func (s *search) withNames(e *core.Error, r *http.Request, verify func(*http.Request) *core.Error) *core.Error {
	if e == nil || e.Code != core.CodeHeaderNotSigned && e.Code != core.CodeRequestAmbiguous || namesOne(e.Detail) {
		return e
	}
	same := func(header http.Header) bool {
		tried := *r
		tried.Header = header
		got := verify(&tried)
		return got != nil && got.Code == e.Code && got.Detail == e.Detail
	}
	plain := http.Header{}
	for name, values := range r.Header {
		if s.kept(name) && len(values) > 0 {
			plain[name] = []string{canonical.Trim(values[0])}
		}
	}
	var names []string
	if !same(plain) {
		for _, name := range slices.Sorted(maps.Keys(r.Header)) {
			header := maps.Clone(plain)
			if header[name] = r.Header[name]; same(header) {
				names = append(names, name)
			}
		}
	} else if e.Code == core.CodeHeaderNotSigned {
		names = s.unfit(r)
	}
	if len(names) == 0 {
		return e
	}
	told := *e
	told.Detail += ": " + strings.Join(names, ", ")
	return &told
}

// namesOne reports whether a detail ends with the name of a header.
func namesOne(detail string) bool {
	i := strings.LastIndex(detail, ": ")
	return i >= 0 && !strings.ContainsAny(detail[i+2:], " \t\"(),/:;<=>?@[\\]{}")
}

// kept reports whether a header is signed, or holds a credential.
func (s *search) kept(name string) bool {
	if name == s.credentialHeader(&s.base) || s.credential != nil && s.credential.Signs(strings.ToLower(name)) {
		return true
	}
	return slices.ContainsFunc(s.policy.Schemes, func(scheme core.Scheme) bool {
		own, ok := scheme.(core.HeaderScheme)
		return ok && http.CanonicalHeaderKey(own.CredentialHeader()) == name
	})
}

// unfit returns the names that are wrong in the list of signed headers, or missing from it:
// the date header if it is not listed, else the listed headers that cannot be signed, else
// those that the request does not have.
func (s *search) unfit(r *http.Request) (names []string) {
	if c := s.credential; c != nil && c.Date != "" && !c.Signs(c.Date) {
		return []string{c.Date}
	}
	for _, name := range s.signed() {
		if slices.Contains(unsignable, name) || http.CanonicalHeaderKey(name) == s.credentialHeader(&s.base) {
			names = append(names, name)
		}
	}
	if len(names) > 0 {
		return names
	}
	for _, name := range s.signed() {
		if name != "" && !canonical.Has(r, name) {
			names = append(names, name)
		}
	}
	return names
}

// unsignable are headers that no credential can sign.
var unsignable = []string{"connection", "keep-alive", "proxy-authorization", "proxy-connection",
	"te", "trailer", "transfer-encoding", "upgrade"}
