package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
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
		Short: "Stand in for the gateway on this machine: sign what is sent to a local service",
		Long: `A reverse proxy that does to requests what the gateway does, with the environments
file of the service: it takes away what clients may not send, and signs with the
key that is bound to the API, what the environment requires to be signed included.

Taken away are x-apig-*, x-sdk-* and x-stage. All other headers pass through,
X-Auth-Token and X-Amz-* among them, but for those of one connection; X-Forwarded-*
are set anew. The signature takes the place of a client's Authorization. Requests for
open APIs go through unsigned with the client's own Authorization, and for keys of
type token the caller's token goes through as it is.

max_body of the API bounds the body (413). A body is read whole before it is signed.
On an API with stream, and of gRPC calls, its digest is declared, so that the service
can read it as it arrives; where allow_unsigned_payload is set, it goes through as it
arrives, and is declared unsigned: streams of gRPC in both directions need that.

It speaks HTTP/1.1, and HTTP/2 without TLS, so that gRPC calls go through: a request
goes on to an http:// service in the protocol in which it came.

One line is printed for each request: method, path, key, signed headers, payload,
and the status of the answer; --quiet turns that off.

Faults can be ordered, to see how a service refuses: for all requests with --fault,
for one with the header ` + faultHeader + `, which is taken away:
` + faultHelp() + `
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
	f.StringArrayVarP(&a.headers, "header", "H", nil, "name of a further header to sign, where a request has it")
	f.StringArrayVar(&a.faults, "fault", nil, "a fault to be made in every request")
	f.BoolVarP(&a.quiet, "quiet", "q", false, "print no line for each request")
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
	faults, err := parseFaults(a.faults)
	if err != nil {
		return fmt.Errorf("--fault: %w", err)
	}
	file, err := config.Load(a.config, config.WithSecretsOf(a.env))
	if err != nil {
		return err
	}
	g := &gateway{target: target, headers: a.headers, always: faults, lines: s.out, out: log.New(s.err, "gatewayauth: ", 0)}
	if a.quiet {
		g.lines = io.Discard
	}
	if err := g.bind(file, a.env); err != nil {
		return err
	}
	l, err := listen(a.listen, a.anywhere, "--listen-anywhere")
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	for _, text := range a.faults {
		g.out.Printf("fault ordered: %s", printable(text))
	}
	fmt.Fprintf(s.out, "ready http://%s/ signs for %s and sends to %s\n", l.Addr(), printable(a.env), target.Redacted())
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	return serve(c.Context(), l, g, s, protocols)
}
