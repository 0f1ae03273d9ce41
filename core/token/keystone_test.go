package token_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/token"
	"github.com/gatewayauth/gatewayauth/internal/needs"
)

// keystone is a real identity service, with an administrator who sets it up.
type keystone struct {
	url   string
	admin string // the administrator's token
}

const adminPassword = "admin-password-1"

// startKeystone runs Debian's Keystone on loopback, over a database of its own.
func startKeystone(t *testing.T) *keystone {
	t.Helper()
	needs.Long(t) // Keystone takes long to start
	for _, program := range []string{"/usr/bin/keystone-manage", "/usr/bin/keystone-wsgi-public"} {
		if _, err := os.Stat(program); err != nil {
			needs.Missing(t, "program "+program, "keystone")
		}
	}
	dir := t.TempDir()
	conf := filepath.Join(dir, "keystone.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, `[DEFAULT]
log_dir =
[database]
connection = sqlite:///%[1]s/keystone.db
[fernet_tokens]
key_repository = %[1]s/fernet
[credential]
key_repository = %[1]s/credential
[token]
provider = fernet
[identity]
password_hash_rounds = 4
`, dir), 0o600); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host, port, _ := net.SplitHostPort(listener.Addr().String())
	k := &keystone{url: "http://" + listener.Addr().String()}

	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	group, err := user.LookupGroupId(me.Gid)
	if err != nil {
		t.Fatal(err)
	}
	// Another python in front of Debian's would not find its modules.
	env := []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + dir, "TMPDIR=" + dir, "OS_KEYSTONE_CONFIG_DIR=" + dir, "OS_KEYSTONE_CONFIG_FILES=" + conf}
	manage := []string{"/usr/bin/keystone-manage", "--config-file", conf}
	for _, command := range [][]string{
		append(manage, "db_sync"),
		// Keystone leaves reading transactions open, and SQLite lets nobody write
		// beside one unless it keeps a write-ahead log.
		{"/usr/bin/python3", "-c", "import sqlite3; sqlite3.connect('keystone.db').execute('PRAGMA journal_mode=WAL')"},
		append(manage, "fernet_setup", "--keystone-user", me.Username, "--keystone-group", group.Name),
		append(manage, "credential_setup", "--keystone-user", me.Username, "--keystone-group", group.Name),
		append(manage, "bootstrap", "--bootstrap-password", adminPassword),
	} {
		program := exec.CommandContext(t.Context(), command[0], command[1:]...)
		program.Env, program.Dir = env, dir
		if out, err := program.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, out)
		}
	}
	listener.Close()
	var log bytes.Buffer
	server := exec.Command("/usr/bin/keystone-wsgi-public", "--host", host, "--port", port)
	server.Env, server.Dir, server.Stdout, server.Stderr = env, dir, &log, &log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		server.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		server.Process.Kill()
		<-ended
		if t.Failed() {
			t.Logf("keystone: %s", log.String())
		}
	})
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) { // until it listens
		answer, err := http.Get(k.url + "/v3")
		if err == nil {
			answer.Body.Close()
			break
		}
		select {
		case <-ended:
			t.Fatal("keystone has ended")
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("keystone does not listen: %v", err)
		}
	}
	k.admin = k.login(t, "admin", adminPassword, "admin")
	return k
}

// call calls the service as the administrator and returns a member of the answer.
func (k *keystone) call(t *testing.T, method, path, subject string, body any, member string) string {
	t.Helper()
	var sent io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		sent = bytes.NewReader(text)
	}
	r, err := http.NewRequest(method, k.url+"/v3"+path, sent)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{"Content-Type": {"application/json"}, "X-Auth-Token": {k.admin}}
	if subject != "" {
		r.Header["X-Subject-Token"] = []string{subject}
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode >= 300 {
		t.Fatalf("%s %s: %d %s %v", method, path, answer.StatusCode, got, err)
	}
	if member == "" {
		return answer.Header.Get("X-Subject-Token")
	}
	var document map[string]struct{ ID string }
	if err := json.Unmarshal(got, &document); err != nil || document[member].ID == "" {
		t.Fatalf("%s %s: no id of a %s in %s: %v", method, path, member, got, err)
	}
	return document[member].ID
}

type object map[string]any

// login returns a token of a user, scoped to a project, or unscoped.
func (k *keystone) login(t *testing.T, name, password, project string) string {
	t.Helper()
	domain := object{"id": "default"}
	scope := any("unscoped")
	if project != "" {
		scope = object{"project": object{"name": project, "domain": domain}}
	}
	return k.call(t, "POST", "/auth/tokens", "", object{"auth": object{
		"identity": object{"methods": []string{"password"}, "password": object{"user": object{"name": name, "password": password, "domain": domain}}},
		"scope":    scope}}, "")
}

// account makes a project, and a user with a role in it; it returns their ids.
func (k *keystone) account(t *testing.T, project, name, password, role string) (projectID, userID string) {
	t.Helper()
	projectID = k.call(t, "POST", "/projects", "", object{"project": object{"name": project, "domain_id": "default"}}, "project")
	userID = k.call(t, "POST", "/users", "", object{"user": object{"name": name, "password": password, "domain_id": "default"}}, "user")
	roleID := k.call(t, "POST", "/roles", "", object{"role": object{"name": role}}, "role")
	k.call(t, "PUT", "/projects/"+projectID+"/users/"+userID+"/roles/"+roleID, "", nil, "")
	return projectID, userID
}

// spy remembers the last token of our own.
type spy struct {
	own    atomic.Value
	logins atomic.Int32
}

func (s *spy) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPost {
		s.logins.Add(1)
	} else {
		s.own.Store(r.Header.Get("X-Auth-Token"))
	}
	return http.DefaultTransport.RoundTrip(r)
}

// TestKeystone: against the real service.
func TestKeystone(t *testing.T) {
	k := startKeystone(t)
	defer http.DefaultClient.CloseIdleConnections()
	shop, alice := k.account(t, "shop", "alice", "alice-password-1", "buyer")
	k.account(t, "service", "gateway", password, "service") // the role that may check tokens

	var ahead atomic.Int64 // of the clock
	seen := new(spy)
	build := func(change func(*token.Key)) (*token.Scheme, *core.Verifier) {
		c := token.Config{Keys: []token.Key{key(k.url + "/v3")}, Transport: seen, Timeout: 30 * time.Second,
			Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }}
		c.Keys[0].InsecureHTTP = true
		change(&c.Keys[0])
		s := token.New(c)
		t.Cleanup(func() { s.Close() })
		return s, verifier(t, s)
	}
	s, v := build(func(*token.Key) {})
	good, unscoped := k.login(t, "alice", "alice-password-1", "shop"), k.login(t, "alice", "alice-password-1", "")

	id, err := v.Verify(request(good))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{token.UserID: alice, token.UserName: "alice", token.UserDomainID: "default",
		token.ProjectID: shop, token.ProjectName: "shop", token.Roles: "buyer"} {
		if got := strings.Join(id.Attribute(name), " "); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	end, err := time.Parse(time.RFC3339, strings.Join(id.Attribute(token.ExpiresAt), ""))
	if left := time.Until(end); err != nil || left <= 0 || left > 25*time.Hour {
		t.Errorf("it ends in %v, %v", left, err)
	}

	wantCode(t, "no token of anybody", verify(v, "wrong"), core.CodeSignatureMismatch)
	wantCode(t, "cut", verify(v, good[:len(good)-1]), core.CodeSignatureMismatch)
	wantCode(t, "changed", verify(v, "x"+good[1:]), core.CodeSignatureMismatch)
	wantCode(t, "T112", verify(v, "../../v3/users"), core.CodeSignatureMismatch)
	wantCode(t, "unscoped", verify(v, unscoped), "")
	if n := seen.logins.Load(); n != 1 {
		t.Errorf("it has logged in %d times", n)
	}

	_, ofShop := build(func(key *token.Key) { key.CallerProject = shop })
	_, ofOther := build(func(key *token.Key) { key.CallerProject = "0123456789abcdef0123456789abcdef" })
	wantCode(t, "T104 its project", verify(ofShop, good), "")
	wantCode(t, "T104 unscoped", verify(ofShop, unscoped), core.CodeSignatureMismatch)
	wantCode(t, "T104 another project", verify(ofOther, good), core.CodeSignatureMismatch)

	// Our own token is revoked: a new one is obtained on the way.
	ahead.Add(int64(time.Minute))
	k.call(t, "DELETE", "/auth/tokens", seen.own.Load().(string), nil, "")
	_, own := build(func(*token.Key) {})
	wantCode(t, "a log-in of another instance", verify(own, good), "")
	before := seen.logins.Load()
	ahead.Add(int64(time.Minute))
	k.call(t, "DELETE", "/auth/tokens", seen.own.Load().(string), nil, "")
	wantCode(t, "our token revoked", verify(own, k.login(t, "alice", "alice-password-1", "shop")), "")
	if n := seen.logins.Load() - before; n != 1 {
		t.Errorf("it has logged in %d times more", n)
	}

	k.call(t, "DELETE", "/auth/tokens", good, nil, "")
	wantCode(t, "T110 revoked, remembered", verify(v, good), "")
	s.Flush(good)
	wantCode(t, "T110 revoked, flushed", verify(v, good), core.CodeSignatureMismatch)

	_, wrong := build(func(key *token.Key) { key.Password = core.NewSecret("wrong") })
	wantCode(t, "wrong password of our own", verify(wrong, unscoped), core.CodeUnavailable)
	_, unknown := build(func(key *token.Key) { key.IAMURL = k.url + "/elsewhere" })
	wantCode(t, "not the service's URL", verify(unknown, unscoped), core.CodeUnavailable)
	_, powerless := build(func(key *token.Key) {
		key.User, key.Password, key.Project = "alice", core.NewSecret("alice-password-1"), "shop"
	})
	another := k.login(t, "admin", adminPassword, "admin")
	wantCode(t, "an account without permission", verify(powerless, another), core.CodeUnavailable)
}
