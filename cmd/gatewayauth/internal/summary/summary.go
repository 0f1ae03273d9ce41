// Package summary summarizes the log of a service in report mode: which requests enforce
// mode would have refused.
package summary

import (
	"cmp"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/cmd/gatewayauth/internal/servicelog"
)

const (
	maxGroups       = 10_000
	maxEnvironments = 1000
	maxAPIs         = 1000
	maxExamples     = 3
	maxValues       = 5
)

// A Summary counts the records of a verifier in a log.
type Summary struct {
	// AllClear is true if the log shows that enforce mode would have refused nothing.
	// Why is the result of [Summary.Doubt].
	AllClear bool   `json:"all_clear"`
	Why      string `json:"why,omitempty"`
	// Records counts the records of a verifier, First and Last are their times.
	Records int64     `json:"records"`
	First   time.Time `json:"first,omitzero"`
	Last    time.Time `json:"last,omitzero"`
	// Environments has one element per environment and mode.
	Environments []*Environment `json:"environments"`
	Groups       []*Group       `json:"groups"`
	// WouldRefuse counts the requests that would have been refused, including those
	// whose records the verifier suppressed because of its rate limit. Suppressed
	// counts only the latter, by code.
	WouldRefuse int64            `json:"would_refuse"`
	Suppressed  map[string]int64 `json:"suppressed,omitempty"`
	// Refused counts requests that were refused in enforce mode, or in off mode by guard
	// itself. What guard refused itself in report mode is in WouldRefuse.
	Refused int64 `json:"refused,omitempty"`
	// Verified counts accepted requests, whose records are at debug level, and
	// Open those on open APIs.
	Verified int64 `json:"verified,omitempty"`
	Open     int64 `json:"open,omitempty"`
	// Lines counts all lines that are not blank, Text those in key=value, Other
	// those of something else, and Unreadable those in neither JSON nor key=value.
	Lines      int64 `json:"lines"`
	Text       int64 `json:"text,omitempty"`
	Other      int64 `json:"other,omitempty"`
	Unreadable int64 `json:"unreadable,omitempty"`
	// Unclear counts the lines that may be records of a verifier and could not be
	// read; UnclearLines are the first of them.
	Unclear      int64         `json:"unclear,omitempty"`
	UnclearLines []UnclearLine `json:"unclear_lines,omitempty"`
	// Ungrouped counts requests past the limit of groups.
	Ungrouped int64 `json:"ungrouped,omitempty"`

	groups       map[[3]string]*Group
	environments map[[2]string]*Environment
}

// An UnclearLine is a line that may be a record and could not be read.
type UnclearLine struct {
	Line int64  `json:"line"`
	Why  string `json:"why"`
}

// An Environment is what the records of one environment in one mode say.
type Environment struct {
	Name        string    `json:"environment"`
	Mode        string    `json:"mode"`
	Verified    int64     `json:"verified"`
	Open        int64     `json:"open"`
	WouldRefuse int64     `json:"would_refuse"`
	Refused     int64     `json:"refused"`
	First       time.Time `json:"first,omitzero"`
	Last        time.Time `json:"last,omitzero"`
	// APIs are the patterns of the APIs that requests matched, at most 1000.
	APIs []string `json:"apis"`
}

// A Group is the requests of one API that would have been refused for one reason.
type Group struct {
	Environment string    `json:"environment,omitempty"`
	API         string    `json:"api"`
	Code        string    `json:"code"`
	Count       int64     `json:"count"`
	First       time.Time `json:"first,omitzero"`
	Last        time.Time `json:"last,omitzero"`
	Keys        []string  `json:"keys,omitempty"`
	KeyIDs      []string  `json:"key_ids,omitempty"`
	Remotes     []string  `json:"remotes,omitempty"`
	Examples    []Example `json:"examples"`
}

// An Example is one request of a group.
type Example struct {
	Time   time.Time `json:"time,omitzero"`
	Method string    `json:"method"`
	Host   string    `json:"host,omitempty"`
	Path   string    `json:"path"`
	Error  string    `json:"error,omitempty"`
}

// Read summarizes a log, in the formats of package servicelog. Lines that are not records
// of a verifier are only counted.
func Read(in io.Reader) (*Summary, error) {
	s := &Summary{Groups: []*Group{}, Environments: []*Environment{}, Suppressed: map[string]int64{},
		groups: map[[3]string]*Group{}, environments: map[[2]string]*Environment{}}
	if err := servicelog.Read(in, s.line); err != nil {
		return nil, err
	}
	slices.SortStableFunc(s.Groups, func(a, b *Group) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.API, b.API), strings.Compare(a.Code, b.Code))
	})
	slices.SortStableFunc(s.Environments, func(a, b *Environment) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Mode, b.Mode))
	})
	s.Why = s.Doubt()
	s.AllClear = s.Why == "" && s.WouldRefuse == 0
	return s, nil
}

