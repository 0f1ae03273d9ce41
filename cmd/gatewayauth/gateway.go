package main

import (
	"errors"
	"fmt"
	"hash"
	"log"
	"maps"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gatewayauth/gatewayauth/cmd/gatewayauth/internal/capture"
	"github.com/gatewayauth/gatewayauth/cmd/gatewayauth/internal/envfile"
	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/signer"
)

type gatewayArgs struct {
	config, env, to, listen string
	anywhere                bool
	faults                  []string
}

func gatewayCommand(s streams) *cobra.Command {
	var a gatewayArgs
	c := &cobra.Command{
		Use:   "gateway [flags]",
		Short: "Stand in for the gateway on this machine: sign what is sent to a local service",
		Long: `A reverse proxy that does to requests what the gateway does, with the environments
file of the service: it takes away what clients may not send, and signs with the
key that is bound to the API. Requests for open APIs go through unsigned, and for
keys of type token the caller's token goes through as it is.

Faults can be ordered, to see how a service refuses:
  skew=20m         the signed date is that long ago; -20m in the future
  drop=X-Sdk-Date  a header is taken away after it was signed
  host=other       the host is another than was signed
  tamper-body      the body is changed after it was signed
  duplicate        every request is sent twice; the first answer counts

It is for development only: whoever reaches it gets signed what they send, pages in
a browser on this machine included.`,
		Example: `  gatewayauth gateway -config environments.yaml -env dev -to http://127.0.0.1:8080
  gatewayauth gateway -config environments.yaml -env dev -to http://127.0.0.1:8080 -listen 127.0.0.1:9001 -fault skew=20m -fault duplicate`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.run(c, s) },
	}
	f := c.Flags()
	f.StringVarP(&a.config, "config", "c", "", "environments file")
	f.StringVarP(&a.env, "env", "e", "", "environment")
	f.StringVar(&a.to, "to", "", "URL of the service, such as http://127.0.0.1:8080")
	f.StringVar(&a.listen, "listen", "127.0.0.1:9000", "address to listen on")
	f.BoolVar(&a.anywhere, "listen-anywhere", false, "permit an address that others can reach")
	f.StringArrayVar(&a.faults, "fault", nil, "a fault to be made in every request")
	return c
}

func (a *gatewayArgs) run(c *cobra.Command, s streams) error {
	target, err := url.Parse(a.to)
	if err != nil || target.Host == "" || target.Scheme != "http" && target.Scheme != "https" {
		return errors.New("--to is no URL such as http://127.0.0.1:8080")
	}
	if a.config == "" || a.env == "" {
		return errors.New("--config and --env are needed: the environments file of the service, and its environment")
	}
	out := log.New(s.err, "gatewayauth: ", 0)
	faults, err := parseFaults(a.faults, out)
	if err != nil {
		return fmt.Errorf("--fault: %w", err)
	}
	file, err := envfile.Open(a.config, a.env)
	if err != nil {
		return err
	}
	h, err := newGateway(file, a.env, target, faults, out)
	if err != nil {
		return err
	}
	l, err := listen(a.listen, a.anywhere, "--listen-anywhere")
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	for _, text := range a.faults {
		out.Printf("fault ordered: %s", printable(text))
	}
	fmt.Fprintf(s.out, "ready http://%s/ signs for %s and sends to %s\n", l.Addr(), printable(a.env), target.Redacted())
	return serve(c.Context(), l, h, s)
}

// newGateway returns the proxy: one handler for each key, and what finds the key
// of a request.
func newGateway(file *envfile.File, env string, target *url.URL, f *faults, out *log.Logger) (http.Handler, error) {
	policy, err := file.Policy(env, nil)
	if err != nil {
		return nil, err
	}
	keys := map[string]http.Handler{"": through(target, f, false)}
	find := http.NewServeMux()
	bound := map[string]string{} // by pattern
	for _, api := range policy.APIs {
		find.Handle(api.Match, http.NotFoundHandler())
		bound[api.Match] = api.Key
	}
	for _, name := range slices.Compact(slices.Sorted(maps.Values(withDefault(bound, policy.Default)))) {
		if name == "" {
			continue
		}
		key, err := file.Key(env, name)
		if err != nil {
			return nil, err
		}
		if key.Type == "token" {
			out.Printf("key %s is of type token: the caller's X-Auth-Token goes through", name)
			keys[name] = through(target, f, true)
			continue
		}
		sign, err := key.Signer(envfile.SignOptions{})
		if err != nil {
			return nil, err
		}
		keys[name] = signer.NewGateway(target, &signer.Transport{Signer: rewriting{sign, policy.Rewrite}, Base: f,
			MaxBody: max(capture.MaxSize, policy.MaxBody), Now: f.now})
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := policy.Default
		if _, pattern := find.Handler(r); pattern != "" {
			name = bound[pattern]
		} else if name == "" {
			out.Printf("%s %s: no key is bound to this API, so it goes through unsigned", printable(r.Method), printable(r.URL.Path))
		}
		keys[name].ServeHTTP(w, r)
	}), nil
}

func withDefault(bound map[string]string, name string) map[string]string {
	all := maps.Clone(bound)
	all[" default"] = name
	return all
}

// through passes requests on unsigned.
func through(target *url.URL, f *faults, token bool) http.Handler {
	const header = "X-Auth-Token"
	return &httputil.ReverseProxy{Transport: f, Rewrite: func(p *httputil.ProxyRequest) {
		signer.Strip(p.Out.Header)
		if values := p.In.Header.Values(header); token && len(values) > 0 {
			p.Out.Header[header] = values
		}
		p.SetURL(target)
		p.SetXForwarded()
		p.Out.URL.RawQuery = p.In.URL.RawQuery
	}}
}

// rewriting signs what the gateway would have received, where the environment
// says that something between it and the service changes that.
type rewriting struct {
	signer.Signer
	core.Rewrite
}

func (s rewriting) NewHash() hash.Hash { return s.Signer.NewHash() }

func (s rewriting) Sign(r *http.Request, digest string, at time.Time) error {
	if s.Rewrite == (core.Rewrite{}) {
		return s.Signer.Sign(r, digest, at)
	}
	signed := r.Clone(r.Context())
	if s.Host != "" {
		signed.Host = s.Host
	}
	if prefix := strings.TrimSuffix(s.AddPrefix, "/"); prefix != "" {
		signed.URL.RawPath = prefix + r.URL.EscapedPath()
		signed.URL.Path = prefix + r.URL.Path
	}
	err := s.Signer.Sign(signed, digest, at)
	r.Header = signed.Header
	return err
}
