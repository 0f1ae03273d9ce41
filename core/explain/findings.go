package explain

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
)

// found records the findings with which the signature verifies, and adds what else the
// policy refuses.
func (s *search) found(findings []Finding, h *hypothesis, made verification) {
	x := &s.explanation
	x.Causes = append(x.Causes, findings...)
	if _, signed := s.canonicalRequest(s.request(h), h); x.Lines == nil && signed != x.CanonicalRequest {
		x.Lines = compare(signed, x.CanonicalRequest)
	}
	if f, late := s.late(made.credential); late {
		x.Causes = append(x.Causes, f)
	}
	if h.key == nil { // otherwise the finding names the secret
		x.MadeWith = madeWith(made.key, made.secret, s.now)
	}
	key := made.key.Name
	if hasCause(findings, CauseEnvironment) || hasCause(findings, CauseOtherKey) && x.Key != "" && key != s.binding.key {
		key = x.Key
	}
	if s.binding.known && key != "" && key != s.binding.key {
		detail := fmt.Sprintf("signed with the key %[1]s, and the API is bound to the key %[2]s: bind the API to %[1]s, or make the gateway sign with %[2]s", key, s.binding.key)
		if s.binding.key == "" {
			detail = fmt.Sprintf("signed with the key %s, and the API is bound to no key: bind it to this key, or set a default key", key)
		}
		x.Causes = append(x.Causes, Finding{Cause: CauseBinding, Detail: detail, Change: "key " + key, Proven: true})
	}
	switch rest, permits := s.rest(h, made); {
	case rest != nil && len(findings) > 0:
		x.Causes = append(x.Causes, Finding{Cause: CausePolicy, Proven: true,
			Detail: "in addition, this environment refuses the request with " + string(rest.Code) + ": " + inWords(rest) + permits})
	case rest != nil:
		x.Causes = append(x.Causes, Finding{Cause: CausePolicy, Proven: true,
			Detail: "the signature matches, and this environment refuses the request for another reason: " + inWords(rest) + permits})
	case len(x.Causes) == 0:
		x.Causes = []Finding{{Cause: CausePolicy, Proven: true,
			Detail: "the signature matches, and this environment refuses the request for another reason: " + x.Detail}}
	}
}

func hasCause(findings []Finding, cause Cause) bool {
	return slices.ContainsFunc(findings, func(f Finding) bool { return f.Cause == cause })
}

// unbound adds to the verdict that no key could be bound to the API, unless that is the
// verdict or among the causes.
func (s *search) unbound() {
	x := &s.explanation
	if b := s.binding; b.known && !b.open && b.key == "" && x.Code != core.CodeKeyNotBound && !hasCause(x.Causes, CauseBinding) {
		x.Detail += "; besides, no pattern binds this route, and there is no default: it would be refused even if signed"
	}
}

// nothingVerifies records what is known if no edit makes the credential verify. base is
// the result for the request as received.
func (s *search) nothingVerifies(base verification) {
	body := Finding{Cause: CauseBody, Proven: true,
		Detail: "the signature matches, and the digest of the body is not the signed one: the body was changed before it arrived, or the sender computed the digest of other bytes"}
	switch {
	case s.broken:
		body = Finding{Cause: CauseBodyIncomplete, Proven: true,
			Detail: "the signature matches, and the body ends before the end that the request announces: it was cut on the way, or the capture does not hold all of it"}
	case s.consumed():
		body = Finding{Cause: CauseBodyConsumed, Proven: base.signature,
			Detail: "the request announces a body, and the verifier found none: other middleware has read it. Put the verifier in front of that middleware, or make it restore the body"}
	}
	switch {
	case base.signature:
		s.found([]Finding{body}, &s.base, base)
	case s.consumed():
		s.explanation.Causes = []Finding{body}
	default:
		for _, name := range s.absent() {
			s.explanation.Causes = append(s.explanation.Causes, Finding{Cause: CauseHeaderMissing, Change: "header " + name,
				Detail: "the sender signed the header " + name + ", and the request does not have it: make the proxy forward it, or the sender not sign it"})
		}
	}
}

// consumed reports whether the request announces a body that is not there.
func (s *search) consumed() bool {
	r := s.received
	announced := r.ContentLength != 0 || len(r.TransferEncoding) > 0 ||
		slices.ContainsFunc(r.Header["Content-Length"], func(value string) bool { return strings.Trim(value, "0") != "" || value == "" })
	return len(s.body) == 0 && s.whole &&
		(announced || len(r.PostForm) > 0 || r.MultipartForm != nil ||
			s.credential != nil && s.credential.Payload == core.PayloadDeclared && s.credential.Declared != s.hash(nil))
}

// absent lists the signed headers that the request does not have.
func (s *search) absent() (names []string) {
	for _, name := range s.signed() {
		if !canonical.Has(s.received, name) && name != "" {
			names = append(names, name)
		}
	}
	return names
}

// signed lists the signed headers.
func (s *search) signed() []string {
	if s.credential == nil || s.credential.SignedHeaders == "" {
		return nil
	}
	names := strings.Split(s.credential.SignedHeaders, ";")
	return names[:min(len(names), s.policy.Limits.SignedHeaders)]
}

// headerValue returns the first value of a header of the request as received.
func (s *search) headerValue(name string) string {
	return strings.TrimSpace(http.Header.Get(s.received.Header, name))
}
