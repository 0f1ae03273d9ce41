package config_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core/config"
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
    replay: {store: redis, url: {env: REDIS_URL}}
`

// TestSecretsOfOneEnvironment: an operator needs the secrets of one environment, and
// the keys of the others have random ones.
func TestSecretsOfOneEnvironment(t *testing.T) {
	t.Setenv("SECRET_1", "first-secret-1234")
	dir := t.TempDir()
	write(t, dir, "second", "secret-in-a-file\n")
	path := write(t, dir, "f.yaml", someSecrets)
	f, err := config.Load(path, config.WithSecretsOf("dev"))
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
	if v != nil || err == nil || !strings.Contains(err.Error(), ":16: environments.test: its secrets were not read") {
		t.Errorf("Verifier of test: got %v, %v", v, err)
	}
	if key, err := f.SigningKey("test", "aes_key"); err == nil || !key.Secret.IsZero() {
		t.Errorf("SigningKey of test: got %v, %v", key, err)
	}
	c, err := f.Config("test", quiet)
	must(t, err)
	defer f.Close()
	if len(c.Schemes) != 3 || c.Replay.Store == nil {
		t.Errorf("Config of test: got %v", c)
	}
	for _, needed := range [][]config.LoadOption{nil, {config.WithSecretsOf("test")}, {config.WithSecretsOf("dev", "test")}} {
		if _, err := config.Load(path, needed...); len(config.Problems(err)) != 4 {
			t.Errorf("got %v, want four secrets that are not there", err)
		}
	}
	if _, err := config.Load(path, config.WithSecretsOf("nowhere")); err == nil || !strings.Contains(err.Error(), "dev, test") {
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
	f, err := config.Load(path, config.WithoutSecrets())
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
	write(t, dir, "f.yaml", strings.Replace(someSecrets, "default: key_1", "default: nobody", 1))
	if _, err := config.Load(path, config.WithoutSecrets()); len(config.Problems(err)) != 2 {
		t.Errorf("an unknown key: got %v", err)
	}
}
