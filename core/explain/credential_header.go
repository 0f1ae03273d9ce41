package explain

import (
	"cmp"
	"maps"
	"net/http"
	"slices"

	"github.com/gatewayauth/gatewayauth/core"
)

const authorization = "Authorization"

// credentialHeader returns the header that the hypothesis reads the credential from.
func (s *search) credentialHeader(h *hypothesis) string {
	return http.CanonicalHeaderKey(cmp.Or(h.credentialHeader, s.policy.CredentialHeader))
}

// inAuthorization returns the request with the values of a header in Authorization, where
// schemes read the credential if no verifier calls them.
func inAuthorization(r *http.Request, header string) *http.Request {
	if header == authorization {
		return r
	}
	moved := *r
	if moved.Header = maps.Clone(r.Header); moved.Header != nil {
		moved.Header[authorization] = r.Header[header]
	}
	return &moved
}

// elsewhere yields the other headers that hold a credential of the policy's schemes.
func (s *search) elsewhere() (edits []edit) {
	const most = 8
	if s.hasOwnHeader() {
		return nil
	}
	own := s.credentialHeader(&s.base)
	r := s.request(&s.base)
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		if name == own || len(r.Header[name]) != 1 || len(edits) == most {
			continue
		}
		h := hypothesis{credentialHeader: name}
		if _, _, err := s.parse(r, &h); err != nil {
			continue
		}
		edits = append(edits, newEdit("credential header", CauseCredentialHeader, "credential in the header "+name,
			"the credential is in the header "+name+", and this environment reads it from "+own+" alone: set "+s.setting("CredentialHeader")+
				" to "+name+", or make the gateway send it in "+own,
			func(h *hypothesis) { h.credentialHeader = name }))
	}
	return edits
}

// hasOwnHeader reports whether a scheme with a header of its own reads a credential of the
// request, wherever the others have theirs.
func (s *search) hasOwnHeader() bool {
	return slices.ContainsFunc(s.policy.Schemes, func(scheme core.Scheme) bool {
		own, ok := scheme.(core.HeaderScheme)
		return ok && s.received.Header.Get(own.CredentialHeader()) != ""
	})
}
