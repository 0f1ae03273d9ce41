package core

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	pathpkg "path"
	"regexp"
	"strings"
)

// binding is what an API is bound to. The zero binding is bound to no key.
type binding struct {
	pattern       string // empty for the default
	key           string
	open          bool
	allowUnsigned bool
	stream        bool
	maxBody       int64
}

// unbound is the binding of a request that was refused before it had one.
var unbound = new(binding)

// probe is a request that the mux is asked about; it is used again and again.
type probe struct {
	http.Request
	url url.URL
}

// ServeHTTP makes a binding registrable; it is never called.
func (*binding) ServeHTTP(http.ResponseWriter, *http.Request) {}

// bindings tells for each request which key it must be signed with. Matching
// is done by the standard library's ServeMux, which knows the pattern syntax
// and its precedence.
type bindings struct {
	mux   *http.ServeMux // nil where there are no patterns
	hosts bool           // some pattern names a host
	def   *binding
}

func compileBindings(c *Config, index keyIndex) (bindings, error) {
	b := bindings{def: &binding{key: c.Default, allowUnsigned: c.AllowUnsignedPayload, maxBody: c.MaxBody}}
	var problems []error
	known := func(where, key string) {
		if key != "" && !index.open && !index.names[key] {
			problems = append(problems, fmt.Errorf("%s: no key is named %q", where, key))
		}
	}
	known("Default", c.Default)
	if len(c.APIs) > 0 && !patternsWork() {
		problems = append(problems, errors.New("APIs: net/http.ServeMux runs without its patterns (GODEBUG=httpmuxgo121=1)"))
	}
	for _, api := range c.APIs {
		where := fmt.Sprintf("API %q", api.Match)
		if api.Open == (api.Key != "") {
			problems = append(problems, fmt.Errorf("%s: needs either a key or open", where))
		}
		known(where, api.Key)
		if method, _, found := strings.Cut(api.Match, " "); found && (strings.ToUpper(method) != method || !isHeaderName(strings.ToLower(method))) {
			problems = append(problems, fmt.Errorf("%s: the method is not in upper case, so no request would have it", where))
		}
		if name := host(api.Match); name != "" {
			b.hosts = true
			if !isName(name) {
				problems = append(problems, fmt.Errorf("%s: the host is not a name in lower case, without port and final dot, so no request would match", where))
			}
			if c.Rewrite.Host != "" {
				problems = append(problems, fmt.Errorf("%s: bound by host, while Rewrite.Host says that the received host is not the signed one", where))
			}
			if api.Open {
				problems = append(problems, fmt.Errorf("%s: open to whoever sends that host; leave the host out", where))
			}
		}
		most := api.MaxBody
		bounded(&most, c.MaxBody, math.MaxInt64-1, where+": MaxBody", func(format string, args ...any) {
			problems = append(problems, fmt.Errorf(format, args...))
		})
		if most > c.MaxBuffered && !api.Stream {
			problems = append(problems, fmt.Errorf("%s: MaxBody: %d bytes are more than MaxBuffered, %d", where, most, c.MaxBuffered))
		}
		if api.Open && (api.Stream || api.MaxBody != 0 || api.AllowUnsignedPayload) {
			problems = append(problems, fmt.Errorf("%s: open, and says how bodies are verified", where))
		}
		if b.mux == nil {
			b.mux = http.NewServeMux()
		}
		if err := register(b.mux, api.Match, &binding{
			pattern: api.Match, key: api.Key, open: api.Open,
			allowUnsigned: api.AllowUnsignedPayload || c.AllowUnsignedPayload,
			stream:        api.Stream, maxBody: most,
		}); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", where, err))
		}
	}
	if b.mux != nil { // finding nothing costs much more; an error says that the same is bound already
		_ = register(b.mux, "/", b.def)
	}
	return b, errors.Join(problems...)
}

// host returns the host of a pattern: [METHOD ][HOST]/[PATH].
func host(pattern string) string {
	if _, rest, found := strings.Cut(pattern, " "); found {
		pattern = strings.TrimLeft(rest, " \t")
	}
	host, _, found := strings.Cut(pattern, "/")
	if !found {
		return "" // no pattern at all
	}
	return host
}

// patternsWork reports whether ServeMux knows methods and wildcards: a setting
// of the program can take them away, and bindings would silently bind nothing.
func patternsWork() bool {
	var mux http.ServeMux
	mux.Handle("GET /{x}", new(binding))
	_, pattern := mux.Handler(&http.Request{Method: http.MethodGet, URL: &url.URL{Path: "/y"}})
	return pattern != ""
}

// registered is where ServeMux says that a pattern comes from: always a line of
// this file, on the machine that built it.
var registered = regexp.MustCompile(` \(registered at [^)]*\)`)

