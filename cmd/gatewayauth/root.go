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

// The exit codes that all commands share. Others stand in their help.
const (
	exitFailed = 1 // what was asked for did not work
	exitUsage  = 3 // the arguments, or a file, cannot be used
)

// streams are those of the process.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// exit is a result that is not an error to be printed.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit with %d", int(e)) }

// failed marks an error as one of the work and not of the arguments.
type failed struct{ error }

func (f failed) Unwrap() error { return f.error }

func run(ctx context.Context, args []string, s streams) int {
	root := &cobra.Command{
		Use:   "gatewayauth",
		Short: "Sign requests as an API gateway does, and find out why one was refused",
		Long: `gatewayauth signs requests as an API gateway does, and finds out why one was refused.

It works on the environments file that the service itself reads: keys, and which
API is bound to which. Options may be written with one dash or two.`,
		SilenceUsage: true, SilenceErrors: true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.AddCommand(signCommand(s), explainCommand(s), checkCommand(s), gatewayCommand(s))
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	root.SetArgs(twoDashes(root, args))
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return err })
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

// twoDashes lets -config mean --config, as the other programs of this module
// have it. An argument that is no name of an option stays as it is: -XPOST.
func twoDashes(root *cobra.Command, args []string) []string {
	known := func(name string) bool {
		return name == "help" || slices.ContainsFunc(root.Commands(), func(c *cobra.Command) bool { return c.Flags().Lookup(name) != nil })
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

// parseTime reads a date as people and as the protocols write it.
func parseTime(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, "20060102T150405Z", "2006-01-02T15:04:05", "2006-01-02 15:04:05"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a date such as 2026-01-15T12:00:00Z or 20260115T120000Z", text)
}

// clock returns the clock that shows the date of --at, or the machine's.
func clock(at string) (func() time.Time, error) {
	if at == "" || at == "now" {
		return time.Now, nil
	}
	t, err := parseTime(at)
	return func() time.Time { return t }, err
}
