package core_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/basic"
	"github.com/gatewayauth/gatewayauth/internal/needs"
)

// bound returns a Verifier of one API, which the user signs for, and no default.
func bound(pattern string) (*core.Verifier, error) {
	return core.New(config(func(c *core.Config) {
		c.Schemes, c.Default = []core.Scheme{basic.New(basic.Config{Keys: core.Keys(user)})}, ""
		c.APIs = []core.API{{Match: pattern, Key: user.Name}}
	}))
}

// TestForeignPatterns_T175: a pattern in the syntax of another router, or one that no
// clean request matches, is a PatternError that says what to write.
func TestForeignPatterns_T175(t *testing.T) {
	for _, tt := range []struct{ pattern, instead string }{
		// Echo, Gin, httprouter, Express, Rails.
		{"DELETE /admin/users/:id", "DELETE /admin/users/{id}"},
		{"/internal/*", "/internal/"},
		{"/files/*path", "/files/{path...}"},
		{"/orders/:id?", "/orders/{id}"},
		{"/orders/:id(\\d+)", "/orders/{id}"},
		{"/files/:path*", "/files/{path...}"},
		{"/files/:path(.*)", "/files/{path...}"},
		{"/:from-:to", "/{from}"},
		{"/:a/:a", "/{a}/{a2}"},
		{"/orders/:id.json", "/orders/{id}"},
		{"ALL /orders", "/orders"},
		{"any /orders", "/orders"},
		// nginx, regular expressions.
		{"^~ /orders/", "/orders/"},
		{"= /orders", "/orders"},
		{"~ ^/orders/(.*)$", "/orders/"},
		{"~* \\.php$", ""},
		{"location /orders", "/orders"},
		{"location ~ ^/orders/(\\d+)$", "/orders/{id}"},
		{"^/orders$", "/orders"},
		{"/orders$", "/orders"},
		{"/orders/.*", "/orders/"},
		{"/orders.*", "/orders and /orders/"},
		{"/orders/[0-9]+/lines", "/orders/{id}/lines"},
		{"/(?P<id>\\d+)/x", "/{id}/x"},
		{"/(a|b)/x", "/{id}/x"},
		{"/colou?r", ""},
		{"/orders/?", "/orders"},
		// Spring, gorilla, chi, ASP.NET, FastAPI, Flask, Next, axum.
		{"/orders/**", "/orders/"},
		{"/static/**/*.jpg", "/static/"},
		{"/images/*.jpg", "/images/{id}"},
		{"/orders/*/lines/*", "/orders/{id}/lines/"},
		{"/orders*", "/orders and /orders/"},
		{"/{*path}", "/{path...}"},
		{"/{**path}", "/{path...}"},
		{"/{path:.*}", "/{path...}"},
		{"/{path:path}", "/{path...}"},
		{"/orders/{id:[0-9]+}", "/orders/{id}"},
		{"/users/{id:\\d{3}}", "/users/{id}"},
		{"/orders/{id:int}", "/orders/{id}"},
		{"/orders/{id?}", "/orders/{id}"},
		{"/a/{x:a/b}/c", "/a/{x}/c"},
		{"/orders/<int:id>", "/orders/{id}"},
		{"/orders/<id>", "/orders/{id}"},
		{"/files/<path:rest>", "/files/{rest...}"},
		{"/orders/[id]", "/orders/{id}"},
		{"/[...slug]", "/{slug...}"},
		{"/[[...slug]]", "/{slug...}"},
		// API gateways, OpenAPI, Postman, gRPC transcoding.
		{"ANY /orders", "/orders"},
		{"* /orders", "/orders"},
		{"X-AMAZON-APIGATEWAY-ANY-METHOD /orders", "/orders"},
		{"/{proxy+}", "/{proxy...}"},
		{"{proxy+}", "/{proxy...}"},
		{"/orders/{id}/{rest:.*}", "/orders/{id}/{rest...}"},
		{"/{**}", "/"},
		{"/orders/{...id}", "/orders/{id...}"},
		{"/{lang:(en|de)}/x", "/{lang}/x"},
		{"/api/v{version:apiVersion}/x", "/api/{version}/x"},
		{"$default", ""},
		{"/orders/{id}/*", "/orders/{id}/"},
		{"/orders/{order-id}", "/orders/{order_id}"},
		{"/{id}.json", "/{id}"},
		{"/v{n}/orders", "/{n}/orders"},
		{"/orders/{}", "/orders/{id}"},
		{"{{baseUrl}}/orders", "/orders"},
		{"${baseUrl}/orders/${id}", "/orders/{id}"},
		{"/v1/{name=shelves/*}", "/v1/{name}"},
		{"/v1/{name=**}", "/v1/{name...}"},
		{"/v1/{name}:cancel", "/v1/{name}"},
		{"payments.v1.Payments/*", "/payments.v1.Payments/"},
		{"payments.v1.Payments/Get", "/payments.v1.Payments/Get"},
		{"payments.v1.Payments", "/payments.v1.Payments/"},
		{"/orders/%s", "/orders/{id}"},
		{"/orders/...", "/orders/"},
		// URLs.
		{"https://api.example.com/orders", "/orders"},
		{"GET https://api.example.com:8443/orders/{id}", "GET /orders/{id}"},
		{"https://api.example.com", "/"},
		{"/orders?x=1", "/orders"},
		{"/orders#top", "/orders"},
		{"/orders/%7Bid%7D", "/orders/{id}"},
		{"/orders/%3Cint:id%3E", "/orders/{id}"},
		// Paths that are not clean, and what is refused in every request.
		{"/a/../b", "/b"},
		{"/a/./b", "/a/b"},
		{"/..", "/"},
		{"/a//b", "/a/b"},
		{"/a//", "/a/"},
		{"//", "/"},
		{"CONNECT /a//b", "CONNECT /a/b"},
		{"CONNECT api.example.com/a", "CONNECT api.example.com/a is none"},
		{"/%2e%2e/x", ""},
		{"/a/%2E/x", ""},
		{"/a%2Fb", ""},
		{"/a/%2F", ""},
		{"/a%00", ""},
		{"/a%0Ab", ""},
		{"/100%", ""},
		{"/a\\b", ""},
		{"/a\"b", "/a%22b"},
		{"/orders/\u200bx", "/orders/%E2%80%8Bx"},
		// Methods, blanks and hosts.
		{"get /orders", "GET /orders"},
		{"Get /orders", "GET /orders"},
		{"GET,POST /orders", "GET /orders and POST /orders"},
		{"get, post /orders", "GET /orders and POST /orders"},
		{"GET|POST /orders/*", "GET /orders/ and POST /orders/"},
		{"[GET, POST] /orders", "GET /orders and POST /orders"},
		{"GET/POST /orders", "GET /orders and POST /orders"},
		{"GET POST /orders", "GET /orders and POST /orders"},
		{"GET: /orders", "GET /orders"},
		{"GET:/orders", "GET /orders"},
		{"GET/orders", "GET /orders"},
		{"/orders GET", "GET /orders"},
		{"GET /a, POST /b", ""},
		{"GET /a /b", ""},
		{"GET /orders/:id HTTP/1.1", "GET /orders/{id}"},
		{"/orders?", "/orders"},
		{"./orders", "/orders"},
		{"http:/x", "/x"},
		{"[::1]/x", "/x"},
		{"api.example.com./x", "api.example.com/x"},
		{"GET API.example.com/x", "GET api.example.com/x"},
		{"OPTIONS *", "OPTIONS /"},
		{"(GET) /x", "GET /x"},
		{"/orders ", "/orders"},
		{"GET /orders\n", "GET /orders"},
		{"\ufeff/orders", "/orders"},
		{"GET\u00a0/orders", "GET /orders"},
		{"GET /my orders", "GET /my%20orders"},
		{"/my orders", "/my%20orders"},
		{"orders", "/orders"},
		{"GET orders", "GET /orders"},
		{"*", "/"},
		{":id", "/{id}"},
		{"Api.example.com/x", "api.example.com/x"},
		{"api.example.com:443/x", "api.example.com/x"},
		{"*.example.com/x", ""},
		{"", ""},
	} {
		_, err := bound(tt.pattern)
		problem, ok := errors.AsType[*core.PatternError](err)
		if !ok {
			t.Errorf("%q: got %v, want a PatternError", tt.pattern, err)
			continue
		}
		want := tt.instead
		if strings.HasSuffix(want, " is none") {
			want = ""
		}
		if got := strings.Join(problem.Instead, " and "); got != want || problem.Pattern != tt.pattern {
			t.Errorf("%q: got %q for it, want %q (%v)", tt.pattern, got, want, err)
		}
		for _, instead := range problem.Instead {
			if !strings.Contains(err.Error(), fmt.Sprintf("%q", instead)) {
				t.Errorf("%q: the error does not say %q: %v", tt.pattern, instead, err)
			}
		}
		if !strings.Contains(err.Error(), fmt.Sprintf("APIs[0].Match %q: ", tt.pattern)) {
			t.Errorf("%q: got %v", tt.pattern, err)
		}
	}
}