// register turns ServeMux's panic on a bad or conflicting pattern into an error.
func register(mux *http.ServeMux, pattern string, h http.Handler) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = errors.New(registered.ReplaceAllString(fmt.Sprint(v), ""))
		}
	}()
	mux.Handle(pattern, h)
	return nil
}

var (
	errBindingAmbiguous = Refuse(CodeRequestAmbiguous,
		"a router that decodes or cleans paths could reach an API bound otherwise; bind both spellings, or send the clean one")
	errBindingHost = Refuse(CodeRequestAmbiguous,
		"the host is not in lower case without a final dot, or the method is CONNECT, and APIs are bound by host")
	errBindingOpen = Refuse(CodeRequestAmbiguous,
		"the path is open as it stands, and not after decoding or cleaning")
)

// lookup finds the binding of a request from its raw path. Routers differ in
// what they do to a path before they match it: some decode %2F, some match the
// path undecoded, some clean dot segments and double slashes, some add or
// take away a final slash. The binding must be the same in all these readings,
// or the holder of one API's key could reach another's; and an API is open only
// where all of them find it open.
func (b *bindings) lookup(r *http.Request, path string, p *probe) (*binding, error) {
	if b.hosts && (r.Method == http.MethodConnect || !plainHost(r.Host)) {
		return nil, errBindingHost
	}
	decoded, ok := decode(path)
	if !ok {
		return nil, Refuse(CodeRequestAmbiguous, "malformed path")
	}
	p.Method, p.Host, p.URL = r.Method, r.Host, &p.url
	exact, redirected := b.match(p, decoded, path)
	if decoded == path && !redirected && !strings.Contains(path, "/.") && !strings.Contains(path, "//") &&
		(path == "/" || !strings.HasSuffix(path, "/")) {
		return exact, nil // one reading only
	}
	agreed := exact
	cleaned := clean(path)
	decodedClean, _ := decode(cleaned)
	readings := [...]struct {
		applies       bool
		path, rawPath string
	}{
		{true, decoded, ""},
		{true, clean(decoded), ""},
		{true, decodedClean, cleaned},
		{path != (&url.URL{Path: decoded}).EscapedPath(), path, ""}, // encoded more than it needs to be
		{redirected, clean(decoded) + "/", ""},
		{len(clean(decoded)) > 1, strings.TrimSuffix(clean(decoded), "/"), ""},
	}
	for i, reading := range readings {
		if !reading.applies {
			continue
		}
		other, away := b.match(p, reading.path, reading.rawPath)
		switch {
		case away && i == len(readings)-1: // only the spelling with the slash is bound
			continue
		case other.open:
		case exact.open:
			return nil, errBindingOpen
		case exact.key != "" && other.key != exact.key:
			return nil, errBindingAmbiguous
		}
		if other != exact {
			both := *agreed
			both.allowUnsigned = both.allowUnsigned && other.allowUnsigned
			both.stream = both.stream && other.stream
			both.maxBody = min(both.maxBody, other.maxBody)
			agreed = &both
		}
	}
	return agreed, nil
}

// decode undoes percent-encoding.
func decode(path string) (string, bool) {
	if strings.IndexByte(path, '%') < 0 {
		return path, true
	}
	decoded, err := url.PathUnescape(path)
	return decoded, err == nil
}

// match asks the mux for one reading of the path. It reports as redirected
// where the mux would send the client to another path.
func (b *bindings) match(p *probe, path, rawPath string) (found *binding, redirected bool) {
	p.url = url.URL{Path: path, RawPath: rawPath}
	h, pattern := b.mux.Handler(&p.Request)
	if bound, ok := h.(*binding); ok {
		return bound, false
	}
	return b.def, pattern != ""
}

// plainHost reports whether a host is spelled the one way that patterns are
// compared with; its port does not matter to them.
func plainHost(host string) bool {
	name, port, found := strings.Cut(host, ":")
	if strings.HasPrefix(host, "[") { // an address: no pattern has one
		i := strings.IndexByte(host, ']')
		if i < 0 {
			return false
		}
		name, port = "a", host[i+1:]
		port, found = strings.CutPrefix(port, ":")
		if !found && port != "" {
			return false
		}
	}
	return isName(name) && (!found || isPort(port))
}

// isName reports whether a host is a name in lower case, without a final dot.
func isName(host string) bool {
	for i := 0; i < len(host); i++ {
		if b := host[i]; !('a' <= b && b <= 'z' || '0' <= b && b <= '9' || b == '-' || b == '.' || b == '_') {
			return false
		}
	}
	return host != "" && host[len(host)-1] != '.'
}

func isPort(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != "" && len(s) <= 5
}

// clean resolves dot segments and double slashes, keeping a final slash.
func clean(p string) string {
	c := pathpkg.Clean(p)
	if strings.HasSuffix(p, "/") && c != "/" {
		c += "/"
	}
	return c
}
