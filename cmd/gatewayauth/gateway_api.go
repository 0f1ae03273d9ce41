package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"log"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/config"
	"github.com/gatewayauth/gatewayauth/core/signer"
)

// gateway is a reverse proxy that signs each request with the key of its API.
type gateway struct {
	target  *url.URL
	headers []string // signed besides those that the environment requires
	always  *faults
	lines   io.Writer   // gets a line for each request
	out     *log.Logger // gets warnings

	find  func(*http.Request) core.API
	bound map[string]*gatewayAPI // by pattern
}

// gatewayAPI is one API of the environments file.
type gatewayAPI struct {
	core.API
	through http.Handler                  // forwards unsigned; nil if the API has a key
	why     string                        // there is no key, unless the API is open
	signing map[core.Payload]http.Handler // by how the body is signed
}

// bind creates the handlers of all APIs of an environment.
func (g *gateway) bind(file *config.File, env string) error {
	policy, err := policyOf(file, env, nil)
	if err != nil {
		return err
	}
	var apis []core.API
	apis, g.find = apisOf(&policy)
	g.bound = map[string]*gatewayAPI{}
	for _, api := range apis {
		if g.bound[api.Match], err = g.api(file, env, &policy, api); err != nil {
			return err
		}
	}
	return nil
}

// apisOf returns the APIs of a policy with the settings that they inherit, and a function
// that finds the one of a request. The last one, without a pattern, is the default.
func apisOf(policy *core.Config) (apis []core.API, find func(*http.Request) core.API) {
	mux, bound := http.NewServeMux(), map[string]core.API{}
	for _, api := range append(slices.Clip(policy.APIs), core.API{Key: policy.Default}) {
		api.MaxBody = cmp.Or(api.MaxBody, policy.MaxBody)
		api.AllowUnsignedPayload = api.AllowUnsignedPayload || policy.AllowUnsignedPayload
		apis, bound[api.Match] = append(apis, api), api
		if api.Match != "" {
			mux.Handle(api.Match, http.NotFoundHandler())
		}
	}
	return apis, func(r *http.Request) core.API {
		_, pattern := mux.Handler(r)
		return bound[pattern]
	}
}

// api creates the handlers of one API.
func (g *gateway) api(file *config.File, env string, policy *core.Config, api core.API) (*gatewayAPI, error) {
	made := &gatewayAPI{API: api}
	sends := &faulty{out: g.out, base: signer.GatewayTransport()}
	if api.Key == "" {
		made.through = signer.Forward(g.target, noting{sends}, api.MaxBody)
		if !api.Open {
			made.why = "no API of " + env + " matches, and it has no default"
		}
		return made, nil
	}
	key, err := file.SigningKey(env, api.Key)
	if err != nil {
		return nil, err
	}
	if key.Type == "token" {
		made.through = signer.Forward(g.target, noting{sends}, api.MaxBody)
		return made, nil
	}
	made.signing = map[core.Payload]http.Handler{}
	for _, payload := range [...]core.Payload{core.PayloadHashed, core.PayloadDeclared, core.PayloadUnsigned} {
		options := config.SignOptions{Headers: slices.Concat(g.headers, policy.RequireSigned, policy.RequireSignedWithBody), Payload: payload}
		right, err := key.Signer(options)
		if err != nil {
			return nil, err
		}
		wrong, err := wrongSecret(key).Signer(options)
		if err != nil {
			return nil, err
		}
		s := &apiSigner{Signer: right, wrong: wrong, rewrite: policy.Rewrite, credentialHeader: key.CredentialHeader, dates: key.Type != "basic"}
		made.signing[payload] = signer.Forward(g.target, noting{&signer.Transport{Signer: s, Base: sends, MaxBody: api.MaxBody}}, api.MaxBody)
	}
	return made, nil
}

// handler returns the handler for a request. If the service reads the body as it
// arrives, the body is left unsigned where the API allows that, because a gRPC client
// may wait for a response before it sends more. Otherwise its digest is declared.
func (a *gatewayAPI) handler(r *http.Request) http.Handler {
	streams := a.Stream || strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc")
	switch {
	case a.through != nil:
		return a.through
	case streams && a.AllowUnsignedPayload:
		return a.signing[core.PayloadUnsigned]
	case streams:
		return a.signing[core.PayloadDeclared]
	}
	return a.signing[core.PayloadHashed]
}

