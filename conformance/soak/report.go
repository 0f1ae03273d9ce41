package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

// locked is a value that several goroutines use.
type locked[T any] struct {
	mu    sync.Mutex
	value T
}

func (l *locked[T]) with(f func(*T)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(&l.value)
}

// The columns of the report.
const (
	honest      = "honest"
	changing    = "rotated"
	hostile     = "hostile"
	replays     = "replayed"
	slow        = "slow"
	cancelled   = "cancelled"
	either      = "either"
	excused     = "slow machine"
	unavailable = "503"
	lost        = "lost entry"
	wrong       = "wrong"
)

var columns = []string{honest, changing, hostile, replays, slow, cancelled, unavailable, lost, either, excused, wrong}

const legend = `honest: accepted, with the right identity and body (or 503 while Redis was away); rotated: keys, bindings and
rules that change with the file; hostile: refused with the right status; replayed: refused as seen before;
slow: bodies in time and too late; cancelled: closed or cancelled by the client; lost entry: accepted again since
Redis forgot it in a restart. either: of these, requests during a reload, an outage or a replay's expiry for which two
verdicts are right (any other one is wrong); slow machine: refused since this machine stalled; wrong: must be 0.
`

// counts are by adapter and column.
type counts map[string]map[string]int

// A report is what the run has come to so far.
type report struct {
	out   io.Writer
	began time.Time
	locked[counts]
}

// add counts a message.
func (r *report) add(adapter string, names ...string) {
	r.with(func(c *counts) {
		if (*c)[adapter] == nil {
			(*c)[adapter] = map[string]int{}
		}
		for _, name := range names {
			(*c)[adapter][name]++
		}
	})
}

// total returns the number of messages in all columns, or in one.
func (r *report) total(column string) (n int) {
	r.with(func(c *counts) {
		for _, of := range *c {
			if column != "" {
				n += of[column]
				continue
			}
			for _, name := range []string{honest, changing, hostile, replays, slow, cancelled, unavailable, lost, wrong} {
				n += of[name]
			}
		}
	})
	return n
}

// fail reports something wrong: the first ones in full.
func (r *report) fail(adapter, format string, args ...any) {
	const most = 20
	r.add(adapter, wrong)
	if n := r.total(wrong); n <= most {
		fmt.Fprintf(r.out, "WRONG after %v, %s: %s\n", time.Since(r.began).Round(time.Millisecond), adapter, fmt.Sprintf(format, args...))
	} else if n == most+1 {
		fmt.Fprintf(r.out, "WRONG: more of it is only counted\n")
	}
}

// table writes the counts.
func (r *report) table(adapters []*adapter) {
	w := tabwriter.NewWriter(r.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	took := time.Since(r.began).Seconds()
	fmt.Fprintf(w, "\t%s\treloads\trefused files\trequests/s\t\n", strings.Join(columns, "\t"))
	for _, a := range adapters {
		loaded, refused := a.reloads()
		all := 0
		r.with(func(c *counts) {
			fmt.Fprintf(w, "%s\t", a.name)
			for _, name := range columns {
				fmt.Fprintf(w, "%d\t", (*c)[a.name][name])
				if name != either && name != excused {
					all += (*c)[a.name][name]
				}
			}
		})
		fmt.Fprintf(w, "%d\t%d\t%.1f\t\n", loaded, refused, float64(all)/took)
	}
	w.Flush()
	fmt.Fprint(r.out, legend)
}
