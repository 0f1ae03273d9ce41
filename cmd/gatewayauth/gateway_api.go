package main

import (
	"cmp"
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

// gateway signs requests with the key of their API and sends them on.
type gateway struct {
	target  *url.URL
	headers []string // to be signed besides those that the environment requires
	always  *faults
	lines   io.Writer   // a line for each request
	out     *log.Logger // warnings

	find   *http.ServeMux
	bound  map[string]*gatewayAPI // by pattern
	others *gatewayAPI
}

// gatewayAPI is one API of the environments file.
type gatewayAPI struct {
	core.API
	through http.Handler                  // without a signature; nil where there is one
	signing map[core.Payload]http.Handler // by how a body is signed
}

// bind makes the handlers of all APIs of an environment.
func (g *gateway) bind(file *config.File, env string) error {
	policy, err := policyOf(file, env, nil)
	if err != nil {
		return err
	}
	g.find, g.bound = http.NewServeMux(), map[string]*gatewayAPI{}
	for _, api := range append(slices.Clip(policy.APIs), core.API{Key: policy.Default}) {
		api.MaxBody = cmp.Or(api.MaxBody, policy.MaxBody)
		api.AllowUnsignedPayload = api.AllowUnsignedPayload || policy.AllowUnsignedPayload
		made, err := g.api(file, env, &policy, api)
		if err != nil {
			return err
		}
		if api.Match == "" {
			g.others = made
			continue
		}
		g.bound[api.Match] = made
		g.find.Handle(api.Match, http.NotFoundHandler())
	}
	return nil
}

// api makes the handlers of one API.
func (g *gateway) api(file *config.File, env string, policy *core.Config, api core.API) (*gatewayAPI, error) {
	made := &gatewayAPI{API: api}
	sends := &faulty{out: g.out, base: signer.GatewayTransport()}
	if api.Key == "" {
		made.through = signer.Forward(g.target, noting{sends}, api.MaxBody)
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
		s := &apiSigner{Signer: right, wrong: wrong, rewrite: policy.Rewrite}
		made.signing[payload] = signer.Forward(g.target, noting{&signer.Transport{Signer: s, Base: sends, MaxBody: api.MaxBody}}, api.MaxBody)
	}
	return made, nil
}

// handler returns the handler for a request. A body goes through as it arrives where
// it may be left unsigned and the service wants it so: streams of gRPC talk in turns.
// Where it may not, the service needs its digest declared.
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

// noting keeps the reason why a request was not sent, or not answered.
type noting struct{ http.RoundTripper }

func (n noting) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := n.RoundTripper.RoundTrip(r)
	exchangeOf(r.Context()).reason = err
	return answer, err
}

// ServeHTTP signs a request and sends it on.
func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ordered, err := parseFaults(r.Header.Values(faultHeader))
	if err != nil {
		http.Error(w, faultHeader+": "+err.Error(), http.StatusBadRequest)
		return
	}
	api := g.others
	if _, pattern := g.find.Handler(r); pattern != "" {
		api = g.bound[pattern]
	}
	x := &exchange{key: api.Key, faults: []*faults{g.always, ordered}}
	r = r.WithContext(withExchange(r.Context(), x))
	r.Header = r.Header.Clone()
	r.Header.Del(faultHeader)
	answer := &statusWriter{ResponseWriter: w}
	defer func() { x.print(g.lines, r, answer.status) }()
	api.handler(r).ServeHTTP(answer, r)
}

// apiSigner signs what the gateway would have received, where the environment says
// that something between it and the service changes that, with the faults of signing
// that were ordered.
type apiSigner struct {
	signer.Signer
	wrong   signer.Signer // with another secret
	rewrite core.Rewrite
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
	signed := r.Clone(r.Context())
	if s.rewrite.Host != "" {
		signed.Host = s.rewrite.Host
	}
	if prefix := s.rewrite.AddPrefix; prefix != "" {
		signed.URL.RawPath = prefix + r.URL.EscapedPath()
		signed.URL.Path = prefix + r.URL.Path
	}
	if err := sign.Sign(signed, digest, at); err != nil {
		return err
	}
	if r.Header = signed.Header; s.rewrite.Host == "" {
		r.Host = signed.Host
	}
	x.at = at
	x.note(signed.Header)
	return nil
}

// wrongSecret is the key with a line break behind its secret, the commonest wrong
// secret, or with another letter where the length is given.
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
