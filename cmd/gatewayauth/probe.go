package main

import (
	"cmp"
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

// The exit codes of probe, besides exitUsage.
const (
	exitProtected = 0
	exitGotIn     = 1
	exitUnknown   = 2
)

type probeArgs struct {
	requestArgs
	config, env, key        string
	oversized, dryRun, json bool
	timeout                 time.Duration
}

func probeCommand(s streams) *cobra.Command {
	var a probeArgs
	c := &cobra.Command{
		Use:   "probe [flags] URL",
		Short: "Tell whether a running service refuses tampered requests",
		Long: `Send an honest request to a running service, and then tampered ones: each has one
thing that a verifier must refuse. Print what was accepted and what was refused.

Requests are signed with a key of an environments file: the one that is bound to the
API of the URL, unless --key names another. Each request is also verified by the
policy of that file, in this process. A tampered request that the file refuses and
the service accepts got in. One that the file accepts too, such as the same request
again without replay, is printed as allowed.

All requests have the method, path, query, host and body that you give; where one of
these is tampered with, another one was signed. So nothing but this URL is called,
with GET unless you ask for another method with -X or --data. The exceptions are
other spellings of the path, one more parameter gatewayauth-probe, the parameters of
a signature in the query, and the host gatewayauth-probe.example. With a method that
changes something, every request that gets in changes it, and so does the honest one,
which is sent twice: use an object that nobody needs. --dry-run prints the requests,
with their signatures, and sends nothing.

The URL grpc://HOST:PORT calls grpc.health.v1.Health/Check in gRPC without TLS,
and grpcs:// with TLS. Another method, as the path, needs -X POST: the probe does
not know what it does. Its message is empty, or the bytes of --data-binary.

Statuses 400, 401, 403, 413 and 421 count as refused, and so do the gRPC statuses
3, 7, 8 and 16. The status of the honest request, and every one below 400, is
accepted. Any other says nothing: the request may not have reached the verifier.

With https and grpcs the certificate must be one that this machine trusts; the
variable SSL_CERT_FILE names a file with others.

Give the URL of the service itself, not of a proxy in front of it: a proxy may remove
headers and answer for the service. Every refused request is in the service's log,
with the User-Agent gatewayauth-probe. What cannot be seen from outside is not
probed: open APIs, routes of Echo that match several segments, and bodies that
arrive so slowly that the date expires.

The exit code is 0 if the service refused everything that the file refuses, 1 if
something got in, 2 if that cannot be told, such as when the honest request was
refused, and 3 if the arguments or files cannot be used.`,
		Example: `  gatewayauth probe -config environments.yaml -env dev -dry-run http://127.0.0.1:8080/orders/7
  gatewayauth probe -config environments.yaml -env dev http://127.0.0.1:8080/orders/7
  gatewayauth probe -config environments.yaml -env dev -json -timeout 5s http://127.0.0.1:8080/orders/7
  gatewayauth probe -config environments.yaml -env dev -oversized -d '{"n":1}' http://127.0.0.1:8080/orders/
  gatewayauth probe -config environments.yaml -env dev grpc://127.0.0.1:8081`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return a.run(c, s, args[0]) },
	}
	f := c.Flags()
	f.StringVarP(&a.config, "config", "c", "", "environments file of the service")
	f.StringVarP(&a.env, "env", "e", "", "environment of the service")
	f.StringVarP(&a.key, "key", "k", "", "name of the key to sign with (default the one of the API)")
	a.requestArgs.flags(f)
	f.BoolVar(&a.oversized, "oversized", false, "also announce a body larger than max_body, of which nothing is sent")
	f.DurationVar(&a.timeout, "timeout", 10*time.Second, "time for each response")
	f.BoolVar(&a.dryRun, "dry-run", false, "print the requests, and send nothing")
	f.BoolVar(&a.json, "json", false, "print JSON")
	return c
}

func (a *probeArgs) run(c *cobra.Command, s streams, target string) error {
	if a.config == "" || a.env == "" {
		return errors.New("--config and --env are required: the environments file of the service, and its environment")
	}
	if a.timeout <= 0 {
		return errors.New("--timeout must be positive, such as 10s")
	}
	file, err := config.Load(a.config, config.WithSecretsOf(a.env))
	if err != nil {
		return err
	}
	defer file.Close()
	p := &prober{path: a.config, env: a.env, timeout: a.timeout, oversized: a.oversized, file: file}
	if err := p.open(); err != nil {
		return err
	}
	if err := p.describe(c, s, a, target); err != nil {
		return err
	}
	if err := p.prepare(); err != nil {
		return err
	}
	if a.dryRun {
		return p.printRequests(s.out, a.json)
	}
	if err := p.sendAll(c.Context()); err != nil {
		fmt.Fprintln(s.err, "gatewayauth:", err)
		return exit(exitUnknown)
	}
	report := p.report(target)
	if err := report.print(s.out, a.json); err != nil {
		fmt.Fprintln(s.err, "gatewayauth:", err)
		return exit(exitUnknown)
	}
	if code := report.exitCode(); code != exitProtected {
		return exit(code)
	}
	return nil
}

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
	if p.request, p.body, p.headers, err = a.request(s, target, cmp.Or(p.policy.CredentialHeader, "Authorization"), dataGiven(c)); err != nil {
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
	return nil
}
