package envfile_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/cmd/gatewayauth/internal/envfile"
)

const file = `environments:
  dev: &dev
    keys:
      - &key
        name: key_1
        type: hmac
        key: 071fe2459cf64d75
        secret: {env: SECRET_1}
        previous: [{secret: 012345, until: 2027-01-01T00:00:00Z}]
      - <<: *key
        name: key_2
        key: 171fe2459cf64d75
        secret: {file: second}
    default: key_1
  test:
    <<: *dev
    mode: report
    keys: [*key, {name: aes_key, type: aes, key: {env: AES_KEY}, secret: {env: AES_VECTOR}, algorithm: aes-256-cfb}]
    replay: {store: redis, url: {env: REDIS_URL}}
`

// open writes and opens the file.
func open(t *testing.T, needed ...string) (*envfile.File, error) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "environments.yaml")
	for name, text := range map[string]string{path: file, filepath.Join(dir, "second"): "secret-in-a-file\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return envfile.Open(path, needed...)
}

// TestOpen: the file as it is written, with aliases, and its keys.
func TestOpen(t *testing.T) {
	t.Setenv("SECRET_1", "first-secret-1234")
	f, err := open(t, "dev") // the secrets of test are not there
	if err != nil {
		t.Fatal(err)
	}
	if _, set := os.LookupEnv("AES_KEY"); set {
		t.Error("a stand-in was left in the environment")
	}
	e, ok := f.Environment("test")
	if !ok || e.Value("mode") != "report" || e.Value("default") != "key_1" || len(e.List("keys")) != 2 {
		t.Fatalf("%+v", e)
	}
	var places []string
	for _, ref := range e.Secrets() {
		places = append(places, ref.Path+" "+ref.Env+ref.File+ref.Text)
	}
	const prefix = "environments.test."
	want := prefix + "keys[0].secret SECRET_1\n" + prefix + "keys[0].previous[0].secret 012345\n" +
		prefix + "keys[1].secret AES_VECTOR\n" + prefix + "keys[1].key AES_KEY\n" + prefix + "replay.url REDIS_URL"
	if got := strings.ReplaceAll(strings.Join(places, "\n"), "environments.dev.", prefix); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for name, secret := range map[string]string{"key_1": "first-secret-1234", "key_2": "secret-in-a-file"} {
		key, err := f.Key("dev", name)
		if err != nil || key.Secret.Reveal() != secret || key.Type != "hmac" {
			t.Errorf("%s: %+v, %v", name, key, err)
		}
	}
	if _, err := f.Key("dev", ""); err == nil || !strings.Contains(err.Error(), "key_1, key_2") {
		t.Errorf("no name: %v", err)
	}
	if _, err := open(t); err == nil {
		t.Error("the secrets of all environments are needed, and some are not there")
	}
	if _, err := open(t, "test"); err == nil {
		t.Error("the secrets of test are needed")
	}
	if _, err := open(t, "nowhere"); err == nil || !strings.Contains(err.Error(), "dev, test") {
		t.Errorf("no such environment: %v", err)
	}
}
