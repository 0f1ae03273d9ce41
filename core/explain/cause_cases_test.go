package explain_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"path"
	"strings"
	"testing/iotest"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/basic"
	"github.com/gatewayauth/gatewayauth/core/explain"
	"github.com/gatewayauth/gatewayauth/core/signer"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
)

func causes(c ...explain.Cause) []explain.Cause { return c }

var backendHost = func(p *httputil.ProxyRequest) { p.Out.Host = "127.0.0.1:9000" }

var targetCases = []scenario{
	{name: "host rewritten, X-Forwarded-Host", proxy: func(p *httputil.ProxyRequest) { p.Out.Host = ""; p.SetXForwarded() },
		want: causes(explain.CauseHost), says: "host api.example.com instead of 127.0.0.1:"},
	{name: "host rewritten, Forwarded", proxy: func(p *httputil.ProxyRequest) {
		p.Out.Host = ""
		p.Out.Header.Set("Forwarded", `for=192.0.2.1;host="api.example.com";proto=https, for=10.0.0.1`)
	}, want: causes(explain.CauseHost), says: "from Forwarded"},
	{name: "host rewritten, X-Original-Host", proxy: func(p *httputil.ProxyRequest) {
		p.Out.Host = ""
		p.Out.Header.Set("X-Original-Host", p.In.Host)
	}, want: causes(explain.CauseHost), says: "from X-Original-Host"},
	{name: "host rewritten, a hint", proxy: backendHost, hints: explain.Hints{Hosts: []string{"other", "api.example.com"}},
		want: causes(explain.CauseHost), says: "host api.example.com instead of 127.0.0.1:9000"},
	{name: "port removed", host: "api.example.com:443", proxy: func(p *httputil.ProxyRequest) { p.Out.Host = "api.example.com" },
		want: causes(explain.CauseHost), says: "host api.example.com:443"},
	{name: "port added", proxy: func(p *httputil.ProxyRequest) { p.Out.Host += ":80" }, want: causes(explain.CauseHost), says: "host api.example.com instead"},
	{name: "host in lower case", host: "Api.Example.Com", proxy: func(p *httputil.ProxyRequest) {
		p.Out.Host = strings.ToLower(p.In.Host)
		p.Out.Header.Set("X-Forwarded-Host", p.In.Host)
	}, want: causes(explain.CauseHost), says: "host Api.Example.Com"},
	{name: "Rewrite.Host not needed", config: func(c *core.Config) { c.Rewrite.Host = "10.0.0.1" }, want: causes(explain.CauseHost), says: "remove Rewrite.Host"},
	{name: "Rewrite.Host of another environment", proxy: backendHost, hints: explain.Hints{Environments: map[string]core.Config{
		"staging": backend(func(c *core.Config) { c.APIs, c.Rewrite.Host = nil, "api.example.com" })}},
		want: causes(explain.CauseHost), says: "the environment staging"},

	{name: "prefix stripped, X-Forwarded-Prefix", target: "/api/items", proxy: func(p *httputil.ProxyRequest) {
		stripped("/api")(p)
		p.Out.Header.Set("X-Forwarded-Prefix", "/api")
	}, want: causes(explain.CausePrefix), says: "path /api/items instead of /items"},
	{name: "prefix stripped, a hint", target: "/api/items", proxy: stripped("/api"), hints: explain.Hints{Prefixes: []string{"v2", "api/"}},
		want: causes(explain.CausePrefix), says: "set Rewrite.AddPrefix"},
	{name: "prefix stripped, known from an API", proxy: stripped("/v1"), want: causes(explain.CausePrefix), says: "path /v1/items instead of /items"},
	{name: "prefix added", proxy: func(p *httputil.ProxyRequest) { p.Out.URL.Path = "/internal" + p.In.URL.Path },
		want: causes(explain.CausePrefix), says: "path /v1/items instead of /internal/v1/items"},
	{name: "prefix replaced", target: "/api/items", proxy: func(p *httputil.ProxyRequest) { p.Out.URL.Path = "/service/x/items" },
		hints: explain.Hints{Prefixes: []string{"/api"}}, want: causes(explain.CausePrefix), says: "path /api/items instead of /service/x/items"},
	{name: "path replaced, X-Original-Uri", target: "/api/items/7?x=1", proxy: func(p *httputil.ProxyRequest) {
		p.Out.URL.Path, p.Out.URL.RawQuery = "/index", "x=1&q=/api/items/7"
		p.Out.Header.Set("X-Original-Uri", p.In.RequestURI)
	}, want: causes(explain.CausePrefix), says: "the target in X-Original-Uri"},
	{name: "Rewrite.AddPrefix not needed", config: func(c *core.Config) { c.Rewrite.AddPrefix = "/v1" }, want: causes(explain.CausePrefix), says: "remove Rewrite.AddPrefix"},

	{name: "slash added", key: k4, signer: signed4(), target: "/v4/items", proxy: func(p *httputil.ProxyRequest) { p.Out.URL.Path += "/" },
		want: causes(explain.CauseSlash), says: "path /v4/items instead of /v4/items/"},
	{name: "slash removed", key: k4, signer: signed4(), target: "/v4/items/", proxy: func(p *httputil.ProxyRequest) { p.Out.URL.Path = path.Clean(p.In.URL.Path) },
		want: causes(explain.CauseSlash)},
	{name: "path decoded", key: k4, signer: signed4(), target: "/v4/a%3Ab%2Cc", proxy: func(p *httputil.ProxyRequest) { p.Out.URL.RawPath = "" },
		want: causes(explain.CausePath), says: "path /v4/a%3Ab%2Cc instead of /v4/a:b,c"},
	{name: "path encoded twice", target: "/v1/a%20b", proxy: func(p *httputil.ProxyRequest) {
		p.Out.URL.Path, p.Out.URL.RawPath = p.In.URL.EscapedPath(), ""
	}, want: causes(explain.CausePath)},
	{name: "percent-encoding in lower case", key: k4, signer: signed4(), target: "/v4/%C3%A4%2C", proxy: func(p *httputil.ProxyRequest) {
		p.Out.URL.RawPath = strings.ReplaceAll(strings.ToLower(p.In.URL.EscapedPath()), "/V4", "/v4")
	}, want: causes(explain.CausePath)},
	{name: "client signs merged slashes", send: func(r *http.Request) { r.URL.Path = "/v1//items" }, want: causes(explain.CausePath), says: "path /v1/items instead of /v1//items"},
	{name: "client signs the path before it encodes it again", key: k4, signer: signed4(), target: "/v4/a%20b",
		send: func(r *http.Request) { r.URL.Path, r.URL.RawPath = "/v4/a%20b", "" }, want: causes(explain.CausePath)},
	{name: "client signs for S3", key: k4, target: "/v4/a%20b", signer: func(key core.Key) signer.Signer {
		return sigv4.NewSigner(key, sigv4.SignOptions{Paths: sigv4.S3})
	}, want: causes(explain.CausePath), says: "paths: s3"},
	{name: "client signs in lower case", send: func(r *http.Request) { r.URL.Path = "/v1/Items" }, want: causes(explain.CausePath)},

	{name: "HEAD becomes GET", method: "HEAD", proxy: func(p *httputil.ProxyRequest) { p.Out.Method = "GET" }, want: causes(explain.CauseMethod), says: "method HEAD instead of GET"},
}

