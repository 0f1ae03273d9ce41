// Package summary sums up the log of a service in report mode: what enforce
// would have refused.
package summary

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/cmd/gatewayauth/internal/capture"
)

const (
	maxLine     = 1 << 20
	maxGroups   = 10_000
	maxExamples = 3
	maxValues   = 5
)

// A Summary is what a log holds.
type Summary struct {
	Groups []*Group `json:"groups"`
	// WouldRefuse counts the requests that would have been refused, those
	// included whose records the verifier left out of a flood; Suppressed are
	// those alone, by code.
	WouldRefuse int64            `json:"would_refuse"`
	Suppressed  map[string]int64 `json:"suppressed,omitempty"`
	// Refused counts records of requests that were refused for real.
	Refused int64 `json:"refused,omitempty"`
	// Verified counts records of accepted requests: those at debug level.
	Verified int64     `json:"verified,omitempty"`
	First    time.Time `json:"first,omitzero"`
	Last     time.Time `json:"last,omitzero"`
	// Lines counts all lines, Other those of something else, and Unreadable
	// those that are no JSON.
	Lines      int64 `json:"lines"`
	Other      int64 `json:"other,omitempty"`
	Unreadable int64 `json:"unreadable,omitempty"`
	// Ungrouped counts requests past the limit of groups.
	Ungrouped int64 `json:"ungrouped,omitempty"`
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

// Read reads a log in JSON, line by line. What is no record of a verifier is
// counted and left out.
func Read(in io.Reader) (*Summary, error) {
	s := &Summary{Groups: []*Group{}, Suppressed: map[string]int64{}}
	groups := map[[3]string]*Group{}
	r := bufio.NewReaderSize(in, 64<<10)
	for {
		line, err := readLine(r)
		if len(line) > 0 {
			s.take(line, groups)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(s.Groups, func(a, b *Group) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.API, b.API), strings.Compare(a.Code, b.Code))
	})
	return s, nil
}

// readLine returns the next line; one that is too long comes back cut, and so is
// no JSON.
func readLine(r *bufio.Reader) (line []byte, err error) {
	for {
		part, err := r.ReadSlice('\n')
		if len(line)+len(part) <= maxLine {
			line = append(line, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return bytes.TrimSpace(line), err
		}
	}
}

func (s *Summary) take(line []byte, groups map[[3]string]*Group) {
	s.Lines++
	if line[0] != '{' {
		s.Unreadable++
		return
	}
	e, err := capture.ParseEvent(line)
	if err != nil {
		s.Unreadable++
		return
	}
	switch {
	case e.Suppressed > 0 && e.Mode == "report" && e.Code != "":
		s.Suppressed[e.Code] += e.Suppressed
		s.WouldRefuse += e.Suppressed
	case e.Message == "request would be refused":
		s.WouldRefuse++
		s.group(e, groups)
	case e.Message == "request refused":
		s.Refused++
		return
	case strings.HasPrefix(e.Message, "request verified"):
		s.Verified++
		return
	default:
		s.Other++
		return
	}
	s.First, s.Last = earlier(s.First, e.Time), later(s.Last, e.Time)
}

func (s *Summary) group(e *capture.Event, groups map[[3]string]*Group) {
	api := e.API
	if api == "" {
		api = e.Method + " " + pattern(e.Path)
	}
	key := [3]string{e.Environment, api, e.Code}
	g := groups[key]
	if g == nil {
		if len(groups) >= maxGroups {
			s.Ungrouped++
			return
		}
		g = &Group{Environment: e.Environment, API: api, Code: e.Code}
		groups[key] = g
		s.Groups = append(s.Groups, g)
	}
	g.Count++
	g.First, g.Last = earlier(g.First, e.Time), later(g.Last, e.Time)
	g.Keys, g.KeyIDs = put(g.Keys, e.Key), put(g.KeyIDs, e.KeyID)
	remote := e.Remote
	if i := strings.LastIndexByte(remote, ':'); i > 0 {
		remote = remote[:i] // without the port, which is another each time
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

// put adds a value to a short list of different ones.
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

// number is a segment of a path that names one of many things.
var number = regexp.MustCompile(`^(?:[0-9]+|[0-9a-fA-F-]{16,}|[A-Za-z0-9_-]*[0-9][A-Za-z0-9_-]{11,})$`)

// pattern puts paths of one kind together.
func pattern(path string) string {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if number.MatchString(s) {
			segments[i] = "{}"
		}
	}
	return strings.Join(segments, "/")
}
