package huawei_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/conformance/internal/wire"
)

// collisions are pairs of requests with the same canonical request, and so the same
// signature (docs/protocols.md, "What the SDK schemes cannot tell apart"). No verifier
// can accept one and refuse the other. [wire.Collide] recognizes them. No other changed
// request may be accepted.
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
	{"empty piece", "an empty piece is not a parameter, neither here nor for handlers", "/?a=1&b=2", "/?a=1&&b=2&"},
	{"bare question mark", "an empty query is no query", "/a", "/a?"},
}

func TestCollisions(t *testing.T) {
	for _, a := range algorithms {
		for _, tt := range collisions {
			t.Run(a.name+"/"+tt.name, func(t *testing.T) {
				r := request{host: true, path: mustParse(t, tt.signed).Path, query: parameters(t, tt.signed)}
				backend := wire.Start(t, policy(&r, a.scheme(orders)))
				raw := r.signed(t, a.sign, keyID, secret)
				// The SDK encodes the target in its own way. The signature is of the
				// canonical request, so both must be accepted.
				for _, target := range []string{tt.signed, tt.sent} {
					l := wire.Parse(t, raw)
					changed := wire.Splice(raw, " "+l.Target()+" HTTP/", " "+target+" HTTP/")
					if !wire.Collide(raw, changed, path) {
						t.Errorf("Collide(%q, %q): got false, want true: %s", l.Target(), target, tt.why)
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

// path returns the decoded path with a final slash, for [wire.Collide]. It also returns
// false for paths with dot segments or an encoded backslash.
func path(raw string) (string, bool) {
	decoded, ok := wire.DecodedPath(raw)
	for segment := range strings.SplitSeq(raw, "/") {
		ok = ok && segment != "." && segment != ".."
	}
	return strings.TrimSuffix(decoded, "/") + "/", ok && !strings.Contains(decoded, `\`)
}