var queryCases = []scenario{
	{name: "plus sign decoded", target: "/v1/items?q=a%2Bb", proxy: func(p *httputil.ProxyRequest) {
		p.Out.URL.RawQuery = strings.ReplaceAll(p.In.URL.RawQuery, "%2B", "+")
	}, want: causes(explain.CauseQuery), says: "query q=a%2Bb instead of q=a+b"},
	{name: "space becomes a plus sign", target: "/v1/items?q=a+b", proxy: func(p *httputil.ProxyRequest) {
		p.Out.URL.RawQuery = url.PathEscape(p.In.URL.RawQuery)
		p.Out.URL.RawQuery = strings.ReplaceAll(p.In.URL.RawQuery, "+", "%2B")
	}, want: causes(explain.CauseQuery), says: "query q=a%20b instead of q=a%2Bb"},
	{name: "client sends + for a plus sign", target: "/v1/items?q=a%2Bb", send: func(r *http.Request) { r.URL.RawQuery = "q=a+b" },
		want: causes(explain.CauseQuery), says: "make the sender send %2B"},
	{name: "query encoded twice", target: "/v1/items?q=a%20b%2F&r=1", proxy: func(p *httputil.ProxyRequest) {
		p.Out.URL.RawQuery = strings.ReplaceAll(p.In.URL.RawQuery, "%", "%25")
	}, want: causes(explain.CauseQuery), says: "percent-encoded once more"},
	{name: "query decoded", target: "/v1/items?q=a%2520b", proxy: func(p *httputil.ProxyRequest) { p.Out.URL.RawQuery, _ = url.QueryUnescape(p.In.URL.RawQuery) },
		want: causes(explain.CauseQuery), says: "percent-decoded after"},
	{name: "semicolons", target: "/v1/items?a=1&b=2", proxy: func(p *httputil.ProxyRequest) { p.Out.URL.RawQuery = "a=1;b=2" }, want: causes(explain.CauseQuery)},
	{name: "parameter added", proxy: func(p *httputil.ProxyRequest) { p.Out.URL.RawQuery += "&trace=77" }, want: causes(explain.CauseParameters), says: "trace=77"},
	{name: "client does not sign the query", target: "/v1/items", send: func(r *http.Request) { r.URL.RawQuery = "a=1&b=2" }, want: causes(explain.CauseParameters), says: "empty"},
	{name: "client signs a map", target: "/v1/items?a=1&b=2", send: func(r *http.Request) { r.URL.RawQuery = "a=1&a=2&a=3&b=2&b=3" },
		want: causes(explain.CauseParameters), says: "only the first"},
	{name: "client does not sign empty values", target: "/v1/items?a=1", send: func(r *http.Request) { r.URL.RawQuery = "a=1&b=&c" }, want: causes(explain.CauseParameters)},
	{name: "query in a header", target: "/v1/items?q=%F0%9F%98%80&r=1", proxy: func(p *httputil.ProxyRequest) {
		p.Out.URL.RawQuery = "r=1&q=?"
		p.Out.Header.Set("X-Original-Url", "https://api.example.com"+p.In.RequestURI)
	}, want: causes(explain.CauseQuery), says: "X-Original-Url"},
}

