package core

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	pathpkg "path"
	"regexp"
	"slices"
	"strconv"
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

// noBinding is the binding of a request that was refused before it had one.
var noBinding = new(binding)

// muxRequest is a request that a mux is asked about; it is pooled.
type muxRequest struct {
	http.Request
	url url.URL
}

// ServeHTTP makes a binding registrable; it is never called.
func (*binding) ServeHTTP(http.ResponseWriter, *http.Request) {}

// bindings find the key that each request must be signed with. The standard library's
// ServeMux matches the patterns, with its syntax and precedence.
type bindings struct {
	patterns
	heads patterns // without those for GET, which match HEAD as well
	hosts bool     // some pattern names a host
	def   *binding
}

// patterns are those of a policy, or a part of them.
type patterns struct {
	mux      *http.ServeMux // nil where there are none
	subtrees *http.ServeMux // of the patterns that match a path of any length alone
}

func newPatterns() patterns { return patterns{http.NewServeMux(), http.NewServeMux()} }

// register adds a pattern.
func (p patterns) register(pattern string, h http.Handler) error {
	err := register(p.mux, pattern, h)
	if err == nil && (strings.HasSuffix(pattern, "/") || strings.HasSuffix(pattern, "...}")) {
		_ = register(p.subtrees, pattern, h)
	}
	return err
}

func (x *compiler) validateBindings() {
	b := bindings{def: &binding{key: x.Default, allowUnsigned: x.AllowUnsignedPayload, maxBody: x.MaxBody}}
	x.knownKey("Default", x.Default)
	if len(x.APIs) > 0 {
		b.patterns, b.heads = newPatterns(), newPatterns()
		if !patternsWork() {
			x.problem("APIs", "net/http.ServeMux runs without its patterns (GODEBUG=httpmuxgo121=1)")
		}
	}
	for i, api := range x.APIs {
		x.validateAPI(&b, item("APIs", i), api)
	}
	if b.mux != nil { // so that something is always found; an error says that it is bound already
		_ = b.register("/", b.def)
		_ = b.heads.register("/", b.def)
	}
	x.bindings = b
}

// knownKey reports a name that no key has.
func (x *compiler) knownKey(field, name string) {
	if name != "" && !x.keys.open && !x.keys.names[name] {
		x.problem(field, "no key is named %q", name)
	}
}

// validateAPI checks one API, whose path in Config is field, and adds its binding.
func (x *compiler) validateAPI(b *bindings, field string, api API) {
	if api.Open == (api.Key != "") {
		x.wrongValue(field, api.Match, "needs either a key or open")
	}
	x.knownKey(field+".Key", api.Key)
	if _, host, path := splitPattern(api.Match); host != "" && path != "" {
		b.hosts = true
		if x.Rewrite.Host != "" {
			x.wrongValue(field+".Match", api.Match, "bound by host, while Rewrite.Host says that the received host is not the signed one")
		}
		if api.Open {
			x.wrongValue(field+".Match", api.Match, "open to whoever sends that host; leave the host out")
		}
	}
	most := cmp.Or(api.MaxBody, x.MaxBody)
	bounded(x, field+".MaxBody", most, math.MaxInt64-1)
	if most > x.MaxBuffered && !api.Stream {
		x.problem(field+".MaxBody", "%d bytes are more than MaxBuffered, %d", most, x.MaxBuffered)
	}
	if api.Open && (api.Stream || api.MaxBody != 0 || api.AllowUnsignedPayload) {
		x.wrongValue(field, api.Match, "open, and says how bodies are verified")
	}
	bound := &binding{
		pattern: api.Match, key: api.Key, open: api.Open,
		allowUnsigned: api.AllowUnsignedPayload || x.AllowUnsignedPayload,
		stream:        api.Stream, maxBody: most,
	}
	if err := b.register(api.Match, bound); err != nil {
		x.problems = append(x.problems, &ConfigError{Field: field + ".Match", Value: strconv.Quote(api.Match), Rule: err.Error(), Err: err})
	} else if method, _, _ := splitPattern(api.Match); method != http.MethodGet {
		_ = b.heads.register(api.Match, bound)
	}
}

// bindingKey is what the binding of a request depends on.
type bindingKey struct{ method, host, path string }

