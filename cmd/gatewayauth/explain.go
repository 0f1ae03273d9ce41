package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gatewayauth/gatewayauth/cmd/gatewayauth/internal/capture"
	"github.com/gatewayauth/gatewayauth/core/config"
)

// The exit codes of explain beside exitUsage.
const (
	exitAccepted    = 0
	exitExplained   = 1
	exitUnexplained = 2
)

type explainArgs struct {
	question
	config          string
	clientCanonical string
	json            bool
	http            string
	httpAnywhere    bool
}

func explainCommand(s streams) *cobra.Command {
	var a explainArgs
	c := &cobra.Command{
		Use:   "explain [flags] [FILE]",
		Short: "Say why a saved request is refused",
		Long: `Say whether a saved request is accepted in an environment, and if not, what was
changed on the way or is wrong with the key: the signature is tried against what
proxies, frameworks and senders are known to do.

FILE, or standard input, is one of
  raw    the request as it was on the wire, or as curl -v, curl --trace,
         curl --trace-ascii or a browser's list of headers shows it. Answers,
         further requests and notes around it are left out; --entry says which
         request, counted from 0
  curl   a command of curl, as browsers copy it for bash or cmd.exe, and as it
         stands in a terminal, a script or PowerShell: with prompts, comments,
         redirections and other commands around it. It is read as curl would send
         it. What cannot be known from the text is named: variables, programs in
         front of a pipe, options whose value a file, clock or chance decides
  har    a HAR file; --entry says which request, counted from 0
  event  a record of the service's log, in the forms that check --report reads. It
         holds the verdict, and neither headers nor query nor body: what the code
         means here is said, and what was changed cannot be.

The verdict is that of a server of net/http with the middleware in front, for
exactly these bytes: a body that was not saved is one that does not arrive, and
what the server answers by itself, such as 400 for two Host headers, is told with
its reason. Not looked at is what depends on other requests: replays, the throttle
on wrong passwords, and max_buffered.

A saved request is judged by the clock of now, and so is mostly expired: give
--at with the date when it was received, or --at captured for the date it holds.

All causes that are printed belong together. Where none is found, name the host that
the gateway calls with --host, a prefix of the path with --prefix, or a value that a
signed header may have had with --header.

With --http it is a page for a browser on this machine: what is pasted stays in
this process, and so do the keys.

Nothing that is printed holds a secret or an expected signature. Exits with 0 if
the request is accepted, with 1 if it is refused and the cause was found, with 2 if
none was, and with 3 if the arguments or files are not usable.`,
		Example: `  gatewayauth explain -config environments.yaml -env dev request.txt
  gatewayauth explain -config environments.yaml -env dev -at captured -prefix /v1 -host api.example.com request.txt
  gatewayauth explain -config environments.yaml -env dev -at 2026-01-15T12:00:00Z -client-canonical canonical.txt request.txt
  gatewayauth explain -config environments.yaml -env dev -at captured -json -entry 0 capture.har
  gatewayauth explain -config environments.yaml -env dev record.json
  gatewayauth explain -config environments.yaml -http 127.0.0.1:8099`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if a.config == "" {
				return errors.New("--config is missing: the environments file with the keys")
			}
			if a.http != "" {
				return a.page(c.Context(), s)
			}
			return a.run(c, s, append(args, "-")[0])
		},
	}
	f := c.Flags()
	f.StringVarP(&a.config, "config", "c", "", "environments file with the keys")
	f.StringVarP(&a.env, "env", "e", "", "environment that refused the request")
	f.StringVar(&a.at, "at", "", "the verifier's clock: a date, or captured (default now)")
	f.StringVar(&a.format, "format", "auto", "auto, "+strings.Join(capture.Formats, ", "))
	f.IntVar(&a.entry, "entry", 0, "which request of a HAR file, a stream or curl -vL, counted from 0")
	f.StringArrayVar(&a.hosts, "host", nil, "a host that the sender may have signed")
	f.StringArrayVar(&a.prefixes, "prefix", nil, "a prefix of the path that a proxy may have taken away or put in front, such as /v1")
	f.StringArrayVar(&a.headers, "header", nil, "'Name: value' that a signed header may have had")
	f.StringArrayVar(&a.others, "other-env", nil, "an environment whose keys are tried (default all others of the file)")
	f.StringVar(&a.clientCanonical, "client-canonical", "", "file with the sender's canonical request, to be compared line by line")
	f.BoolVar(&a.json, "json", false, "print JSON")
	f.StringVar(&a.http, "http", "", "serve a page on this address instead, such as 127.0.0.1:8099")
	f.BoolVar(&a.httpAnywhere, "http-anywhere", false, "with --http: permit an address that others can reach")
	return c
}

func (a *explainArgs) run(c *cobra.Command, s streams, name string) error {
	if a.env == "" {
		return errors.New("--env is missing: the name of the environment")
	}
	file, err := config.Load(a.config, config.WithSecretsOf(append([]string{a.env}, a.others...)...))
	if err != nil {
		return err
	}
	if a.clientCanonical != "" {
		text, err := readInput(s, a.clientCanonical)
		if err != nil {
			return fmt.Errorf("--client-canonical: %w", err)
		}
		a.canonical = string(text)
	}
	data, err := readInput(s, name)
	if err != nil {
		return err
	}
	a.open = openRegular
	x, err := a.ask(c.Context(), file, data)
	if err != nil {
		return err
	}
	if a.json {
		err = writeJSON(s.out, x)
	} else {
		_, err = io.WriteString(s.out, x.text())
	}
	switch {
	case err != nil:
		return failed{err}
	case x.Verdict == accepted:
		return nil
	case x.Explained:
		return exit(exitExplained)
	}
	return exit(exitUnexplained)
}

// openRegular opens a file that a command of curl names. Devices and pipes are
// none: a text that somebody pasted must not make the program wait or read its own
// standard input.
func openRegular(name string) (io.ReadCloser, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", name)
	}
	return os.Open(name)
}