func set(name string, values ...string) func(*httputil.ProxyRequest) {
	return func(p *httputil.ProxyRequest) {
		delete(p.Out.Header, name)
		if len(values) > 0 {
			p.Out.Header[name] = values
		}
	}
}

var headerCases = []scenario{
	{name: "Accept-Encoding changed", signer: signed1("accept-encoding"), headers: []string{"Accept-Encoding: gzip, deflate, br"}, proxy: set("Accept-Encoding", "identity"),
		want: causes(explain.CauseHeader), says: "header Accept-Encoding: gzip, deflate, br"},
	{name: "Accept-Encoding removed", signer: signed1("accept-encoding"), headers: []string{"Accept-Encoding: gzip"}, proxy: set("Accept-Encoding"),
		want: causes(explain.CauseHeaderMissing), says: "header accept-encoding: gzip", anyway: true},
	{name: "User-Agent changed", signer: signed1("user-agent"), headers: []string{"User-Agent: Go-http-client/1.1"}, proxy: set("User-Agent", "edge/1"),
		want: causes(explain.CauseHeader), says: "Go-http-client/1.1"},
	{name: "User-Agent changed, a hint", signer: signed1("user-agent"), headers: []string{"User-Agent: agent/7"}, proxy: set("User-Agent", "edge/1"),
		hints: explain.Hints{Headers: http.Header{"User-Agent": {"agent/7"}}}, want: causes(explain.CauseHeader), says: "agent/7"},
	{name: "unknown header removed", signer: signed1("x-tenant"), headers: []string{"X-Tenant: blue"}, proxy: set("X-Tenant"),
		want: causes(explain.CauseHeaderMissing), says: "x-tenant", anyway: true},
	{name: "TE removed", signer: signed1("content-length"), method: "POST", body: "abc", headers: []string{"Content-Length: 3"}, proxy: func(p *httputil.ProxyRequest) {
		p.Out.ContentLength = -1
		p.Out.Header.Del("Content-Length")
	}, want: causes(explain.CauseHeaderMissing), says: "every proxy", anyway: true},
	{name: "X-Forwarded-For appended", signer: signed1("x-forwarded-for"), headers: []string{"X-Forwarded-For: 192.0.2.1, 10.0.0.1"}, proxy: func(p *httputil.ProxyRequest) {
		p.Out.Header["X-Forwarded-For"] = p.In.Header["X-Forwarded-For"]
		p.SetXForwarded()
		p.Out.Header["X-Forwarded-Host"] = nil
	}, want: causes(explain.CauseHeader), says: "X-Forwarded-For: 192.0.2.1, 10.0.0.1"},
	{name: "X-Forwarded-Proto changed", signer: signed1("x-forwarded-proto"), headers: []string{"X-Forwarded-Proto: https"}, proxy: set("X-Forwarded-Proto", "http"),
		want: causes(explain.CauseHeader), says: "X-Forwarded-Proto: https"},
	{name: "charset added", signer: signed1("content-type"), headers: []string{"Content-Type: application/vnd.x+json"}, proxy: set("Content-Type", "application/vnd.x+json; charset=utf-8"),
		want: causes(explain.CauseHeader), says: "Content-Type: application/vnd.x+json"},
	{name: "charset removed", signer: signed1("content-type"), headers: []string{"Content-Type: application/vnd.x+json;charset=utf-8"}, proxy: set("Content-Type", "application/vnd.x+json"),
		want: causes(explain.CauseHeader)},
	{name: "header of another protocol (T179)", signer: signed1("x-amz-acl"), headers: []string{"X-Amz-Acl: private"}, proxy: set("X-Amz-Acl", "PRIVATE"), want: causes(explain.CauseHeader)},
	{name: "weak tag", signer: signed1("if-none-match"), headers: []string{`If-None-Match: "7"`}, proxy: set("If-None-Match", `W/"7"`), want: causes(explain.CauseHeader)},
	{name: "lines joined", signer: signed1("x-tag"), headers: []string{"X-Tag: a", "X-Tag: b"}, proxy: set("X-Tag", "a, b"), want: causes(explain.CauseHeaderMerged), says: "several lines"},
	{name: "lines joined, SigV4", key: k4, signer: signed4("x-tag"), target: "/v4/items", headers: []string{"X-Tag: a", "X-Tag: b"}, proxy: set("X-Tag", "a, b"), want: causes(explain.CauseHeaderMerged)},
	{name: "line split", signer: signed1("x-tag"), headers: []string{"X-Tag: a,b"}, proxy: set("X-Tag", "a", "b"), want: causes(explain.CauseHeaderMerged), says: "one line"},
	{name: "lines in another order", key: k4, signer: signed4("x-tag"), target: "/v4/items", headers: []string{"X-Tag: b", "X-Tag: a"}, proxy: set("X-Tag", "a", "b"),
		want: causes(explain.CauseHeaderMerged), says: "another order"},
	{name: "client signs only the first line", signer: signed1("x-tag"), headers: []string{"X-Tag: z"}, send: func(r *http.Request) { r.Header.Add("X-Tag", "b") },
		want: causes(explain.CauseHeaderMerged), says: "first line"},
	{name: "client collapses spaces", signer: signed1("x-note"), headers: []string{"X-Note: a b"}, send: func(r *http.Request) { r.Header.Set("X-Note", "a   b") },
		want: causes(explain.CauseHeader), says: "collapses the spaces"},
	{name: "digest header removed", signer: declared1, body: "abc", proxy: set("X-Sdk-Content-Sha256"), want: causes(explain.CauseHeaderMissing), says: "x-sdk-content-sha256", anyway: true},
	{name: "digest header changed", signer: declared1, body: "abc", proxy: set("X-Sdk-Content-Sha256", "UNSIGNED-PAYLOAD"), want: causes(explain.CauseHeader)},
}

