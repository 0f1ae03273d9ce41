package redis_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/replay/redis"
)

func itoa(n int) string { return strconv.Itoa(n) }

// TestConfig: what is wrong is refused, all at once, and no part of a URL told.
func TestConfig(t *testing.T) {
	for url, problem := range map[string]string{
		"":                                                "scheme",
		"localhost:6379":                                  "not a URL",
		"http://user:pa55w0rd@localhost":                  "scheme",
		"redis:pa55w0rd":                                  "not a URL",
		"redis://":                                        "no host",
		"redis:///0":                                      "no host",
		"redis://user:pa55w0rd/x@localhost":               "not a URL",
		"redis://:pa55w0rd#x@localhost":                   "not a URL",
		"redis://:12#pa55w0rd@localhost":                  "not a URL",
		"redis://:12/pa55w0rd@localhost":                  "no host",
		"redis://h:12/pa55w0rd@localhost":                 "database",
		"redis://h/-1":                                    "database",
		"redis://h/1/2":                                   "database",
		"redis://h/":                                      "database",
		"redis://pa55w0rd@localhost":                      "user without",
		"redis://user:@localhost":                         "user without",
		"redis://h:pa55w0rd":                              "not a URL",
		"redis://h?pa55w0rd=1":                            "unknown parameter",
		"redis://h?db=1":                                  "db",
		"rediss://h?skip_verify=true":                     "unknown parameter",
		"redis://h?client_cache=1":                        "unknown parameter",
		"redis://h?max_retries=3":                         "unknown parameter",
		"redis://h?dial_timeout=1h":                       "unknown parameter",
		"redis://h?write_timeout=1h":                      "unknown parameter",
		"redis://h?protocol=2&protocol=3":                 "twice",
		"redis://h?addr=a;addr=b":                         "query",
		"redis://h?addr=a":                                "addr without",
		"redis://h?sentinel_password=pa55w0rd":            "without master_set",
		"redis://h?master_set=x&sentinel_username=u":      "without sentinel_password",
		"redis://h?master_set=x&sentinel_password=%20":    "without sentinel_password",
		"redis://h?master_set=x&sentinel_password=pa55+w": "%2B",
		"redis://h?cluster=1":                             "cluster",
		"redis://h?cluster=true&master_set=x":             "cluster",
		"unix://pa55w0rd":                                 "socket",
		"unix://run/redis.sock":                           "socket",
		"unix:///run/redis.sock?db=pa55w0rd":              "db",
		"redis://user:pa55w0rd@local host":                "not a URL",
		"redis://user:pa55w0rd\n@localhost":               "not a URL",
		"redis://user:pa%55w0rd%zz@localhost":             "not a URL",
		"redis://user:pa55w0rd@localhost:6379/x?":         "database",
	} {
		s, err := redis.New(redis.Config{URL: core.NewSecret(url)})
		if err == nil {
			s.Close()
			t.Errorf("%s: accepted", url)
			continue
		}
		if !strings.HasPrefix(err.Error(), "redis: URL: ") || !strings.Contains(err.Error(), problem) || containsAny(err.Error(), "pa55", "w0rd", "localhost") {
			t.Errorf("%s: got %q, want %q", url, err, problem)
		}
	}
	_, err := redis.New(redis.Config{TLS: &tls.Config{}, Prefix: strings.Repeat("x", 200), Timeout: -1, ClockStep: 25 * time.Hour})
	for _, field := range []string{"URL: ", "Prefix: ", "Timeout: ", "ClockStep: "} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: got %v", field, err)
		}
	}
	if _, err := redis.New(redis.Config{URL: core.NewSecret("redis://h"), TLS: &tls.Config{}}); err == nil || !strings.Contains(err.Error(), "TLS") {
		t.Errorf("got %v", err)
	}
}