// TestDocumentedPatterns_T175: the table for operators says what the errors say.
func TestDocumentedPatterns_T175(t *testing.T) {
	text, err := os.ReadFile("../docs/troubleshooting.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "## A pattern is refused at load\n")
	section, _, _ = strings.Cut(section, "\n## ")
	rows := regexp.MustCompile("(?m)^\\| .* \\| `(.+?)` \\| (.+?) \\|$").FindAllStringSubmatch(section, -1)
	if len(rows) < 15 {
		t.Fatalf("found %d rows", len(rows))
	}
	for _, row := range rows {
		_, err := bound(row[1])
		problem, ok := errors.AsType[*core.PatternError](err)
		if !ok || "`"+strings.Join(problem.Instead, "` and `")+"`" != row[2] {
			t.Errorf("%s: the table says %s, the error %v", row[1], row[2], err)
		}
	}
}

// honest are patterns that hold characters of other routers' syntax as literals, and
// the others of ServeMux.
var honest = []string{
	"/", "/{$}", "/a/{$}", "/{x}", "/{x...}", "/{größe}/x", "/a/{x}/", "api.example.com/x", "GET localhost/{x}",
	"GET\t/x", "GET  /x", "M-SEARCH /x", "PROPFIND /x", "CONNECT /chat",
	"/items/7:cancel", "/v1/items:batchGet", "/12:30", "/a::b", "/urn:isbn:1", "/a*b", "/logs-*/_search", "/$metadata", "/Patient/$everything",
	"/Orders(1)", "/Orders('A')/$value", "/@user", "/~user", "/a;v=1", "/a,b", "/a=b", "/a&b", "/a+b", "/c++", "/a!b", "/a.b", "/a..b", "/..a", "/.well-known/x", "/...a",
	"/café", "/caf%C3%A9", "/a%20b", "/a%3Fb", "/a%23b", "/%3Aid", "/%2A", "/a/%2A%2A", "/%28.%2A%29", "/a%24", "/a%5Cb", "/a%25b", "/a%5B0%5D", "/%61", "/a%3Cb", "/a%7Cb",
}

// TestHonestPatterns_T175: characters that a URL may hold stay legal.
func TestHonestPatterns_T175(t *testing.T) {
	for _, pattern := range honest {
		if accepted := checkPattern(t, pattern); !accepted {
			_, err := bound(pattern)
			t.Errorf("%q: %v", pattern, err)
		}
	}
}

// checkPattern compares what core says about a pattern with what ServeMux does: one
// that is accepted has a clean request that ServeMux dispatches to it and that is
// bound to it. What is proposed in place of another is accepted itself.
func checkPattern(t *testing.T, pattern string) (accepted bool) {
	t.Helper()
	v, err := bound(pattern)
	if err != nil {
		if problem, ok := errors.AsType[*core.PatternError](err); ok {
			for _, instead := range problem.Instead {
				if _, err := bound(instead); err != nil {
					t.Errorf("%q: %q is proposed, and refused: %v", pattern, instead, err)
				}
			}
		}
		return false
	}
	raw := witness(pattern)
	target := strings.Fields(raw)[1]
	if again := reencoded(target); again != target || strings.Contains(target+"/", "/./") || strings.Contains(target+"/", "/../") ||
		strings.Contains(target, "//") || strings.Contains(target, "%2F") {
		t.Errorf("%q: no clean request matches it (%s)", pattern, target)
		return true
	}
	r := request(t, raw)
	mux := http.NewServeMux()
	mux.Handle(pattern, http.NotFoundHandler())
	if _, got := mux.Handler(r); got != pattern {
		t.Errorf("%q: ServeMux dispatches %q to %q", pattern, raw, got)
	}
	r.SetBasicAuth(user.ID, user.Secret.Reveal())
	if id, err := v.Verify(r); err != nil || id.Key() != user.Name {
		t.Errorf("%q: %q is not bound to it: %v", pattern, raw, err)
	}
	return true
}

// witness returns a request that matches a pattern of ServeMux.
func witness(pattern string) string {
	method, rest, found := "", pattern, false
	if i := strings.IndexAny(pattern, " \t"); i >= 0 {
		method, rest, found = pattern[:i], strings.TrimLeft(pattern[i:], " \t"), true
	}
	if !found || method == "" {
		method = "POST"
	}
	slash := strings.IndexByte(rest, '/')
	host, path := rest[:slash], ""
	for _, segment := range strings.Split(rest[slash+1:], "/") {
		switch {
		case segment == "{$}":
			segment = ""
		case strings.HasPrefix(segment, "{"):
			segment = "w"
		default:
			segment, _ = url.PathUnescape(segment)
		}
		path += "/" + url.PathEscape(segment)
	}
	if host == "" {
		host = "api.example.com"
	}
	return fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\n\r\n", method, reencoded(path), host)
}

// reencoded is a path as clients send it.
func reencoded(path string) string {
	decoded, err := url.PathUnescape(path)
	if err != nil {
		return "not a path"
	}
	return (&url.URL{Path: decoded}).EscapedPath()
}

// patternPieces are what random patterns are made of.
var patternPieces = []string{"a", "orders", "7", "{id}", "{x...}", "{$}", "{id:int}", "{", "}", ":id", ":", "*", "**", ".", "..", "...", "%2F", "%2f", "%2e", "%2E",
	"%7Bid%7D", "%7B", "%3C", "%3E", "%00", "%0a", "%0D", "%61", "%C3%A9", "%ff", "%5C", "%25", "%", "%zz", "?", "?x=1", "#", "<id>", "<", ">", "[0-9]+", "(.*)", "(", ")", "+", "$", "^", "|", "\\", "\"",
	"'", " ", "\t", "\n", "\x00", "\u00a0", "\u200b", "é", "\xff", ";v=1", ":verb", "~", "@", "!", "=", "&", ",", "-", "_"}

// TestPatterns_T175: random patterns, each judged by ServeMux.
func TestPatterns_T175(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 75))
	pick := func(all ...string) string { return all[random.IntN(len(all))] }
	accepted, tried := 0, needs.Rounds(3000, 10_000)
	for range tried {
		method := pick("", "GET ", "POST ", "CONNECT ", "GET\t", "X_Y ")
		host := pick("", "api.example.com", "h")
		if random.IntN(5) == 0 {
			method = pick("get ", "ANY ", "* ", "GET,POST ", "GET|POST ", "^~ ", "= ", " ", "G.T ")
		}
		if random.IntN(5) == 0 {
			host = pick("API.example.com", "a:1", "https:/", "*", "{h}", "^", "a.", "é")
		}
		pattern := method + host
		for range 1 + random.IntN(3) {
			pattern += "/"
			for range random.IntN(3) {
				pattern += pick(patternPieces...)
			}
		}
		if checkPattern(t, pattern) {
			accepted++
		}
	}
	if accepted < tried/10 {
		t.Errorf("only %d patterns were accepted: the generator is bad", accepted)
	}
}

