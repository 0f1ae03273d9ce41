package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/aescfb"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/config"
	"github.com/gatewayauth/gatewayauth/core/token"
)

// someSecrets has secrets in variables, in a file, in the text, and under aliases.
const someSecrets = `environments:
  dev: &dev
    keys:
      - &key
        name: key_1
        type: hmac
        key: 071fe2459cf64d75
        secret: {env: SECRET_1}
        previous: [{secret: kept-from-every-message, until: 2027-01-01T00:00:00Z}]
      - <<: *key
        name: key_2
        key: 171fe2459cf64d75
        secret: {file: second}
        previous: [{secret: {file: second}}]
    default: key_1
  test:
    <<: *dev
    mode: report
    keys: [*key, {name: aes_key, type: aes, key: {env: AES_KEY}, secret: {env: AES_VECTOR}, algorithm: aes-256-cfb},
      {name: iam, type: token, iam_url: 'https://iam.example.com', user: u, password: {file: absent}, domain: d, project: p}]
    replay: {store: redis, url: {env: REDIS_URL}, on_unavailable: allow}
`

// TestSecretsOfOneEnvironment: an operator needs the secrets of one environment, and
// the keys of the others have random ones.
func TestSecretsOfOneEnvironment(t *testing.T) {
	t.Setenv("SECRET_1", "first-secret-1234")
	dir := t.TempDir()
	write(t, dir, "second", "secret-in-a-file\n")
	path := write(t, dir, "f.yaml", someSecrets)
	f, err := loadAll(path, config.WithSecretsOf("dev"))
	must(t, err)
	if _, set := os.LookupEnv("AES_KEY"); set {
		t.Error("a variable was set")
	}
	want := []string{"variable AES_KEY", "variable AES_VECTOR", "file absent"}
	if got := f.Missing("test"); !slices.Equal(got, want) || f.Missing("dev") != nil {
		t.Errorf("missing: got %q, want %q", got, want)
	}
	for name, secret := range map[string]string{"key_1": "first-secret-1234", "key_2": "secret-in-a-file"} {
		key, err := f.SigningKey("dev", name)
		if err != nil || key.Secret.Reveal() != secret || key.Type != "hmac" {
			t.Errorf("%s: %+v, %v", name, key, err)
		}
	}
	if _, err := f.SigningKey("dev", ""); err == nil || !strings.Contains(err.Error(), "key_1, key_2") {
		t.Errorf("no name: %v", err)
	}
	v, err := f.Verifier("test", quiet)
	if v != nil || err == nil || !strings.Contains(err.Error(), ":16:3: environments.test: its secrets were not read") {
		t.Errorf("Verifier of test: got %v, %v", v, err)
	}
	if key, err := f.SigningKey("test", "aes_key"); err == nil || !key.Secret.IsZero() {
		t.Errorf("SigningKey of test: got %v, %v", key, err)
	}
	c, err := f.Config("test", quiet)
	must(t, err)
	defer f.Close()
	if len(c.Schemes) != 3 || c.Replay.Store == nil || c.Replay.AllowUnavailable {
		t.Errorf("Config of test: got %v", c)
	}
	if _, err := c.Replay.Store.Add(t.Context(), core.ReplayEntry{}); err == nil {
		t.Error("the store whose URL is missing is available")
	}
	for _, needed := range [][]config.LoadOption{nil, {config.WithSecretsOf("test")}, {config.WithSecretsOf("dev", "test")}} {
		if _, err := loadAll(path, needed...); len(config.Problems(err)) != 4 {
			t.Errorf("got %v, want four secrets that are not there", err)
		}
	}
	if _, err := loadAll(path, config.WithSecretsOf("nowhere")); err == nil || !strings.Contains(err.Error(), "dev, test") {
		t.Errorf("no such environment: %v", err)
	}
}

