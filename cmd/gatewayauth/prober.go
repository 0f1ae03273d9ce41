package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/config"
	"github.com/gatewayauth/gatewayauth/core/replay"
)

// A prober sends the requests of a probe.
type prober struct {
	path, env string // of the file
	timeout   time.Duration
	oversized bool
	file      *config.File

	policy core.Config
	local  *core.Verifier // has the policy, and tells what the service must refuse
	api    core.API
	key    config.SigningKey

	request *http.Request // the user's, unsigned
	body    []byte
	headers []string // to sign, of the user
	grpc    bool

	probes []*probe // the first is the honest request
	last   *probe   // an honest request after them, nil if one of them got in
}

// open reads the policy, and makes a verifier of it whose replay store is its own.
func (p *prober) open() (err error) {
	silent := slog.New(slog.DiscardHandler)
	if p.policy, err = p.file.Config(p.env, config.WithLogger(silent)); err != nil {
		return err
	}
	p.policy = p.policy.WithDefaults()
	if p.policy.Replay.Store != nil {
		if p.policy.Replay.Store, err = replay.New(replay.Config{}); err != nil {
			return err
		}
	}
	p.policy.Observers = nil
	if p.local, err = core.New(p.policy); err != nil {
		return fmt.Errorf("%s: %w", p.path, err)
	}
	return nil
}

const healthCheck = "/grpc.health.v1.Health/Check"

// describe makes the request of the flags, and finds its API and key.
func (p *prober) describe(c *cobra.Command, s streams, a *probeArgs, target string) (err error) {
	scheme, rest, _ := strings.Cut(target, "://")
	if p.grpc = scheme == "grpc" || scheme == "grpcs"; p.grpc {
		u, err := url.Parse(target)
		if err != nil || u.Host == "" {
			return errors.New("the URL must be a gRPC URL such as grpc://127.0.0.1:8081")
		}
		if u.Path == "" || u.Path == "/" {
			rest = u.Host + healthCheck
		} else if u.Path != healthCheck && a.method != http.MethodPost {
			return fmt.Errorf("%s may change something: give -X POST to call it anyway", printable(u.Path))
		}
		if a.method != "" && a.method != http.MethodPost {
			return errors.New("--request: gRPC has no method but POST")
		}
		a.method = http.MethodPost
		target = "http" + strings.TrimPrefix(scheme, "grpc") + "://" + rest
	}
	if p.request, p.body, p.headers, err = a.request(s, target, dataGiven(c)); err != nil {
		return err
	}
	if err := withoutCredential(p.request, p.policy.CredentialHeader); err != nil {
		return err
	}
	if p.grpc {
		frame := binary.BigEndian.AppendUint32([]byte{0}, uint32(len(p.body)))
		p.body = append(frame, p.body...)
		p.request.Header.Set("Content-Type", "application/grpc")
		p.request.Header.Set("Te", "trailers")
		p.request.ProtoMajor, p.request.ProtoMinor = 2, 0
	}
	if p.request.Header.Get("User-Agent") == "" {
		p.request.Header.Set("User-Agent", "gatewayauth-probe")
	}
	_, find := apisOf(&p.policy)
	p.api = find(p.request)
	name := a.key
	switch {
	case p.api.Open:
		return fmt.Errorf("%s is open in environment %s, so everything is accepted there: give the URL of another API", p.api.Match, p.env)
	case name != "":
	case p.api.Key == "":
		return fmt.Errorf("environment %s binds no key to this URL, so everything is refused there: give the URL of another API", p.env)
	default:
		name = p.api.Key
	}
	if p.key, err = p.file.SigningKey(p.env, name); err != nil {
		return err
	}
	if p.key.Type == "token" {
		return errors.New("a key of type token signs nothing, and the probe has no token: give the URL of an API with another type of key")
	}
	return nil
}

// prepare lists the requests, and makes the honest one.
func (p *prober) prepare() error {
	honest := &probe{name: honestName, what: "signed with " + p.key.Name}
	p.probes = append([]*probe{honest}, p.tamperings()...)
	if err := p.sign(honest, 0); err != nil {
		return err
	}
	if err := p.expect(honest); err != nil {
		return err
	}
	if honest.code != "" {
		return fmt.Errorf("environment %s refuses the request before anything is tampered with: %s: %s", p.env, honest.code, honest.detail)
	}
	return nil
}

// make makes the n-th request, which is not the honest one. If it cannot be made, it is
// not sent.
func (p *prober) make(n int) {
	x := p.probes[n]
	var err error
	switch {
	case x.skip != "":
		return
	case x.again:
		x.request = p.probes[0].request
	default:
		err = p.sign(x, n)
	}
	if err == nil {
		err = p.expect(x)
	}
	if err != nil {
		x.skip = err.Error()
	}
	if x.again && p.probes[0].answer.status >= 500 && slices.Contains(p.policy.Replay.Retries.Methods, p.request.Method) {
		x.code = "" // a retry
	}
}

// sendAll sends the requests one after the other. Each is signed just before, or its
// date could expire while others wait for their responses.
func (p *prober) sendAll(ctx context.Context) error {
	transport := p.transport()
	defer transport.CloseIdleConnections()
	for n, x := range p.probes {
		if n > 0 {
			p.make(n)
		}
		if x.skip != "" {
			continue
		}
		x.answer = p.send(ctx, transport, x)
		switch {
		case ctx.Err() != nil:
			return errors.New("interrupted: what was sent until now shows nothing")
		case n == 0 && x.answer.unusable() != "":
			return nil
		}
	}
	if !slices.ContainsFunc(p.probes, (*probe).wrong) {
		return p.sendLast(ctx, transport)
	}
	return nil
}

// sendLast sends one more honest request. If it is refused, the others may have been
// refused for the same reason, such as a limit of requests.
func (p *prober) sendLast(ctx context.Context, t *http.Transport) error {
	last := &probe{name: honestName}
	if err := p.sign(last, 0); err != nil {
		return err
	}
	last.answer = p.send(ctx, t, last)
	if ctx.Err() != nil {
		return errors.New("interrupted: what was sent until now shows nothing")
	}
	p.last = last
	return nil
}
