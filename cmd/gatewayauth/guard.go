package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/gatewayauth/gatewayauth/core/config"
	"github.com/gatewayauth/gatewayauth/core/config/redisstore"
	"github.com/gatewayauth/gatewayauth/core/config/smkeys"
	"github.com/gatewayauth/gatewayauth/core/signer"
	"github.com/gatewayauth/gatewayauth/internal/guard"
	"github.com/gatewayauth/gatewayauth/internal/metrics"
)

type guardArgs struct {
	config, env, to, listen, admin string
	debug                          bool
	parameters                     bool
	grace                          time.Duration
	sign                           onward
}

func guardCommand(s streams) *cobra.Command {
	var a guardArgs
	c := &cobra.Command{
		Use:   "guard [flags]",
		Short: "Verify requests in front of a service in any language",
		Long: `A reverse proxy that verifies every request as the middleware does, and forwards
the admitted ones to a service. It has the same environments file, modes, replay
protection, logs and metrics. The file is watched: a change takes effect without a
restart, and after a change with an error the last good policy stays in force.

The service gets the request as it came: the target byte for byte, the host, the
headers, the body with its length or in chunks. Besides, it gets the identity:

  X-Gatewayauth-Verified: true        false on open APIs, and for what report and
                                      off mode let through
  X-Gatewayauth-Remote                address of the peer
  X-Gatewayauth-Environment, -Key, -Key-Id, -Scheme, -Payload, -Covers,
  -Signed-Headers, -Replay-Checked, -Retry      if the request is verified

Headers of callers with this prefix are removed in every mode and every spelling.
The service must be reachable through the proxy alone: let it listen on loopback or
on a Unix socket.

The service is at --to:

  http://127.0.0.1:8080     HTTP/1.1, with WebSocket
  h2c://127.0.0.1:8081      HTTP/2 without TLS, such as gRPC
  https://orders.internal   HTTP/2 or HTTP/1.1
  unix:/run/orders.sock     HTTP/1.1 over a Unix socket

The proxy itself speaks HTTP/1.1 and HTTP/2 without TLS on --listen, and on --admin
serves /healthz (200, and 503 once it shuts down) and /metrics for Prometheus. It logs
one record for each refusal to standard error. A service that cannot be reached gives
502. What cannot be forwarded as it is gets 400 in every mode. On SIGTERM it accepts
no more connections, and finishes the requests that it has, for at most --grace.

With --sign-with, a key of the environment signs what the service gets, the headers
of the identity included, and the caller's credential is removed. Each body is then
read into memory, and may have 12 MiB, unless --sign-payload is unsigned.`,
		Example: `  gatewayauth guard -config environments.yaml -env RELEASE -listen :8080 -to http://127.0.0.1:8000 -admin :9464
  gatewayauth guard -config environments.yaml -env RELEASE -listen :8080 -to h2c://127.0.0.1:8081`,
		Args: noArguments("the URL of the service is given with --to"),
		RunE: func(c *cobra.Command, _ []string) error { return a.run(c.Context(), s) },
	}
	f := c.Flags()
	f.StringVarP(&a.config, "config", "c", "", "environments `file`")
	f.StringVarP(&a.env, "env", "e", "", "`environment` of that file (default the only one)")
	f.StringVar(&a.to, "to", "", "the service, a `URL` such as http://127.0.0.1:8000")
	f.StringVar(&a.listen, "listen", "", "`address` to listen on, such as :8080")
	f.StringVar(&a.admin, "admin", "", "`address` of /healthz and /metrics, which callers must not reach")
	f.BoolVar(&a.debug, "debug", false, "also log accepted requests, which check --report needs")
	f.DurationVar(&a.grace, "grace", 30*time.Second, "how long requests may take to end after SIGTERM")
	f.BoolVar(&a.parameters, "path-parameters", false, "accept semicolons in paths, for services that do not drop what follows one (servlet containers do)")
	f.StringVar(&a.sign.key, "sign-with", "", "`name` of the key that signs what the service gets")
	f.StringVar(&a.sign.payload, "sign-payload", "hashed", "how --sign-with signs the body: hashed, declared, unsigned")
	f.StringArrayVarP(&a.sign.headers, "header", "H", nil, "with --sign-with: `name` of another header to sign if a request has it")
	return c
}