// TestEveryPathHasAPattern_T175: whatever a clean path holds, it can be bound by
// writing what has a meaning to a router percent-encoded.
func TestEveryPathHasAPattern_T175(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 75))
	text := slices.DeleteFunc(slices.Clone(patternPieces), func(piece string) bool {
		decoded, err := url.PathUnescape(piece)
		return err != nil || strings.ContainsAny(decoded, "/{}<>\x00\r\n")
	})
	for range 2_000 {
		path, pattern := "", "PUT "
		for range 1 + random.IntN(3) {
			segment := ""
			for range 1 + random.IntN(3) {
				decoded, _ := url.PathUnescape(text[random.IntN(len(text))])
				segment += decoded
			}
			if segment == "." || segment == ".." {
				segment = "x"
			}
			path += "/" + segment
			pattern += "/"
			for _, b := range []byte(segment) {
				if 'a' <= b && b <= 'z' || '0' <= b && b <= '9' {
					pattern += string(rune(b))
				} else {
					pattern += fmt.Sprintf("%%%02X", b)
				}
			}
		}
		v, err := bound(pattern)
		if err != nil {
			t.Errorf("%q for %q: %v", pattern, path, err)
			continue
		}
		r := request(t, "PUT "+(&url.URL{Path: path}).EscapedPath()+" HTTP/1.1\r\nHost: api.example.com\r\n\r\n")
		r.SetBasicAuth(user.ID, user.Secret.Reveal())
		if _, err := v.Verify(r); err != nil {
			t.Errorf("%q: %q is not bound to it: %v", pattern, path, err)
		}
	}
}

// FuzzPatterns_T175 is TestPatterns_T175 for patterns that nobody thought of.
func FuzzPatterns_T175(f *testing.F) {
	for _, pattern := range honest {
		f.Add(pattern)
	}
	for _, piece := range patternPieces {
		f.Add("GET /a/" + piece)
	}
	f.Fuzz(func(t *testing.T, pattern string) { checkPattern(t, pattern) })
}
