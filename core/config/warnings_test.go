package config_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core/config"
)

// TestWarnings: values outside of the gateway's published limits load, and are
// reported without the value of a secret.
func TestWarnings(t *testing.T) {
	const (
		limits = "outside of the gateway's published limits: "
		names  = limits + "3 to 64 letters, digits and _, starting with a letter"
		hmacID = limits + "8 to 32 letters, digits, _ and -, starting with a letter or digit"
		hmac   = limits + "16 to 64 letters, digits and _!@#$%-, starting with a letter or digit"
		user   = limits + "4 to 32 letters, digits, _ and -, starting with a letter"
		basic  = limits + "8 to 64 letters, digits and _!@#$%-, starting with a letter or digit"
		aes    = limits + "16 or 32 letters, digits and _!@#$%+/=-, starting with a letter, digit, + or /"
		vector = limits + "16 letters, digits and _!@#$%+/=-, starting with a letter, digit, + or /"
		short  = "shorter than 16 characters"
	)
	for _, tt := range []struct{ key, field, want string }{
		{"{name: key, type: hmac, key: 01234567, secret: 0123456789abcdef}", "", ""},
		{"{name: A_1, type: hmac, key: A-_45678901234567890123456789012, secret: 'a!@#$%-_89abcdef'}", "", ""},
		{"{name: key, type: basic, key: user, secret: 12345678}", "", ""},
		{"{name: ke, type: hmac, key: 01234567, secret: 0123456789abcdef}", "name", names},
		{"{name: 1key, type: hmac, key: 01234567, secret: 0123456789abcdef}", "name", names},
		{"{name: a-key, type: hmac, key: 01234567, secret: 0123456789abcdef}", "name", names},
		{"{name: key, type: hmac, key: 0123456, secret: 0123456789abcdef}", "key", hmacID},
		{"{name: key, type: hmac, key: _1234567, secret: 0123456789abcdef}", "key", hmacID},
		{"{name: key, type: hmac, key: 012345678901234567890123456789012, secret: 0123456789abcdef}", "key", hmacID},
		{"{name: key, type: hmac, key: 01234567, secret: kept-from-it-12}", "secret", hmac},
		{"{name: key, type: hmac, key: 01234567, secret: -kept-from-it-12}", "secret", hmac},
		{"{name: key, type: hmac, key: 01234567, secret: kept-from-it.123}", "secret", hmac},
		{"{name: key, type: hmac, key: 01234567, secret: 0123456789abcdef, previous: [{secret: kept-from}]}", "previous[0].secret", hmac},
		{"{name: key, type: basic, key: 1user, secret: 12345678}", "key", user},
		{"{name: key, type: basic, key: user, secret: 'kept fro'}", "secret", basic},
		{"{name: key, type: basic, key: user, secret: {file: password}}", "secret.file", basic},
		{"{name: key, type: aes, key: '+123456789!@#$%=', secret: '/!@#$%+/=-_abcde'}", "", ""},
		{"{name: key, type: aes, key: 0123456789abcdef0123456789abcdef, secret: 0123456789abcdef}", "", ""},
		{"{name: key, type: aes, key: =kept-from-16-00, secret: 0123456789abcdef}", "key", aes},
		{"{name: key, type: aes, key: kept.from.16.000, secret: 0123456789abcdef}", "key", aes},
		{"{name: key, type: aes, key: kept-from-it-of-16-and-of-32.000, secret: 0123456789abcdef}", "key", aes},
		{"{name: key, type: aes, key: {file: aes}, secret: 0123456789abcdef}", "key.file", aes},
		{"{name: key, type: aes, key: 0123456789abcdef, secret: -kept-from-16-00}", "secret", vector},
		{"{name: key, type: aes, key: 0123456789abcdef, secret: 0123456789abcdef, previous: [{key: -kept-from-16-00}]}", "previous[0].key", aes},
		{"{name: key, type: aes, key: 0123456789abcdef, secret: 0123456789abcdef, previous: [{secret: _kept-from-16-00}]}", "previous[0].secret", vector},
		{"{name: key, type: token, iam_url: 'https://iam', user: u, password: p, domain: d, project: p}", "", ""},
		{"{name: a-key, type: token, iam_url: 'https://iam', user: u, password: kept, domain: d, project: p}", "name", names},
		{"{name: key, type: aksk, key: ACCESSKEY0000001, secret: 0123456789abcdef, region: r, service: s}", "", ""},
		{"{name: key, type: aksk, key: ACCESSKEY000001, secret: 0123456789abcdef, region: r, service: s}", "key", short},
		{"{name: key, type: v11, key: ACCESSKEY0000001, secret: kept-from, region: r, service: s}", "secret", short},
		{"{name: key, type: sigv4, key: ACCESSKEY000001, secret: 0123456789abcdef, region: r, service: s}", "key", short},
		{"{name: key, type: sigv4a, key: ACCESSKEY0000001, secret: {file: password}, region: r, service: s}", "secret.file", short},
		{"{name: key, type: sigv4, key: ACCESSKEY0000001, secret: 0123456789abcdef, region: r, service: s, previous: [{secret: kept-from}]}", "previous[0].secret", short},
		{"{name: key, type: ecdsa-p256, key: any, secret: kept-from}", "secret", short},
		{"{name: key, type: sm2, key: any, secret: 'sixteen chars: ä'}", "", ""},
	} {
		t.Chdir(t.TempDir())
		write(t, ".", "password", "kept from it\n")
		write(t, ".", "aes", "kept from it 16.\n")
		f, err := loadAll(write(t, ".", "f.yaml", head, "    keys:\n    - ", tt.key, "\n  S: {mode: off}\n"))
		if err != nil {
			t.Errorf("%s: %v", tt.key, err)
			continue
		}
		var got, log, want strings.Builder
		for _, p := range f.Warnings() {
			got.WriteString(withoutColumns(p.Error()))
		}
		if tt.want != "" {
			want.WriteString("f.yaml:4: environments.R.keys[0]." + tt.field + ": " + tt.want)
		}
		if got.String() != want.String() {
			t.Errorf("%s: got warning %s\nwant %s", tt.key, &got, &want)
		}
		if _, err := f.Verifier("R", config.WithLogger(slog.New(slog.NewTextHandler(&log, nil)))); err != nil {
			t.Fatal(err)
		}
		if logged := strings.Count(log.String(), "level=WARN") == 1; logged != (tt.want != "") {
			t.Errorf("%s: logged %q", tt.key, &log)
		}
		if strings.Contains(got.String()+log.String(), "kept") {
			t.Errorf("%s: the secret is in %s%s", tt.key, &got, &log)
		}
	}
}

