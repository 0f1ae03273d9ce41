package config_test

import (
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/gatewayauth/gatewayauth/core/config"
)

// Alphabets of honest values.
const (
	alnum     = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	gateway   = alnum + "_!@#$%-"
	aesSet    = alnum + "_!@#$%+/=-"
	base64Set = alnum + "+/"
)

func some(rnd *rand.Rand, alphabet string, least, most int) string {
	b := make([]byte, least+rnd.IntN(most-least+1))
	for i := range b {
		b[i] = alphabet[rnd.IntN(len(alphabet))]
	}
	return string(b)
}

// honest are values as gateways, clouds and generators of passwords make them.
var honest = map[string]func(*rand.Rand) string{
	"gateway": func(r *rand.Rand) string { return some(r, alnum, 1, 1) + some(r, gateway, 15, 63) },
	"base64":  func(r *rand.Rand) string { return some(r, base64Set, 40, 40) },
	"token":   func(r *rand.Rand) string { return some(r, base64Set, 100, 400) + strings.Repeat("=", r.IntN(3)) },
	"16":      func(r *rand.Rand) string { return some(r, alnum+"+/", 1, 1) + some(r, aesSet, 15, 15) },
	"32":      func(r *rand.Rand) string { return some(r, alnum+"+/", 1, 1) + some(r, aesSet, 31, 31) },
	"password": func(r *rand.Rand) string {
		var all []byte
		for c := byte('!'); c <= '~'; c++ {
			all = append(all, c)
		}
		text := some(r, alnum, 1, 1) + some(r, string(all), 14, 40) // a quote at both ends would be warned of
		if r.IntN(4) == 0 {
			text = "correct " + some(r, alnum, 5, 9) + ` battery "` + some(r, alnum, 3, 9) + "ä 'x"
		}
		return text
	},
	"redis": func(r *rand.Rand) string {
		u := url.URL{Scheme: []string{"redis", "rediss"}[r.IntN(2)], Host: []string{"redis:6379", "[::1]:6379", "10.0.0.1"}[r.IntN(3)], Path: "/3",
			User: url.UserPassword("svc", some(r, gateway+"+/=:;{}<>", 8, 40))}
		return u.String()
	},
	"iam": func(r *rand.Rand) string {
		return "https://iam-" + strings.ToLower(some(r, alnum, 1, 9)) + ".example.com:443/v3"
	},
}

// holders are the places of secrets and addresses: key types with their fields.
var holders = []struct{ place, values, key string }{
	{"secret", "gateway", "type: hmac, key: ID, secret: VALUE"},
	{"session_token", "token", "type: hmac, key: ID, secret: 0123456789abcdef, session_token: VALUE"},
	{"previous[0].secret", "gateway", "type: hmac, key: ID, secret: 0123456789abcdef, previous: [{secret: VALUE}]"},
	{"secret", "gateway", "type: basic, key: ID, secret: VALUE"},
	{"previous[0].secret", "gateway", "type: basic, key: ID, secret: 0123456789abcdef, previous: [{secret: VALUE}]"},
	{"secret", "base64", "type: aksk, key: ID, secret: VALUE, region: r, service: s"},
	{"secret", "base64", "type: v11, key: ID, secret: VALUE, region: r, service: s"},
	{"secret", "gateway", "type: ecdsa-p256, key: ID, secret: VALUE"},
	{"secret", "gateway", "type: hmac-sm3, key: ID, secret: VALUE"},
	{"previous[0].secret", "gateway", "type: sm2, key: ID, secret: 0123456789abcdef, previous: [{secret: VALUE}]"},
	{"secret", "base64", "type: sigv4, key: ID, secret: VALUE, region: r, service: s"},
	{"session_token", "token", "type: sigv4, key: ID, secret: 0123456789abcdef, region: r, service: s, session_token: VALUE"},
	{"secret", "base64", "type: sigv4a, key: ID, secret: VALUE, region: r, service: s"},
	{"key", "16", "type: aes, key: VALUE, secret: 0123456789abcdef"},
	{"key", "32", "type: aes, key: VALUE, secret: 0123456789abcdef"},
	{"secret", "16", "type: aes, key: 0123456789abcdef, secret: VALUE"},
	{"previous[0].secret", "16", "type: aes, key: 0123456789abcdef, secret: 0123456789abcdef, previous: [{secret: VALUE}]"},
	{"password", "password", "type: token, iam_url: 'https://iam', user: u, password: VALUE, domain: d, project: p"},
}