// noting records why a request was not sent, or got no response, and answers one that cannot be
// signed.
type noting struct{ http.RoundTripper }

func (n noting) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := n.RoundTripper.RoundTrip(r)
	exchangeOf(r.Context()).reason = err
	if refusal, ok := errors.AsType[*core.Error](err); ok && refusal.Code != core.CodeBodyTooLarge {
		return notSigned(r, refusal), nil
	}
	return answer, err
}

// notSigned is the answer to a request that the gateway does not sign. It has the status of a
// refusal, but says that the service has not seen the request.
func notSigned(r *http.Request, refusal *core.Error) *http.Response {
	p := core.ProblemOf(refusal)
	p.Detail = "gatewayauth gateway did not sign this request, and did not send it to the service. Its output says why."
	body, _ := json.Marshal(p) // as core.WriteProblem does
	answer := &http.Response{StatusCode: p.Status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: r}
	p.SetHeader(answer.Header, r)
	return answer
}

// ServeHTTP signs a request and forwards it.
func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ordered, err := parseFaults(r.Header.Values(faultHeader))
	if err != nil {
		http.Error(w, faultHeader+": "+err.Error(), http.StatusBadRequest)
		return
	}
	api := g.bound[g.find(r).Match]
	x := &exchange{began: time.Now(), key: api.Key, why: api.why, faults: []*faults{g.always, ordered}}
	r = r.WithContext(withExchange(r.Context(), x))
	r.Header = r.Header.Clone()
	r.Header.Del(faultHeader)
	answer := &statusWriter{ResponseWriter: w}
	defer func() { x.print(g.lines, r, answer) }()
	api.handler(r).ServeHTTP(answer, r)
}

// apiSigner signs the requests of an API. If the environment has a rewrite, it signs
// the request as it was before the rewrite. It makes the faults that happen when signing:
// a skewed date and a wrong secret.
type apiSigner struct {
	signer.Signer
	wrong            signer.Signer // signs with another secret
	rewrite          core.Rewrite
	credentialHeader string // "": Authorization
	dates            bool   // the date is signed
}

func (s *apiSigner) NewHash() hash.Hash { return s.Signer.NewHash() }

func (s *apiSigner) Sign(r *http.Request, digest string, at time.Time) error {
	x, sign := exchangeOf(r.Context()), s.Signer
	for _, f := range x.faults {
		at = at.Add(-f.skew)
		if f.wrongSecret {
			sign = s.wrong
		}
	}
	signed := beforeRewrite(r, &s.rewrite)
	if err := sign.Sign(signed, digest, at); err != nil {
		return err
	}
	if r.Header = signed.Header; s.rewrite.Host == "" {
		r.Host = signed.Host
	}
	if s.dates {
		x.at = at
	}
	x.note(signed.Header.Get(cmp.Or(s.credentialHeader, "Authorization")), signed.Header)
	return nil
}

// beforeRewrite returns a copy of the request as it was before the rewrite.
func beforeRewrite(r *http.Request, rewrite *core.Rewrite) *http.Request {
	before := r.Clone(r.Context())
	before.Host = cmp.Or(rewrite.Host, r.Host)
	if prefix := rewrite.AddPrefix; prefix != "" {
		before.URL.RawPath = prefix + r.URL.EscapedPath()
		before.URL.Path = prefix + r.URL.Path
	}
	return before
}

// wrongSecret returns the key with a wrong secret: the right one followed by a line
// break, which is the most common mistake, or one with another letter where the type
// of the key fixes the length.
func wrongSecret(key config.SigningKey) config.SigningKey {
	text := key.Secret.Reveal()
	if key.Type != "aes" {
		key.Secret = core.NewSecret(text + "\n")
		return key
	}
	last := "x"
	if strings.HasSuffix(text, last) {
		last = "y"
	}
	key.Secret = core.NewSecret(text[:len(text)-1] + last)
	return key
}
