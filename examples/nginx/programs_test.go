//go:build unix

package nginx_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"github.com/gatewayauth/gatewayauth/internal/needs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	keyID  = "nginx-gateway" // as in environments.yaml
	secret = "change-me-1234567890"
)

func program(t *testing.T, name string) string {
	t.Helper()
	// Debian installs nginx in a folder that may not be in a user's PATH.
	for _, candidate := range []string{name, filepath.Join("/usr/sbin", name)} {
		if path, err := exec.LookPath(candidate); err == nil {
			return path
		}
	}
	needs.Missing(t, "program "+name, name)
	return ""
}

// modules checks that the modules that a configuration loads are installed.
func modules(t *testing.T, conf string) {
	t.Helper()
	packages := map[string]string{
		"ngx_http_js_module.so":                  "libnginx-mod-http-js",
		"ngx_http_headers_more_filter_module.so": "libnginx-mod-http-headers-more-filter",
	}
	for _, match := range regexp.MustCompile(`(?m)^load_module (\S+);`).FindAllStringSubmatch(conf, -1) {
		name := filepath.Base(match[1])
		if packages[name] == "" {
			t.Fatalf("the Debian package of %s is unknown: add it to packages", name)
		}
		if _, err := os.Stat(match[1]); err != nil {
			needs.Missing(t, "nginx module "+name, packages[name])
		}
	}
}

// edit is a change to a configuration of the repository.
type edit struct{ old, new string }

func (e edit) apply(t *testing.T, conf string) string {
	t.Helper()
	if n := strings.Count(conf, e.old); n != 1 {
		t.Fatalf("%q occurs %d times in the configuration, want once", e.old, n)
	}
	return strings.Replace(conf, e.old, e.new, 1)
}

// upstream returns the edit with which nginx forwards to address.
func upstream(address string) edit { return edit{"server 127.0.0.1:9000;", "server " + address + ";"} }

// server is a running nginx: its addresses, in the order of the listen directives, and
// its prefix directory.
type server struct {
	addresses []string
	dir       string
}

var listen = regexp.MustCompile(`\blisten (127\.0\.0\.1:\d+)`)

// startNginx runs one of the configurations until the test ends, on free ports.
func startNginx(t *testing.T, file string, env []string, edits ...edit) server {
	t.Helper()
	nginx := program(t, "nginx")
	program(t, "curl") // every test that starts nginx uses curl
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	conf := string(text)
	modules(t, conf)
	for _, e := range edits {
		conf = e.apply(t, conf)
	}
	// Another process may take a free port before nginx does.
	for range 3 {
		s := server{dir: t.TempDir()}
		moved := listen.ReplaceAllStringFunc(conf, func(string) string {
			s.addresses = append(s.addresses, "")
			return fmt.Sprintf("listen @%d@", len(s.addresses)-1)
		})
		for i, address := range freeAddresses(t, len(s.addresses)) {
			s.addresses[i] = address
			moved = strings.Replace(moved, fmt.Sprintf("@%d@", i), address, 1)
		}
		script, err := os.ReadFile("sign.js")
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(s.dir, file), []byte(moved))
		write(t, filepath.Join(s.dir, "sign.js"), script)
		directives := "daemon off;"
		if os.Geteuid() == 0 {
			directives += " user root;" // otherwise its workers cannot enter the test's directory
		}
		cmd := exec.Command(nginx, "-p", s.dir, "-c", file, "-g", directives)
		cmd.Env = env
		p := start(t, cmd)
		pid := filepath.Join(s.dir, regexp.MustCompile(`(?m)^pid (\S+);`).FindStringSubmatch(conf)[1])
		if p.ready(t, func() bool { return listening(pid, s.addresses) }) {
			return s
		}
		if !strings.Contains(p.output.String(), "Address already in use") {
			break
		}
	}
	t.Fatalf("nginx with %s did not start", file)
	return server{}
}

// listening reports whether nginx has written its pid, which it does after binding its
// ports, and accepts connections.
func listening(pid string, addresses []string) bool {
	if text, err := os.ReadFile(pid); err != nil || len(text) == 0 {
		return false
	}
	for _, address := range addresses {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err != nil {
			return false
		}
		conn.Close()
	}
	return true
}

func freeAddresses(t *testing.T, n int) (addresses []string) {
	t.Helper()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close() // closed only after all ports are chosen, so that they differ
		addresses = append(addresses, l.Addr().String())
	}
	return addresses
}

// startBackend runs examples/backend in an environment of environments.yaml
// and returns its address.
func startBackend(t *testing.T, environment string) string {
	t.Helper()
	return startBackendWith(t, "environments.yaml", environment)
}

func startBackendWith(t *testing.T, file, environment string) string {
	t.Helper()
	cmd := exec.Command(backend(t), "-config", file, "-env", environment, "-nethttp", "127.0.0.1:0")
	cmd.Env = append(os.Environ(), "GATEWAYAUTH_SECRET="+secret)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	start(t, cmd)
	line, _ := bufio.NewReader(out).ReadString('\n')
	address, ok := strings.CutPrefix(strings.TrimSpace(line), "ready nethttp=")
	if !ok {
		t.Fatalf("the backend printed %q", line)
	}
	return address
}

var backendProgram string

// backend builds examples/backend, once.
func backend(t *testing.T) string {
	t.Helper()
	if backendProgram == "" {
		path := filepath.Join(built, "backend")
		if out, err := exec.Command("go", "build", "-o", path, "../backend").CombinedOutput(); err != nil {
			t.Fatalf("building the backend: %v\n%s", err, out)
		}
		backendProgram = path
	}
	return backendProgram
}

// built is the directory of the built backend.
var built string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "nginx")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	built = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// process is a program that runs until the test ends. Its output is logged if the test
// fails.
type process struct {
	output bytes.Buffer // to be read after gone is closed
	gone   chan struct{}
}

func start(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{gone: make(chan struct{})}
	cmd.Stderr = &p.output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// A child that outlives its parent must not block Wait.
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		cmd.Wait()
		close(p.gone)
	}()
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-p.gone:
		case <-time.After(10 * time.Second):
			syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // also nginx's workers
			<-p.gone
			t.Errorf("%s did not end and was killed", cmd.Args[0])
		}
		if t.Failed() {
			text := p.output.Bytes()
			t.Logf("%s:\n%s", filepath.Base(cmd.Args[0]), text[max(0, len(text)-4000):])
		}
	})
	return p
}

// ready waits until done returns true. It returns false if the program ended before.
func (p *process) ready(t *testing.T, done func() bool) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if done() {
			return true
		}
		select {
		case <-p.gone:
			return false
		case <-ctx.Done():
			t.Fatal("waited 20 s for a program to be ready")
		case <-tick.C:
		}
	}
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}
