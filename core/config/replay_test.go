package config_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/config"
	"github.com/gatewayauth/gatewayauth/internal/needs"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// inMemory is an environment with a replay store, and a place for more fields of
// that, and of the environment.
const inMemory = oneKey + "    default: k\n    replay: {store: memory%s}\n%s"

// again returns the same request once more: what a captured one is.
func again(r *http.Request) *http.Request {
	r = r.Clone(r.Context())
	r.Body = http.NoBody
	return r
}

// TestReplayInMemory: what is accepted once is not accepted twice, but for the
// methods that are exempt; a type that signs no request is not checked.
func TestReplayInMemory(t *testing.T) {
	f, err := config.Load(write(t, t.TempDir(), "f.yaml", oneKey, "    - {name: l, type: basic, key: user, secret: password}\n",
		"    default: k\n    apis: [{match: /basic, key: l}]\n    replay: {store: memory, max_entries: 2, exempt_methods: [GET, HEAD]}\n"))
	must(t, err)
	v, err := f.Verifier("R", quiet)
	must(t, err)
	basic := httptest.NewRequest("POST", "/basic", nil)
	basic.SetBasicAuth("user", "password")
	for _, tt := range []struct {
		name          string
		r             *http.Request
		first, second string
	}{
		{"POST", signed(t, "POST", "/a", secret), "k", "replayed"},
		{"GET, exempt", signed(t, "GET", "/a", secret), "k", "k"},
		{"HEAD, exempt", signed(t, "HEAD", "/a", secret), "k", "k"},
		{"basic", basic, "l", "l"},
		{"PUT", signed(t, "PUT", "/a", secret), "k", "replayed"},
		{"DELETE, the third of two entries", signed(t, "DELETE", "/a", secret), "unavailable", "unavailable"},
	} {
		for i, want := range []string{tt.first, tt.second} {
			if got := verdict(v, again(tt.r)); got != want {
				t.Errorf("%s, time %d: got %s, want %s", tt.name, i+1, got, want)
			}
		}
	}
	// Every verifier of a file has a store of its own.
	other, err := f.Verifier("R", quiet)
	must(t, err)
	r := signed(t, "PATCH", "/a", secret)
	for _, want := range []string{"k", "replayed"} {
		if got := verdict(other, again(r)); got != want {
			t.Errorf("another verifier: got %s, want %s", got, want)
		}
	}
	must(t, f.Close())
	must(t, f.Close())
}

// TestRefuseBeforeStart_T194: with the setting, what was signed before the process began is
// refused; the store of a later process does not know it.
func TestRefuseBeforeStart_T194(t *testing.T) {
	now := time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	start := func(setting string) func(at time.Time) string {
		f, err := config.Load(write(t, t.TempDir(), "f.yaml", fmt.Sprintf(inMemory, setting, "")))
		must(t, err)
		v, err := f.Verifier("R", config.WithNow(clock), config.WithLogger(slog.New(slog.DiscardHandler)))
		must(t, err)
		return func(at time.Time) string {
			r := httptest.NewRequest("POST", "/captured", nil)
			return verdict(v, testkit.Sign(apig.NewSigner(core.Key{ID: keyID, Secret: core.NewSecret(secret)}, apig.SignOptions{}), r, "", at))
		}
	}
	signedAt := now
	if got := start(", refuse_before_start: true")(signedAt.Add(time.Second)); got != "k" {
		t.Errorf("at first: got %s, want k", got)
	}
	now = now.Add(time.Minute) // a restart
	for setting, want := range map[string]string{", refuse_before_start: true": "unavailable", ", refuse_before_start: false": "k", "": "k"} {
		again := start(setting)
		if got := again(signedAt.Add(time.Second)); got != want {
			t.Errorf("%s after a restart: got %s, want %s", setting, got, want)
		}
		if got := again(now.Add(time.Second)); got != "k" {
			t.Errorf("%s, signed after the restart: got %s, want k", setting, got)
		}
	}
}

