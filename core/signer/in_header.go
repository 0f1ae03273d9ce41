package signer

import (
	"net/http"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/core/internal/outgoing"
)

// InHeader returns a Signer that puts the credential of s into another header than
// Authorization, for verifiers with [core.Config].CredentialHeader. An empty header means
// Authorization. The Authorization header of the request is sent as it is, and is not
// signed. A credential that s puts into a header of its own, such as X-Auth-Token, or into
// the query stays there.
func InHeader(s Signer, header string) Signer {
	header = http.CanonicalHeaderKey(header)
	if header == "" || header == authorization {
		return s
	}
	return inHeader{s, header}
}

type inHeader struct {
	Signer
	header string
}

func (s inHeader) Sign(r *http.Request, digest string, at time.Time) error {
	if err := outgoing.Prepare(r); err != nil {
		return err
	}
	if err := outgoing.Connection(r.Header, func(option string) bool { return strings.EqualFold(option, s.header) }); err != nil {
		return err
	}
	own, present := r.Header[authorization]
	delete(r.Header, authorization)
	for name := range r.Header { // also spelled with underscores, which verifiers refuse
		if strings.EqualFold(strings.ReplaceAll(name, "_", "-"), s.header) {
			delete(r.Header, name)
		}
	}
	err := s.Signer.Sign(r, digest, at)
	if credential, ok := r.Header[authorization]; ok {
		r.Header[s.header] = credential
		delete(r.Header, authorization)
	}
	if present {
		r.Header[authorization] = own
	}
	return err
}

const authorization = "Authorization"
