package explain

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"

	"github.com/gatewayauth/gatewayauth/core"
)

// A probe is a scheme that recognises a credential of one key in every request, and
// records which key a Verifier asks for. It proves nothing about the body.
type probe struct {
	id      string // the id of the key; empty: that of the key bound to the API
	payload core.Payload
	source  core.KeySource // nil: there are no keys
	asked   atomic.Pointer[string]
	found   atomic.Pointer[core.Key]
}

func (p *probe) Name() string         { return "probe" }
func (p *probe) Algorithms() []string { return nil }
func (p *probe) Keys() core.KeySource { return p }

func (p *probe) Parse(_ *http.Request, c *core.Credential) error {
	*c = core.Credential{KeyID: p.id, Payload: p.payload}
	return nil
}

func (p *probe) Verify(*http.Request, *core.Credential, *core.Key, []core.Secret, string) (int, error) {
	return 0, nil
}

func (p *probe) Key(ctx context.Context, id string) (*core.Key, error) {
	p.asked.Store(&id)
	if p.source == nil {
		return &core.Key{Name: "probe", ID: id, Secret: core.NewSecret("of the probe")}, nil
	}
	key, err := p.source.Key(ctx, id)
	if err == nil {
		p.found.Store(key)
	}
	return key, err
}

// verify verifies r without its headers and body, with the probe instead of the schemes of
// the policy.
func (p *probe) verify(policy core.Config, r *http.Request) error {
	policy.Schemes = []core.Scheme{p}
	policy.AllowUnsigned, policy.Hosts = nil, nil
	verifier, err := core.New(policy)
	if err != nil {
		return err
	}
	head := *r
	head.Header, head.Body, head.GetBody, head.ContentLength, head.TransferEncoding = http.Header{}, http.NoBody, nil, 0, nil
	_, err = verifier.Verify(&head)
	return err
}

// binding is what an API is bound to.
type binding struct {
	key           string // the name; empty: none
	known         bool   // exactly one API matches the request
	open          bool
	allowUnsigned bool
}

// bindingOf returns what the API of a request is bound to, or the refusal if the request
// is ambiguous.
func (s *search) bindingOf(r *http.Request) (b binding, refusal *core.Error) {
	p := &probe{payload: core.PayloadUnsigned}
	err := p.verify(s.policy, r)
	refusal, _ = errors.AsType[*core.Error](err)
	switch asked := p.asked.Load(); {
	case asked != nil:
		return binding{key: *asked, known: true, allowUnsigned: core.CodeOf(err) != core.CodePayloadNotSigned}, nil
	case err == nil:
		return binding{known: true, open: true}, nil
	}
	return binding{key: s.policy.Default}, refusal
}

// lookUp asks a source for a key through a Verifier, which limits the time and refuses
// keys that cannot be used. It returns nil if there is none.
func (s *search) lookUp(source core.KeySource, id string) *core.Key {
	if id == "" {
		return nil
	}
	policy := s.policy
	policy.APIs, policy.Default, policy.Rewrite = nil, "probe", core.Rewrite{}
	p := &probe{id: id, source: source}
	r := http.Request{Method: http.MethodGet, Host: "probe", URL: s.received.URL, RequestURI: "/"}
	switch core.CodeOf(p.verify(policy, r.WithContext(s.ctx()))) {
	case core.CodeUnavailable, core.CodeKeyUnknown:
		return nil
	}
	return p.found.Load()
}
