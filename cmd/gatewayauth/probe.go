package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/gatewayauth/gatewayauth/core/config"
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
which is sent twice, and once more in the end if none got in: use an object that nobody
needs. --dry-run prints the requests,
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
headers and answer for the service. Every refused request is in the service's log;
access logs show the User-Agent gatewayauth-probe. What cannot be seen from outside
is not probed: open APIs, routes of Echo that match several segments, bodies that
arrive so slowly that the date expires, and whether the handler runs although the
response is a refusal.

The exit code is 0 if the service refused everything that the file refuses, 1 if
something got in, 2 if that cannot be told, such as when the honest request was
refused, and 3 if the arguments or files cannot be used.`,
		Example: `  gatewayauth probe -config environments.yaml -env dev -dry-run http://127.0.0.1:8080/orders/7
  gatewayauth probe -config environments.yaml -env dev http://127.0.0.1:8080/orders/7
  gatewayauth probe -config environments.yaml -env dev -json -timeout 5s http://127.0.0.1:8080/orders/7
  gatewayauth probe -config environments.yaml -env dev -oversized -d '{"n":1}' http://127.0.0.1:8080/orders/
  gatewayauth probe -config environments.yaml -env dev grpc://127.0.0.1:8081`,
		Args: oneURL("http://127.0.0.1:8080/orders/7"),
		RunE: func(c *cobra.Command, args []string) error { return a.run(c, s, args[0]) },
	}
	f := c.Flags()
	f.StringVarP(&a.config, "config", "c", "", "environments `file` of the service")
	f.StringVarP(&a.env, "env", "e", "", "`environment` of the service (default the only one)")
	f.StringVarP(&a.key, "key", "k", "", "`name` of the key to sign with (default the one of the API)")
	a.requestArgs.flags(f)
	f.BoolVar(&a.oversized, "oversized", false, "also announce a body larger than max_body, of which nothing is sent")
	f.DurationVar(&a.timeout, "timeout", 10*time.Second, "time for each response")
	f.BoolVar(&a.dryRun, "dry-run", false, "print the requests, and send nothing")
	f.BoolVar(&a.json, "json", false, "print JSON")
	return c
}

func (a *probeArgs) run(c *cobra.Command, s streams, target string) error {
	if a.config == "" {
		return errNoFile
	}
	if a.timeout <= 0 {
		return errors.New("--timeout must be positive, such as 10s")
	}
	env, err := onlyEnvironment(a.config, a.env)
	if err != nil {
		return err
	}
	file, err := loadFile(a.config, config.WithSecretsOf(env))
	if err != nil {
		return err
	}
	defer file.Close()
	p := &prober{path: a.config, env: env, timeout: a.timeout, oversized: a.oversized, file: file}
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
