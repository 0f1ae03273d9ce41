package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/gatewayauth/gatewayauth/core/config"
)

type gatewayArgs struct {
	config, env, to, listen string
	anywhere, quiet         bool
	headers, faults         []string
}

func gatewayCommand(s streams) *cobra.Command {
	var a gatewayArgs
	c := &cobra.Command{
		Use:   "gateway [flags]",
		Short: "Run a local signing proxy in place of the gateway",
		Long: `A reverse proxy that signs requests as the gateway does, with the keys of the
service's environments file. It removes the headers that clients may not send, and
signs with the key that is bound to the API. It signs every header that the
environment requires to be signed.

Clients may not send x-apig-*, x-sdk-* and x-stage. All other headers are forwarded,
including X-Auth-Token and X-Amz-*, except hop-by-hop headers; X-Forwarded-* are
replaced. The signature replaces the Authorization header of the client, unless the
environment has a credential_header: then it is sent there. Requests for
open APIs are forwarded unsigned, with the client's own Authorization, and so are
those that no API matches if the environment has no default; the line of such a
request says so. For keys of type token, the client's token is forwarded unchanged.

A body larger than max_body of the API is answered with 413. A body is read
completely before it is signed. For an API with stream, and for gRPC calls, its digest
is sent in a signed header, so that the service can read the body as it arrives. If
allow_unsigned_payload is set as well, the body is not signed and not buffered, which
bidirectional gRPC streams need.

The proxy speaks HTTP/1.1, and HTTP/2 without TLS for gRPC. It forwards a request to
an http:// service with the HTTP version in which it arrived.

It prints one line per request: method, path, key, signed headers, payload, the status
of the response, that of gRPC if there is one, and the time until its end; --quiet
turns that off. No line has a query, a signature or a secret.

To see how a service refuses requests, ask for faults: in every request with --fault,
or in one request with the header ` + faultHeader + `, which is not forwarded:
` + faultHelp() + `
Use it for development only: it signs whatever reaches it, including requests of web
pages that are open in a browser on this machine.`,
		Example: `  gatewayauth gateway -config environments.yaml -env dev -to http://127.0.0.1:8080
  gatewayauth gateway -config environments.yaml -env dev -to http://127.0.0.1:8080 -listen 127.0.0.1:9001 -fault skew=20m -fault duplicate`,
		Args: noArguments("the URL of the service is given with --to"),
		RunE: func(c *cobra.Command, _ []string) error { return a.run(c, s) },
	}
	f := c.Flags()
	f.StringVarP(&a.config, "config", "c", "", "environments `file`")
	f.StringVarP(&a.env, "env", "e", "", "`environment` of that file (default the only one)")
	f.StringVar(&a.to, "to", "", "`URL` of the service, such as http://127.0.0.1:8080")
	f.StringVar(&a.listen, "listen", "127.0.0.1:9000", "`address` to listen on")
	f.BoolVar(&a.anywhere, "listen-anywhere", false, "allow an address that other machines can reach")
	f.StringArrayVarP(&a.headers, "header", "H", nil, "`name` of another header to sign if a request has it")
	f.StringArrayVar(&a.faults, "fault", nil, "a `fault` to make in every request")
	f.BoolVarP(&a.quiet, "quiet", "q", false, "print no line for each request")
	return c
}

func (a *gatewayArgs) run(c *cobra.Command, s streams) error {
	if a.to == "" {
		return errors.New("--to is missing: give the service's address, such as http://127.0.0.1:8080")
	}
	target, err := url.Parse(a.to)
	if err != nil || target.Host == "" || target.Scheme != "http" && target.Scheme != "https" {
		return errors.New("--to must be an http or https URL such as http://127.0.0.1:8080")
	}
	if a.config == "" {
		return errNoFile
	}
	faults, err := parseFaults(a.faults)
	if err != nil {
		return fmt.Errorf("--fault: %w", err)
	}
	if err := onlyNames(a.headers); err != nil {
		return err
	}
	env, err := onlyEnvironment(a.config, a.env)
	if err != nil {
		return err
	}
	file, err := loadFile(a.config, config.WithSecretsOf(env))
	if err != nil {
		return err
	}
	g := &gateway{target: target, headers: a.headers, always: faults, lines: s.out, out: log.New(s.err, "gatewayauth: ", 0)}
	if a.quiet {
		g.lines = io.Discard
	}
	if err := g.bind(file, env); err != nil {
		return err
	}
	l, err := listen(a.listen, a.anywhere, "--listen-anywhere")
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	for _, text := range a.faults {
		g.out.Printf("fault in every request: %s", printable(text))
	}
	fmt.Fprintf(s.out, "ready http://%s/ signs for %s and forwards to %s\n", l.Addr(), printable(env), target.Redacted())
	return serve(c.Context(), l, g, s, http1AndH2C(), shortGrace)
}