func compact(text string) string {
	var out bytes.Buffer
	json.Compact(&out, []byte(text))
	return out.String()
}

func zipped(text string) string {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write([]byte(text))
	w.Close()
	return out.String()
}

func unzipped(text string) string {
	r, _ := gzip.NewReader(strings.NewReader(text))
	plain, _ := io.ReadAll(r)
	return string(plain)
}

func rewritten(change func(string) string) func(*httputil.ProxyRequest) {
	return func(p *httputil.ProxyRequest) { body(p, change) }
}

func reads(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		next.ServeHTTP(w, r)
	})
}

func breaksOff(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = io.NopCloser(io.MultiReader(io.LimitReader(r.Body, 3), iotest.ErrReader(io.ErrUnexpectedEOF)))
		next.ServeHTTP(w, r)
	})
}

func parses(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.ParseForm()
		next.ServeHTTP(w, r)
	})
}

const formType = "Content-Type: application/x-www-form-urlencoded"

var bodyCases = []scenario{
	{name: "client hashes an empty body", body: `{"a":1}`, digest: sha(""), want: causes(explain.CauseEmptyBody), says: "instead of 7 bytes"},
	{name: "client declares an empty body", body: `{"a":1}`, digest: sha(""), signer: declared1, want: causes(explain.CauseEmptyBody)},
	{name: "client signs UNSIGNED-PAYLOAD and does not declare it", body: "abc", digest: "UNSIGNED-PAYLOAD", want: causes(explain.CauseUnsignedPayload)},
	{name: "UNSIGNED-PAYLOAD header removed", body: "abc", signer: func(key core.Key) signer.Signer {
		return apig.NewSigner(key, apig.SignOptions{Payload: core.PayloadUnsigned})
	}, proxy: set("X-Sdk-Content-Sha256"), want: causes(explain.CauseUnsignedPayload, explain.CausePolicy), anyway: true},
	{name: "UNSIGNED-PAYLOAD replaced", body: "abc", signer: func(key core.Key) signer.Signer {
		return apig.NewSigner(key, apig.SignOptions{Payload: core.PayloadUnsigned})
	}, proxy: set("X-Sdk-Content-Sha256", sha("abc")), want: causes(explain.CauseUnsignedPayload, explain.CausePolicy)},
	{name: "JSON compacted", body: `{"b": 1, "a": [1, "x: y, z"]}`, proxy: rewritten(compact), want: causes(explain.CauseBodyRewritten), says: "a space after commas"},
	{name: "JSON indented", body: `{"b":1,"a":[1,2]}`, proxy: rewritten(func(text string) string {
		var out bytes.Buffer
		json.Indent(&out, []byte(text), "", "\t")
		return out.String()
	}), want: causes(explain.CauseBodyRewritten), says: "without spaces"},
	{name: "JSON decoded and encoded", body: "{\n  \"a\": [\n    \"<é>\"\n  ],\n  \"b\": 12345678901234567890\n}\n", proxy: rewritten(func(text string) string {
		var value map[string]json.RawMessage
		json.Unmarshal([]byte(text), &value)
		out, _ := json.Marshal(value)
		return string(out)
	}), want: causes(explain.CauseBodyRewritten)},
	{name: "names sorted before signing", body: `{"b":1,"a":"<&>"}`, digest: sha(`{"a":"<&>","b":1}`), want: causes(explain.CauseBodyRewritten), says: "sorted"},
	{name: "JSON in ASCII", body: `{"a":"\u00e4\ud83d\ude00","b":1}`, proxy: rewritten(func(string) string { return `{"a":"ä😀","b":1}` }),
		want: causes(explain.CauseBodyRewritten), says: "ASCII"},
	{name: "line break removed", body: "text\n", proxy: rewritten(strings.TrimSpace), want: causes(explain.CauseBodyRewritten), says: "line break at the end"},
	{name: "line breaks changed", body: "a\r\nb\r\n", proxy: rewritten(func(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }), want: causes(explain.CauseBodyRewritten), says: "CR LF"},
	{name: "inflated", body: zipped("some text"), proxy: rewritten(unzipped), want: causes(explain.CauseBodyRewritten), says: "gzip"},
	{name: "deflated", body: "some text", proxy: rewritten(zipped), want: causes(explain.CauseBodyRewritten), says: "before it was compressed"},
	{name: "form encoded again", body: "b=x%20y&a=%2f", headers: []string{formType}, digest: sha("b=x%20y&a=%2F"), want: causes(explain.CauseBodyRewritten), says: "form"},
	{name: "declared JSON compacted", body: `{"b": 1}`, signer: declared1, proxy: rewritten(compact), want: causes(explain.CauseBodyRewritten)},
	{name: "declared body changed", body: `{"b": 1}`, signer: declared1, proxy: rewritten(func(string) string { return "other" }), want: causes(explain.CauseBody)},
	{name: "declared body cut", body: `{"b": 1}`, signer: declared1, before: breaksOff, want: causes(explain.CauseBodyIncomplete)},
	{name: "declared body dropped", body: `{"b": 1}`, signer: declared1, proxy: rewritten(func(string) string { return "" }), want: causes(explain.CauseBodyConsumed), anyway: true},
	{name: "body read by other middleware", body: `{"b": 1}`, before: reads, want: causes(explain.CauseBodyConsumed), anyway: true},
	{name: "declared body read by other middleware", body: `{"b": 1}`, signer: declared1, before: reads, want: causes(explain.CauseBodyConsumed), anyway: true},
	{name: "form parsed by other middleware", body: "a=1&b=x+y", headers: []string{formType}, before: parses, want: causes(explain.CauseBodyConsumed), says: "verifier in front", anyway: true},
}