// TestFormatting_T127: no verb and no encoder shows the URL.
func TestFormatting_T127(t *testing.T) {
	c := redis.Config{URL: core.NewSecret("redis://user:pa55w0rd@127.0.0.1:1/0"), Timeout: time.Second, Logger: quiet}
	s, err := redis.New(c)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	unavailable := wantUnavailable(t, "nowhere", s, entry())
	var log logged
	for _, l := range []*slog.Logger{slog.New(slog.NewTextHandler(&log, nil)), slog.New(slog.NewJSONHandler(&log, nil))} {
		l.Info("x", "config", c, "pointer", &c, "store", s, "error", unavailable)
	}
	text := log.String()
	for _, value := range []any{c, &c, s, struct{ inner any }{c}, struct{ inner any }{&c}, struct{ s *redis.Store }{s}, []any{c, s}, unavailable} {
		encoded, _ := json.Marshal(value)
		text += fmt.Sprintf("%v %+v %#v %s %q %x", value, value, value, value, value, value) + string(encoded)
	}
	if containsAny(text, "pa55", "w0rd", fmt.Sprintf("%x", "pa55")) {
		t.Errorf("the password is in %s", text)
	}
}

// TestAuthentication: password, user and database, and what wrong ones tell.
func TestAuthentication(t *testing.T) {
	server := startServer(t, "--requirepass", "pa55/w0rd", "--user", "gateway", "on", ">us3r", "~gatewayauth:*", "+set", "+ping")
	s := open(t, server.url("gateway:us3r@")+"?client_name=x")
	want(t, "a user with few permissions", s, works(t, s), false)
	for _, protocol := range []string{"", "&protocol=2"} {
		for _, user := range []string{":pa55%2Fw0rd@", "default:pa55%2Fw0rd@"} {
			s := open(t, server.url(user)+"?db=2&client_name=x"+protocol)
			want(t, user, s, works(t, s), false)
		}
		for user, code := range map[string]string{"": "NOAUTH", ":wr0ng@": "WRONGPASS", "gateway:wr0ng@": "WRONGPASS", "nobody:us3r@": "WRONGPASS"} {
			err := wantUnavailable(t, user, open(t, server.url(user)+"?db=0"+protocol), entry())
			if err == nil || !strings.Contains(err.Error(), code) || containsAny(err.Error(), "wr0ng", "us3r") {
				t.Errorf("%q: got %v, want %s", user, err, code)
			}
		}
	}
}

// TestQuotingServer: a server may quote the command that it does not know.
func TestQuotingServer(t *testing.T) {
	before := goleak.IgnoreCurrent()
	for _, reply := range []string{
		"-ERR unknown command 'AUTH', with args beginning with: 'user' 'pa55w0rd' \r\n", "-pa55w0rd\r\n", "-PA55W0RD x\r\n",
		"-ERR AUTH <pa55w0rd> called without any password configured\r\n", "!8\r\npa55w0rd\r\n",
	} {
		for _, command := range []string{"HELLO", "AUTH", "SET", "CLUSTER"} {
			var log logged
			f := newFake(map[string]string{"SET": "+OK\r\n", command: reply})
			address, _ := listen(t, f.handle)
			url := "redis://user:pa55w0rd@" + address
			switch command {
			case "AUTH":
				url += "?protocol=2"
			case "CLUSTER":
				url += "?cluster=true"
			}
			s := open(t, url, log.to)
			err := wantUnavailable(t, command+" "+reply, s, entry())
			s.Close()
			if text := fmt.Sprintf("%v %+v %#v %s", err, err, err, log.String()); containsAny(strings.ToLower(text), "pa55", "w0rd") {
				t.Errorf("the password is in %s", text)
			}
		}
	}
	eventually(t, "what a cluster's client leaves ends", func() bool { return leaks(before) == nil })
}

// TestConcurrentClose: what ends first, a check or the store, does not matter.
func TestConcurrentClose(t *testing.T) {
	server := startServer(t)
	for range 50 {
		s := open(t, server.url(""))
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.Add(context.Background(), entry())
		}()
		s.Close()
		<-done
	}
}