func (a *guardArgs) run(ctx context.Context, s streams) error {
	if a.to == "" {
		return errors.New("--to is missing: give the service's address, such as http://127.0.0.1:8000")
	}
	to, err := guard.ParseTarget(a.to)
	if err != nil {
		return fmt.Errorf("--to: %w", err)
	}
	if a.config == "" {
		return errNoFile
	}
	if a.listen == "" {
		return errors.New("--listen is missing: give an address such as :8080")
	}
	if _, err := hostToListen(a.listen, ""); err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	if _, err := hostToListen(cmp.Or(a.admin, ":0"), ""); err != nil {
		return fmt.Errorf("--admin: %w", err)
	}
	if a.sign.key == "" && (a.sign.payload != "hashed" || len(a.sign.headers) > 0) {
		return errors.New("--sign-payload and --header need --sign-with: nothing would be signed")
	}
	if err := onlyNames(a.sign.headers); err != nil {
		return err
	}
	env, err := onlyEnvironment(a.config, a.env)
	if err != nil {
		return err
	}
	level := slog.LevelInfo
	if a.debug {
		level = slog.LevelDebug
	}
	logger := slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: level}))
	m, err := metrics.New()
	if err != nil {
		return failed{err}
	}
	options := append(m.Options(), config.WithLogger(logger))
	proxy := guard.Config{To: to, Logger: logger, PathParameters: a.parameters}
	if proxy.Failed, err = m.Failures(a.env); err != nil {
		return failed{err}
	}
	if a.sign.key != "" {
		a.sign.path, a.sign.env, a.sign.logger = a.config, env, logger
		if err := a.sign.load(); err != nil {
			return fmt.Errorf("--sign-with: %w", err)
		}
		options = append(options, config.WithReloads(a.sign.reloaded))
		proxy.Signer = a.sign.signer
	}
	watching, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end() // after the server has shut down, because it closes the replay store
	if proxy.Verifier, err = config.Watch(watching, a.config, env, append(options, redisstore.Option(), smkeys.Option())...); err != nil {
		return err
	}
	l, err := net.Listen("tcp", a.listen)
	if err != nil {
		return failed{fmt.Errorf("--listen: %w", err)}
	}
	if isAt(to, l.Addr()) {
		l.Close()
		return fmt.Errorf("--to: %s is the address of --listen, so each request would be forwarded to the proxy itself until it runs out of connections", to)
	}
	more := ""
	if a.admin != "" {
		address, stop, err := m.Serve(a.admin, proxy.Verifier, healthOf(ctx))
		if err != nil {
			l.Close()
			return failed{fmt.Errorf("--admin: %w", err)}
		}
		defer stop()
		more = ", admin http://" + address + "/"
	}
	fmt.Fprintf(s.out, "ready http://%s/ verifies for %s and forwards to %s%s\n", l.Addr(), printable(env), to.Redacted(), more)
	return serve(ctx, l, guard.New(proxy), s, http1AndH2C(), a.grace)
}

// isAt reports whether a service is at the address that the proxy listens on.
func isAt(to *url.URL, l net.Addr) bool {
	listening, ok := l.(*net.TCPAddr)
	if !ok || to.Port() != strconv.Itoa(listening.Port) {
		return false
	}
	ip := net.ParseIP(to.Hostname())
	if to.Hostname() == "localhost" {
		ip = net.IPv4(127, 0, 0, 1)
	}
	return ip != nil && (ip.Equal(listening.IP) || listening.IP.IsUnspecified() && (ip.IsLoopback() || ip.IsUnspecified()))
}

// healthOf returns the health page, which says once ctx has ended that the server shuts
// down.
func healthOf(ctx context.Context) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if ctx.Err() != nil {
			http.Error(w, "shutting down", http.StatusServiceUnavailable)
			return
		}
		io.WriteString(w, "ok\n")
	}
}

// onward signs what the service gets with a key of the environments file, as it is now.
type onward struct {
	key, payload string
	headers      []string
	path, env    string
	logger       *slog.Logger

	current atomic.Pointer[signer.Signer]
}

func (o *onward) signer() signer.Signer { return *o.current.Load() }

func (o *onward) load() error {
	payload, known := payloads[o.payload]
	if !known {
		return fmt.Errorf("--sign-payload must be hashed, declared or unsigned, not %q", o.payload)
	}
	file, err := loadFile(o.path, config.WithSecretsOf(o.env))
	if err != nil {
		return err
	}
	key, err := file.SigningKey(o.env, o.key)
	if err != nil {
		return err
	}
	s, err := key.Signer(config.SignOptions{Headers: slices.Concat(guard.Headers(), o.headers), Payload: payload})
	if err != nil {
		return err
	}
	o.current.Store(&s)
	return nil
}

// reloaded takes the key of a file that was loaded. If it has none, the last one stays.
func (o *onward) reloaded(r config.Reload) {
	if r.Err != nil {
		return
	}
	if err := o.load(); err != nil {
		o.logger.Error("gatewayauth: the key of --sign-with stays as it was", "error", err)
	}
}