var (
	decodable = core.Key{Name: "k1", ID: k1.ID, Secret: core.NewSecret("c2VjcmV0LTAxMjM0NTY3ODlhYmNkZWY=")}
	blank     = core.Key{Name: "k1", ID: k1.ID, Secret: core.NewSecret("secret-0123456789abcdef\n")}
	rotated   = core.Key{Name: "k1", ID: k1.ID, Secret: k1.Secret, Previous: []core.PreviousSecret{
		{Secret: core.NewSecret("previous-0123456789"), Until: instant.Add(-time.Hour)}}}
	staging   = core.Key{Name: "staging_key", ID: k1.ID, Secret: core.NewSecret("staging-0123456789")}
	unknown   = core.Key{Name: "staging_key", ID: "nobody", Secret: core.NewSecret("staging-0123456789")}
	temporary = core.Key{Name: "k1", ID: k1.ID, Secret: k1.Secret, SessionToken: core.NewSecret("token-0123456789")}
	regional  = core.Key{Name: "k1", ID: k1.ID, Secret: k1.Secret, Region: "r", Service: "s"}
	elsewhere = core.Key{Name: "k4", ID: k4.ID, Secret: k4.Secret, Region: "us-east-1", Service: "execute-api"}
)

func keyIs(key core.Key) func(*core.Config) {
	return func(c *core.Config) { c.Schemes[0] = hmacScheme(key, k2) }
}

