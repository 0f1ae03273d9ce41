package config_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/aescfb"
	"github.com/gatewayauth/gatewayauth/core/config"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
)

// TestEveryType: what is signed with a key of the file, of each type that signs,
// verifies with this key, and with no other key of the file.
func TestEveryType(t *testing.T) {
	for _, name := range config.KeyTypes() {
		more := map[string]string{
			"aksk": ", region: cn-north-4, service: apig", "v11": ", region: cn-north-4, service: apig",
			"sigv4": ", region: cn-north-4, service: apig, paths: normalized", "sigv4a": ", region: cn-north-4, service: apig",
			"aes": ", algorithm: aes-128-cfb",
		}[name]
		if name == "basic" || name == "token" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			f, err := loadAll(write(t, t.TempDir(), "f.yaml", head, "    keys:\n",
				"    - {name: the_key, type: ", name, ", key: ACCESSKEY0000001, secret: a-secret-16-char", more, "}\n",
				"    - {name: other, type: basic, key: other, secret: other-password}\n    default: the_key\n"))
			must(t, err)
			v, err := f.Verifier("R", quiet)
			must(t, err)
			key, err := f.SigningKey("R", "the_key")
			must(t, err)
			sign, err := key.Signer(config.SignOptions{})
			must(t, err)
			r := signedWith(t, sign, "GET", "/v1/items%20x?b=2&a=1")
			id, err := v.Verify(r)
			if err != nil || id.Scheme() != name || id.Key() != "the_key" {
				t.Fatalf("got %v, %v", id, err)
			}
			r.RequestURI = "/v1/items%20y?b=2&a=1"
			if got := verdict(v, r); got != "signature_mismatch" {
				t.Errorf("another path: got %s", got)
			}
			if _, err := key.Signer(config.SignOptions{Expires: time.Minute}); (err == nil) != slices.Contains([]string{"hmac", "aksk", "sigv4", "sigv4a"}, name) {
				t.Errorf("in the query: got %v", err)
			}
			for header, want := range map[string]bool{"authorization": true, "X-Sign": false} {
				moved := key
				moved.CredentialHeader = header
				if _, err := moved.Signer(config.SignOptions{Expires: time.Minute}); name == "hmac" && (err == nil) != want {
					t.Errorf("in the query, with credential_header %s: got %v", header, err)
				}
			}
		})
	}
}

// TestAESKeys: the gateway's two algorithms, by name or by the key's length, and
// what was rotated, as far as it was.
func TestAESKeys(t *testing.T) {
	const (
		key128, key256 = "aesKey-123456789", "aesKey-123456789-0123456789abcde"
		vector         = "vector-987654321"
	)
	t.Setenv("AES_KEY_OF_THIS_TEST", key256)
	for _, tt := range []struct {
		fields      string
		key, vector string
		want        string
	}{
		{"key: " + key128, key128, vector, "k"},
		{"key: {env: AES_KEY_OF_THIS_TEST}", key256, vector, "k"},
		{"algorithm: aes-256-cfb, key: " + key256, key256, vector, "k"},
		{"key: " + key256, key128, vector, "scheme_not_accepted"},
		{"key: " + key128, key128, "vector-987654322", "signature_mismatch"},
		{"key: " + key128 + ", previous: [{key: " + key256 + "}]", key256, vector, "k"},
		{"key: " + key128 + ", previous: [{key: " + key256 + ", until: 2020-01-01T00:00:00Z}]", key256, vector, "scheme_not_accepted"},
		{"key: " + key128 + ", previous: [{secret: vector-987654322, until: 2999-01-01T00:00:00Z}]", key128, "vector-987654322", "k"},
		{"key: " + key128 + ", previous: [{key: aesKey-000000000, secret: vector-987654322}]", "aesKey-000000000", "vector-987654322", "k"},
		{"key: " + key128 + ", previous: [{key: aesKey-000000000, secret: vector-987654322}]", key128, "vector-987654322", "signature_mismatch"},
	} {
		f, err := config.Load(write(t, t.TempDir(), "f.yaml", head, "    keys: [{name: k, type: aes, secret: ", vector, ", ", tt.fields, "}]\n    default: k\n"))
		if err != nil {
			t.Errorf("%s: %v", tt.fields, err)
			continue
		}
		v, err := f.Verifier("R", quiet)
		must(t, err)
		s := aescfb.NewSigner(aescfb.Key{Name: "k", Key: core.NewSecret(tt.key), Vector: core.NewSecret(tt.vector)}, aescfb.SignOptions{})
		if got := verdict(v, signedWith(t, s, "GET", "/a")); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.fields, got, tt.want)
		}
	}
}

