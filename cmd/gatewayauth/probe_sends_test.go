package main_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// TestProbeOversized_T213: nothing of the large body is sent, whatever the service does.
func TestProbeOversized_T213(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "environments.yaml", probed)
	verified := protecting(t, dir, responds(200))
	large := func(h http.HandlerFunc) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.ContentLength > 0 {
				h(w, r)
				return
			}
			verified.ServeHTTP(w, r)
		})
	}
	hung := make(chan struct{})
	var read atomic.Int64
	for name, tt := range map[string]struct {
		h      http.HandlerFunc
		result string
		code   int
		args   []string
	}{
		"refuses":  {verified.ServeHTTP, "refused", 0, nil},
		"accepts":  {func(http.ResponseWriter, *http.Request) {}, "accepted", 1, nil},
		"reads it": {func(_ http.ResponseWriter, r *http.Request) { n, _ := io.Copy(io.Discard, r.Body); read.Add(n) }, "accepted", 1, nil},
		"hangs":    {func(_ http.ResponseWriter, r *http.Request) { <-hung }, "unclear", 2, []string{"-timeout", "2s"}},
	} {
		s := httptest.NewServer(large(tt.h))
		r := probeJSON(t, dir, tt.code, append(tt.args, "-oversized", s.URL+"/orders/7")...)
		if last := r.Requests[len(r.Requests)-1]; last.Name != "oversized body" || last.Result != tt.result {
			t.Errorf("%s: got %+v", name, last)
		}
		if name == "hangs" {
			close(hung)
		}
		s.Close()
	}
	if n := read.Load(); n > 0 {
		t.Errorf("%d bytes were sent", n)
	}
}

// TestProbeSendsWhatIsAsked_T213: nothing but the URL is called, and nothing in a dry run.
func TestProbeSendsWhatIsAsked_T213(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "environments.yaml", probed)
	allowed := func(method, target, spelled, body string) []string {
		return []string{
			method + " api.example.com " + target + " " + body,
			method + " api.example.com " + target + " " + method + body, // a method override with the same method
			method + " gatewayauth-probe.example " + target + " " + body,
			method + " api.example.com " + spelled + " " + body,
			method + " api.example.com " + target + "&gatewayauth-probe=1; " + body,
		}
	}
	for _, tt := range []struct {
		path string
		args []string
		want []string
	}{
		{"/orders/7?a=1", nil, allowed("GET", "/orders/7?a=1", "/orders/%37?a=1", "")},
		{"/sigv4/7?a=1", nil, allowed("GET", "/sigv4/7?a=1", "/./sigv4/7?a=1", "")},
		{"/orders/7?a=1", []string{"-X", "PUT", "-d", "text"}, allowed("PUT", "/orders/7?a=1", "/orders/%37?a=1", "text")},
	} {
		s := receiving(t, responds(200))
		args := append(tt.args, s.URL+tt.path)
		dry := cli(t, dir, "", append([]string{"probe", "-config", "environments.yaml", "-env", "dev", "-H", "Host: api.example.com", "-dry-run"}, args...)...)
		if n := strings.Count(dry.out, "# the file refuses it: "); dry.code != 0 || n < 28 || len(s.all()) > 0 {
			t.Errorf("the dry run: exit %d, %d refusals, %d requests were sent\n%s", dry.code, n, len(s.all()), dry.out)
		}
		probeJSON(t, dir, 1, args...)
		for _, line := range s.all() {
			line, presigned, _ := strings.Cut(line, "&X-Sdk-Algorithm=")
			if aws, p, found := strings.Cut(line, "&X-Amz-Algorithm="); found {
				line, presigned = aws, p
			}
			if presigned != "" {
				line += " " + presigned[strings.LastIndexByte(presigned, ' ')+1:]
			}
			if !slices.Contains(tt.want, line) {
				t.Errorf("sent %q", line)
			}
		}
	}
}
