package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// The exit codes that all commands share. The help of a command lists the others.
const (
	exitFailed = 1 // the operation failed
	exitUsage  = 3 // the arguments or a file cannot be used
)

// streams are the standard streams of the process.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// exit is an exit code that is returned as an error. Nothing is printed for it.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit with %d", int(e)) }

// failed wraps an error that is not the fault of the arguments. The exit code is
// exitFailed instead of exitUsage.
type failed struct{ error }

func (f failed) Unwrap() error { return f.error }

// newRoot returns the command with all that is below it.
func newRoot(s streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "gatewayauth",
		Short: "Sign requests as an API gateway does, verify them, and explain why one was refused",
		Long: `gatewayauth signs requests as an API gateway does, verifies them in front of a service,
and explains why one was refused.

It reads the same environments file as the service, which holds the keys and the
APIs they are bound to. Flags may be written with one dash or two.`,
		SilenceUsage: true, SilenceErrors: true,
		Version: "of the build", // that there is one makes the flag; the template has the text
	}
	root.Flags().BoolP("version", "v", false, "print the version, as the command version does")
	root.SetVersionTemplate(versionText())
	root.AddCommand(complete(signCommand(s), false), complete(explainCommand(s), true), complete(checkCommand(s), true),
		complete(gatewayCommand(s), false), complete(guardCommand(s), false), complete(probeCommand(s), false),
		complete(schemaCommand(s), false), complete(versionCommand(s), false), complete(manCommand(s), true))
	return root
}

func run(ctx context.Context, args []string, s streams) int {
	root := newRoot(s)
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	root.SetArgs(twoDashes(root, args))
	root.SetFlagErrorFunc(flagError)
	err := root.ExecuteContext(ctx)
	if code, ok := errors.AsType[exit](err); ok {
		return int(code)
	}
	if err == nil {
		return 0
	}
	fmt.Fprintln(s.err, "gatewayauth:", err)
	if _, ok := errors.AsType[failed](err); ok {
		return exitFailed
	}
	return exitUsage
}

var oneDash = regexp.MustCompile(`^-[a-z][a-z-]+(=|$)`)

// twoDashes changes -config to --config, because the other programs of this module
// use package flag. Arguments that are not the name of a flag, such as -XPOST, are not
// changed.
func twoDashes(root *cobra.Command, args []string) []string {
	known := func(name string) bool {
		return name == "help" || name == "version" || slices.ContainsFunc(root.Commands(), func(c *cobra.Command) bool { return c.Flags().Lookup(name) != nil })
	}
	made := make([]string, len(args))
	for i, arg := range args {
		made[i] = arg
		name, _, _ := strings.Cut(strings.TrimPrefix(arg, "-"), "=")
		if oneDash.MatchString(arg) && known(name) {
			made[i] = "-" + arg
		}
		if arg == "--" {
			copy(made[i:], args[i:])
			break
		}
	}
	return made
}

// parseTime parses a date in RFC 3339, with or without a zone, or in the format of
// X-Sdk-Date. A date without a zone is in UTC.
func parseTime(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, "20060102T150405Z", "2006-01-02T15:04:05", "2006-01-02 15:04:05"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a date such as 2026-01-15T12:00:00Z or 20260115T120000Z", text)
}

// clock returns a clock that always shows the date of --at, or the system clock if
// there is none.
func clock(at string) (func() time.Time, error) {
	if at == "" || at == "now" {
		return time.Now, nil
	}
	t, err := parseTime(at)
	return func() time.Time { return t }, err
}
