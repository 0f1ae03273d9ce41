package config_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/config"
)

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
			f, err := config.Load(write(t, dir, "f.yaml", head,
				"    keys: [{name: k, type: hmac, key: 071fe2459cf64d75, secret: {file: ", path, "}}]\n    default: k\n"))
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
	f, err := config.Load(write(t, t.TempDir(), "f.yaml", head,
		"    keys: [{name: k, type: hmac, key: 071fe2459cf64d75, secret: kept-from-every-message-1, session_token: {env: GATEWAYAUTH_TOKEN}}]\n    default: k\n"))
	must(t, err)
	v, err := f.Verifier("R", quiet)
	must(t, err)
	for token, want := range map[string]string{"token-1": "k", "token-2": "signature_mismatch", "": "signature_mismatch"} {
		key := core.Key{Name: "k", ID: keyID, Secret: core.NewSecret(secret), SessionToken: core.NewSecret(token)}
		if got := verdict(v, signedWith(t, apig.NewSigner(key, apig.SignOptions{}), "GET", "/")); got != want {
			t.Errorf("token %q: got %s, want %s", token, got, want)
		}
	}
}

// TestPreviousUntil: an earlier secret is accepted until its instant.
func TestPreviousUntil(t *testing.T) {
	f, err := config.Load(write(t, t.TempDir(), "f.yaml", head, `    keys:
    - name: k
      type: hmac
      key: 071fe2459cf64d75
      secret: kept-from-every-message-1
      previous: [{secret: ended, until: 2020-01-01T00:00:00Z}, {secret: lasts, until: "2999-01-01T00:00:00+02:00"}, {secret: always}]
    default: k
`))
	must(t, err)
	v, err := f.Verifier("R", quiet)
	must(t, err)
	for s, want := range map[string]string{secret: "k", "ended": "signature_mismatch", "lasts": "k", "always": "k"} {
		if got := verdict(v, signed(t, "GET", "/", s)); got != want {
			t.Errorf("%s: got %s, want %s", s, got, want)
		}
	}
}
