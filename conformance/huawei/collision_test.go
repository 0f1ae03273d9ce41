package huawei_test

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/conformance/internal/wire"
)

// collisions are pairs of requests with one signature. This is the one place
// where a changed request may be accepted, and why: the vendor's canonical form
// (PROTOCOLS section 1.1) gives the same text for both, so that no verifier
// can accept the one and refuse the other. [collide] recognises them among
// changed requests.
var collisions = []struct {
	name, why    string
	signed, sent string // targets
}{
	{"final slash", "the canonical path always ends with a slash", "/a/b", "/a/b/"},
	{"final slash gone", "the canonical path always ends with a slash", "/a/b/", "/a/b"},
	{"path escape digits", "RFC 3986 section 6.2.2.1: %c3 and %C3 are one; the path is decoded and encoded again", "/caf%C3%A9", "/caf%c3%a9"},
	{"path reserved raw", "the path is decoded and encoded again, and handlers see the decoded path", "/a%21%28b%29", "/a!(b)"},
	{"path reserved encoded", "the path is decoded and encoded again, and handlers see the decoded path", "/a:b@c", "/a%3Ab%40c"},
	{"query escape digits", "names and values are decoded and encoded again", "/?q=%2Fx", "/?q=%2fx"},
	{"query letters encoded", "names and values are decoded and encoded again, and handlers see them decoded", "/?name=value", "/?n%61me=%76alue"},
	{"query space", "a handler reads + as a space", "/?q=a%20b", "/?q=a+b"},
	{"empty value", "the canonical query always has the equals sign", "/?b", "/?b="},
	{"parameter order", "the canonical query is sorted by name", "/?a=1&b=2", "/?b=2&a=1"},
	{"value order", "the canonical query is sorted by name and then value", "/?k=1&k=2", "/?k=2&k=1"},
	{"empty piece", "between two ampersands there is no parameter, for handlers neither", "/?a=1&b=2", "/?a=1&&b=2&"},
	{"bare question mark", "an empty query is no query", "/a", "/a?"},
}

func TestCollisions(t *testing.T) {
	for _, a := range algorithms {
		for _, tt := range collisions {
			t.Run(a.name+"/"+tt.name, func(t *testing.T) {
				r := request{host: true, path: mustParse(t, tt.signed).Path, query: parameters(t, tt.signed)}
				backend := wire.Start(t, policy(&r, a.scheme(orders)))
				raw := r.signed(t, a.sign, keyID, secret)
				// The SDK has its own spelling of the target; the signature is over
				// the canonical form, so both must be accepted.
				for _, target := range []string{tt.signed, tt.sent} {
					l := wire.Parse(t, raw)
					changed := wire.Splice(raw, " "+l.Target()+" HTTP/", " "+target+" HTTP/")
					if !collide(t, raw, changed) {
						t.Errorf("collide(%q, %q): got false, want true: %s", l.Target(), target, tt.why)
					}
					accepted(t, backend, changed, nil)
				}
			})
		}
	}
}

func mustParse(t *testing.T, target string) *url.URL {
	t.Helper()
	u, err := url.ParseRequestURI(target)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func parameters(t *testing.T, target string) (list []parameter) {
	t.Helper()
	for name, values := range mustParse(t, target).Query() {
		list = append(list, parameter{name, values})
	}
	return list
}

// collide reports whether two raw requests that differ in their target only
// are one of the pairs above. It shares no code with the library.
func collide(t testing.TB, a, b []byte) bool {
	t.Helper()
	x, y := wire.Parse(t, a), wire.Parse(t, b)
	px, okx := path(x.Text(x.Path))
	py, oky := path(y.Text(y.Path))
	qx, okqx := query(x.Text(x.Query))
	qy, okqy := query(y.Text(y.Query))
	return okx && oky && okqx && okqy && px == py && slices.Equal(qx, qy)
}

// path returns the decoded path with its final slash. It is false for what
// must be refused although it decodes: what a router can tell apart from the
// decoded form (CASES, Decisions).
func path(raw string) (string, bool) {
	decoded, err := url.PathUnescape(raw)
	if err != nil || !strings.HasPrefix(raw, "/") || strings.ContainsAny(decoded, "\x00\r\n") {
		return "", false
	}
	for segment := range strings.SplitSeq(raw, "/") {
		if segment == "." || segment == ".." {
			return "", false
		}
	}
	for _, escape := range escapes.FindAllString(raw, -1) {
		plain, _ := url.PathUnescape(escape)
		unreserved := url.QueryEscape(plain) == plain
		if unreserved || plain == "/" || plain == `\` {
			return "", false
		}
	}
	return strings.TrimSuffix(decoded, "/") + "/", true
}

var escapes = regexp.MustCompile("%[0-9A-Fa-f]{2}")

// query returns the decoded parameters, sorted; false for malformed ones.
func query(raw string) (pairs [][2]string, ok bool) {
	for piece := range strings.SplitSeq(raw, "&") {
		if piece == "" {
			continue
		}
		name, value, _ := strings.Cut(piece, "=")
		n, err1 := url.QueryUnescape(name)
		v, err2 := url.QueryUnescape(value)
		if err1 != nil || err2 != nil || n == "" || strings.Contains(piece, ";") {
			return nil, false
		}
		pairs = append(pairs, [2]string{n, v})
	}
	slices.SortFunc(pairs, func(a, b [2]string) int {
		return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1]))
	})
	return pairs, true
}
