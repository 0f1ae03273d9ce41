package main_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
)

// TestProbeUnknown_T214: where the responses do not tell, the exit code is 2.
func TestProbeUnknown_T214(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "environments.yaml", probed)
	hangs := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	aborts := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	verified := protecting(t, dir, responds(200))
	// tampered requests get another response
	tampered := func(other http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen := httptest.NewRecorder()
			if verified.ServeHTTP(seen, r); seen.Code != 200 {
				other.ServeHTTP(w, r)
			}
		})
	}
	for name, tt := range map[string]struct {
		h        http.Handler
		reason   string
		requests int
		args     []string
	}{
		"another file":      {responds(401), "was refused with 401", 1, nil},
		"handler refuses":   {protecting(t, dir, responds(403)), "was refused with 403", 1, nil},
		"redirect":          {responds(308), "was redirected with 308", 1, nil},
		"no route":          {responds(404), "also the honest one, got the response 404", 30, nil},
		"no method":         {responds(405), "also the honest one, got the response 405", 30, nil},
		"handler fails":     {responds(500), "also the honest one, got the response 500", 30, nil},
		"unavailable":       {responds(503), "unavailable (503)", 1, nil},
		"no response":       {hangs, "no response within", 1, []string{"-timeout", "100ms"}},
		"aborted":           {aborts, "got no response", 1, nil},
		"tampered: 404":     {tampered(responds(404)), "neither that of the honest request nor a refusal", 30, nil},
		"tampered: 429":     {tampered(responds(429)), "neither", 30, nil},
		"tampered: 503":     {tampered(responds(503)), "neither", 30, nil},
		"tampered: aborted": {tampered(aborts), "neither", 30, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := receiving(t, tt.h)
			r := probeJSON(t, dir, 2, append(tt.args, s.URL+"/orders/7")...)
			if r.Verdict != "unknown" || !strings.Contains(r.Reason, tt.reason) || r.Advice == "" || len(r.Requests) != tt.requests {
				t.Errorf("got %q, %q, %q; %d requests", r.Verdict, r.Reason, r.Advice, len(r.Requests))
			}
		})
	}
}

// TestProbeInterrupted_T214: a probe that does not end shows nothing.
func TestProbeInterrupted_T214(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "environments.yaml", probed)
	started := make(chan *os.Process, 1)
	n := 0
	s := receiving(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n++; n == 3 {
			(<-started).Signal(os.Interrupt)
			<-r.Context().Done()
		}
	}))
	c := exec.Command(binary, "probe", "-config", "environments.yaml", "-env", "dev", "-H", "Host: api.example.com", "-timeout", "1m", s.URL+"/orders/7")
	var out, stderr bytes.Buffer
	c.Dir, c.Env, c.Stdout, c.Stderr = dir, environment(), &out, &stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	started <- c.Process
	c.Wait()
	if code := c.ProcessState.ExitCode(); code != 2 || !strings.Contains(stderr.String(), "interrupted") || out.Len() > 0 {
		t.Errorf("exit %d\n%s%s", code, &out, &stderr)
	}
}

// TestProbeRefusesEverybodyLater_T214: a service that verifies nothing, and refuses every
// request after the first one for a reason of its own, is not protected.
func TestProbeRefusesEverybodyLater_T214(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "environments.yaml", probed)
	for name, tt := range map[string]struct {
		status int
		args   []string
	}{
		"the order exists already": {400, []string{"-X", "POST", "-d", `{"order":7}`}},
		"rate limit of a firewall": {403, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var n atomic.Int64
			s := receiving(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if n.Add(1) > 1 {
					w.WriteHeader(tt.status)
				}
			}))
			r := probeJSON(t, dir, 2, append(tt.args, s.URL+"/orders/7")...)
			if r.Verdict != "unknown" {
				t.Errorf("got %q: %q", r.Verdict, r.Reason)
			}
		})
	}
}