// load loads a file with the keys of the holders and their values, each in a file of
// its own, and the Redis URL and iam_url where they are set. It returns what is said
// about each, by field.
func load(t *testing.T, which []int, values []string, redis, iam string) map[string]string {
	t.Helper()
	dir := t.TempDir()
	var keys strings.Builder
	for _, i := range which {
		name := fmt.Sprint("v", i)
		write(t, dir, name, values[i], lineEnd(values[i]))
		text := strings.ReplaceAll(strings.ReplaceAll(holders[i].key, "ID", fmt.Sprintf("ACCESSKEY%07d", i)), "VALUE", "{file: "+name+"}")
		fmt.Fprintf(&keys, "    - {name: key_%d, %s}\n", i, text)
	}
	if iam != "" {
		fmt.Fprintf(&keys, "    - {name: key_iam, type: token, iam_url: %q, user: u, password: 0123456789abcdef, domain: d, project: p}\n", iam)
	}
	text := head
	if redis != "" {
		write(t, dir, "redis", redis, lineEnd(redis))
		text += "    replay: {store: redis, url: {file: redis}}\n"
	}
	keys.WriteString("    - {name: key_last, type: hmac, key: 0123456789abcdef, secret: 0123456789abcdef}\n")
	f, err := loadAll(write(t, dir, "f.yaml", text, "    keys:\n", keys.String()))
	var problems []error
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		problems = many.Unwrap()
	}
	if err == nil {
		for _, p := range f.Warnings() {
			problems = append(problems, p)
		}
	}
	said := map[string]string{}
	for _, err := range problems {
		p, ok := err.(*config.Problem)
		if !ok {
			t.Fatal(err)
		}
		said[strings.TrimSuffix(strings.TrimPrefix(p.Field, "environments.R."), ".file")] += p.Rule
	}
	return said
}

// lineEnd ends a file as editors do; not after a CR, with which it would be one line end.
func lineEnd(value string) string {
	if strings.HasSuffix(value, "\r") {
		return ""
	}
	return "\n"
}

// every are the indices of holders.
func every() (all []int) {
	for i := range holders {
		all = append(all, i)
	}
	return all
}

func honestValues(rnd *rand.Rand) (values []string, redis, iam string) {
	for _, h := range holders {
		values = append(values, honest[h.values](rnd))
	}
	return values, honest["redis"](rnd), honest["iam"](rnd)
}

// TestHonestSecrets_T189: nothing is said about values as they should be.
func TestHonestSecrets_T189(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		values, redis, iam := honestValues(rnd)
		for field, said := range load(t, every(), values, redis, iam) {
			t.Errorf("%s: %s\n%q %s %s", field, said, values, redis, iam)
		}
	}
}

func utf16le(text string) string {
	var b strings.Builder
	for _, c := range utf16.Encode([]rune(text)) {
		b.Write([]byte{byte(c), byte(c >> 8)})
	}
	return b.String()
}

// wrappers put something around a value, or give what stands in its place.
var wrappers = map[string]func(string) string{}

func init() {
	for _, around := range []string{
		"${|}", "${ORDERS_SECRET}", "${ORDERS_SECRET:-|}", "$ORDERS_SECRET", "$(ORDERS_SECRET)", "$(cat |)", "%ORDERS_SECRET%", "#{|}#", "@ORDERS_SECRET@",
		"__ORDERS_SECRET__", "{{ .Values.x }}", "{{|}}", "{{- | -}}", "{% | %}", "<%= | %>", "((|))", "<secret>", "<your-secret-here>",
		"ENC[|]", "ENC[AES256_GCM,data:|,type:str]", "ENC(|)", "{cipher}|", "$ANSIBLE_VAULT;1.1;AES256", "$ANSIBLE_VAULT;1.1;AES256\n|",
		"arn:aws:secretsmanager:eu-central-1:123456789012:secret:|", "op://vault/item/|", "vault:|", "vault:v1:|", "ssm:/orders/|", "gcp-sm://p/|", "sops:|",
		"projects/x/secrets/y/versions/z", "projects/123/secrets/|", "@Microsoft.KeyVault(SecretUri=https://x/|)", "ref+vault://x#/|", "vault://|", "file:///run/|",
		"!Ref |", "!Sub |", "!vault |", "/run/secrets/orders", "./secrets/|",
		"ORDERS_SECRET=|", "export ORDERS_SECRET=|", "export X=|", `SECRET="|"`, "PASSWORD=|", "API_KEY=|", "secret: |",
		"-----BEGIN PRIVATE KEY-----\n|\n-----END PRIVATE KEY-----", `{"secret":"|"}`,
		"|\n", "|\r", "|\r\n", "|\n\n", "\n|", " |", "| ", "\t|", "|\t", "\u00a0|", "|\u200b", `"|"`, "'|'", "`|`", "“|”", ` "|" `, "\"|\"\n", "\ufeff|", "|\nmore", "|\x07x",
	} {
		wrappers[around] = func(value string) string { return strings.Replace(around, "|", value, 1) }
	}
	wrappers["UTF-16"] = utf16le
	wrappers["UTF-16 with a mark"] = func(value string) string { return "\xff\xfe" + utf16le(value) }
	wrappers["UTF-16, big-endian"] = func(value string) string { return "\xfe\xff" + utf16le(value) }
}