func environments(keys ...core.Key) explain.Hints {
	return explain.Hints{Environments: map[string]core.Config{"staging": {Environment: "staging", Schemes: []core.Scheme{hmacScheme(keys...)}}}}
}

func secret(key core.Key, text string) core.Key {
	key.Secret = core.NewSecret(text)
	return key
}

func inHeader(header string) func(core.Key) signer.Signer {
	return func(key core.Key) signer.Signer {
		return signer.InHeader(apig.NewSigner(key, apig.SignOptions{}), header)
	}
}

func basicSigner(key core.Key) signer.Signer { return basic.NewSigner(key) }

var keyCases = []scenario{
	{name: "credential in another header", signer: inHeader("X-Backend-Sign"), want: causes(explain.CauseCredentialHeader), says: "set CredentialHeader to X-Backend-Sign"},
	{name: "credential in Authorization, and the environment reads another header", config: func(c *core.Config) { c.CredentialHeader = "x-backend-sign" },
		want: causes(explain.CauseCredentialHeader), says: "reads it from X-Backend-Sign alone"},
	{name: "credential in another header, beside a token of the client", headers: []string{"Authorization: Bearer x"}, signer: inHeader("X-Backend-Sign"),
		want: causes(explain.CauseCredentialHeader), says: "make the gateway send it in Authorization"},
	{name: "secret of another key, in the header of the environment", key: secret(k1, k2.Secret.Reveal()), signer: inHeader("X-Backend-Sign"),
		config: func(c *core.Config) { c.CredentialHeader = "X-Backend-Sign" }, want: causes(explain.CauseOtherKey), says: "k2"},
	{name: "key of another environment with another header", key: staging, signer: inHeader("X-Staging-Sign"), hints: explain.Hints{Environments: map[string]core.Config{
		"staging": {Environment: "staging", Schemes: []core.Scheme{hmacScheme(staging)}, CredentialHeader: "X-Staging-Sign"}}},
		want: causes(explain.CauseEnvironment), says: "staging"},
	{name: "previous secret", key: secret(k1, "previous-0123456789"), config: keyIs(rotated), want: causes(explain.CauseOldSecret), says: "2026-01-15T11:00:00Z"},
	{name: "key of another environment", key: staging, hints: environments(staging), want: causes(explain.CauseEnvironment), says: "staging"},
	{name: "key that only another environment has", key: unknown, hints: environments(unknown), want: causes(explain.CauseEnvironment), says: "staging_key"},
	{name: "secret of another key", key: secret(k1, k2.Secret.Reveal()), want: causes(explain.CauseOtherKey), says: "k2"},
	{name: "another region", key: elsewhere, signer: signed4(), target: "/v4/items", want: causes(explain.CauseScope), says: "region us-east-1"},
	{name: "no session token", config: keyIs(temporary), want: causes(explain.CauseSessionToken)},
	{name: "another session token", key: core.Key{Name: "k1", ID: k1.ID, Secret: k1.Secret, SessionToken: core.NewSecret("token-of-yesterday")},
		config: keyIs(temporary), want: causes(explain.CauseSessionToken)},
	{name: "scoped, and the key is flat", key: regional, signer: func(key core.Key) signer.Signer { return apig.NewScopedSigner(key, apig.SignOptions{}) },
		hints: explain.Hints{Schemes: []core.Scheme{apig.NewScoped(apig.Config{})}}, want: causes(explain.CauseScheme), says: "aksk"},
	{name: "flat, and the key is scoped", config: func(c *core.Config) {
		c.Schemes[0] = apig.NewScoped(apig.Config{Keys: core.Keys(regional, k2)})
	}, hints: explain.Hints{Schemes: []core.Scheme{apig.New(apig.Config{})}}, want: causes(explain.CauseScheme), says: "hmac"},
	{name: "secret without its line break", key: secret(k1, strings.TrimSpace(blank.Secret.Reveal())), config: keyIs(blank), want: causes(explain.CauseSecretText), says: "line breaks"},
	{name: "secret with a line break", key: secret(k1, k1.Secret.Reveal()+"\n"), want: causes(explain.CauseSecretText), says: "line break at its end"},
	{name: "secret decoded", key: secret(k1, "secret-0123456789abcdef"), config: keyIs(decodable), want: causes(explain.CauseSecretText), says: "decoded from base64"},
	{name: "secret in hexadecimal digits", key: secret(k1, "736b746573742d3031323334353637383961626364656630313233343536373839616263646566"), want: causes(explain.CauseSecretText), says: "hexadecimal"},
	{name: "password with a line break", key: secret(user, user.Secret.Reveal()+"\n"), signer: basicSigner, config: func(c *core.Config) { c.APIs, c.Default = nil, "user" },
		want: causes(explain.CauseSecretText)},
	{name: "password of another environment", key: secret(user, "other-password"), signer: basicSigner, config: func(c *core.Config) { c.APIs, c.Default = nil, "user" },
		hints: explain.Hints{Environments: map[string]core.Config{"staging": {Environment: "staging",
			Schemes: []core.Scheme{basic.New(basic.Config{Keys: core.Keys(secret(user, "other-password"))})}}}},
		want: causes(explain.CauseEnvironment)},
	{name: "API of another key", key: k2, want: causes(explain.CauseBinding), says: "bound to the key k1"},
	{name: "API of no key", target: "/other", config: func(c *core.Config) { c.Default = "" }, want: causes(explain.CauseBinding), says: "no key"},
	{name: "header that must be signed", headers: []string{"X-Role: x"}, config: func(c *core.Config) { c.RequireSigned = []string{"x-role"} }, want: causes(explain.CausePolicy), says: "x-role"},
}

