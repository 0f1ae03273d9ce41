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

// faultHeader is the request header that asks for faults in this request.
const faultHeader = "Gatewayauth-Fault"

// faults are the errors to make on purpose when signing or sending a request. The
// zero value makes none.
type faults struct {
	skew        time.Duration // how long ago the signed date is
	wrongSecret bool
	target      []change            // of method, path, query and host, for which the request was signed
	changes     []change            // of the headers
	body        func([]byte) []byte // nil: the body is not changed
	bodyDone    string
	twice       bool
}

// A change changes a signed request, and returns what it did for the log. If the request
// has nothing to change, it returns "".
type change func(*http.Request) string

// A faultKind describes a fault that users can ask for. The help is generated from
// the table faultKinds.
type faultKind struct {
	name     string
	argument string // an example, "" where it takes none
	does     string // for the help
	set      func(f *faults, argument string) error
}

var faultKinds = []faultKind{
	{"skew", "20m", "the signed date is this long ago; a negative duration is in the future", func(f *faults, text string) (err error) {
		if f.skew, err = time.ParseDuration(text); err != nil || f.skew == 0 {
			return errors.New("not a duration other than 0; write one such as skew=20m")
		}
		return nil
	}},
	{"wrong-secret", "", "the request is signed with another secret", func(f *faults, _ string) error { f.wrongSecret = true; return nil }},
	{"drop", "X-Sdk-Date", "a header is removed after signing", func(f *faults, name string) error { return f.change(dropped(name)) }},
	{"change-header", "X-Sdk-Date", "a header is changed after signing", func(f *faults, name string) error { return f.change(headerChanged(name)) }},
	{"add-header", "X-Sdk-Other:1", "a header is added after signing, also to one of that name", func(f *faults, header string) error {
		name, value, found := strings.Cut(header, ":")
		if !found || name == "" || strings.ContainsFunc(header, isControl) {
			return errors.New("not a header; write one such as add-header=X-Sdk-Other:1")
		}
		return f.change(headerAdded(name, strings.TrimSpace(value)))
	}},
	{"method", "PUT", "the method is changed after signing", func(f *faults, method string) error { return f.retarget(methodChanged(method)) }},
	{"path", "/other", "the path is changed after signing", func(f *faults, path string) error {
		u, err := url.Parse("http://x" + path)
		if err != nil || path[0] != '/' || u.RawQuery != "" || u.Fragment != "" {
			return errors.New("not a path; write one such as path=/other")
		}
		return f.retarget(pathChanged(u, "for the path "+path))
	}},
	{"host", "other.example", "the host is changed after signing", func(f *faults, host string) error { return f.retarget(hostChanged(host, false)) }},
	{"proxy-host", "10.0.0.1:8080", "the host is changed after signing; X-Forwarded-Host has the signed one", func(f *faults, host string) error { return f.retarget(hostChanged(host, true)) }},
	{"strip-prefix", "/v1", "a prefix of the path is removed after signing", func(f *faults, prefix string) error { return f.retarget(prefixStripped(prefix)) }},
	{"query", "a=1", "the query is changed after signing", func(f *faults, query string) error {
		if u, err := url.Parse("http://x/?" + query); err != nil || u.RawQuery != query {
			return errors.New("not a query; write one such as query=a=1")
		}
		return f.retarget(queryChanged(query))
	}},
	{"rewrite-query", "", "the query is changed after signing: %2B becomes +, or a parameter is added", func(f *faults, _ string) error { return f.retarget(queryRewritten) }},
	{"tamper-body", "", "the body is changed after signing", func(f *faults, _ string) error { f.body, f.bodyDone = tampered, "with another body"; return nil }},
	{"remove-body", "", "the body is removed after signing", func(f *faults, _ string) error {
		f.body, f.bodyDone = func([]byte) []byte { return nil }, "without its body"
		return nil
	}},
	{"duplicate", "", "the request is sent twice; the first response is returned", func(f *faults, _ string) error { f.twice = true; return nil }},
}

// faultHelp returns the table of faults for the help.
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

// parseFaults parses faults as users write them, such as skew=20m.
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
			return nil, fmt.Errorf("%q is not a known fault; known are %s", text, strings.Join(known, ", "))
		}
		k := faultKinds[i]
		if (k.argument == "") != (argument == "") {
			return nil, fmt.Errorf("%q: write it as %s", text, k.usage())
		}
		if err := k.set(f, argument); err != nil {
			return nil, fmt.Errorf("%q: %w", text, err)
		}
	}
	return f, nil
}

func (f *faults) change(c change) error {
	f.changes = append(f.changes, c)
	return nil
}

func (f *faults) retarget(c change) error {
	f.target = append(f.target, c)
	return nil
}

func methodChanged(method string) change {
	return func(r *http.Request) string {
		r.Method = method
		return "as " + method
	}
}

func pathChanged(to *url.URL, does string) change {
	return func(r *http.Request) string {
		r.URL.Path, r.URL.RawPath = to.Path, to.RawPath
		return does
	}
}

func queryChanged(query string) change {
	return func(r *http.Request) string {
		r.URL.RawQuery = query
		return "with another query"
	}
}

func headerAdded(name, value string) change {
	return func(r *http.Request) string {
		name = http.CanonicalHeaderKey(name)
		r.Header[name] = append(slices.Clip(r.Header[name]), value)
		return "with another line " + name
	}
}

func dropped(name string) change {
	return func(r *http.Request) string {
		if len(r.Header.Values(name)) == 0 {
			return ""
		}
		r.Header.Del(name)
		return "without " + name
	}
}

// headerChanged returns a change of a header: a date moves by a second, a content
// type gets a charset, another value a suffix.
func headerChanged(name string) change {
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

func hostChanged(host string, forwarded bool) change {
	return func(r *http.Request) string {
		if forwarded {
			r.Header.Set("X-Forwarded-Host", r.Host)
		}
		r.Host = host
		return "for the host " + host
	}
}

func prefixStripped(prefix string) change {
	prefix = "/" + strings.Trim(prefix, "/")
	return func(r *http.Request) string {
		rest, had := strings.CutPrefix(r.URL.EscapedPath(), prefix)
		if !had || rest != "" && rest[0] != '/' {
			return ""
		}
		if rest == "" {
			rest = "/"
		}
		u, err := url.Parse("http://x" + rest)
		if err != nil {
			return ""
		}
		return pathChanged(u, "without the prefix "+prefix)(r)
	}
}

// queryRewritten changes the query as a proxy does that decodes it once too often:
// %2B becomes +, which means a space. If there is no %2B, it adds a parameter, as
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
	return "with a changed query"
}
