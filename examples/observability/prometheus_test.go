package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/config"
	"github.com/gatewayauth/gatewayauth/internal/guard"
	"github.com/gatewayauth/gatewayauth/internal/metrics"
	"github.com/gatewayauth/gatewayauth/internal/needs"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// patience is how long tests wait for what must happen.
const patience = 60 * time.Second

// eventually waits until missing returns nothing, and fails the test with what it returned last.
func eventually(t *testing.T, missing func() []string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(200 * time.Millisecond) {
		list := missing()
		if len(list) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %v:\n%s", patience, strings.Join(list, "\n"))
		}
	}
}

// monitor is a running server of Prometheus.
type monitor struct{ url string }

// startPrometheus starts a server with the rules of rules.yaml that scrapes the targets every
// second, until the test ends.
func startPrometheus(t *testing.T, targets ...string) monitor {
	t.Helper()
	program := needs.Program(t, "prometheus", "prometheus")
	dir := t.TempDir()
	rules, err := filepath.Abs("rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	settings := fmt.Sprintf("global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}\n"+
		"rule_files: [%q]\nscrape_configs: [{job_name: test, static_configs: [{targets: [%s]}]}]\n", rules, strings.Join(targets, ", "))
	file := filepath.Join(dir, "prometheus.yml")
	write(t, file, settings)
	cmd := exec.Command(program, "--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address=127.0.0.1:0")
	stderr, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	address, read := make(chan string, 1), make(chan struct{})
	var output []string // until read is closed, of the goroutine
	go func() {
		defer close(read)
		defer close(address)
		listening := regexp.MustCompile(`msg="Listening on" address=(127\.0\.0\.1:\d+)`)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			output = append(output, lines.Text())
			if m := listening.FindStringSubmatch(lines.Text()); m != nil {
				select {
				case address <- m[1]:
				default:
				}
			}
		}
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-read
		cmd.Wait()
		if t.Failed() {
			t.Log(strings.Join(output, "\n"))
		}
	})
	select {
	case listens := <-address:
		if listens == "" {
			t.Fatal("prometheus has ended")
		}
		return monitor{"http://" + listens}
	case <-time.After(patience):
		t.Fatal("prometheus does not listen")
	}
	panic("not reached")
}

// get returns the data of an answer of Prometheus' HTTP API.
func (p monitor) get(path string, parameters url.Values, data any) error {
	response, err := http.Get(p.url + "/api/v1/" + path + "?" + parameters.Encode())
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer := struct {
		Error string
		Data  any
	}{Data: data}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return fmt.Errorf("%s: %w", response.Status, err)
	}
	if response.StatusCode != http.StatusOK {
		return errors.New(answer.Error)
	}
	return nil
}

// serveFile runs the program with an environments file until the test ends.
func serveFile(t *testing.T, file, environment string) (service, operator string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	reader, writer := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, []string{"-config", file, "-env", environment, "-http", "127.0.0.1:0", "-operator", "localhost:0"}, writer)
		writer.Close()
		ended <- err
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	for lines := bufio.NewScanner(reader); service == "" || operator == ""; { // in any order
		if !lines.Scan() {
			t.Fatalf("the service is %q, the operator's address %q", service, operator)
		}
		m := regexp.MustCompile(`serving on (\S+)`).FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		response, err := http.Get("http://" + m[1] + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if page, _ := io.ReadAll(response.Body); strings.Contains(string(page), "# TYPE gatewayauth_mode") {
			operator = m[1]
		} else {
			service = m[1]
		}
	}
	return service, operator
}

// down is a transport to a service that does not answer.
type down struct{}

func (down) RoundTrip(*http.Request) (*http.Response, error) { return nil, io.EOF }

// guarded runs guard with an environments file in front of a service that does not answer, until
// the test ends.
func guarded(t *testing.T, file, environment string, logger *slog.Logger) (v *core.Verifier, service, operator string) {
	t.Helper()
	m, err := metrics.New()
	if err != nil {
		t.Fatal(err)
	}
	if v, err = config.Watch(t.Context(), file, environment, append(m.Options(), config.WithLogger(logger))...); err != nil {
		t.Fatal(err)
	}
	failed, err := m.Failures(environment)
	if err != nil {
		t.Fatal(err)
	}
	operator, stop, err := m.Serve("127.0.0.1:0", v, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	to := &url.URL{Scheme: "http", Host: "127.0.0.1:1"}
	server := httptest.NewServer(guard.New(guard.Config{Verifier: v, To: to, Transport: down{}, Failed: failed, Logger: logger}))
	t.Cleanup(server.Close)
	return v, server.Listener.Addr().String(), operator
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

const fileFormat = `environments:
  %s:
    mode: %s
    replay: {store: memory, max_entries: %d, exempt_methods: [GET]}
    keys: [{name: k1, type: hmac, key: AKTESTAKTEST0001, secret: new-0123456789abcdef, previous: [{secret: old-0123456789abcdef, until: %s}]}]
    apis: [{match: /orders/, key: k1}, {match: GET /healthz, open: true}]
    default: k1
`

// environment writes an environments file.
func environment(t *testing.T, file, name, mode string, entries int) {
	write(t, file, fmt.Sprintf(fileFormat, name, mode, entries, time.Now().Add(time.Hour).UTC().Format(time.RFC3339)))
}

// brokenLog is a disk that is full.
type brokenLog struct{}

func (brokenLog) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// send sends honest and wrong requests to the addresses until the test ends. Accepted requests
// were signed this long ago.
func send(t *testing.T, ages map[string]time.Duration) {
	stop, stopped := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() {
		close(stop)
		<-stopped
	})
	go func() {
		defer close(stopped)
		pause := time.NewTicker(100 * time.Millisecond)
		defer pause.Stop()
		for round := 0; ; round++ {
			for address, age := range ages {
				sendRound(t, "http://"+address, round, age)
			}
			select {
			case <-stop:
				return
			case <-pause.C:
			}
		}
	}()
}

func sendRound(t *testing.T, address string, round int, age time.Duration) {
	key := func(secret string) *core.Key {
		return &core.Key{ID: "AKTESTAKTEST0001", Secret: core.NewSecret(secret)}
	}
	current, previous, wrong := key("new-0123456789abcdef"), key("old-0123456789abcdef"), key("bad-0123456789abcdef")
	post := fmt.Sprint("/orders/", round)
	for _, q := range []struct {
		method, path string
		key          *core.Key
		age          time.Duration
	}{
		{"GET", "/healthz", nil, 0},
		{"GET", "/orders/1", nil, 0},
		{"GET", "/orders/1", current, age},
		{"GET", "/orders/1", previous, age},
		{"GET", "/other", wrong, age},
		{"GET", "/orders/1", current, time.Hour},
		{"GET", "/orders/1", current, -time.Hour},
		{"POST", post, current, age},
		{"POST", post, current, age}, // a replay, where the age has the same second
	} {
		r, err := http.NewRequest(q.method, address+q.path, nil)
		if err != nil {
			t.Error(err)
			return
		}
		if q.key != nil {
			testkit.Sign(apig.NewSigner(*q.key, apig.SignOptions{}), r, "", time.Now().Add(-q.age))
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Error(err)
			return
		}
		response.Body.Close()
	}
}
