package main

import (
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/gatewayauth/gatewayauth/cmd/gatewayauth/internal/capture"
	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/config"
	"github.com/gatewayauth/gatewayauth/core/config/smkeys"
	"github.com/gatewayauth/gatewayauth/core/signer"
)

type signArgs struct {
	requestArgs
	key             keyArgs
	at, payload, as string
	expires         time.Duration
	send, include   bool
}

func signCommand(s streams) *cobra.Command {
	var a signArgs
	c := &cobra.Command{
		Use:   "sign [flags] URL",
		Short: "Sign a request, and print it or send it",
		Long: `Sign a request, which is described as for curl, with a key of an environments file or
with a key given by flags. Without --key it is the key that the file binds to the API
of the URL. By default sign prints the headers to send, one per line; with --as curl a
command to run; with --as url and --expires a link; with --send the response, of a
redirect its status and Location. It prints a Host header if clients could send
another host than the signed one. A request that every service would refuse is not
signed, and the reason is printed: write a host that is not ASCII in its xn-- form,
and write ; and spaces in a query as %3B and %20.

Do not pass the secret as an argument, because other users of the machine can read
arguments. Name an environment variable or a file that holds it, or use a key of an
environments file.

The exit code is 0 on success, 1 if the request could not be sent or the response has
status 400 or above, and 3 if the arguments cannot be used.`,
		Example: `  gatewayauth sign -config environments.yaml -env dev -key orders_key http://127.0.0.1:8080/orders/7
  gatewayauth sign -config environments.yaml -env dev -key orders_key -as curl -d '{"n":1}' http://127.0.0.1:8080/orders
  gatewayauth sign -type hmac -key-id 071fe2459cf64d75 -secret-env ORDERS_SECRET -at 2026-01-15T12:00:00Z -X POST --data-binary @body.json http://127.0.0.1:8080/orders
  gatewayauth sign -config environments.yaml -env dev -key orders_key -expires 10m http://127.0.0.1:8080/orders/7
  gatewayauth sign -config environments.yaml -env dev -key orders_key -H 'X-Tenant: blue' -header X-Tenant -payload declared http://127.0.0.1:8080/orders/7`,
		Args: oneURL("https://api.example.com/orders/7"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.run(c, s, args[0])
		},
	}
	f := c.Flags()
	a.requestArgs.flags(f)
	a.key.flags(f)
	f.StringVar(&a.at, "at", "", "`date` to sign, such as 2026-01-15T12:00:00Z (default now)")
	f.StringVar(&a.payload, "payload", "hashed", "how the body is signed: hashed, declared (its digest is in a signed header), unsigned")
	f.DurationVar(&a.expires, "expires", 0, "sign in the query; the URL is valid for this long, such as 10m")
	f.StringVar(&a.as, "as", "headers", "what to print: headers, curl, or url")
	f.BoolVar(&a.send, "send", false, "send the request and print the response")
	f.BoolVarP(&a.include, "include", "i", false, "with --send: also print the headers of the response")
	return c
}

// payloads are the values of --payload.
var payloads = map[string]core.Payload{"hashed": core.PayloadHashed, "declared": core.PayloadDeclared, "unsigned": core.PayloadUnsigned}

func (a *signArgs) run(c *cobra.Command, s streams, target string) error {
	payload, known := payloads[a.payload]
	if !known {
		return fmt.Errorf("--payload must be hashed, declared or unsigned, not %q", a.payload)
	}
	if a.as != "headers" && a.as != "curl" && a.as != "url" {
		return fmt.Errorf("--as must be headers, curl or url, not %q", a.as)
	}
	now, err := clock(a.at)
	if err != nil {
		return fmt.Errorf("--at: %w", err)
	}
	r, body, signed, err := a.request(s, target, dataGiven(c))
	if err != nil {
		return err
	}
	key, err := a.key.find(s, r)
	if err != nil {
		return err
	}
	if err := withoutCredential(r, key.CredentialHeader); err != nil {
		return err
	}
	sign, err := key.Signer(config.SignOptions{Headers: signed, Payload: payload, Expires: a.expires}, smkeys.Option())
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
	case sent.request == nil: // signing failed
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
	if to := answer.Header.Get("Location"); to != "" && answer.StatusCode/100 == 3 { // the body says the same in HTML
		if !a.include {
			fmt.Fprintf(s.out, "%s\nLocation: %s\n", printable(answer.Status), printable(to))
		}
		return nil
	}
	if _, err := io.Copy(s.out, answer.Body); err != nil {
		return failed{err}
	}
	if answer.StatusCode < 400 {
		return nil
	}
	why := ""
	if mayBeVerifiers(answer) {
		why = "; the reason is in the service's log"
	}
	fmt.Fprintf(s.err, "gatewayauth: the response has status %s%s\n", printable(answer.Status), why)
	return exit(exitFailed)
}

// mayBeVerifiers reports whether an answer may be that of the verifier of a service, which logs
// the reason.
func mayBeVerifiers(answer *http.Response) bool {
	switch answer.StatusCode {
	case http.StatusUnauthorized:
		return true
	case http.StatusBadRequest, http.StatusForbidden, http.StatusRequestEntityTooLarge, http.StatusMisdirectedRequest, http.StatusServiceUnavailable:
		kind, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type"))
		return kind == "application/problem+json"
	}
	return false
}
