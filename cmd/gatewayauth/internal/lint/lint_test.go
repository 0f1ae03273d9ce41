package lint_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/cmd/gatewayauth/internal/lint"
	"github.com/gatewayauth/gatewayauth/core/config"
	"github.com/gatewayauth/gatewayauth/core/config/redisstore"
)

var now = time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)

const good = "Zq8vLr2nXw4tKp6yZq8vLr2n"

// TestRules: each rule reports its setting with the line, and does not report similar
// settings.
func TestRules(t *testing.T) {
	t.Setenv("GOOD", good)
	t.Setenv("ANOTHER", "Yp7uKq1mWv3sJo5xYp7uKq1m")
	t.Setenv("SHORT", "Zq8vLr2n")
	t.Setenv("CHANGE", "change-me-1234567890")
	t.Setenv("REPEATED", strings.Repeat("Z", 32))
	const (
		key  = "    keys: [{name: key_1, type: hmac, key: 071fe2459cf64d75, secret: {env: GOOD}}]\n"
		tail = key + "    default: key_1\n    replay: {store: memory, exempt_methods: [GET, HEAD, OPTIONS], retries: {methods: [PUT, DELETE], within: 5s}}\n"
	)
	secret := func(text string) string {
		return strings.Replace(tail, "{env: GOOD}", text, 1)
	}
	for _, tt := range []struct {
		name, env, text string
		rules           []string
		line            int
	}{
		{"nothing", "RELEASE", tail, nil, 0},
		{"report in production", "RELEASE", "    mode: report\n" + tail, []string{"mode-report"}, 3},
		{"report in production, another name", "eu-Prod-1", "    mode: report\n" + tail, []string{"mode-report"}, 3},
		{"off in production", "live", "    mode: off\n" + key, []string{"mode-off"}, 3},
		{"report elsewhere", "staging", "    mode: report\n" + tail, nil, 0},
		{"a name that only contains the word", "products", "    mode: report\n" + tail, nil, 0},
		{"unsigned", "dev", "    allow_unsigned_payload: true\n" + tail, []string{"unsigned-payload"}, 3},
		{"unsigned, forbidden", "dev", "    allow_unsigned_payload: false\n" + tail, nil, 0},
		{"unsigned for one API", "dev", "    apis:\n      - {match: /a, key: key_1, allow_unsigned_payload: true}\n" + tail, []string{"unsigned-payload"}, 4},
		{"presigned", "dev", "    allow_presigned: true\n" + tail, []string{"presigned"}, 3},
		{"reason", "staging", "    expose_reason: true\n" + tail, []string{"expose-reason"}, 3},
		{"reason in development", "my-dev", "    expose_reason: true\n" + tail, nil, 0},
		{"host", "dev", "    require_signed: [content-type]\n" + tail, []string{"any-host", "host-not-required"}, 0},
		{"host not required, but checked by hosts", "dev", "    require_signed: [content-type]\n" + tail, nil, 0},
		{"T183 any host", "dev", tail, []string{"any-host"}, 2},
		{"T183 any host, and nothing verified", "dev", "    mode: off\n" + key, nil, 0},
		{"host, in upper case", "dev", "    require_signed: [Host]\n" + tail, nil, 0},
		{"skew", "dev", "    clock_skew: 16m\n" + tail, []string{"wide-skew"}, 3},
		{"skew of the default", "dev", "    clock_skew: 15m\n" + tail, nil, 0},
		{"no default", "dev", "    apis: [{match: GET /a, key: key_1}]\n" + key, []string{"no-default"}, 2},
		{"no bindings", "dev", key, []string{"key-unused", "no-bindings"}, 0},
		{"key without an API", "dev", "    apis: [{match: GET /a, open: true}]\n" + key, []string{"key-unused", "no-default"}, 0},
		{"open subtree", "dev", "    apis:\n      - {match: GET /a/, open: true}\n" + tail, []string{"open-subtree"}, 4},
		{"open rest of a path", "dev", "    apis:\n      - {match: '/a/{x...}', open: true}\n" + tail, []string{"open-subtree"}, 4},
		{"open folder alone", "dev", "    apis:\n      - {match: '/a/{$}', open: true}\n      - {match: /b/, key: key_1}\n" + tail, nil, 0},
		{"no replay", "dev", key + "    default: key_1\n", []string{"no-replay"}, 2},
		{"no replay, and only GET", "dev", "    apis: [{match: GET /a, key: key_1}]\n" + key, []string{"no-default"}, 2},
		{"retries of a gateway", "dev", key + "    default: key_1\n    replay: {store: memory, exempt_methods: [GET, HEAD]}\n", []string{"gateway-retries"}, 5},
		{"replay open", "dev", key + "    default: key_1\n    replay: {store: redis, url: {env: URL}, on_unavailable: allow}\n", []string{"gateway-retries", "replay-fails-open"}, 5},
		{"literal", "dev", secret(good), []string{"literal-secret"}, 3},
		{"literal placeholder", "dev", secret("changeme-changeme"), []string{"literal-secret", "placeholder-secret"}, 3},
		{"short", "dev", secret("{env: SHORT}"), []string{"gateway", "short-secret"}, 3},
		{"placeholder", "dev", secret("{env: CHANGE}"), []string{"placeholder-secret"}, 3},
		{"one character", "dev", secret("{env: REPEATED}"), []string{"weak-secret"}, 3},
		{"file", "dev", secret("{file: weak}"), []string{"placeholder-secret"}, 3},
		{"previous without end", "dev", secret("{env: GOOD}, previous: [{secret: {env: GOOD}}]"), []string{"previous-without-end"}, 3},
		{"previous that has ended", "dev", secret("{env: GOOD}, previous: [{secret: {env: GOOD}, until: 2026-01-15T12:00:00Z}]"), []string{"previous-ended"}, 3},
		{"previous that goes on", "dev", secret("{env: GOOD}, previous: [{secret: {env: GOOD}, until: 2026-01-15T12:00:01Z}]"), nil, 0},
		{"by an alias", "RELEASE", "    <<: *shared\n" + tail, []string{"presigned", "shared-secret"}, 0},
		{"T244 secret of two keys", "dev", "    keys:\n    - {name: key_1, type: hmac, key: 071fe2459cf64d75, secret: {env: GOOD}}\n    - {name: key_2, type: basic, key: user, secret: {env: GOOD}}\n    apis: [{match: GET /a, key: key_1}, {match: GET /b, key: key_2}]\n", []string{"no-default", "shared-secret"}, 0},
		{"T244 secret that two keys had", "dev", "    keys:\n    - {name: key_1, type: hmac, key: 071fe2459cf64d75, secret: {env: GOOD}}\n    - {name: key_2, type: basic, key: user, secret: {env: ANOTHER}, previous: [{secret: {env: GOOD}, until: 2027-01-01T00:00:00Z}]}\n    apis: [{match: GET /a, key: key_1}, {match: GET /b, key: key_2}]\n", []string{"no-default", "shared-secret"}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("URL", "redis://127.0.0.1:1")
			dir := t.TempDir()
			path := filepath.Join(dir, "environments.yaml")
			const hosts = "    hosts: [api.example.com]\n"
			text := "environments:\n  " + tt.env + ":\n" + tt.text
			if !slices.Contains(tt.rules, "any-host") && !strings.Contains(tt.text, "mode: off") {
				text += hosts
			}
			if strings.Contains(text, "*shared") {
				text = strings.Replace(text, "environments:\n", "environments:\n  dev: &shared\n    allow_presigned: true\n"+tail+hosts, 1)
			}
			for name, content := range map[string]string{"environments.yaml": text, "weak": "password-password\n"} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			f, err := config.Load(path, redisstore.Option())
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, x := range lint.Check(f, lint.Options{Path: path, Now: now}) {
				if tt.line > 0 && x.Line != tt.line {
					t.Errorf("%v: want line %d", x, tt.line)
				}
				if strings.Contains(x.String(), good) || strings.Contains(x.String(), "changeme-") {
					t.Errorf("%v contains the secret", x)
				}
				if !slices.Contains(got, x.Rule) {
					got = append(got, x.Rule)
				}
			}
			slices.Sort(got)
			want := slices.DeleteFunc(slices.Clone(tt.rules), func(rule string) bool { return rule == "gateway" })
			if !slices.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

// TestHonestSecrets_T189: random secrets are not reported as placeholders.
func TestHonestSecrets_T189(t *testing.T) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_!@#$%-"
	rnd := rand.New(rand.NewPCG(1, 2))
	path := filepath.Join(t.TempDir(), "environments.yaml")
	for range 40 {
		var text strings.Builder
		text.WriteString("environments:\n  dev:\n    hosts: [api.example.com]\n    keys:\n")
		for i := range 500 {
			secret := make([]byte, 16+rnd.IntN(49))
			for j := range secret {
				secret[j] = alphabet[rnd.IntN(len(alphabet))]
			}
			secret[0] = alphabet[rnd.IntN(62)]
			fmt.Fprintf(&text, "    - {name: key_%d, type: hmac, key: ACCESSKEY%07d, secret: '%s'}\n", i, i, secret)
		}
		if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := config.Load(path, redisstore.Option())
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range lint.Check(f, lint.Options{Path: path, Now: now}) {
			if x.Rule != "literal-secret" && x.Rule != "key-unused" && x.Rule != "no-bindings" {
				t.Fatalf("%v: %s", x, strings.Split(text.String(), "\n")[x.Line-1])
			}
		}
		for _, w := range f.Warnings() {
			t.Fatalf("%v: %s", w, strings.Split(text.String(), "\n")[w.Line-1])
		}
	}
}