// TestOddSecrets_T189: whatever stands around a value, or in its place, is told in
// every place that takes a secret, and nothing of the value is.
func TestOddSecrets_T189(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for _, around := range []string{"a-${ORDERS}-|", "|{{ .x }}", "|$(x)"} { // those with a part of a secret
		value := honest["gateway"](rnd)
		said := load(t, []int{0}, []string{strings.Replace(around, "|", value, 1)}, "", "")
		if text := said["keys[0].secret"]; !strings.Contains(text, "has a ") || strings.Contains(text, value) {
			t.Errorf("%s: got %q", around, text)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(wrappers)) {
		wrap := wrappers[name]
		values, redis, iam := honestValues(rnd)
		wrapped := make([]string, len(values))
		for i, v := range values {
			wrapped[i] = wrap(v)
		}
		check := func(said map[string]string, field, value string) {
			t.Helper()
			text := said[field]
			if !strings.Contains(text, "looks like ") && !strings.Contains(text, " part of it") && !strings.Contains(text, "has a ") {
				t.Errorf("%s around %q, %s: got %q", name, value, field, text)
			}
			if strings.Contains(text, value) {
				t.Errorf("%s, %s: the value is in %q", name, field, text)
			}
		}
		// Those that are too long, or no URL, are errors and so come alone.
		var long []int
		for i, h := range holders {
			if strings.Contains(h.key, "type: aes") {
				check(load(t, []int{i}, wrapped, "", ""), "keys[0]."+h.place, values[i])
			} else {
				long = append(long, i)
			}
		}
		said := load(t, long, wrapped, "", "")
		for at, i := range long {
			check(said, fmt.Sprintf("keys[%d].%s", at, holders[i].place), values[i])
		}
		check(load(t, nil, nil, wrap(redis), ""), "replay.url", redis)
		if text := wrap(iam); utf8.ValidString(text) && !strings.Contains(text, "\x00") { // it is text of the file
			check(load(t, nil, nil, "", text), "keys[0].iam_url", iam)
		}
	}
}

// TestOddAddresses_T189: references are found in a part of an address as well.
func TestOddAddresses_T189(t *testing.T) {
	for _, reference := range []string{"${REDIS_PASSWORD}", "$(REDIS_PASSWORD)", "$REDIS_PASSWORD", "{{ .Values.x }}", "{{.x}}", "<password>", "ENC[AES]", "%REDIS_PASSWORD%", "#{x}", "<%= x %>"} {
		for _, address := range []string{"redis://:|@redis:6379", "redis://svc:|@redis", "redis://|:6379", "redis://|"} {
			said := load(t, nil, nil, strings.Replace(address, "|", reference, 1), "")
			if text := said["replay.url"]; !strings.Contains(text, "has a") && !strings.Contains(text, "has an") {
				t.Errorf("%s in %s: got %q", reference, address, text)
			}
		}
	}
}

// TestOddForms_T189: the three forms of a secret are told alike, and logged without
// the value when the environment is loaded.
func TestOddForms_T189(t *testing.T) {
	for name, value := range map[string]string{"a reference": "${kept-from-it-123}", "quotes": `"kept-from-it-1234"`, "a blank": "kept-from-it-1234 ", "a line break": "kept-from-it-1234\n"} {
		for form, text := range map[string]string{"env": "{env: ODD}", "file": "{file: odd}", "literal": fmt.Sprintf("%q", value)} {
			t.Setenv("ODD", value)
			dir := t.TempDir()
			must(t, os.WriteFile(filepath.Join(dir, "odd"), []byte(value+"\n"), 0o600))
			f, err := loadAll(write(t, dir, "f.yaml", head, "    keys: [{name: key, type: hmac, key: 071fe2459cf64d75, secret: ", text, "}]\n    default: key\n"))
			must(t, err)
			var log strings.Builder
			_, err = f.Verifier("R", config.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
			must(t, err)
			all := f.Warnings()
			if len(all) != 1 || !strings.HasSuffix(all[0].Rule, ": the value itself is used") || all[0].Line != 3 {
				t.Errorf("%s, %s: got %v", name, form, all)
			}
			if strings.Contains(log.String()+fmt.Sprint(all), "kept-from") || strings.Count(log.String(), "level=WARN") != 1 {
				t.Errorf("%s, %s: logged %s", name, form, &log)
			}
		}
	}
}
