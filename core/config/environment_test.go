package config_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core/config"
)

// TestOnlyTheSecretsOfTheEnvironment: a process in production needs not have
// the secrets of the tests, but the whole file must be right.
func TestOnlyTheSecretsOfTheEnvironment(t *testing.T) {
	const text = `environments:
  RELEASE:
    keys: [{name: release_key, type: hmac, key: 071fe2459cf64d75, secret: {env: RELEASE_SECRET_OF_THIS_TEST}}]
    default: release_key
  TEST:
    keys: [{name: test_key, type: hmac, key: 171fe2459cf64d75, secret: {file: not-here}}]
    default: test_key
`
	t.Setenv("RELEASE_SECRET_OF_THIS_TEST", "release-secret-0123")
	path := filepath.Join(t.TempDir(), "environments.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	watch := func(env string) error {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		_, err := config.Watch(ctx, path, env, config.WithLogger(slog.New(slog.DiscardHandler)))
		return err
	}
	write(text)
	if err := watch("RELEASE"); err != nil {
		t.Errorf("RELEASE, whose secret is there: %v", err)
	}
	const missing = ":6: environments.TEST.keys[0].secret.file: the file does not exist"
	if err := watch("TEST"); err == nil || err.Error() != path+missing {
		t.Errorf("TEST: got %v, want %s", err, missing)
	}
	if _, err := config.Load(path); err == nil || err.Error() != path+missing {
		t.Errorf("Load: got %v, want %s", err, missing)
	}
	if err := watch("OTHER"); err == nil || !strings.Contains(err.Error(), "there are: RELEASE, TEST") {
		t.Errorf("OTHER: got %v", err)
	}
	write(strings.Replace(text, "default: test_key", "default: nobody", 1))
	if err := watch("RELEASE"); err == nil || !strings.Contains(err.Error(), "environments.TEST.default") {
		t.Errorf("a mistake in TEST: got %v", err)
	}
	write(strings.Replace(text, "{file: not-here}", "test-secret-012345", 1))
	f, err := config.Load(path)
	if err != nil || !slices.Equal(f.Environments(), []string{"RELEASE", "TEST"}) {
		t.Errorf("whole: got %v", err)
	}
}

// TestHostPatterns: a host may bind a key, but opens nothing.
func TestHostPatterns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "environments.yaml")
	for api, want := range map[string]string{
		"key: k1": "", "open: true": path + ":4: environments.RELEASE.apis[0].match: open to whoever sends that host; leave the host out",
	} {
		text := "environments:\n  RELEASE:\n    keys: [{name: k1_key, type: hmac, key: 071fe2459cf64d75, secret: release-secret-0123}]\n" +
			"    apis: [{match: \"GET admin.example.com/\", " + strings.Replace(api, "k1", "k1_key", 1) + "}]\n"
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got := ""
		if _, err := config.Load(path); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", api, got, want)
		}
	}
}