func link(expires time.Duration) func(core.Key) signer.Signer {
	return func(key core.Key) signer.Signer { return apig.NewSigner(key, apig.SignOptions{Expires: expires}) }
}

var timeCases = []scenario{
	{name: "clock behind", late: 47*time.Minute + 13*time.Second, want: causes(explain.CauseClock), says: "47m 13s behind the verifier's clock, 32m 13s more than the 15m that ClockSkew allows"},
	{name: "clock ahead", late: -20 * time.Minute, want: causes(explain.CauseClock), says: "would be accepted if signed within 15m of "},
	{name: "sent again", late: 73 * time.Hour, want: causes(explain.CauseClock)},
	{name: "local time", late: -8*time.Hour + 20*time.Second, want: causes(explain.CauseLocalTime), says: "UTC+08:00"},
	{name: "local time in the west", late: 5 * time.Hour, want: causes(explain.CauseLocalTime), says: "UTC-05:00"},
	{name: "link used late", signer: link(time.Minute), late: 2 * time.Minute, config: func(c *core.Config) { c.AllowPresigned = true }, want: causes(explain.CauseExpired), says: "1m after that"},
	{name: "link not accepted", signer: link(time.Minute), want: causes(explain.CausePolicy), says: "query"},
	{name: "link with a parameter added", signer: link(time.Minute), config: func(c *core.Config) { c.AllowPresigned = true },
		proxy: func(p *httputil.ProxyRequest) { p.Out.URL.RawQuery += "&utm=1" }, want: causes(explain.CauseParameters), says: "utm=1"},
}

