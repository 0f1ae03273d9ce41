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
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core/config"
)

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
	f, err := config.Load(write(t, t.TempDir(), "f.yaml", strings.Replace(iam.file(""), secret, "another", 1)))
	must(t, err)
	v, err := f.Verifier("R", quiet)
	must(t, err)
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
