package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gatewayauth/gatewayauth/cmd/gatewayauth/internal/capture"
)

// The exit codes of explain, besides exitUsage.
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
		Use:   "explain [flags] [FILE | FOLDER]",
		Short: "Explain why saved requests are refused",
		Long: `Report whether an environment accepts a saved request, and if it does not, why:
what changed after signing, or what is wrong with the key. To find out, explain
undoes the changes that proxies, frameworks and signers are known to make, and
verifies the signature again.

FILE, or standard input, is one of
  raw    the request as sent, or as printed by curl -v, curl --trace,
         curl --trace-ascii or a browser's list of headers. Responses, further
         requests and notes around it are ignored; --entry selects a request,
         counted from 0. A file of the section capture of an environment
         also states the environment and the date, which are used
  curl   a curl command, as browsers copy it for bash or cmd.exe, or as found in
         a terminal, a script or PowerShell. Prompts, comments, redirections and
         other commands around it are ignored. The request is the one that curl
         would send. If the text does not determine it, explain says what is
         missing: variables, programs in front of a pipe, options whose value
         depends on a file, the time or random data
  har    a HAR file; --entry selects a request, counted from 0
  event  a record of the service's log, in the formats that check --report reads.
         It holds the verdict, but no headers, query or body. explain prints what
         the record tells and what the code means in this environment; it cannot
         find what was changed.

FOLDER is the folder in which the section capture keeps refused requests. explain
lists them, the newest first, each with the cause that it finds at the time when
the request was received, and counts the causes.

--env is not needed where the input states the environment, or the environments
file has only one.

The verdict is the one that a net/http server with the middleware would reach for
exactly these bytes. If the body was not saved, the request has none. If the
server itself would refuse the request, such as with 400 for two Host headers, that
answer and its reason are printed. Checks that depend on other requests are not
done: replays, the throttle on wrong passwords, and max_buffered.

The verifier's clock is the current time, so most saved requests have expired. Set
the clock with --at to the date when the request was received, or with --at captured
to the date that the request holds. The files of the section capture hold the date
when they were received, and that is their clock unless --at is given.

All causes that are printed apply together. If none is found, name the host that the
gateway calls with --host, a prefix of the path with --prefix, or a value that a
signed header may have had with --header. With --header, also give the values that
are withheld in files of the section capture.

With --http, explain serves a page for a browser on this machine, which also lists
the requests of FOLDER. Keys and requests do not leave this process.

No output holds a secret or an expected signature. The exit code is 0 if the
request is accepted, 1 if it is refused and the cause was found, 2 if no cause was
found, and 3 if the arguments or files cannot be used. For a folder it is 2 if no
cause was found for at least one of the requests, otherwise 1 if at least one is
refused, 0 if all would be accepted now, and 3 if it holds none.`,
		Example: `  gatewayauth explain -config environments.yaml refused
  gatewayauth explain -config environments.yaml refused/20260115T120000.000Z-000001-signature_mismatch.http
  gatewayauth explain -config environments.yaml -env dev request.txt
  gatewayauth explain -config environments.yaml -env dev -at captured -prefix /v1 -host api.example.com request.txt
  gatewayauth explain -config environments.yaml -env dev -at 2026-01-15T12:00:00Z -client-canonical canonical.txt request.txt
  gatewayauth explain -config environments.yaml -env dev -at captured -json -entry 0 capture.har
  gatewayauth explain -config environments.yaml record.json
  gatewayauth explain -config environments.yaml -http 127.0.0.1:8099 refused`,
		Args: atMostOne("file or folder"),
		RunE: func(c *cobra.Command, args []string) error {
			if a.config == "" {
				return errNoFile
			}
			if a.http != "" {
				return a.page(c.Context(), s, strings.Join(args, ""))
			}
			return a.run(c, s, append(args, "-")[0])
		},
	}
	f := c.Flags()
	f.StringVarP(&a.config, "config", "c", "", "environments `file` with the keys")
	f.StringVarP(&a.env, "env", "e", "", "`environment` that refused the request (default the one that the input states, or the only one)")
	f.StringVar(&a.at, "at", "", "the verifier's clock: a `date`, now, or captured (default now)")
	f.StringVar(&a.format, "format", "auto", "`format` of the input: auto, "+strings.Join(capture.Formats, ", "))
	f.IntVar(&a.entry, "entry", 0, "which request to explain if the file has several, counted from 0")
	f.StringArrayVar(&a.hosts, "host", nil, "a `host` that the sender may have signed")
	f.StringArrayVar(&a.prefixes, "prefix", nil, "a `prefix` of the path that a proxy may have removed or added, such as /v1")
	f.StringArrayVar(&a.headers, "header", nil, "a `header`, 'Name: value', that a signed header may have had, or that a file withholds")
	f.StringArrayVar(&a.others, "other-env", nil, "another `environment` whose keys are tried (default all of the file)")
	f.StringVar(&a.clientCanonical, "client-canonical", "", "`file` with the sender's canonical request, to compare line by line")
	f.BoolVar(&a.json, "json", false, "print JSON")
	f.StringVar(&a.http, "http", "", "serve a web page on this `address` instead, such as 127.0.0.1:8099")
	f.BoolVar(&a.httpAnywhere, "http-anywhere", false, "with --http: allow an address that other machines can reach")
	return c
}

func (a *explainArgs) run(c *cobra.Command, s streams, name string) error {
	environments, err := openEnvironments(a.config, a.others)
	if err != nil {
		return err
	}
	a.open = openRegular
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		if a.clientCanonical != "" || c.Flags().Changed("entry") || c.Flags().Changed("format") {
			return fmt.Errorf("--client-canonical, --entry and --format are for one request, and %s is a folder", name)
		}
		return a.folder(c.Context(), s, environments, name)
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
	x, err := a.ask(c.Context(), environments, data)
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

// openRegular opens a file that a curl command names. It refuses devices and pipes:
// a pasted command must not make the program wait or read its own standard input.
func openRegular(name string) (io.ReadCloser, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", name)
	}
	return os.Open(name)
}
