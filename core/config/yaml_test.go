package config_test

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core/config"
	"github.com/gatewayauth/gatewayauth/core/config/smkeys"
	"github.com/gatewayauth/gatewayauth/internal/needs"
)

// TestBounds loads files of up to 1 MiB that are made to keep a YAML parser, or
// what comes behind it, busy for minutes or to fill the memory.
func TestBounds(t *testing.T) {
	needs.Long(t)
	const size = 1<<20 - 200
	fill := func(s string) string { return strings.Repeat(s, size/len(s)) }
	each := func(n int, format string) string {
		var b strings.Builder
		for i := 0; i < n && b.Len() < size; i++ {
			b.WriteString(strings.NewReplacer("#0", fmt.Sprint(i), "#1", fmt.Sprint(i+1)).Replace(format))
		}
		return b.String()
	}
	for _, tt := range []struct{ name, file, want string }{
		{"open brackets", fill("["), "nested more than"},
		{"nested mappings", strings.Repeat("{a: ", size/5) + "1" + strings.Repeat("}", size/5), "nested more than"},
		{"nested lists", fill("- "), "nested more than"},
		{"nested blocks", func() string {
			var b strings.Builder
			for i := 0; b.Len() < size-2000; i++ {
				b.WriteString(strings.Repeat(" ", i) + "a:\n")
			}
			return b.String()
		}(), "nested more than"},
		{"one wide mapping", each(1e6, "a#0: 1\n"), "more than 1000 fields"},
		{"wide mapping of anchors", fill("&a a: 1\n"), "more than 1000 fields"},
		{"wide mapping of nothing", fill("a:\n"), "more than 1000 fields"},
		{"many mappings", "environments:\n" + strings.Repeat("-\n"+strings.Repeat(" a:\n", 990), size/4000), "too many parts"},
		{"list of nothing", fill("-\n"), "too many list items"},
		{"list in a line", "[" + fill("1,") + "]", "too many parts"},
		{"documents", fill("a\n---\n"), "a second YAML document"},
		{"merge bomb", "environments:\n  a0: &a0 {mode: off, default: k}\n" + each(300, "  a#1: &a#1 {<<: [*a#0, *a#0, *a#0, *a#0]}\n"), "values in this file"},
		{"list bomb", "environments:\n  a0: &a0 [x, x, x, x]\n" + each(300, "  a#1: &a#1 [*a#0, *a#0, *a#0, *a#0]\n"), "must be a mapping of fields"},
		{"keys in many environments", "environments:\n  a:\n    keys: &k\n" + each(5000, "    - {name: k#0, type: hmac, key: id#0, secret: s-of-8-or-more}\n") +
			each(900, "  b#0: {keys: *k}\n"), "values in this file"},
		{"APIs", oneKey + "    apis:\n" + each(1e6, "    - {match: \"/{a}/b#0/{c...}\", key: k}\n"), "more than 10000 APIs"},
		{"conflicts", oneKey + "    apis:\n" + each(9000, "    - {match: \"/{a#0}\", key: k}\n"), "more problems"},

		{"unknown keys", head + "    keys:\n" + each(5000, "    - {name: key_number_#0, type: hmac, key: id#0, secret: s-of-8-or-more}\n") +
			"    apis:\n" + each(10000, "    - {match: /a#0, key: kye_number_#0}\n"), "more problems"},
		{"a long line", oneKey + "    x: [" + strings.Repeat("a,", 195_000) + "a]\n", "unknown field"},

		{"many keys", head + "    keys:\n" + each(1e6, "    - {name: k#0, type: hmac, key: id#0, secret: s-of-8-or-more}\n"), ""},
		{"many environments", "environments:\n" + each(990, "  e#0: {mode: off, default: k, keys: [{name: k, type: hmac, key: i, secret: s-of-8-or-more}]}\n"), ""},
		{"many APIs", oneKey + "    apis:\n" + each(10000, "    - {match: \"GET /orders/#0\", key: k}\n"), ""},
		{"comments", oneKey + strings.Repeat("#\n", 300_000), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := write(t, t.TempDir(), "f.yaml", tt.file)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			_, err := config.Load(path)
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			// A second and 350 MB are what it takes; without the bounds, it is
			// minutes and gigabytes.
			if allocated := (after.TotalAlloc - before.TotalAlloc) >> 20; took > 30*time.Second || allocated > 1000 {
				t.Errorf("took %v and %d MB", took, allocated)
			}
			if got := fmt.Sprint(err); tt.want == "" && err != nil || tt.want != "" && !strings.Contains(got, tt.want) {
				t.Errorf("got %.300s, want %s", got, tt.want)
			}
		})
	}
}