// RefusedIn counts the requests that were refused in a mode.
func (s *Summary) RefusedIn(mode string) (n int64) {
	for _, e := range s.Environments {
		if e.Mode == mode {
			n += e.Refused
		}
	}
	return n
}

func (s *Summary) line(l servicelog.Line) {
	s.Lines++
	if l.Form == servicelog.Text {
		s.Text++
	}
	if l.Unclear != "" {
		if s.Unclear++; len(s.UnclearLines) < maxValues {
			s.UnclearLines = append(s.UnclearLines, UnclearLine{l.Number, l.Unclear})
		}
	}
	switch {
	case len(l.Records) > 0:
	case l.Form == servicelog.Neither || l.Unclear != "":
		s.Unreadable++
	default:
		s.Other++
	}
	for i := range l.Records {
		s.record(l.Number, &l.Records[i])
	}
}

func (s *Summary) record(line int64, r *servicelog.Record) {
	s.Records++
	s.First, s.Last = earlier(s.First, r.Time), later(s.Last, r.Time)
	e := s.environment(r)
	switch r.Kind {
	case servicelog.WouldRefuse:
		s.WouldRefuse += r.Count
		e.WouldRefuse += r.Count
		if r.Summed {
			s.Suppressed[r.Code] += r.Count
		} else {
			s.group(r)
		}
	case servicelog.Refused:
		s.Refused += r.Count
		e.Refused += r.Count
	case servicelog.Accepted:
		s.Verified += r.Count
		e.Verified += r.Count
	case servicelog.Open:
		s.Open += r.Count
		e.Open += r.Count
	case servicelog.Lost:
		if s.Unclear++; len(s.UnclearLines) < maxValues {
			s.UnclearLines = append(s.UnclearLines, UnclearLine{line, "the log handler panicked, and records were lost"})
		}
	}
}

// environment returns the environment in which a record is counted.
func (s *Summary) environment(r *servicelog.Record) *Environment {
	key := [2]string{r.Environment, r.Mode}
	e := s.environments[key]
	if e == nil {
		e = &Environment{Name: r.Environment, Mode: r.Mode, APIs: []string{}}
		if r.Mode == "" || len(s.environments) >= maxEnvironments {
			return e // not listed, because the record is not about requests
		}
		s.environments[key] = e
		s.Environments = append(s.Environments, e)
	}
	e.First, e.Last = earlier(e.First, r.Time), later(e.Last, r.Time)
	if r.API != "" && len(e.APIs) < maxAPIs {
		if i, known := slices.BinarySearch(e.APIs, r.API); !known {
			e.APIs = slices.Insert(e.APIs, i, r.API)
		}
	}
	return e
}

func (s *Summary) group(e *servicelog.Record) {
	api := e.API
	if api == "" {
		api = e.Method + " " + pattern(e.Path)
	}
	key := [3]string{e.Environment, api, e.Code}
	g := s.groups[key]
	if g == nil {
		if len(s.groups) >= maxGroups {
			s.Ungrouped++
			return
		}
		g = &Group{Environment: e.Environment, API: api, Code: e.Code}
		s.groups[key] = g
		s.Groups = append(s.Groups, g)
	}
	g.Count++
	g.First, g.Last = earlier(g.First, e.Time), later(g.Last, e.Time)
	g.Keys, g.KeyIDs = put(g.Keys, e.Key), put(g.KeyIDs, e.KeyID)
	remote := e.Remote
	if i := strings.LastIndexByte(remote, ':'); i > 0 {
		remote = remote[:i] // without the port, which differs for each connection
	}
	g.Remotes = put(g.Remotes, remote)
	example := Example{e.Time, e.Method, e.Host, e.Path, strings.TrimPrefix(e.Error, "gatewayauth: "+e.Code+": ")}
	same := func(x Example) bool {
		return x.Method == example.Method && x.Path == example.Path && x.Host == example.Host
	}
	if len(g.Examples) < maxExamples && !slices.ContainsFunc(g.Examples, same) {
		g.Examples = append(g.Examples, example)
	}
}

// put adds a value to a short list without duplicates.
func put(all []string, value string) []string {
	if value == "" || len(all) >= maxValues || slices.Contains(all, value) {
		return all
	}
	return append(all, value)
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// number matches a segment of a path that is an id.
var number = regexp.MustCompile(`^(?:[0-9]+|[0-9a-fA-F-]{16,}|[A-Za-z0-9_-]*[0-9][A-Za-z0-9_-]{11,})$`)

// pattern replaces the ids of a path by {}.
func pattern(path string) string {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if number.MatchString(s) {
			segments[i] = "{}"
		}
	}
	return strings.Join(segments, "/")
}
