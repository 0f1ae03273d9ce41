package explain

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// aside returns the policy for the Verifiers of this package: without replay store,
// observers and log, and with all defaults.
func aside(c core.Config) core.Config {
	c.Replay, c.Observers, c.Logger = core.Replay{}, nil, slog.New(slog.DiscardHandler)
	return c.WithDefaults()
}

// assumed is a scheme that finds one credential in every request, and accepts its
// signature.
type assumed struct {
	core.Scheme
	credential *core.Credential // nil: finds no credential
	keys       core.KeySource
}

func (a *assumed) Keys() core.KeySource { return a.keys }

func (a *assumed) Parse(_ *http.Request, c *core.Credential) error {
	if a.credential == nil {
		return core.ErrNoCredential
	}
	*c = *a.credential
	return nil
}

func (a *assumed) Verify(*http.Request, *core.Credential, *core.Key, []core.Secret, string) (int, error) {
	return 0, nil
}

// CredentialHeader returns the header of the scheme, so that the rules for it apply.
func (a *assumed) CredentialHeader() string {
	if own, ok := a.Scheme.(core.HeaderScheme); ok {
		return own.CredentialHeader()
	}
	return ""
}

// withProtocol returns the scheme with the protocol headers of the scheme that it replaces,
// if that one is a ProtocolScheme.
func (a *assumed) withProtocol() core.Scheme {
	if own, ok := a.Scheme.(core.ProtocolScheme); ok {
		return struct {
			*assumed
			core.ProtocolScheme
		}{a, own}
	}
	return a
}

// assume returns the policy with schemes for which the credential has a valid date, is
// signed with the bound key, and verifies. If a Verifier with that policy refuses the
// request, it is for another reason. If credential is nil, no scheme finds a credential.
func (s *search) assume(scheme core.Scheme, credential *core.Credential) core.Config {
	policy := s.policy
	policy.APIs, policy.Default, policy.Rewrite = nil, "", core.Rewrite{}
	policy.AllowUnsignedPayload = s.binding.allowUnsigned
	policy.MaxBody = max(s.largestBody(), int64(len(s.body)))
	policy.MaxBuffered = max(policy.MaxBuffered, policy.MaxBody)
	if scheme != nil && !slices.Contains(policy.Schemes, scheme) {
		policy.Schemes = []core.Scheme{scheme}
	}
	policy.Schemes = slices.Clone(policy.Schemes)
	for i, own := range policy.Schemes {
		a := &assumed{Scheme: own, keys: core.Keys()}
		if credential != nil && own == scheme {
			key := core.Key{Name: "assumed", ID: credential.KeyID, Secret: core.NewSecret("assumed secret")}
			if key.ID == "" {
				key.ID = key.Name
			}
			a.credential, a.keys = certain(credential), core.Keys(key)
			policy.Default = key.Name
			policy.Now = func() time.Time { return credential.Time }
		}
		policy.Schemes[i] = a.withProtocol()
	}
	return policy
}

// certain returns the credential without the fields that depend on its key, and without a
// digest to compare with the body.
func certain(c *core.Credential) *core.Credential {
	payload := c.Payload
	if payload == core.PayloadDeclared {
		payload = core.PayloadHashed
	}
	return &core.Credential{Algorithm: c.Algorithm, KeyID: c.KeyID, SignsRequest: c.SignsRequest, Presigned: c.Presigned, Expires: c.Expires,
		Date: c.Date, Timestamp: c.Timestamp, Time: c.Time, SignedHeaders: c.SignedHeaders, Payload: payload, Declared: c.Declared, Hash: c.Hash}
}

// rest returns the refusal that remains if the credential verifies with the hypothesis, or
// nil, and the setting that would accept the request.
func (s *search) rest(h *hypothesis, v verification) (refusal *core.Error, permits string) {
	if v.credential == nil {
		return nil, ""
	}
	policy := s.assume(v.scheme, v.credential)
	verify, ok := s.verifyWith(policy)
	if !ok {
		return nil, ""
	}
	r := s.request(h)
	refusal = verify(r)
	if refusal == nil && s.explanation.Code == core.CodeRequestAmbiguous { // the bindings of APIs may be the reason
		r.RequestURI = strings.TrimPrefix(r.RequestURI, s.policy.Rewrite.AddPrefix)
		_, refusal = s.bindingOf(r)
	}
	return refusal, s.permits(refusal, v.credential, policy, r)
}

// permits names the setting with which the policy would accept a request whose signature
// matches.
func (s *search) permits(e *core.Error, c *core.Credential, policy core.Config, r *http.Request) string {
	switch {
	case e == nil:
	case e.Code == core.CodePayloadNotSigned:
		return " (" + s.setting("AllowUnsignedPayload") + " permits it)"
	case e.Code == core.CodeSchemeNotAccepted && c.Presigned && !s.policy.AllowPresigned:
		return " (" + s.setting("AllowPresigned") + " permits it)"
	case e.Code == core.CodeHeaderNotSigned && slices.Contains(s.policy.RequireSigned, e.Header):
		return " (" + s.setting("RequireSigned") + " lists the headers that must be signed)"
	case e.Code == core.CodeHeaderNotSigned:
		policy.AllowUnsigned = append(slices.Clone(policy.AllowUnsigned), strings.Split(e.Header, ", ")...)
		if verify, ok := s.verifyWith(policy); ok {
			if now := verify(r); now == nil || now.Code != e.Code {
				return " (" + s.setting("AllowUnsigned") + " lists names of headers that may be unsigned)"
			}
		}
	case e.Code == core.CodeHostNotOurs:
		return ": it is " + s.base.host + ", and " + s.setting("Hosts") + " lists " + strings.Join(s.policy.Hosts, ", ")
	}
	return ""
}

// verifyWith returns a function that verifies requests, with the body as received, by a
// policy. It returns false if the policy is not valid.
func (s *search) verifyWith(policy core.Config) (verify func(*http.Request) *core.Error, ok bool) {
	verifier, err := core.New(policy)
	if err != nil {
		return nil, false
	}
	return func(r *http.Request) *core.Error {
		tried := *r
		tried.RemoteAddr = "explain" // its wrong passwords are counted apart from those of real senders
		tried.PostForm, tried.MultipartForm, tried.TransferEncoding, tried.GetBody = nil, nil, nil, nil
		tried.Body, tried.ContentLength = http.NoBody, int64(len(s.body))
		if r.Header.Get("Content-Length") != "" { // the length of the received body, not the announced one
			tried.Header = r.Header.Clone()
			tried.Header.Set("Content-Length", strconv.Itoa(len(s.body)))
		}
		if len(s.body) > 0 {
			tried.Body = io.NopCloser(bytes.NewReader(s.body))
		}
		_, err := verifier.Verify(&tried)
		defer core.Release(&tried)
		e, _ := errors.AsType[*core.Error](err)
		return e
	}, true
}