// TestWarningsOfOneEnvironment: a Verifier logs those of its own alone.
func TestWarningsOfOneEnvironment(t *testing.T) {
	f, err := loadAll(write(t, t.TempDir(), "f.yaml", oneKey, "  S: {keys: [{name: key, type: basic, key: user, secret: password}]}\n"))
	must(t, err)
	var log bytes.Buffer
	_, err = f.Verifier("S", config.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	must(t, err)
	if log.Len() != 0 || len(f.Warnings()) != 1 {
		t.Errorf("got log %s and %d warnings; want none and 1", &log, len(f.Warnings()))
	}
}

// TestMethodWarnings: a method that no client sends binds nothing.
func TestMethodWarnings(t *testing.T) {
	f, err := loadAll(write(t, t.TempDir(), "f.yaml", oneKey, `    default: k
    replay: {store: memory, exempt_methods: [GET, HAED]}
    apis:
    - {match: /a, key: k}
    - {match: "QUERY /a", key: k}
    - {match: "GTE /a", key: k}
    - {match: "POTS example.com/a", key: k}
`))
	must(t, err)
	const rule = " is none of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, CONNECT, TRACE, QUERY; is it mistyped?"
	want := []string{
		"10 environments.R.apis[2].match: the method \"GTE\"" + rule,
		"11 environments.R.apis[3].match: the method \"POTS\"" + rule,
		"6 environments.R.replay.exempt_methods[1]: the method \"HAED\"" + rule,
	}
	var got []string
	for _, p := range f.Warnings() {
		if p.Field != "environments.R.keys[0].name" {
			got = append(got, fmt.Sprintf("%d %s: %s", p.Line, p.Field, p.Rule))
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

// TestPatternWarnings_T175: a subtree that is open to everyone, and what is likely to
// be another router's syntax and is legal all the same.
func TestPatternWarnings_T175(t *testing.T) {
	const (
		subtree = "every path below is open to everyone: list the paths that need no key, and write {$} at the end of a pattern for that path alone"
		literal = " is taken literally; a wildcard is a whole segment, {name}, and percent-encoding shows that the character is meant"
		host    = " is the host; a path begins with a slash"
		prefix  = "it starts with /v1, which rewrite.add_prefix says was stripped; a pattern is for the path as it is received"
	)
	for _, tt := range []struct{ api, want string }{
		{"match: /public/, open: true", subtree},
		{"match: 'GET /public/{path...}', open: true", subtree},
		{"match: /, open: true", subtree},
		{"match: 'GET /', open: true", subtree},
		{"match: '/public/{$}', open: true", ""},
		{"match: '/{$}', open: true", ""},
		{"match: '/public/{file}', open: true", ""},
		{"match: GET /healthz, open: true", ""},
		{"match: /public/, key: k", ""},
		{"match: '/images/img*.jpg', key: k", `"img*.jpg"` + literal},
		{"match: '/a/logs-*/_search', key: k", `"logs-*"` + literal},
		{"match: '/logs-%2A/_search', key: k", ""},
		{"match: '/users/user_:name/x', key: k", `"user_:name"` + literal},
		{"match: '/v2/items:batchGet', key: k", ""},
		{"match: '/items/7:cancel', key: k", ""},
		{"match: '/{x}/é:cancel', key: k", ""},
		{"match: '/urn:isbn:1/a::b', key: k", ""},
		{"match: 'orders/{id}', key: k", `"orders"` + host},
		{"match: 'GET orders/list', key: k", `"orders"` + host},
		{"match: 'orders/', key: k", ""},
		{"match: 'localhost/orders', key: k", ""},
		{"match: 'api.example.com/orders', key: k", ""},
		{"match: 'GET /v1/orders', key: k", prefix},
		{"match: '/v1/', key: k", prefix},
		{"match: '/v1', key: k", prefix},
		{"match: '/v10/orders', key: k", ""},
	} {
		f, err := loadAll(write(t, t.TempDir(), "f.yaml", oneKey, "    apis:\n    - {", tt.api, "}\n    rewrite: {add_prefix: /v1}\n"))
		must(t, err)
		var got []string
		for _, p := range f.Warnings() {
			if p.Field == "environments.R.apis[0].match" && p.Line == 6 {
				got = append(got, p.Rule)
			}
		}
		if text := strings.Join(got, "; "); text != tt.want {
			t.Errorf("%s: got %s, want %s", tt.api, text, tt.want)
		}
	}
}
