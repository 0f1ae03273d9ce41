package capture

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// withheld stands for what a file must not hold.
const withheld = "[withheld]"

// secretHeaders hold secrets, and have none of secretEndings, in lower case.
var secretHeaders = []string{"cookie", "cookie2", "proxy-authorization"}

// secretEndings are those of the names of further ones, and of parameters.
var secretEndings = []string{"token", "tokens", "secret", "password", "passwd", "api-key", "apikey"}

// pageTokens are no secrets: they name a part of a list of results.
var pageTokens = []string{"continuation-token", "page-token", "pagetoken", "next-token", "nexttoken", "next-page-token", "nextpagetoken"}

// asDashes are characters that names have in place of dashes, and around parts of them.
var asDashes = strings.NewReplacer("_", "-", ".", "-", " ", "-", "[", "-", "]", "-")

// isSecret reports whether a header or a parameter of that name holds a secret.
func isSecret(name string) bool {
	name = strings.Trim(asDashes.Replace(strings.ToLower(name)), "-")
	return slices.ContainsFunc(secretEndings, func(end string) bool { return strings.HasSuffix(name, end) }) &&
		!slices.Contains(pageTokens, name)
}

// text is the file of a request.
func (c *Config) text(e *core.Event) []byte {
	r := e.Request
	body, held := e.Body(max(c.Bodies, 0))
	requested, userHidden := withoutUser(target(r))
	target, hidden := withoutTokens(requested)
	if userHidden && !slices.Contains(hidden, userAndPassword) { // withoutTokens knows them in a URL
		hidden = append(hidden, userAndPassword)
	}
	lines, removed := c.headers(r)
	hidden = append(hidden, removed...)
	chunked := r.ContentLength < 0 && held > 0

	var b bytes.Buffer
	note := func(format string, args ...any) { fmt.Fprintf(&b, "# "+format+"\n", args...) }
	note("%s in environment %s, mode %s, at %s", verdict(e), e.Environment, e.Mode, date(e.Time))
	note("error: %s", oneLine(e.Err.Error()))
	if e.ByAdapter {
		note("The adapter or the proxy refused it itself, as in every mode.")
	}
	note("what to do: %s", oneLine(core.HintOf(e.Err)))
	for _, pair := range [][2]string{{"api", e.API}, {"key of the api", e.APIKey}, {"key", e.Key}, {"remote", e.Remote}} {
		if pair[1] != "" {
			note("%s: %s", pair[0], oneLine(pair[1]))
		}
	}
	if len(hidden) > 0 {
		note("withheld, since they are secrets: %s", strings.Join(hidden, ", "))
	}
	switch announced := r.ContentLength; {
	case held > int64(len(body)):
		note("The body is cut: these are its first %d bytes. The verifier read %d.", len(body), held)
	case held == 0 && announced != 0:
		note("The body is not here: the verifier did not hold it.")
	case announced > held:
		note("The body was not read to its end: of %d bytes %d are here.", announced, held)
	}
	if !e.ValidUntil.IsZero() {
		note("Keep this file as a password until %s: it holds a signature, which is valid until then.", date(e.ValidUntil))
	}
	b.WriteByte('\n')
	fmt.Fprintf(&b, "%s %s %s\r\n", r.Method, target, protocol(r))
	for _, line := range lines {
		b.WriteString(line + "\r\n")
	}
	if chunked {
		fmt.Fprintf(&b, "Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", len(body), body)
		if held == int64(len(body)) {
			b.WriteString("0\r\n\r\n")
		}
		return b.Bytes()
	}
	b.WriteString("\r\n")
	b.Write(body)
	return b.Bytes()
}

func verdict(e *core.Event) string {
	if e.Mode == core.Report && !e.ByAdapter {
		return "would be refused: " + string(e.Code)
	}
	return "refused: " + string(e.Code)
}

