package main

import (
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/gatewayauth/gatewayauth/cmd/gatewayauth/internal/capture"
	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/config"
	"github.com/gatewayauth/gatewayauth/core/signer"
)

// signArgs are the arguments of sign.
type signArgs struct {
	method           string
	headers          []string
	data, dataBinary string
	key              keyArgs
	at, payload, as  string
	expires          time.Duration
	send, include    bool
	dataGiven        bool
}

func signCommand(s streams) *cobra.Command {
	var a signArgs
	c := &cobra.Command{
		Use:   "sign [flags] URL",
		Short: "Sign a request, and print it or send it",
		Long: `Sign a request that is given as for curl, with a key of an environments file or
with one given by options. Printed are the headers to send, one a line; with
--as curl a command to run; with --as url and --expires a link; with --send the
answer. A Host header is printed where clients could send another one than was
signed. A request that would be refused whatever the service's settings are is not
signed, and the reason is printed: write a host that is not ASCII in its xn-- form,
and ; and blanks in a query as %3B and %20.

The secret is never an argument, where other users of the machine can read it:
it is in a variable, in a file, or in what the environments file names.

Exits with 0; with 1 if it could not be sent or was answered with 400 or more;
with 3 if the arguments are not usable.`,
		Example: `  gatewayauth sign -config environments.yaml -env dev -key orders_key http://127.0.0.1:8080/orders/7
  gatewayauth sign -config environments.yaml -env dev -key orders_key -as curl -d '{"n":1}' http://127.0.0.1:8080/orders
  gatewayauth sign -type hmac -key-id 071fe2459cf64d75 -secret-env ORDERS_SECRET -at 2026-01-15T12:00:00Z -X POST --data-binary @body.json http://127.0.0.1:8080/orders
  gatewayauth sign -config environments.yaml -env dev -key orders_key -expires 10m http://127.0.0.1:8080/orders/7
  gatewayauth sign -config environments.yaml -env dev -key orders_key -H 'X-Tenant: blue' -header X-Tenant -payload declared http://127.0.0.1:8080/orders/7`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			a.dataGiven = c.Flags().Changed("data") || c.Flags().Changed("data-binary")
			return a.run(c, s, args[0])
		},
	}
	f := c.Flags()
	f.StringVarP(&a.method, "request", "X", "", "method (default GET, with data POST)")
	f.StringArrayVarP(&a.headers, "header", "H", nil, "'Name: value' sends a header, 'Name;' an empty one; 'Name' alone signs it too; 'Name:' leaves one out")
	f.StringVarP(&a.data, "data", "d", "", "body; @file reads one without its line breaks, as curl does")
	f.StringVar(&a.dataBinary, "data-binary", "", "body, byte for byte; @file reads one, @- standard input")
	a.key.flags(f)
	f.StringVar(&a.at, "at", "", "date to sign, such as 2026-01-15T12:00:00Z (default now)")
	f.StringVar(&a.payload, "payload", "hashed", "how the body is signed: hashed, declared (a header with its digest), unsigned")
	f.DurationVar(&a.expires, "expires", 0, "sign in the query, valid for that long, such as 10m")
	f.StringVar(&a.as, "as", "headers", "what is printed: headers, curl, or url")
	f.BoolVar(&a.send, "send", false, "send the request and print the answer")
	f.BoolVarP(&a.include, "include", "i", false, "with --send: print the headers of the answer as well")
	return c
}

// payloads are the values of --payload.
var payloads = map[string]core.Payload{"hashed": core.PayloadHashed, "declared": core.PayloadDeclared, "unsigned": core.PayloadUnsigned}

func (a *signArgs) run(c *cobra.Command, s streams, target string) error {
	payload, known := payloads[a.payload]
	if !known {
		return fmt.Errorf("--payload: %q is none of hashed, declared, unsigned", a.payload)
	}
	if a.as != "headers" && a.as != "curl" && a.as != "url" {
		return fmt.Errorf("--as: %q is none of headers, curl, url", a.as)
	}
	now, err := clock(a.at)
	if err != nil {
		return fmt.Errorf("--at: %w", err)
	}
	r, body, signed, err := a.request(s, target)
	if err != nil {
		return err
	}
	key, err := a.key.find(s)
	if err != nil {
		return err
	}
	sign, err := key.Signer(config.SignOptions{Headers: signed, Payload: payload, Expires: a.expires})
	if err != nil {
		return err
	}
	sent := &keep{}
	t := &signer.Transport{Signer: sign, Base: sent, MaxBody: capture.MaxSize, Now: now}
	if a.send {
		sent.base = http.DefaultTransport
	}
	answer, err := t.RoundTrip(r.WithContext(c.Context()))
	switch {
	case sent.request == nil: // it could not be signed
		return err
	case !a.send:
		return printSigned(s.out, a.as, sent.request, body, a.dataBinary, a.expires != 0)
	case err != nil:
		return failed{err}
	}
	defer answer.Body.Close()
	if a.include {
		fmt.Fprintf(s.out, "%s %s\n", answer.Proto, answer.Status)
		answer.Header.Write(s.out)
		fmt.Fprintln(s.out)
	}
	if _, err := io.Copy(s.out, answer.Body); err != nil {
		return failed{err}
	}
	if answer.StatusCode >= 400 {
		fmt.Fprintln(s.err, "gatewayauth: answered with", answer.Status)
		return exit(exitFailed)
	}
	return nil
}