// TestReloadForgetsNothing: the store in memory survives every change of the file
// that leaves one there, and one of its size takes effect with the next start.
func TestReloadForgetsNothing(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "f.yaml", fmt.Sprintf(inMemory, "", ""))
	watched(t, path, func(w *watch) {
		captured := signed(t, "POST", "/captured", secret)
		expect := func(when, want string) {
			t.Helper()
			if got := verdict(w.verifier, again(captured)); got != want {
				t.Errorf("%s: got %s, want %s", when, got, want)
			}
		}
		expect("at first", "k")
		for _, step := range []struct{ replay, more, verdict, warning string }{
			{"", "    clock_skew: 14m\n", "replayed", ""},
			{", exempt_methods: [GET]", "", "replayed", ""},
			{", max_entries: 10", "", "replayed", "max_entries and refuse_before_start count from the next start"},
			{", max_entries: 2000000", "", "replayed", "max_entries and refuse_before_start count from the next start"},
			{", on_unavailable: allow", "", "replayed", "environments file not loaded"},
			{", exempt_methods: [POST]", "", "k", ""},
			{"", "    mode: report\n", "replayed", ""},
			{"", "", "replayed", ""},
		} {
			w.logged()
			write(t, dir, "f.yaml", fmt.Sprintf(inMemory, step.replay, step.more))
			w.looks(2)
			expect(step.replay+step.more, step.verdict)
			log := w.logged()
			if !strings.Contains(log, step.warning) || strings.Contains(log, "another replay store") ||
				step.warning == "" && strings.Contains(log, "max_entries") {
				t.Errorf("%s%s: logged %s", step.replay, step.more, log)
			}
		}
		// Without the section nothing is checked; what was recorded before comes
		// back with it, if that is soon.
		write(t, dir, "f.yaml", oneKey, "    default: k\n")
		w.looks(2)
		expect("without", "k")
		if log := w.logged(); !strings.Contains(log, "another replay store") {
			t.Errorf("no warning that replays are not found any more: %s", log)
		}
		write(t, dir, "f.yaml", fmt.Sprintf(inMemory, "", ""))
		w.looks(2)
		expect("again", "replayed")
	})
}

const onServer = oneKey + "    default: k\n    body_timeout: 10s\n    replay: {store: redis, url: {file: redis}, on_unavailable: %s, prefix: %s, timeout: 20ms}\n"