// TestSizes: what people write for a number of bytes. 0 stands for a refusal.
func TestSizes(t *testing.T) {
	for text, want := range map[string]int64{
		"1048576": 1 << 20, "1": 1, "64MiB": 64 << 20, "64 MiB": 64 << 20, "64mib": 64 << 20, "512KiB": 512 << 10,
		"1GiB": 1 << 30, "12MB": 12e6, "12 MB": 12e6, "3kB": 3e3, "2GB": 2e9, "1.5GiB": 3 << 29, "0.5KiB": 512,
		"7B": 7, "9223372036854775806": 1<<63 - 2,
		"0": 0, "0MiB": 0, "-1": 0, "+1": 0, "1.5": 0, "0.3KiB": 0, "12M": 0, "12 KiBs": 0, "MiB": 0, "1e6": 0, "0x10": 0,
		"1_000": 0, "9223372036854775807": 0, "9223372036854775808": 0, "8589934592GiB": 0, "12MiB 3": 0, "[1]": 0, "'12  MiB'": 0,
		"99999999999999999999999999999999999999999999": 0, "''": 0, "~": 0,
	} {
		f, err := config.Load(write(t, t.TempDir(), "f.yaml", base, "    max_buffered: 9223372036854775806\n    max_body: ", text, "\n"))
		switch {
		case want == 0 && err == nil:
			t.Errorf("%s: loaded; want an error", text)
		case want == 0:
			if p := problems(t, err)[0]; p.Line != 5 || p.Field != "environments.R.max_body" {
				t.Errorf("%s: got %v; want line 5 and environments.R.max_body", text, p)
			}
		case err != nil:
			t.Errorf("%s: got %v, want %d", text, err, want)
		default:
			if c, _ := f.Config("R"); c.MaxBody != want {
				t.Errorf("%s: got %d, want %d", text, c.MaxBody, want)
			}
		}
	}
}

// TestSkewConfig_T078: a skew is a duration with its unit, above 0, at most an
// hour. 0 stands for a refusal.
func TestSkewConfig_T078(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"15m": 15 * time.Minute, "90s": 90 * time.Second, "1h": time.Hour, "59m60s": time.Hour, "0.5h": 30 * time.Minute,
		"0": 0, "0s": 0, "-5m": 0, "24h": 0, "1h1ns": 0, "1h30m": 0, "900": 0, "9.5": 0, "9999999999h": 0, "1e30": 0,
		"15 minutes": 0, "1d": 0, "m": 0, "''": 0, "": 0, "[15m]": 0, "{m: 15}": 0, ".inf": 0, ".nan": 0,
	} {
		f, err := config.Load(write(t, t.TempDir(), "f.yaml", base, "    clock_skew: ", text, "\n"))
		switch {
		case want == 0 && err == nil:
			t.Errorf("%s: loaded; want an error", text)
		case want == 0:
			if p := problems(t, err)[0]; p.Line != 4 || p.Field != "environments.R.clock_skew" {
				t.Errorf("%s: got %v; want line 4 and environments.R.clock_skew", text, p)
			}
		case err != nil:
			t.Errorf("%s: got %v, want %v", text, err, want)
		default:
			if c, _ := f.Config("R"); c.ClockSkew != want {
				t.Errorf("%s: got %v, want %v", text, c.ClockSkew, want)
			}
		}
	}
}

// TestSecretTexts: a secret is what is written, whatever YAML sees in it. Basic
// carries the secret itself, which shows what was read.
func TestSecretTexts(t *testing.T) {
	for text, want := range map[string]string{
		"12345678": "12345678", "012345": "012345", "0x1F": "0x1F", "0o17": "0o17", "1e5": "1e5", "1_000": "1_000", "+12": "+12",
		"1.50": "1.50", "true": "true", "Yes": "Yes", "off": "off", ".inf": ".inf", "2027-01-01": "2027-01-01", "-.5": "-.5",
		"a#b": "a#b", "a b": "a b", "'it''s'": "it's", `"a\tb"`: "a\tb", "'null'": "null", "'!x'": "!x", "'*x'": "*x", "a:b": "a:b",
		"123456789012345678901234567890": "123456789012345678901234567890", "|-\n        abc": "abc", ">-\n        abc\n        def": "abc def",
	} {
		f, err := config.Load(write(t, t.TempDir(), "f.yaml",
			"environments:\n  R:\n    allow_short_secrets: true\n    keys:\n    - name: k\n      type: basic\n      key: user\n      secret: ", text, "\n    default: k\n"))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		v, err := f.Verifier("R", quiet)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest("GET", "/", nil)
		r.SetBasicAuth("user", want)
		if got := verdict(v, r); got != "k" {
			t.Errorf("%s: got %s; want it to be the secret %q", text, got, want)
		}
	}
}

