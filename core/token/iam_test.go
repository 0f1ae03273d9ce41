package token_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/token"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// fakeIAM is an identity service that counts its calls, and can fail. The
// documents that it answers with have the form of Keystone's.
type fakeIAM struct {
	now func() time.Time

	mu       sync.Mutex
	projects map[string]string // valid tokens -> project, "" for none
	own      map[string]bool   // tokens of the service account that are valid
	says401  bool              // about tokens that are not valid, in place of 404
	issued   int               // of those
	logins   int
	checks   int
	strange  []string // what should not have been asked

	// Faults, for all calls of a kind; nil where it works.
	onLogin, onCheck func(w http.ResponseWriter, r *http.Request)
	ownFor           time.Duration // life of the service account's tokens; 0: a day
}

func newIAM() *fakeIAM {
	return &fakeIAM{now: time.Now, projects: map[string]string{}, own: map[string]bool{}}
}

const password = "service-password-1"

func (f *fakeIAM) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	fault := f.count(r)
	if fault != nil {
		fault(w, r)
		return
	}
	if r.Method == http.MethodPost {
		f.login(w, r)
		return
	}
	f.answer(w, r)
}

// answer answers a check.
func (f *fakeIAM) answer(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	subject := r.Header.Get("X-Subject-Token")
	known := f.own[r.Header.Get("X-Auth-Token")]
	project, valid := f.projects[subject]
	valid = valid || f.own[subject]
	says401 := f.says401
	f.mu.Unlock()
	switch {
	case !known || !valid && says401:
		reply(w, http.StatusUnauthorized, `{"error": {"code": 401}}`)
	case !valid:
		reply(w, http.StatusNotFound, `{"error": {"code": 404}}`)
	default:
		reply(w, http.StatusOK, document(f.now().Add(24*time.Hour), project))
	}
}

// count notes a call and returns the fault for it.
func (f *fakeIAM) count(r *http.Request) func(http.ResponseWriter, *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.URL.Path != "/v3/auth/tokens" || r.URL.RawQuery != "nocatalog" || r.Header.Get("Accept") != "application/json" {
		f.strange = append(f.strange, r.Method+" "+r.URL.String())
	}
	if r.Method == http.MethodPost {
		f.logins++
		return f.onLogin
	}
	f.checks++
	return f.onCheck
}

func (f *fakeIAM) login(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Auth struct {
			Identity struct {
				Methods  []string
				Password struct {
					User struct {
						Name, Password string
						Domain         struct{ Name string }
					}
				}
			}
			Scope struct {
				Project struct {
					Name   string
					Domain struct{ Name string }
				}
			}
		}
	}
	err := json.NewDecoder(r.Body).Decode(&body)
	user, project := body.Auth.Identity.Password.User, body.Auth.Scope.Project
	if err != nil || r.Header.Get("Content-Type") != "application/json" || user.Name != "gateway" || user.Password != password || user.Domain.Name != "Default" ||
		project.Name != "service" || project.Domain.Name != "Default" || fmt.Sprint(body.Auth.Identity.Methods) != "[password]" {
		http.Error(w, "{}", http.StatusUnauthorized)
		return
	}
	f.mu.Lock()
	f.issued++
	own := fmt.Sprintf("own-token-%d", f.issued)
	f.own[own] = true
	life := f.ownFor
	f.mu.Unlock()
	if life == 0 {
		life = 24 * time.Hour
	}
	w.Header().Set("X-Subject-Token", own)
	reply(w, http.StatusCreated, document(f.now().Add(life), "service"))
}

// set changes the service between calls.
func (f *fakeIAM) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// calls returns how often the service was asked since the last time.
func (f *fakeIAM) calls() (logins, checks int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	logins, checks = f.logins, f.checks
	f.logins, f.checks = 0, 0
	return logins, checks
}

func (f *fakeIAM) wantCalls(t *testing.T, when string, logins, checks int) {
	t.Helper()
	if l, c := f.calls(); l != logins || c != checks {
		t.Errorf("%s: %d logins and %d checks, want %d and %d", when, l, c, logins, checks)
	}
}

func reply(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	io.WriteString(w, body)
}

// document is the answer to a check.
func document(expires time.Time, project string) string {
	scope := ""
	if project != "" {
		scope = fmt.Sprintf(`"project": {"id": %q, "name": "a project", "domain": {"id": "default", "name": "Default"}}, `, project)
	}
	return fmt.Sprintf(`{"token": {"methods": ["password"], "user": {"domain": {"id": "default", "name": "Default"}, "id": "user-1", "name": "alice", "password_expires_at": null}, `+
		`"audit_ids": ["x"], %s"roles": [{"id": "1", "name": "member"}, {"id": "2", "name": "reader"}], "expires_at": %q, "issued_at": "2026-01-15T12:00:00.000000Z"}}`,
		scope, expires.UTC().Format("2006-01-02T15:04:05.000000Z"))
}

// direct calls a handler without a network, so that time in a synctest bubble
// can pass.
type direct struct{ handler http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return w.Result(), nil
}

func key(url string) token.Key {
	return token.Key{Name: "token_key", IAMURL: url, User: "gateway", Password: core.NewSecret(password), Domain: "Default", Project: "service"}
}

// scheme returns a scheme over a fake service, in memory.
func scheme(t *testing.T, iam *fakeIAM, change ...func(*token.Config)) *token.Scheme {
	t.Helper()
	c := token.Config{Keys: []token.Key{key("https://iam.example.com")}, Transport: direct{iam}}
	for _, f := range change {
		f(&c)
	}
	s := token.New(c)
	t.Cleanup(func() { s.Close() })
	return s
}

func verifier(t *testing.T, schemes ...core.Scheme) *core.Verifier {
	t.Helper()
	return testkit.New(t, core.Config{Environment: "prod", Schemes: schemes, Default: "token_key"})
}

func request(tokens ...string) *http.Request {
	r := httptest.NewRequest("GET", "/v1/items", nil)
	r.Header["X-Auth-Token"] = tokens
	return r
}

func wantCode(t *testing.T, when string, err error, want core.Code) {
	t.Helper()
	if core.CodeOf(err) != want {
		t.Errorf("%s: got %v, want %q", when, err, want)
	}
}

// verify judges a request with a token.
func verify(v *core.Verifier, token string) error {
	_, err := v.Verify(request(token))
	return err
}

// many judges requests at once, and returns how often each code came out.
func many(v *core.Verifier, tokens []string) map[core.Code]int {
	var mu sync.Mutex
	var all sync.WaitGroup
	codes := map[core.Code]int{}
	for _, token := range tokens {
		all.Go(func() {
			err := verify(v, token)
			mu.Lock()
			defer mu.Unlock()
			codes[core.CodeOf(err)]++
		})
	}
	all.Wait()
	return codes
}

func times(n int, token string) []string {
	return strings.Split(strings.Repeat(token+" ", n)[:n*(len(token)+1)-1], " ")
}
