package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// faultHeader orders a fault for the request that has it.
const faultHeader = "Gatewayauth-Fault"

// faults are what goes wrong on purpose. The zero faults are none.
type faults struct {
	skew        time.Duration // of the clock that is signed with
	wrongSecret bool
	changes     []func(*http.Request) string // to the signed request; they say what they did
	body        func([]byte) []byte          // nil: it stays as it is
	bodyDone    string
	twice       bool
}

// A faultKind is a fault that can be ordered. The table is all there is to know
// about one: help and documentation are made of it.
type faultKind struct {
	name     string
	argument string // an example, "" where it takes none
	does     string // for the help
	order    func(f *faults, argument string) error
}

var faultKinds = []faultKind{
	{"skew", "20m", "the signed date is that long ago; -20m in the future", func(f *faults, text string) (err error) {
		if f.skew, err = time.ParseDuration(text); err != nil || f.skew == 0 {
			return errors.New("no duration such as skew=20m")
		}
		return nil
	}},
	{"wrong-secret", "", "it is signed with another secret under the key's id", func(f *faults, _ string) error { f.wrongSecret = true; return nil }},
	{"drop", "X-Sdk-Date", "a header is taken away after it was signed", func(f *faults, name string) error { f.change(dropped(name)); return nil }},
	{"change-header", "X-Sdk-Date", "a header is changed after it was signed", func(f *faults, name string) error { f.change(headerChanged(name)); return nil }},
	{"host", "other.example", "the host is another than was signed", func(f *faults, host string) error { f.change(hostChanged(host, false)); return nil }},
	{"proxy-host", "10.0.0.1:8080", "a proxy sends its own host, and the signed one in X-Forwarded-Host", func(f *faults, host string) error { f.change(hostChanged(host, true)); return nil }},
	{"strip-prefix", "/v1", "a prefix is taken off the path after it was signed", func(f *faults, prefix string) error { f.change(prefixStripped(prefix)); return nil }},
	{"rewrite-query", "", "the query is written anew after it was signed: + for %2B, else one parameter more", func(f *faults, _ string) error { f.change(queryRewritten); return nil }},
	{"tamper-body", "", "the body is changed after it was signed", func(f *faults, _ string) error { f.body, f.bodyDone = tampered, "with another body"; return nil }},
	{"remove-body", "", "the body is taken away after it was signed", func(f *faults, _ string) error {
		f.body, f.bodyDone = func([]byte) []byte { return nil }, "without its body"
		return nil
	}},
	{"duplicate", "", "the request is sent twice; the first answer counts", func(f *faults, _ string) error { f.twice = true; return nil }},
}

// faultHelp is the table for the help.
func faultHelp() string {
	var b strings.Builder
	for _, k := range faultKinds {
		fmt.Fprintf(&b, "  %-25s %s\n", k.usage(), k.does)
	}
	return b.String()
}

func (k faultKind) usage() string {
	if k.argument == "" {
		return k.name
	}
	return k.name + "=" + k.argument
}

// parseFaults reads the faults that are ordered.
func parseFaults(texts []string) (*faults, error) {
	f := new(faults)
	for _, text := range texts {
		name, argument, _ := strings.Cut(text, "=")
		i := slices.IndexFunc(faultKinds, func(k faultKind) bool { return k.name == name })
		if i < 0 {
			var known []string
			for _, k := range faultKinds {
				known = append(known, k.usage())
			}
			return nil, fmt.Errorf("%q is none of %s", text, strings.Join(known, ", "))
		}
		k := faultKinds[i]
		if (k.argument == "") != (argument == "") {
			return nil, fmt.Errorf("%q: write %s; faults with an argument need its value, such as %s, the others take none", text, k.usage(), k.usage())
		}
		if err := k.order(f, argument); err != nil {
			return nil, fmt.Errorf("%q: %w", text, err)
		}
	}
	return f, nil
}

func (f *faults) change(c func(*http.Request) string) { f.changes = append(f.changes, c) }

func dropped(name string) func(*http.Request) string {
	return func(r *http.Request) string {
		if len(r.Header.Values(name)) == 0 {
			return ""
		}
		r.Header.Del(name)
		return "without " + name
	}
}

// headerChanged changes a header as something on the way would: a date by a second,
// a content type by a charset, other values by a suffix.
func headerChanged(name string) func(*http.Request) string {
	return func(r *http.Request) string {
		value := r.Header.Get(name)
		if value == "" {
			return ""
		}
		const date = "20060102T150405Z"
		switch at, err := time.Parse(date, value); {
		case err == nil:
			value = at.Add(time.Second).Format(date)
		case strings.EqualFold(name, "Content-Type"):
			value += "; charset=utf-8"
		default:
			value += ", changed"
		}
		r.Header.Set(name, value)
		return "with another " + name
	}
}

func hostChanged(host string, forwarded bool) func(*http.Request) string {
	return func(r *http.Request) string {
		if forwarded {
			r.Header.Set("X-Forwarded-Host", r.Host)
		}
		r.Host = host
		return "for the host " + host
	}
}

func prefixStripped(prefix string) func(*http.Request) string {
	prefix = "/" + strings.Trim(prefix, "/")
	return func(r *http.Request) string {
		rest, had := strings.CutPrefix(r.URL.EscapedPath(), prefix)
		if !had || rest != "" && rest[0] != '/' {
			return ""
		}
		if rest == "" {
			rest = "/"
		}
		if u, err := url.Parse("http://x" + rest); err == nil {
			r.URL.Path, r.URL.RawPath = u.Path, u.RawPath
		}
		return "without the prefix " + prefix
	}
}

// queryRewritten writes the query anew as what decodes it once too often does: a %2B
// becomes a +, which is a blank. Where there is none, a parameter is added, as
// trackers do.
func queryRewritten(r *http.Request) string {
	switch query := r.URL.RawQuery; {
	case strings.Contains(strings.ToUpper(query), "%2B"):
		r.URL.RawQuery = strings.NewReplacer("%2B", "+", "%2b", "+").Replace(query)
	case query == "":
		r.URL.RawQuery = "utm_source=proxy"
	default:
		r.URL.RawQuery = query + "&utm_source=proxy"
	}
	return "with the query written anew"
}