// FuzzLoad: no file makes Load panic; there is a file or an error, never both,
// and what loads makes a verifier. The text after "kept-from" is in no message.
func FuzzLoad(f *testing.F) {
	for _, tt := range refusals {
		f.Add(tt.file)
	}
	f.Add(base)
	f.Add(oneKey + "    require_signed: []\n    apis:\n    - {match: \"GET /a/{b}\", key: k, allow_unsigned_payload: true}\n    default: k\n")
	f.Add("environments:\r\n  R: &a {mode: off}\r\n  S: *a\r\n  T: {<<: [*a, {max_body: 1.5MiB}], mode: report}\r\n")
	f.Add("\ufeffenvironments:\n  R:\n    keys: [{name: k, type: hmac, key: i, secret: |\n      a\n      b\n    }]\n")
	f.Add("environments: {R: {keys: [{name: k, type: hmac, key: i, secret: {file: f.yaml}}]}}")
	f.Add(head + "    keys:\n    - " + aesKey + "\n    - " + strings.Replace(tokenKey, "name: k", "name: l", 1) + "\n    default: l\n")
	f.Add("environments: {R: {keys: [{name: k, type: aes, algorithm: aes-128-cfb, key: &k {file: f.yaml}, secret: *k, previous: [{key: *k, secret: *k}]}]}}")
	f.Add(oneKey + "    body_timeout: 10s\n    replay: {store: memory, max_entries: 5, exempt_methods: [GET, HEAD]}\n    apis: [{match: /a, key: k, stream: true, max_body: 5GiB}]\n")
	f.Add(oneKey + "    replay: {store: redis, url: 'redis://user:kept-from@h:1/2?client_name=c', on_unavailable: allow, timeout: 1ms, prefix: p}\n")
	f.Add(oneKey + "    replay: {store: redis, url: {file: f.yaml}}\n  S: {mode: off, replay: {store: redis, url: 'unix:///kept-from'}}\n")
	servers := new(servers)
	path := filepath.Join(f.TempDir(), "f.yaml")
	f.Fuzz(func(t *testing.T, content string) {
		must(t, os.WriteFile(path, []byte(content), 0o600))
		file, err := config.Load(path, servers.option(), smkeys.Option())
		if (file == nil) == (err == nil) {
			t.Fatalf("got file %v, error %v", file, err)
		}
		if err != nil {
			for _, p := range problems(t, err) {
				if p.Rule == "" || p.Line > strings.Count(content, "\n")+strings.Count(content, "\r")+1 {
					t.Errorf("got %q", p)
				}
			}
			return
		}
		if len(file.Environments()) == 0 {
			t.Error("a file without environments was loaded")
		}
		for _, env := range file.Environments() {
			if _, err := file.Verifier(env, quiet); err != nil {
				t.Errorf("%s: %v", env, err)
			}
		}
	})
}

// TestIndentation_T263: a line that is indented otherwise than its neighbours, or with tabs, gets
// an error that says so, whether a blank is missing or too many.
func TestIndentation_T263(t *testing.T) {
	const indented, tabs = "is not indented as the fields above it", "indent with blanks, not with tabs"
	for _, tt := range []struct{ text, line, want string }{
		{oneKey + "   default: k\n", ":5:", indented},
		{oneKey + "     default: k\n", ":5:", indented},
		{head + "    keys:\n      - name: k\n       type: hmac\n", ":5:", indented},
		{"environments:\n  R:\n   mode: enforce\n    default: k\n", ":3:", indented},
		{oneKey + "    apis:\n      - match: /a\n         key: k\n", ":6:", indented},
		{oneKey + "\tdefault: k\n", ":5:", tabs},
		{oneKey + "    \tdefault: k\n", ":5:", tabs},
		{"environments:\n\tR:\n\t\tmode: enforce\n", ":2:", tabs},
	} {
		_, err := config.Load(write(t, t.TempDir(), "f.yaml", tt.text))
		if err == nil || !strings.Contains(err.Error(), "f.yaml"+tt.line) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: got %v, want %s %s", tt.text, err, tt.line, tt.want)
		}
	}
}