// TestServerStore: there is one store as long as its settings stay the same.
// Another one takes over when they change, and the old one is closed when no
// request can be using it any more, or the watching ends.
func TestServerStore(t *testing.T) {
	servers := new(servers)
	dir := t.TempDir()
	write(t, dir, "redis", "redis://:kept-from-everyone@redis.example.com\n")
	path := write(t, dir, "f.yaml", fmt.Sprintf(onServer, "reject", "a"))
	state := func(when, want string) {
		t.Helper()
		got := ""
		for _, s := range servers.opened() {
			got += s.Config.Prefix + map[bool]string{false: " ", true: "- "}[s.isClosed()]
		}
		if strings.TrimSpace(got) != want {
			t.Errorf("%s: got stores %s, want %s", when, got, want)
		}
	}
	watched(t, path, func(w *watch) {
		state("at first", "a")
		c := servers.opened()[0].Config
		if c.URL.Reveal() != "redis://:kept-from-everyone@redis.example.com" || c.Timeout != 20*time.Millisecond || c.Logger == nil {
			t.Errorf("got %+v", c)
		}
		captured := signed(t, "POST", "/captured", secret)
		for _, want := range []string{"k", "replayed"} {
			if got := verdict(w.verifier, again(captured)); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
		write(t, dir, "f.yaml", fmt.Sprintf(onServer, "allow", "a"))
		w.looks(2)
		state("another policy, the same store", "a")
		w.logged()

		write(t, dir, "f.yaml", fmt.Sprintf(onServer, "reject", "b"))
		w.looks(2)
		state("another prefix", "a b")
		if log := w.logged(); !strings.Contains(log, "another replay store") {
			t.Errorf("logged %s", log)
		}
		w.looks(30)
		state("half a minute later", "a b")
		write(t, dir, "f.yaml", fmt.Sprintf(onServer, "reject", "a"))
		w.looks(2)
		state("back again", "a b")
		if got := verdict(w.verifier, again(captured)); got != "replayed" {
			t.Errorf("back again: got %s, want replayed", got)
		}
		w.looks(41)
		state("all requests of b have ended", "a b-")

		write(t, dir, "redis", "redis://:kept-from-others@redis.example.com\n")
		w.looks(2)
		state("another password", "a b- a")
		write(t, dir, "redis", "redis://kept-from-others@redis.example.com\n")
		w.looks(2)
		state("a bad one", "a b- a")
		w.looks(60)
		state("later", "a- b- a")
		write(t, dir, "redis", "redis://:kept-from-others@redis.example.com\n")
		write(t, dir, "f.yaml", oneKey, "    default: k\n")
		w.looks(2)
		state("none", "a- b- a")
		if log := w.logged(); strings.Contains(log, "kept-from") {
			t.Errorf("the log holds the password: %s", log)
		}
	}, servers.option())
	state("at the end", "a- b- a-")
}

// TestServerStoreOfAFile: a store is made by each call, never by Load, and Close
// closes them.
func TestServerStoreOfAFile(t *testing.T) {
	servers := new(servers)
	dir := t.TempDir()
	write(t, dir, "redis", "redis://:kept-from-everyone@redis.example.com\n")
	f, err := config.Load(write(t, dir, "f.yaml", fmt.Sprintf(onServer, "allow", "a")), servers.option())
	must(t, err)
	if n := len(servers.opened()); n != 0 {
		t.Errorf("Load made %d stores", n)
	}
	c, err := f.Config("R", quiet)
	must(t, err)
	v, err := f.Verifier("R", quiet)
	must(t, err)
	opened := servers.opened()
	if len(opened) != 2 || c.Replay.Store != core.ReplayStore(opened[0]) || !c.Replay.AllowUnavailable || c.BodyTimeout != 10*time.Second {
		t.Fatalf("got %d stores, and %+v", len(opened), c.Replay)
	}
	must(t, f.Close())
	for _, s := range opened {
		if !s.isClosed() {
			t.Error("a store is not closed")
		}
	}
	// As the file says, what cannot be judged is let through, and says so.
	id, err := v.Verify(signed(t, "POST", "/a", secret))
	if err != nil || id.ReplayChecked() {
		t.Errorf("got %v, %v", id, err)
	}
	if text := fmt.Sprintf("%v %+v %#v %v", f, f, c.Replay, err); strings.Contains(text, "kept-from") {
		t.Error("the password is in " + text)
	}
}

// TestStreamFields reach the core.
func TestStreamFields(t *testing.T) {
	f, err := config.Load(write(t, t.TempDir(), "f.yaml", oneKey, `    apis:
    - {match: "PUT /upload", key: k, stream: true, max_body: 5GiB}
    - {match: "POST /a", key: k, max_body: 1MiB, allow_unsigned_payload: true}
    - {match: "POST /b", key: k, allow_unsigned_payload: false}
`))
	must(t, err)
	c, err := f.Config("R")
	must(t, err)
	for i, want := range []core.API{
		{Match: "PUT /upload", Key: "k", Stream: true, MaxBody: 5 << 30},
		{Match: "POST /a", Key: "k", MaxBody: 1 << 20, AllowUnsignedPayload: true},
		{Match: "POST /b", Key: "k"},
	} {
		if c.APIs[i] != want {
			t.Errorf("got %+v, want %+v", c.APIs[i], want)
		}
	}
}

// TestRedis is the whole with a real server: the URL is in a file.
func TestRedis(t *testing.T) {
	program := needs.Program(t, "redis-server", "redis-server")
	dir := t.TempDir()
	socket := filepath.Join(dir, "socket")
	server := exec.Command(program, "--port", "0", "--unixsocket", socket, "--save", "", "--dir", dir, "--maxmemory-policy", "noeviction")
	must(t, server.Start())
	defer server.Wait()
	defer server.Process.Kill()
	eventually(t, "the server", func() bool {
		conn, err := net.Dial("unix", socket)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	write(t, dir, "redis", "unix://", socket, "\n")
	path := write(t, dir, "f.yaml", oneKey, "    default: k\n    replay: {store: redis, url: {file: redis}, timeout: 10s}\n")
	var log bytes.Buffer
	verifier := func() (*config.File, *core.Verifier) {
		f, err := loadAll(path)
		must(t, err)
		v, err := f.Verifier("R", config.WithLogger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelError}))))
		must(t, err)
		return f, v
	}
	one, first := verifier()
	defer one.Close()
	two, second := verifier()
	captured := signed(t, "POST", "/a", secret)
	eventually(t, "a connection", func() bool { return verdict(first, again(captured)) != "unavailable" })
	for name, v := range map[string]*core.Verifier{"the same": first, "another": second} {
		eventually(t, "a connection", func() bool {
			return verdict(v, signed(t, "PUT", "/"+strings.ReplaceAll(name, " ", ""), secret)) != "unavailable"
		})
		if got := verdict(v, again(captured)); got != "replayed" {
			t.Errorf("%s instance: got %s, want replayed", name, got)
		}
	}
	must(t, two.Close())
	if got := verdict(second, signed(t, "POST", "/b", secret)); got != "unavailable" {
		t.Errorf("after Close: got %s, want unavailable", got)
	}
	if log.Len() > 0 {
		t.Error(log.String())
	}
	os.Remove(socket)
}

// eventually waits for f.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited 30 s for %s", what)
		}
	}
}
