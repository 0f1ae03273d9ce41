package config_test

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core/config"
	"github.com/gatewayauth/gatewayauth/core/config/smkeys"
)

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