var pairCases = []scenario{
	{name: "host and prefix", proxy: func(p *httputil.ProxyRequest) { stripped("/v1")(p); p.Out.Host = ""; p.SetXForwarded() },
		want: causes(explain.CauseHost, explain.CausePrefix), says: "host api.example.com"},
	{name: "host and clock", late: 17 * time.Minute, proxy: func(p *httputil.ProxyRequest) { p.Out.Host = ""; p.SetXForwarded() },
		want: causes(explain.CauseHost, explain.CauseClock)},
	{name: "host, prefix and binding", key: k2, proxy: func(p *httputil.ProxyRequest) { stripped("/v1")(p); backendHost(p) },
		hints: explain.Hints{Hosts: []string{"api.example.com"}}, want: causes(explain.CauseHost, explain.CausePrefix, explain.CauseBinding)},
	{name: "two headers", signer: signed1("accept-encoding", "user-agent"), headers: []string{"Accept-Encoding: gzip", "User-Agent: Go-http-client/1.1"},
		proxy: func(p *httputil.ProxyRequest) { set("Accept-Encoding")(p); set("User-Agent", "edge/1")(p) },
		want:  causes(explain.CauseHeaderMissing, explain.CauseHeader), anyway: true},
	{name: "prefix and previous secret", key: secret(k1, "previous-0123456789"), config: keyIs(rotated), proxy: stripped("/v1"),
		want: causes(explain.CausePrefix, explain.CauseOldSecret)},
	{name: "query and body", target: "/v1/items?q=a%2Bb", body: `{"b": 1}`, proxy: func(p *httputil.ProxyRequest) {
		p.Out.URL.RawQuery = "q=a+b"
		body(p, compact)
	}, want: causes(explain.CauseQuery, explain.CauseBodyRewritten)},
}