// TestRegionWildcards_T181: each key of type sigv4a says whether a region set may
// have wildcards.
func TestRegionWildcards_T181(t *testing.T) {
	v := verifier(t, head, `    keys:
    - {name: wild, type: sigv4a, key: WILDKEY000000001, secret: a-secret-of-some-length, region: us-east-1, service: s, allow_region_wildcards: true}
    - {name: plain, type: sigv4a, key: PLAINKEY00000001, secret: a-secret-of-some-length, region: us-east-1, service: s}
    - {name: strict, type: sigv4a, key: STRICTKEY0000001, secret: a-secret-of-some-length, region: us-east-1, service: s, allow_region_wildcards: false}
    apis: [{match: /wild, key: wild}, {match: /plain, key: plain}, {match: /strict, key: strict}]
`)
	for _, key := range []struct{ path, id string }{{"/wild", "WILDKEY000000001"}, {"/plain", "PLAINKEY00000001"}, {"/strict", "STRICTKEY0000001"}} {
		for _, tt := range []struct {
			set  string
			wild bool
		}{{"us-east-1", false}, {"eu-west-1,us-east-1", false}, {"*", true}, {"us-*", true}, {"eu-*,us-*", true}, {"eu-*", true}} {
			want := key.path[1:]
			if tt.wild && key.path != "/wild" || tt.set == "eu-*" {
				want = "signature_mismatch"
			}
			s := sigv4.NewSignerA(core.Key{ID: key.id, Secret: core.NewSecret("a-secret-of-some-length"), Region: "us-east-1", Service: "s"},
				sigv4.SignOptions{RegionSet: tt.set})
			if got := verdict(v, signedWith(t, s, "GET", key.path)); got != want {
				t.Errorf("%s, %s: got %s, want %s", key.path, tt.set, got, want)
			}
		}
	}
}

// TestS3Paths: a key says how its paths are signed.
func TestS3Paths(t *testing.T) {
	v := verifier(t, head, "    keys: [{name: k, type: sigv4, key: ACCESSKEY0001, secret: a-secret-of-some-length, region: r, service: s3, paths: s3}]\n    default: k\n")
	key := core.Key{ID: "ACCESSKEY0001", Secret: core.NewSecret("a-secret-of-some-length"), Region: "r", Service: "s3"}
	for paths, want := range map[sigv4.Paths]string{sigv4.S3: "k", sigv4.Normalized: "signature_mismatch"} {
		if got := verdict(v, signedWith(t, sigv4.NewSigner(key, sigv4.SignOptions{Paths: paths}), "GET", "/bucket/a%20b")); got != want {
			t.Errorf("%v: got %s, want %s", paths, got, want)
		}
	}
}

// identityService answers as Keystone does, to one account. Tokens are valid
// where it has a project for them.
type identityService struct {
	*httptest.Server
	now func() time.Time

	mu       sync.Mutex
	projects map[string]string
	logins   int
}

