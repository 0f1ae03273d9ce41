package config_test

import (
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/config"
	"github.com/gatewayauth/gatewayauth/core/signer"
)

// TestMain fails where a goroutine is left when all tests have ended.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// head starts an environment.
const head = "environments:\n  R:\n"

// oneKey is a list of one key on lines 3 and 4, as most of the rows need it.
const oneKey = head + "    keys:\n    - {name: k, type: hmac, key: 071fe2459cf64d75, secret: kept-from-every-message-1}\n"

// aesKey and tokenKey are keys whose id is their name.
const (
	aesKey   = "{name: k, type: aes, key: kept-from-16-000, secret: kept-from-16-000}"
	tokenKey = "{name: k, type: token, iam_url: 'https://iam.example.com', user: u, password: kept-from-every-message-1, domain: d, project: p}"
)

// base is an environment R with one key k, open at its end for more lines.
const base = `environments:
  R:
    keys: [{name: k, type: hmac, key: 071fe2459cf64d75, secret: kept-from-every-message-1}]
`

func hexOf(b []byte) string { return hex.EncodeToString(b) }

const (
	keyID  = "071fe2459cf64d75"
	secret = "kept-from-every-message-1"
)

var quiet = config.WithLogger(slog.New(slog.DiscardHandler))

// write puts a file into the folder, its parts joined.
func write(t testing.TB, dir, name string, parts ...string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	must(t, os.WriteFile(path, []byte(strings.Join(parts, "")), 0o600))
	return path
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// signed returns a request signed with the secret of the key keyID.
func signed(t testing.TB, method, target, secret string) *http.Request {
	t.Helper()
	return signedWith(t, apig.NewSigner(core.Key{Name: "k", ID: keyID, Secret: core.NewSecret(secret)}, apig.SignOptions{}), method, target)
}

func signedWith(t testing.TB, s signer.Signer, method, target string) *http.Request {
	t.Helper()
	r := httptest.NewRequest(method, target, nil)
	r.RequestURI = "" // as a client has it
	h := s.NewHash()
	if err := s.Sign(r, hexOf(h.Sum(nil)), time.Now()); err != nil {
		t.Fatal(err)
	}
	r.RequestURI = r.URL.RequestURI()
	return r
}

// verifier returns a Verifier of the environment R of a file.
func verifier(t testing.TB, parts ...string) *core.Verifier {
	t.Helper()
	f, err := config.Load(write(t, t.TempDir(), "f.yaml", parts...))
	must(t, err)
	v, err := f.Verifier("R", quiet)
	must(t, err)
	return v
}

// verdict is the code of a refusal, or the key that a request was signed with.
func verdict(v *core.Verifier, r *http.Request) string {
	id, err := v.Verify(r)
	if err != nil {
		return string(core.CodeOf(err))
	}
	return id.Key()
}

// problems returns every problem of an error from Load.
func problems(t *testing.T, err error) (all []*config.Problem) {
	t.Helper()
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("got %T %v; want joined problems", err, err)
	}
	for _, err := range joined.Unwrap() {
		p, ok := errors.AsType[*config.Problem](err)
		if !ok {
			t.Fatalf("got %T %v; want a *config.Problem", err, err)
		}
		all = append(all, p)
	}
	return all
}

var column = regexp.MustCompile(`(:[0-9]+):[0-9]+: `)

// withoutColumns returns problems without their columns, which TestColumns_T240 checks.
func withoutColumns(text string) string { return column.ReplaceAllString(text, "$1: ") }