// findBinding finds what the API is bound to in this environment: a key, none, or
// everybody.
func findBinding(v *verification) error {
	p, r := v.policy, v.request
	if p.bindings.mux == nil {
		v.binding = p.bindings.def
		return nil
	}
	v.bindingKey = bindingKey{r.Method, r.Host, v.path}
	if known, ok := p.bindingsOf.Get(v.bindingKey); ok {
		v.binding = known
		return nil
	}
	found, err := p.bindings.lookup(r, v.path, v.mux)
	if err != nil {
		return err
	}
	v.binding, v.lookedUp = found, true
	return nil
}

// rememberBinding keeps the binding of an accepted request, since ServeMux.Handler
// costs about half as much as the rest of the verification.
func (v *verification) rememberBinding() {
	const most = 512
	k := v.bindingKey
	if v.lookedUp && len(k.method)+len(k.host)+len(k.path) <= most {
		text := k.method + k.host + k.path // in memory of its own
		host, path := len(k.method), len(k.method)+len(k.host)
		v.policy.bindingsOf.Put(bindingKey{text[:host], text[host:path], text[path:]}, v.binding)
	}
}

// checkOpen lets requests of an open API through, but for what would let it become
// another one.
func checkOpen(v *verification) error {
	if !v.binding.open {
		return nil
	}
	for name := range v.request.Header {
		if kindOf(name)&overrideHeader != 0 {
			return refuseHeadersWithHint(CodeHeaderNotSigned, "a method override header on an open API", hintLeaveOut, name)
		}
	}
	v.open = true
	return checkRoute(v)
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

// register refuses patterns that bind nothing, and turns ServeMux's panic on a bad
// or conflicting pattern into an error.
func register(mux *http.ServeMux, pattern string, h http.Handler) (err error) {
	if err := checkPattern(pattern); err != nil {
		return err
	}
	defer func() {
		if v := recover(); v != nil {
			err = errors.New(registered.ReplaceAllString(fmt.Sprint(v), ""))
		}
	}()
	mux.Handle(pattern, h)
	return nil
}

var (
	errBindingHost = Refuse(CodeRequestAmbiguous,
		"the host is not in lower case without a final dot, or the method is CONNECT, and APIs are bound by host")
)

// refuseConflict is the refusal of a path that is one API's to some routers, and another's,
// with another key, to others. The names of APIs and keys are for the log: no answer has them.
func refuseConflict(a, b *binding) error {
	e := &Error{Code: CodeRequestAmbiguous, Detail: "routers could take the path for that of another API", Err: conflict{a, b}}
	if !a.open && !b.open {
		e.Hint = hintAPIs
	}
	return e
}

// conflict names two APIs, where somebody reads it.
type conflict struct{ a, b *binding }

func (c conflict) Error() string { return c.a.describe() + " or " + c.b.describe() }

func (b *binding) describe() string {
	name := "default"
	if b.pattern != "" {
		name = strconv.Quote(b.pattern)
	}
	switch {
	case b.open:
		return name + " (open)"
	case b.key == "":
		return "no API of the file (default is not set)"
	}
	return name + " (key " + b.key + ")"
}

// lookup finds the binding of a request from its raw path. Routers differ in
// what they make of a path, so the binding must be the same in every
// interpretation of it, or the holder of one API's key could reach another's; and
// an API is open only where all of them find it open.
func (b *bindings) lookup(r *http.Request, path string, p *muxRequest) (*binding, error) {
	if b.hosts && (r.Method == http.MethodConnect || !plainHost(r.Host)) {
		return nil, errBindingHost
	}
	if isTooOdd(path) {
		return nil, Refuse(CodeRequestAmbiguous, "a path of more than 128 segments or 8192 bytes that routers could read differently: with encoded characters, empty segments, dot segments or a slash at its end")
	}
	found, err := b.lookupMethod(r.Method, r.Host, path, p)
	upper := strings.ToUpper(r.Method)
	if err != nil || upper == r.Method {
		return found, err
	}
	// Methods have a case, and some frameworks change it.
	other, err := b.lookupMethod(upper, r.Host, path, p)
	if err != nil {
		return nil, err
	}
	return boundAlike(found, other, "frameworks could take the method for the same in capital letters", hintMethodCase)
}

// boundAlike returns the binding for both of two, or a refusal where the same request could
// be one or the other, and they differ.
func boundAlike(found, other *binding, detail, hint string) (*binding, error) {
	if other.open != found.open || other.key != found.key {
		return nil, &Error{Code: CodeRequestAmbiguous, Detail: detail, Err: conflict{found, other}, Hint: hint}
	}
	return agreed([]*binding{found, other})
}

func (b *bindings) lookupMethod(method, host, path string, p *muxRequest) (*binding, error) {
	p.Method, p.Host, p.URL = method, host, &p.url
	found, err := b.patterns.lookup(path, p)
	if err != nil || method != http.MethodHead {
		return found, err
	}
	// To ServeMux a pattern for GET matches HEAD as well. Other routers run another route.
	other, err := b.heads.lookup(path, p)
	if err != nil {
		return nil, err
	}
	return boundAlike(found, other, "routers could run another route for HEAD than for GET", hintHead)
}

func (b *patterns) lookup(path string, p *muxRequest) (*binding, error) {
	if isPlain(path) {
		if found, redirected := match(b.mux, p, path, path); !redirected {
			return found, nil
		}
	}
	readings, ok := interpretations(path)
	if !ok {
		return nil, Refuse(CodeRequestAmbiguous, "malformed path")
	}
	var all []*binding
	for _, reading := range readings {
		all = b.appendBindings(all, p, reading)
	}
	i := slices.IndexFunc(all, func(found *binding) bool { return !found.open })
	switch {
	case i > 0 && clean(path) == path: // ServeMux would serve it without a credential
		return nil, refuseConflict(all[0], all[i])
	case i > 0:
		all[0], all[i] = all[i], all[0]
	}
	return agreed(all)
}

// appendBindings appends the bindings of a path in one interpretation. Where
// ServeMux would redirect /a to /a/, these are that of /a/ and what a router finds
// for /a that does not redirect. For /b/, the binding of /b is another one if both
// are bound.
func (b *patterns) appendBindings(all []*binding, p *muxRequest, i interpretation) []*binding {
	if i.subtree {
		found, _ := match(b.subtrees, p, i.text, i.escaped)
		return append(all, found)
	}
	found, redirected := match(b.mux, p, i.text, i.escaped)
	if redirected {
		found, _ = match(b.mux, p, i.text+"/", i.escaped+"/")
		parent := i.escaped[:strings.LastIndexByte(i.escaped, '/')+1]
		text, _ := url.PathUnescape(parent)
		below, _ := match(b.subtrees, p, text, parent)
		return append(all, below, found)
	}
	all = append(all, found)
	if len(i.text) > 1 && strings.HasSuffix(i.escaped, "/") {
		found, redirected = match(b.mux, p, strings.TrimSuffix(i.text, "/"), strings.TrimSuffix(i.escaped, "/"))
		if !redirected {
			all = append(all, found)
		}
	}
	return all
}

// agreed returns the binding that stands for all, which is in force wherever a
// router takes the request: what any of them forbids is forbidden. The first is open
// only if all are.
func agreed(all []*binding) (*binding, error) {
	result := all[0]
	for _, other := range all[1:] {
		if !other.open && other.key != result.key {
			return nil, refuseConflict(result, other)
		}
		if other != all[0] {
			both := *result
			both.allowUnsigned = both.allowUnsigned && other.allowUnsigned
			both.stream = both.stream && other.stream
			both.maxBody = min(both.maxBody, other.maxBody)
			result = &both
		}
	}
	return result, nil
}

// match asks a mux about a path. It finds nil and reports redirected where the
// mux would send the client to the same path with a slash at its end.
func match(mux *http.ServeMux, p *muxRequest, path, escaped string) (found *binding, redirected bool) {
	p.url = url.URL{Path: path, RawPath: escaped}
	h, _ := mux.Handler(&p.Request)
	found, ok := h.(*binding)
	return found, !ok
}

// plainHost reports whether a host is spelled the one way that patterns are
// compared with; its port does not matter to them. No pattern has an IPv6 address; but
// ServeMux would take [name]:80 for name.
func plainHost(host string) bool {
	name, port, brackets, ok := splitAuthority(host)
	return ok && (brackets && strings.Contains(name, ":") || isName(name) && !brackets) && (isPort(port) || port == "" && !strings.HasSuffix(host, ":"))
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