func newIdentityService(t *testing.T) *identityService {
	t.Helper()
	s := &identityService{now: time.Now, projects: map[string]string{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Server.Close)
	return s
}

func (s *identityService) set(token, project string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.projects[token] = project; project == "" {
		delete(s.projects, token)
	}
}

func (s *identityService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	project, status := "service", http.StatusCreated
	if r.Method == http.MethodPost {
		var document any
		json.NewDecoder(r.Body).Decode(&document)
		const want = "map[auth:map[identity:map[methods:[password] password:map[user:map[domain:map[name:Default] name:gateway password:" + secret + "]]] " +
			"scope:map[project:map[domain:map[name:Default] name:service]]]]"
		if got := fmt.Sprint(document); got != want {
			w.WriteHeader(http.StatusUnauthorized)
			io.WriteString(w, "{}")
			return
		}
		s.logins++
		w.Header().Set("X-Subject-Token", "own-token")
	} else {
		project, status = s.projects[r.Header.Get("X-Subject-Token")], http.StatusOK
		if project == "" {
			w.WriteHeader(http.StatusNotFound)
			io.WriteString(w, "{}")
			return
		}
	}
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"token": {"user": {"id": "u"}, "project": {"id": %q}, "expires_at": %q}}`, project, s.now().UTC().Add(time.Hour).Format(time.RFC3339))
}

// file is an environments file with a key of this service, and more fields.
func (s *identityService) file(more string) string {
	return head + "    keys:\n    - {name: k, type: token, insecure_http: true, iam_url: " + s.URL + "/v3, user: gateway, password: " + secret +
		", domain: Default, project: service" + more + "}\n    default: k\n"
}

func withToken(token string) *http.Request {
	r := httptest.NewRequest("GET", "/a", nil)
	r.Header.Set("X-Auth-Token", token)
	return r
}

// TestTokenKeys: every field of the file reaches the scheme, the clock too.
func TestTokenKeys(t *testing.T) {
	iam := newIdentityService(t)
	iam.set("of-p", "p")
	then := time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		more, token string
		now         time.Time
		want        string
	}{
		{"", "of-p", time.Now(), "k"},
		{"", "of-nobody", time.Now(), "signature_mismatch"},
		{", caller_project: p", "of-p", time.Now(), "k"},
		{", caller_project: q", "of-p", time.Now(), "signature_mismatch"},
		{"", "of-p", then, "k"},
	} {
		now := func() time.Time { return tt.now }
		iam.now = now
		f, err := config.Load(write(t, t.TempDir(), "f.yaml", iam.file(tt.more)))
		must(t, err)
		v, err := f.Verifier("R", quiet, config.WithNow(now))
		must(t, err)
		if got := verdict(v, withToken(tt.token)); got != tt.want {
			t.Errorf("%s %s at %v: got %s, want %s", tt.more, tt.token, tt.now, got, tt.want)
		}
	}
	// A password that is not the account's: no verdict, so no admission.
	v := verifier(t, strings.Replace(iam.file(""), secret, "another", 1))
	if got := verdict(v, withToken("of-p")); got != "unavailable" {
		t.Errorf("wrong password: got %s, want unavailable", got)
	}
}

// TestReloadForgets_T110: a token that was revoked is accepted for as long as the
// answer is remembered, and refused as soon as the file has changed. What was
// before leaves nothing behind.
func TestReloadForgets_T110(t *testing.T) {
	iam := newIdentityService(t)
	dir := t.TempDir()
	path := write(t, dir, "f.yaml", iam.file(""))
	before := runtime.NumGoroutine()
	reloaded := make(chan error, 1)
	v, err := config.Watch(t.Context(), path, "R", quiet, config.WithPoll(time.Millisecond), config.WithReloads(func(r config.Reload) { reloaded <- r.Err }))
	must(t, err)
	must(t, <-reloaded)
	expect := func(when, token, want string) {
		t.Helper()
		if got := verdict(v, withToken(token)); got != want {
			t.Errorf("%s: got %s, want %s", when, got, want)
		}
	}
	const changes = 20
	for i := range changes {
		token := fmt.Sprintf("token-%d", i)
		iam.set(token, "p")
		expect("at first", token, "k")
		iam.set(token, "")
		expect("revoked", token, "k")
		write(t, dir, "new", iam.file(""), fmt.Sprintf("# change %d\n", i))
		must(t, os.Rename(filepath.Join(dir, "new"), path))
		must(t, <-reloaded)
		expect("after a change of the file", token, "signature_mismatch")
	}
	iam.mu.Lock()
	logins := iam.logins
	iam.mu.Unlock()
	if logins != changes+1 {
		t.Errorf("%d logins, want one for each load, %d", logins, changes+1)
	}
	iam.CloseClientConnections()
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before+2; { // the watching one, and that of fsnotify
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, %d before the %d loads", runtime.NumGoroutine(), before, changes+1)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// TestTokenSecrets: neither records nor errors hold the password.
func TestTokenSecrets(t *testing.T) {
	var log strings.Builder
	f, err := config.Load(write(t, t.TempDir(), "f.yaml", head, "    keys:\n    - ", strings.Replace(tokenKey, "name: k", "name: a-key", 1), "\n    - ",
		strings.Replace(aesKey, "name: k", "name: b-key", 1), "\n"))
	must(t, err)
	c, err := f.Config("R")
	must(t, err)
	_, err = f.Verifier("R", config.WithLogger(slog.New(slog.NewJSONHandler(&log, nil))))
	must(t, err)
	io.WriteString(&log, fmt.Sprintf("%v %+v %v %+v", f, f, c, c))
	if strings.Contains(log.String(), "kept-from") {
		t.Errorf("a secret is in %s", &log)
	}
}
