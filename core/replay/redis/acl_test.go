package redis_test

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core/replay/redis"
	"github.com/gatewayauth/gatewayauth/internal/needs"
)

const password = "us3r-pa55"

// documented returns the rule in the operating guide that has the text in it, as a command.
func documented(t *testing.T, text string) (rule []string) {
	t.Helper()
	guide, err := os.ReadFile("../../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(guide)) {
		if strings.HasPrefix(line, "    ACL SETUSER ") && strings.Contains(line, text) {
			if rule != nil {
				t.Fatalf("two rules with %s", text)
			}
			rule = strings.Fields(strings.ReplaceAll(line, "PASSWORD", password))
		}
	}
	if rule == nil {
		t.Fatalf("no rule with %s", text)
	}
	return rule
}

// permit gives the server a user with the rules, each of which must be understood.
func (s *server) permit(rules ...[]string) {
	s.t.Helper()
	for _, rule := range rules {
		if got := strings.Join(s.ask(rule...), " "); got != "+OK" {
			s.t.Fatalf("%q: got %s", rule, got)
		}
	}
}

// permitted returns the commands of a rule, without the others.
func permitted(rule []string) (commands []string) {
	for _, word := range rule {
		if command, ok := strings.CutPrefix(word, "+"); ok {
			commands = append(commands, command)
		}
	}
	return commands
}

// use does all that a store does, with pauses, and returns the first error, or what was
// logged until done.
func use(t *testing.T, url string, pause time.Duration, done func() bool) string {
	t.Helper()
	var log logged
	s := open(t, url, log.to)
	defer s.Close()
	for {
		e := entry()
		if _, err := s.Add(t.Context(), e); err != nil {
			return err.Error()
		}
		if err := s.Permit(t.Context(), e, time.Minute); err != nil {
			return err.Error()
		}
		if _, err := s.Redeem(t.Context(), e); err != nil {
			return err.Error()
		}
		if done() || log.String() != "" {
			return log.String()
		}
		time.Sleep(pause)
	}
}

// denied reports whether one of the servers has refused a command of the user.
func denied(servers []*server, command string) bool {
	for _, s := range servers {
		if slices.Contains(s.ask("ACL", "LOG"), command) {
			return true
		}
	}
	return false
}

// TestMinimalUser_F29: the rules of the operating guide suffice. Without one of their
// commands the store tells which one is missing, or the server's own log has it where the
// store can do without.
func TestMinimalUser_F29(t *testing.T) {
	needs.Long(t) // starts Sentinels and a cluster
	each := documented(t, "~gatewayauth:replay:*")
	single := startServer(t)
	r := startSentinels(t, 1, 1, "")
	var replicated []*server
	for _, s := range r.servers {
		replicated = append(replicated, s)
	}
	cluster, ports := startCluster(t, 2)
	for i := range 1000 { // halfway to the other server, so that clients meet ASK
		slot := strconv.Itoa(i)
		cluster[1].ask("CLUSTER", "SETSLOT", slot, "IMPORTING", cluster[0].ask("CLUSTER", "MYID")[0])
		cluster[0].ask("CLUSTER", "SETSLOT", slot, "MIGRATING", cluster[1].ask("CLUSTER", "MYID")[0])
	}
	const user = "gatewayauth:" + password + "@"
	sentinelURL := strings.Replace(r.url(), "://", "://"+user, 1) + "&sentinel_username=gatewayauth&sentinel_password=" + password
	clusterURL := "redis://" + user + "127.0.0.1:" + ports[0] + "?cluster=true"

	single.permit(each)
	for _, s := range replicated {
		s.permit(each, documented(t, "+role"))
	}
	for _, s := range r.watch {
		s.permit(documented(t, "+subscribe"))
	}
	for _, s := range cluster {
		s.permit(each, documented(t, "+cluster|slots"))
	}
	for _, tt := range []struct {
		name    string
		servers []*server
		url     string
		rule    []string
	}{
		{"one server", []*server{single}, single.url(user), each},
		{"Sentinel", replicated, sentinelURL, documented(t, "+role")},
		{"the sentinels", r.watch, sentinelURL, documented(t, "+subscribe")},
		{"a cluster", cluster, clusterURL, documented(t, "+cluster|slots")},
	} {
		change := func(sign, command string) {
			for _, s := range tt.servers {
				s.permit([]string{"ACL", "SETUSER", "gatewayauth", sign + command}, []string{"ACL", "LOG", "RESET"})
			}
		}
		commands := permitted(tt.rule)
		if len(commands) == 0 {
			t.Errorf("%s: the rule %q permits nothing", tt.name, tt.rule)
		}
		until := time.Now().Add(time.Second)
		if got := use(t, tt.url, time.Millisecond, func() bool { return time.Now().After(until) }); got != "" {
			t.Errorf("%s: with all rules: %s", tt.name, got)
		}
		for _, c := range commands {
			if denied(tt.servers, c) {
				t.Errorf("%s: %s was refused, which the rule permits", tt.name, c)
			}
			change("-", c)
			pause := time.Millisecond
			if c == "ping" {
				pause = 1500 * time.Millisecond // idle connections are pinged
			}
			eventually(t, tt.name+": without "+c, func() bool {
				deadline := time.Now().Add(patience)
				got := use(t, tt.url, pause, func() bool { return denied(tt.servers, c) || time.Now().After(deadline) })
				named := strings.Contains(got, "the user may not run the command "+strings.ToUpper(strings.ReplaceAll(c, "|", " ")))
				if !named {
					t.Logf("%s: without %s: %q, ACL LOG %v", tt.name, c, got, denied(tt.servers, c))
				}
				return named || denied(tt.servers, c)
			})
			change("+", c)
		}
	}

	// What a user is refused otherwise.
	for name, tt := range map[string]struct{ url, prefix, want string }{
		"another prefix":                    {single.url(user), "other:", "NOPERM: the user may not access keys with the prefix"},
		"a wrong password":                  {single.url("gatewayauth:wr0ng@"), "", "WRONGPASS: user or password is wrong"},
		"a wrong password for sentinels":    {strings.ReplaceAll(sentinelURL, "sentinel_password="+password, "sentinel_password=wr0ng"), "", "WRONGPASS: user or password is wrong"},
		"a wrong password behind sentinels": {strings.Replace(sentinelURL, user, "gatewayauth:wr0ng@", 1), "", "WRONGPASS: user or password is wrong"},
		"a wrong password in a cluster":     {strings.Replace(clusterURL, password, "wr0ng", 1), "", "WRONGPASS: user or password is wrong"},
	} {
		err := wantUnavailable(t, name, open(t, tt.url, func(c *redis.Config) { c.Prefix = tt.prefix }), entry())
		if err == nil || !strings.Contains(err.Error(), tt.want) || containsAny(err.Error(), "wr0ng", password) {
			t.Errorf("%s: got %v, want %s", name, err, tt.want)
		}
	}
}