// TestWithoutSecrets: variables and files are not read, whatever they hold, and
// everything else is checked.
func TestWithoutSecrets(t *testing.T) {
	t.Setenv("SECRET_1", " ") // would be a problem
	dir := t.TempDir()
	write(t, dir, "second", "${NAME}") // would be a warning
	path := write(t, dir, "f.yaml", someSecrets)
	f, err := loadAll(path, config.WithoutSecrets())
	must(t, err)
	if len(f.Warnings()) != 0 || !slices.Equal(f.Missing("dev"), []string{"variable SECRET_1", "file second"}) {
		t.Errorf("got %v, %q", f.Warnings(), f.Missing("dev"))
	}
	var places []string
	for _, o := range f.Outlines() {
		for _, s := range o.Secrets {
			places = append(places, fmt.Sprintf("%d %s %s %t %t", s.Line, s.Field, s.Key, s.Literal, s.Value.IsZero()))
		}
	}
	want := `8 environments.dev.keys[0].secret key_1 false true
9 environments.dev.keys[0].previous[0].secret key_1 true false
13 environments.dev.keys[1].secret key_2 false true
14 environments.dev.keys[1].previous[0].secret key_2 false true
8 environments.test.keys[0].secret key_1 false true
9 environments.test.keys[0].previous[0].secret key_1 true false
19 environments.test.keys[1].key aes_key false true
19 environments.test.keys[1].secret aes_key false true
20 environments.test.keys[2].password iam false true
21 environments.test.replay.url  false true`
	if got := strings.Join(places, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	test := f.Outlines()[1]
	if test.Name != "test" || test.Config.Mode.String() != "report" || test.Config.Default != "key_1" || !test.Replay || len(test.Keys) != 3 ||
		test.Keys[0].ID != "071fe2459cf64d75" || test.Keys[2].ID != "iam" || !test.Keys[0].Previous[0].Equal(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("got %+v", test)
	}
	if p := test.Place("mode"); p.Line != 18 || p.Field != "environments.test.mode" || test.Place("hosts").Field != "environments.test" {
		t.Errorf("mode is at %v, hosts at %v", p, test.Place("hosts"))
	}
	// The random secrets differ, and are none that a request could be signed with.
	c, err := f.Config("dev", quiet)
	must(t, err)
	first, err := c.Schemes[0].Keys().Key(t.Context(), "071fe2459cf64d75")
	must(t, err)
	second, err := c.Schemes[0].Keys().Key(t.Context(), "171fe2459cf64d75")
	must(t, err)
	if one, two := first.Secret.Reveal(), second.Secret.Reveal(); len(one) < 26 || one == two {
		t.Errorf("got the secrets %q and %q", one, two)
	}
	write(t, dir, "f.yaml", oneKey, "    replay: {store: redis, url: {env: REDIS_URL}}\n")
	f, err = loadAll(path, config.WithoutSecrets())
	must(t, err)
	if v, err := f.Verifier("R", quiet); v != nil || err == nil || f.Missing("R") != nil {
		t.Errorf("the URL alone is missing: got %v, %v, %q", v, err, f.Missing("R"))
	}
	write(t, dir, "f.yaml", strings.Replace(someSecrets, "default: key_1", "default: nobody", 1))
	if _, err := loadAll(path, config.WithoutSecrets()); len(config.Problems(err)) != 2 {
		t.Errorf("an unknown key: got %v", err)
	}
}

// TestSecretFiles: one line break at the end does not count, anything else does;
// paths are relative to the environments file, and links are followed.
func TestSecretFiles(t *testing.T) {
	for content, want := range map[string]string{
		"secret": "secret", "secret\n": "secret", "secret\r\n": "secret", "secret\n\n": "secret\n", "secret\r": "secret\r",
		" secret \n": " secret ", "\xff\xfe": "\xff\xfe", "\n\ns\n": "\n\ns",
	} {
		dir := t.TempDir()
		must(t, os.Mkdir(filepath.Join(dir, "below"), 0o700))
		write(t, filepath.Join(dir, "below"), "it", content)
		must(t, os.Symlink(filepath.Join("below", "it"), filepath.Join(dir, "link")))
		for _, path := range []string{"below/it", "link", filepath.Join(dir, "below", "it"), "below/../link"} {
			f, err := loadAll(write(t, dir, "f.yaml", head,
				"    allow_short_secrets: true\n    keys: [{name: k, type: hmac, key: 071fe2459cf64d75, secret: {file: ", path, "}}]\n    default: k\n"))
			if err != nil {
				t.Errorf("%q in %s: %v", content, path, err)
				continue
			}
			v, err := f.Verifier("R", quiet)
			must(t, err)
			if got := verdict(v, signed(t, "GET", "/", want)); got != "k" {
				t.Errorf("%q in %s: got %s; want the secret %q", content, path, got, want)
			}
		}
	}
}

// TestSessionToken takes the forms of a secret and is asked of requests.
func TestSessionToken(t *testing.T) {
	t.Setenv("GATEWAYAUTH_TOKEN", "token-1")
	v := verifier(t, head,
		"    keys: [{name: k, type: hmac, key: 071fe2459cf64d75, secret: kept-from-every-message-1, session_token: {env: GATEWAYAUTH_TOKEN}}]\n    default: k\n")
	for token, want := range map[string]string{"token-1": "k", "token-2": "signature_mismatch", "": "signature_mismatch"} {
		key := core.Key{Name: "k", ID: keyID, Secret: core.NewSecret(secret), SessionToken: core.NewSecret(token)}
		if got := verdict(v, signedWith(t, apig.NewSigner(key, apig.SignOptions{}), "GET", "/")); got != want {
			t.Errorf("token %q: got %s, want %s", token, got, want)
		}
	}
}

// TestPreviousUntil: an earlier secret is accepted until its instant.
func TestPreviousUntil(t *testing.T) {
	v := verifier(t, head, `    keys:
    - name: k
      type: hmac
      key: 071fe2459cf64d75
      secret: kept-from-every-message-1
      previous: [{secret: ended-one, until: 2020-01-01T00:00:00Z}, {secret: lasts-long, until: "2999-01-01T00:00:00+02:00"}, {secret: always-good}]
    default: k
`)
	for s, want := range map[string]string{secret: "k", "ended-one": "signature_mismatch", "lasts-long": "k", "always-good": "k"} {
		if got := verdict(v, signed(t, "GET", "/", s)); got != want {
			t.Errorf("%s: got %s, want %s", s, got, want)
		}
	}
}

// blanks are texts without a visible character.
var blanks = []string{" ", "\n", " \n", "\n\n", "\r\n\r\n", "\t \t", "\u00a0", "\ufeff", "\ufeff\n", "\u200b\u2060", "\u3000", "\u2028",
	"\x00\x00\x00", "\x01\x7f", "\u00ad", "\u3164", strings.Repeat(" ", 16), strings.Repeat(" ", 32), strings.Repeat("\x00", 16)}

// secretFields are, by type, the fields that hold a secret.
var secretFields = []struct{ key, fields string }{
	{"name: k, type: hmac, key: i", "secret session_token previous.secret"},
	{"name: k, type: basic, key: i", "secret previous.secret"},
	{"name: k, type: aksk, key: i, region: r, service: s", "secret session_token previous.secret"},
	{"name: k, type: v11, key: i, region: r, service: s", "secret session_token previous.secret"},
	{"name: k, type: ecdsa-p256, key: i", "secret session_token previous.secret"},
	{"name: k, type: hmac-sm3, key: i", "secret session_token previous.secret"},
	{"name: k, type: sm2, key: i", "secret session_token previous.secret"},
	{"name: k, type: sigv4, key: i, region: r, service: s", "secret session_token previous.secret"},
	{"name: k, type: sigv4a, key: i, region: r, service: s", "secret session_token previous.secret"},
	{"name: k, type: aes", "key secret previous.key previous.secret"},
	{"name: k, type: token, iam_url: 'https://iam.example.com'", "password user! domain! project!"},
}

// TestBlankSecrets_T177: a secret without a visible character is an error at its
// place, in every field, form and type, and so is a blank account of a token.
func TestBlankSecrets_T177(t *testing.T) {
	const fine = "0123456789abcdef"
	dir := t.TempDir()
	for _, tt := range secretFields {
		all := strings.Fields(tt.fields)
		for _, field := range all {
			name, isText := strings.CutSuffix(field, "!")
			for i, blank := range append(blanks, "") {
				for _, form := range []string{"literal", "env", "file"} {
					if form == "env" && strings.Contains(blank, "\x00") || form != "literal" && isText || form == "literal" && blank == "" {
						continue // cannot be set; has no such form; is none
					}
					value, suffix := strconv.QuoteToASCII(blank), "" // YAML reads what Go writes
					switch form {
					case "env":
						t.Setenv("GATEWAYAUTH_BLANK", blank)
						value, suffix = "{env: GATEWAYAUTH_BLANK}", ".env"
					case "file":
						value, suffix = "{file: "+strconv.Itoa(i)+"}", ".file"
						must(t, os.WriteFile(filepath.Join(dir, strconv.Itoa(i)), []byte(blank), 0o600))
					}
					key := tt.key
					for _, other := range all { // the required ones
						other = strings.TrimSuffix(other, "!")
						if other != name && other != "session_token" && !strings.HasPrefix(other, "previous.") {
							key += ", " + other + ": " + fine
						}
					}
					place := name
					if rest, earlier := strings.CutPrefix(name, "previous."); earlier {
						place = "previous[0]." + rest
						key += ", previous: [{" + rest + ": " + value + "}]"
					} else {
						key += ", " + name + ": " + value
					}
					_, err := loadAll(write(t, dir, "f.yaml", head, "    keys:\n    - {", key, "}\n    default: k\n"))
					if err == nil {
						t.Errorf("%s: %s %s %q: no error", tt.key, form, name, blank)
						continue
					}
					want := fmt.Sprintf("f.yaml:4: environments.R.keys[0].%s%s: ", place, suffix)
					if got := withoutColumns(err.Error()); !strings.Contains(got, want) || strings.Contains(got, "\n") ||
						!strings.Contains(got, "blank") && !strings.Contains(got, "empty") {
						t.Errorf("%s: %s %s %q: got %v\nwant one problem at %s", tt.key, form, name, blank, err, want)
					}
				}
			}
		}
	}
}

// TestBlankSecretsOfPrograms_T177: no scheme takes a blank secret from a program
// either, and a source of keys that gives one is as good as none.
func TestBlankSecretsOfPrograms_T177(t *testing.T) {
	fine := core.NewSecret("0123456789abcdef")
	for _, text := range blanks {
		blank := core.NewSecret(text)
		if !blank.IsBlank() || blank.IsZero() {
			t.Errorf("%q: blank %v, zero %v", text, blank.IsBlank(), blank.IsZero())
		}
		for name, scheme := range map[string]core.Scheme{
			"secret":        apig.New(apig.Config{Keys: core.Keys(core.Key{Name: "k", ID: "i", Secret: blank})}),
			"previous":      apig.New(apig.Config{Keys: core.Keys(core.Key{Name: "k", ID: "i", Secret: fine, Previous: []core.PreviousSecret{{Secret: blank}}})}),
			"session token": apig.New(apig.Config{Keys: core.Keys(core.Key{Name: "k", ID: "i", Secret: fine, SessionToken: blank})}),
			"id":            apig.New(apig.Config{Keys: core.Keys(core.Key{Name: "k", ID: text, Secret: fine})}),
			"aes key":       aescfb.New(aescfb.Config{Keys: []aescfb.Key{{Name: "k", Key: blank, Vector: fine}}}),
			"aes vector":    aescfb.New(aescfb.Config{Keys: []aescfb.Key{{Name: "k", Key: fine, Vector: blank}}}),
			"previous aes key": aescfb.New(aescfb.Config{Keys: []aescfb.Key{{Name: "k", Key: fine, Vector: fine,
				Previous: []aescfb.Previous{{Key: blank}}}}}),
			"previous aes vector": aescfb.New(aescfb.Config{Keys: []aescfb.Key{{Name: "k", Key: fine, Vector: fine,
				Previous: []aescfb.Previous{{Vector: blank}}}}}),
			"password": token.New(token.Config{Keys: []token.Key{{Name: "k", IAMURL: "https://iam.example.com",
				User: "u", Password: blank, Domain: "d", Project: "p"}}}),
			"user": token.New(token.Config{Keys: []token.Key{{Name: "k", IAMURL: "https://iam.example.com",
				User: text, Password: fine, Domain: "d", Project: "p"}}}),
		} {
			_, err := core.New(core.Config{Environment: "R", Schemes: []core.Scheme{scheme}, Default: "k"})
			if err == nil || name != "id" && !strings.Contains(err.Error(), "blank") {
				t.Errorf("%s %q: got %v", name, text, err)
			}
		}
	}
	for _, text := range []string{"s", " s", "\x00s", "\xff", "\ufeffs", "é", "密"} {
		if core.NewSecret(text).IsBlank() {
			t.Errorf("%q is blank", text)
		}
	}
}