func date(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// oneLine keeps a text in one line of printable ASCII.
func oneLine(s string) string {
	quoted := strconv.QuoteToASCII(s)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

func target(r *http.Request) string {
	if r.RequestURI != "" {
		return r.RequestURI
	}
	return r.URL.RequestURI()
}

// protocol is HTTP/1.1 for all that came over later ones: the file is read as such.
func protocol(r *http.Request) string {
	if r.ProtoMajor == 1 && r.ProtoMinor == 0 {
		return "HTTP/1.0"
	}
	return "HTTP/1.1"
}

// headers returns the header lines, and the names of those that are withheld.
func (c *Config) headers(r *http.Request) (lines, hidden []string) {
	host, userHidden := withoutUser(r.Host)
	if userHidden {
		hidden = append(hidden, "Host")
	}
	lines = append(lines, "Host: "+host)
	if r.ContentLength > 0 && len(r.Header["Content-Length"]) == 0 {
		lines = append(lines, "Content-Length: "+strconv.FormatInt(r.ContentLength, 10))
	}
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		if name == "Transfer-Encoding" { // of a gRPC call, which has none; net/http removes it
			continue
		}
		for _, value := range r.Header[name] {
			value, isHidden := c.withoutSecret(name, value)
			if isHidden {
				hidden = append(hidden, name)
			}
			lines = append(lines, name+": "+value)
		}
	}
	return lines, hidden
}

// withoutSecret returns the value of a header without what must not be kept, and whether
// there was something.
func (c *Config) withoutSecret(name, value string) (shown string, isHidden bool) {
	dashed := strings.ToLower(strings.ReplaceAll(name, "_", "-"))
	same := func(listed string) bool { return strings.EqualFold(listed, dashed) }
	switch {
	case slices.ContainsFunc(secretHeaders, same) || slices.ContainsFunc(c.Withhold, same):
		return withheld, true
	case isSecret(name):
		return withheld, true
	}
	credential := same("authorization") || same(c.CredentialHeader)
	start, first := 0, true
	for piece := range strings.SplitSeq(value, ",") { // proxies join fields with commas
		words := strings.FieldsFunc(piece, func(r rune) bool { return r == ' ' || r == '\t' })
		switch {
		case len(words) == 0:
		case (first || len(words) > 1) && slices.Contains(secretSchemes, strings.ToLower(words[0])):
			return value[:start+strings.Index(piece, words[0])] + words[0] + " " + withheld, true
		case first && credential && !isSignature(words[0]):
			return withheld, true
		case credential && !areFields(words, first):
			return value[:start] + withheld, true
		}
		start, first = start+len(piece)+1, first && len(words) == 0
	}
	shown, hidden := withoutTokens(value)
	return shown, len(hidden) > 0
}

// secretSchemes are authentication schemes whose credentials are secrets, in lower
// case, in any header: the gateway's credential can have one of its own (see
// [core.Config].CredentialHeader).
var secretSchemes = []string{"basic", "bearer", "digest", "negotiate", "ntlm", "dpop", "token"}

// isSignature reports whether a credential with a scheme is a signature of a gateway,
// and nothing that is secret for long.
func isSignature(scheme string) bool {
	return slices.ContainsFunc([]string{"SDK-", "V11-", "AWS4-"}, func(prefix string) bool { return strings.HasPrefix(scheme, prefix) })
}

// areFields reports whether the words of a part of a signature's header, behind its
// algorithm, are fields: a name and a value.
func areFields(words []string, first bool) bool {
	if first {
		words = words[1:]
	}
	return !slices.ContainsFunc(words, func(word string) bool {
		name, _, ok := strings.Cut(word, "=")
		return !ok || name == "" || strings.ContainsFunc(name, func(c rune) bool { return c|0x20 < 'a' || c|0x20 > 'z' })
	})
}

// userAndPassword names what is withheld of an authority.
const userAndPassword = "user and password"

// withoutUser withholds all that could be a user and a password in an authority, or in a
// target that is not in origin form. It does not parse: what is malformed holds them as well.
func withoutUser(s string) (shown string, hidden bool) {
	at := strings.LastIndexByte(s, '@')
	if at < 0 || strings.HasPrefix(s, "/") && !strings.HasPrefix(s, "//") {
		return s, false
	}
	prefix := ""
	if scheme, _, ok := strings.Cut(s[:at], "://"); ok && (scheme == "http" || scheme == "https") {
		prefix = scheme + "://"
	}
	return prefix + url.QueryEscape(withheld) + s[at:], true
}

// withoutTokens withholds the values of secret parameters of a URL's query and fragment,
// and user and password, and leaves every other byte as it is.
func withoutTokens(target string) (shown string, hidden []string) {
	end := strings.IndexAny(target, "?#")
	if end < 0 {
		end = len(target)
	}
	path, rest := target[:end], target[end:]
	if scheme, after, ok := strings.Cut(path, "://"); ok {
		authority, _, _ := strings.Cut(after, "/")
		if at := strings.LastIndexByte(authority, '@'); at >= 0 {
			path = scheme + "://" + url.QueryEscape(withheld) + authority[at:] + after[len(authority):]
			hidden = append(hidden, userAndPassword)
		}
	}
	var b strings.Builder
	b.WriteString(path)
	for rest != "" { // each piece has its separator in front
		n := strings.IndexAny(rest[1:], "&;?#") + 1
		if n == 0 {
			n = len(rest)
		}
		piece := rest[:n]
		rest = rest[n:]
		raw, value, ok := strings.Cut(piece[1:], "=")
		name, err := url.QueryUnescape(raw)
		if ok && err == nil && value != "" && (isSecret(name) || strings.EqualFold(name, "authorization")) {
			piece = piece[:1] + raw + "=" + url.QueryEscape(withheld)
			hidden = append(hidden, name)
		}
		b.WriteString(piece)
	}
	return b.String(), hidden
}
