package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/gatewayauth/gatewayauth/cmd/gatewayauth/internal/lint"
	"github.com/gatewayauth/gatewayauth/cmd/gatewayauth/internal/summary"
	"github.com/gatewayauth/gatewayauth/core/config"
)

// The exit codes of check, besides exitUsage.
const (
	exitWarnings = 1
	exitErrors   = 2
)

type checkArgs struct {
	json, noSecrets bool
	report, at      string
	route           string
	config          string
}

func checkCommand(s streams) *cobra.Command {
	var a checkArgs
	c := &cobra.Command{
		Use:   "check [flags] FILE",
		Short: "Check an environments file, or summarize the log of a service in report mode",
		Long: `Check an environments file. Print its errors, with which no service would start, and
warnings about settings that are valid but often wrong, each with its line. If there
are errors, warnings are printed only when the errors are fixed.

With --no-secrets the variables and files that hold secrets are not read, as in a
pipeline that does not have them; everything else is checked.

With --route, check says which pattern and key bind the requests of a route in each
environment, or that it is open or refused, and why. It needs no secrets. A route is a
method and a path as they arrive, optionally with a host, which patterns with a host are
matched with. The host must also be one of hosts, if the environment has that field and
the API is not open.

With --report, FILE is the log of a service whose environment is in report mode, or -
for standard input. check prints a table of the requests that enforce mode would have
refused, those that guard refuses in every mode included, by API and reason, and the
number of accepted requests. The log may be in
slog's JSON or text format, with fields renamed or in groups, and wrapped by Docker,
Kubernetes, journald (-o json, short or cat) or a log collector: records are recognized
by the verifier's own fields. Refusals are logged at level warn, accepted requests at
level debug. Set the level to debug: without it a service that accepts everything logs
nothing, and an empty log does not show that enforce mode is safe.

The exit code is 0 if nothing was found except notes of severity info; 1 for warnings,
requests that would have been refused, or a route that is refused; 2 for errors; 3 for
invalid arguments, and for a log that does not show whether enforce mode is safe: it
has no record of a verifier in report mode, or no request that was verified or would
have been refused, or lines that may be records and cannot be parsed.`,
		Example: `  gatewayauth check environments.yaml
  gatewayauth check -json -no-secrets environments.yaml
  gatewayauth check -route "GET /admin/users" environments.yaml
  gatewayauth check -report service.log
  gatewayauth check -report service.log -json
  kubectl logs deploy/orders | gatewayauth check -report -`,
		Args: atMostOne("environments file"),
		RunE: func(_ *cobra.Command, args []string) error {
			if a.config != "" {
				if len(args) > 0 {
					return fmt.Errorf("the environments file is given twice: %s and --config %s", args[0], a.config)
				}
				args = []string{a.config}
			}
			if a.report != "" {
				if a.route != "" {
					return errors.New("--report and --route do different things: remove one of them")
				}
				if len(args) > 0 {
					return errors.New("--report takes a log and no environments file: remove one of them")
				}
				return a.sumUp(s)
			}
			if len(args) == 0 {
				return errors.New("the environments file is missing: give its name as the argument")
			}
			if a.route != "" {
				return a.bindings(s, args[0])
			}
			return a.run(s, args[0])
		},
	}
	f := c.Flags()
	f.StringVarP(&a.config, "config", "c", "", "environments `file`, as the argument FILE")
	f.BoolVar(&a.json, "json", false, "print JSON")
	f.BoolVar(&a.noSecrets, "no-secrets", false, "do not read environment variables and files that hold secrets")
	f.StringVar(&a.report, "report", "", "summarize this `log` instead; - for standard input")
	f.StringVar(&a.route, "route", "", "say what binds the requests of a `route` such as \"GET /orders/7\" or \"GET api.example.com/orders/7\" instead")
	f.StringVar(&a.at, "at", "", "`date` at which previous secrets are checked (default now)")
	return c
}

func (a *checkArgs) run(s streams, path string) error {
	now, err := clock(a.at)
	if err != nil {
		return fmt.Errorf("--at: %w", err)
	}
	var options []config.LoadOption
	if a.noSecrets {
		options = append(options, config.WithoutSecrets())
	}
	f, err := loadFile(path, options...)
	findings := []lint.Finding{}
	for _, p := range config.Problems(err) {
		findings = append(findings, problem(lint.Error, "config", p))
	}
	if err == nil {
		findings = append(findings, lint.Check(f, lint.Options{Path: path, Now: now()})...)
		for _, p := range f.Warnings() {
			if !slices.ContainsFunc(findings, func(x lint.Finding) bool { return x.Field == p.Field && x.Text == p.Rule }) {
				findings = append(findings, problem(lint.Warning, "config", p))
			}
		}
		slices.SortStableFunc(findings, func(a, b lint.Finding) int { return a.Line - b.Line })
	}
	return a.print(s, findings)
}

func problem(severity lint.Severity, rule string, p *config.Problem) lint.Finding {
	return lint.Finding{Severity: severity, Rule: rule, File: p.File, Line: p.Line, Column: p.Column, Field: p.Field, Text: p.Rule}
}

func (a *checkArgs) print(s streams, findings []lint.Finding) error {
	count := map[lint.Severity]int{}
	for _, f := range findings {
		count[f.Severity]++
	}
	if a.json {
		if err := writeJSON(s.out, map[string]any{"findings": findings, "errors": count[lint.Error],
			"warnings": count[lint.Warning], "infos": count[lint.Info]}); err != nil {
			return failed{err}
		}
	} else {
		for _, f := range findings {
			fmt.Fprintln(s.out, printable(f.String()))
		}
		fmt.Fprintf(s.out, "%s, %s\n", summary.Counted(count[lint.Error], "error", "errors"), summary.Counted(count[lint.Warning], "warning", "warnings"))
	}
	switch {
	case count[lint.Error] > 0:
		return exit(exitErrors)
	case count[lint.Warning] > 0:
		return exit(exitWarnings)
	}
	return nil
}

func writeJSON(out io.Writer, value any) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(value)
}
