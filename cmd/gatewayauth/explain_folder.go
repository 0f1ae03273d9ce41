package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/gatewayauth/gatewayauth/cmd/gatewayauth/internal/summary"
	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/capture"
)

// A causeCount is how many requests have one cause and one code.
type causeCount struct {
	Cause    string    `json:"cause"`
	Code     core.Code `json:"code,omitempty"`
	Requests int       `json:"requests"`
	// Detail is that of the newest request. Differ is true if others have another one.
	Detail string `json:"detail,omitempty"`
	Differ bool   `json:"details_differ,omitempty"`
}

func (c causeCount) String() string {
	if c.Code == "" || string(c.Code) == c.Cause {
		return c.Cause
	}
	return c.Cause + " for " + printable(string(c.Code))
}

// Text is the detail, for people.
func (c causeCount) Text() string {
	if c.Differ {
		return "the newest of them: " + c.Detail
	}
	return c.Detail
}

// folderAnswer is the output of explain for a folder.
type folderAnswer struct {
	Requests []*keptRequest `json:"requests"` // the newest first
	Causes   []causeCount   `json:"causes"`   // the most frequent first
	// Left is the number of files that are not in Requests.
	Left int `json:"-"`
}

// count counts the causes.
func (x *folderAnswer) count() {
	x.Causes = []causeCount{}
	for _, k := range x.Requests {
		of := causeCount{Cause: k.Cause, Code: k.Code, Detail: cmp.Or(k.Error, k.Detail)}
		i := slices.IndexFunc(x.Causes, func(c causeCount) bool {
			// Where the code is the cause, the detail says which.
			return c.Cause == of.Cause && c.Code == of.Code && (c.Detail == of.Detail || c.Cause != string(c.Code))
		})
		if i < 0 {
			i = len(x.Causes)
			x.Causes = append(x.Causes, of)
		}
		x.Causes[i].Requests++
		x.Causes[i].Differ = x.Causes[i].Differ || x.Causes[i].Detail != of.Detail
	}
	slices.SortStableFunc(x.Causes, func(a, b causeCount) int { return cmp.Compare(b.Requests, a.Requests) })
}

// folder lists and explains the requests that a verifier kept in a folder.
func (a *explainArgs) folder(ctx context.Context, s streams, environments *environmentsFile, dir string) error {
	if err := a.usable(environments.names); err != nil {
		return err
	}
	if a.env != "" {
		if _, err := environments.load(a.env); err != nil {
			return err
		}
	}
	f := &keptFolder{dir: dir, ask: func(ctx context.Context, data []byte) (*answer, error) { return a.ask(ctx, environments, data) }}
	x, err := f.read(ctx, 1<<30)
	if err != nil {
		return err
	}
	if len(x.Requests) == 0 {
		return fmt.Errorf("%s holds no kept requests: the section capture of an environment makes the service write them, with names such as 20260115T120000.000Z-000001-signature_mismatch%s", dir, capture.Suffix)
	}
	if a.json {
		err = writeJSON(s.out, x)
	} else {
		err = x.print(s)
	}
	if err != nil {
		return failed{err}
	}
	return x.exit()
}

func (x *folderAnswer) print(s streams) error {
	t := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "TIME\tCODE\tREQUEST\tCAUSE\tFILE")
	for _, k := range x.Requests {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", date(k.Time), cmp.Or(printable(string(k.Code)), "-"), k.Request(), k.Cause, k.File)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "\n%s\n", x.Summary())
	for _, c := range x.Causes {
		fmt.Fprintf(s.out, "  %d  %s\n     %s\n", c.Requests, c, c.Text())
	}
	return nil
}

// Summary says how many requests there are, and from when.
func (x *folderAnswer) Summary() string {
	var first, last time.Time
	for _, k := range x.Requests {
		if !k.Time.IsZero() && (first.IsZero() || k.Time.Before(first)) {
			first = k.Time
		}
		if k.Time.After(last) {
			last = k.Time
		}
	}
	return fmt.Sprintf("%s, from %s to %s", summary.Counted(len(x.Requests), "request", "requests"), date(first), date(last))
}

// exit returns the exit code: that of the request which needs most attention.
func (x *folderAnswer) exit() error {
	code := exitAccepted
	for _, k := range x.Requests {
		switch {
		case k.Error != "" || k.Verdict == refused && !k.Explained:
			return exit(exitUnexplained)
		case k.Explained:
			code = exitExplained
		}
	}
	if code == exitAccepted {
		return nil
	}
	return exit(code)
}
