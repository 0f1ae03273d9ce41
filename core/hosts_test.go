package core_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/basic"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// TestHostForms: HTTP/2 lets hosts through that HTTP/1 does not, and the canonical
// form would trim them; patterns with a host compare one spelling of it.
func TestHostForms(t *testing.T) {
	for _, host := range []string{"", " api.example.com", "api.example.com ", "api.example.com\t", "api.example.com\x7f",
		"a@api.example.com", "api.example.com/x", "api.example.com,x", `api.example.com\x`, "api.example.com?", "api.example.com#"} {
		r := signed(t, k1, "GET", "/", "", apig.SignOptions{})
		r.Host = host
		wantVerdict(t, verifier(t), r, core.CodeRequestAmbiguous)
	}
	for _, host := range []string{"a!b.example.com", "a~b.example.com"} { // odd, and not ambiguous
		wantVerdict(t, verifier(t), forHost(t, host), "")
	}
	v := verifier(t, func(c *core.Config) { c.APIs = []core.API{{Match: "admin.example.com/", Key: "k2"}} })
	for host, want := range map[string]core.Code{
		"admin.example.com": core.CodeKeyNotBound, "admin.example.com:8080": core.CodeKeyNotBound, "api.example.com": "",
		"ADMIN.example.com": core.CodeRequestAmbiguous, "admin.example.com.": core.CodeRequestAmbiguous, "admin.example.com.:80": core.CodeRequestAmbiguous,
		// What routers cut a port off that ServeMux does not know as one.
		"admin.example.com:80:80": core.CodeRequestAmbiguous, "admin.example.com::": core.CodeRequestAmbiguous, "admin.example.com:": core.CodeRequestAmbiguous,
		"admin.example.com:80]": core.CodeRequestAmbiguous, "[admin.example.com": core.CodeRequestAmbiguous, "admin.example.com;": core.CodeRequestAmbiguous,
		"admin.example.com:8o": core.CodeRequestAmbiguous, "admin.example.com:-1": core.CodeRequestAmbiguous, "admin.example.com:123456": core.CodeRequestAmbiguous,
		"admin.example.com:99999": core.CodeKeyNotBound, "z-9.a_0.example.com": "",
		"admin.example.com%20": core.CodeRequestAmbiguous, "[::1]": "", "[::1]:8080": "", "[::1]x": core.CodeRequestAmbiguous,
		// ServeMux takes the brackets off where there is a port, other routers do not.
		"[admin.example.com]:80": core.CodeRequestAmbiguous, "[api.example.com]:80": core.CodeRequestAmbiguous, "[192.0.2.1]:80": core.CodeRequestAmbiguous,
		"[admin.example.com]": core.CodeRequestAmbiguous,
	} {
		wantVerdict(t, v, forHost(t, host), want)
	}
	for _, host := range []string{"a{b.example.com", "a`b.example.com"} { // which signers refuse to send
		r := forHost(t, "api.example.com")
		r.Host = host
		wantVerdict(t, v, r, core.CodeRequestAmbiguous)
	}
	r := signed(t, k1, "GET", "/", "", apig.SignOptions{})
	r.Method = "CONNECT"
	wantVerdict(t, v, r, core.CodeRequestAmbiguous)
}

func hosts(entries ...string) func(*core.Config) {
	return func(c *core.Config) { c.Hosts = entries }
}

// forHost is a request that k1 has signed for a host.
func forHost(t *testing.T, host string) *http.Request {
	t.Helper()
	r := httptest.NewRequest("GET", "/v1/items", nil)
	r.Host, r.Body = host, http.NoBody
	return testkit.Sign(apig.NewSigner(k1, apig.SignOptions{}), r, "", instant)
}

// TestHosts_T183: which hosts an entry stands for.
func TestHosts_T183(t *testing.T) {
	for _, tt := range []struct {
		entry       string
		ours, other []string
	}{
		{"api.example.com",
			[]string{"api.example.com", "API.Example.COM", "api.example.com.", "api.example.com:80", "api.example.com:443", "api.example.com.:443", "api.example.com:"},
			[]string{"example.com", "x.api.example.com", "xapi.example.com", "api.example.com.evil", "api.example.comx", "api.example.com:8080", "api.example.com:0443",
				"api.example.com:444", "api.example.com..", ".api.example.com", "api.example.com:443:443", "api.example.com:+443", "api_example.com"}},
		{"API.example.com:8443", []string{"api.example.com:8443", "API.EXAMPLE.COM.:8443"}, []string{"api.example.com", "api.example.com:443", "api.example.com:84430", "api.example.com:08443"}},
		{"api.example.com:443", []string{"api.example.com:443", "api.example.com"}, []string{"api.example.com:80", "api.example.com:8443"}},
		{"api.example.com:80", []string{"api.example.com:80", "api.example.com"}, []string{"api.example.com:443"}},
		{"*.example.com", []string{"a.example.com", "A.EXAMPLE.com", "a.b.example.com", "a.example.com.", "a.example.com:443", "-.example.com"},
			[]string{"example.com", ".example.com", "..example.com", "a..example.com", ".a.example.com", "aexample.com", "a.example.com:8443", "a.example.com.evil", "*example.com", "[a.example.com]", "a.another.org", "."}},
		{"*.svc.cluster.local:8443", []string{"orders.shop.svc.cluster.local:8443", "x.svc.cluster.local:8443"},
			[]string{"orders.shop.svc.cluster.local", "orders.shop.svc.cluster.local:443", "svc.cluster.local:8443", "shopsvc.cluster.local:8443"}},
		{"localhost:1", []string{"localhost:1"}, []string{"localhost", "localhost:80"}},
		{"localhost:65535", []string{"localhost:65535"}, []string{"localhost", "localhost:6553"}},
		{"localhost:9000", []string{"localhost:9000", "LOCALHOST:9000"}, []string{"localhost", "127.0.0.1:9000"}},
		{"192.0.2.1", []string{"192.0.2.1", "192.0.2.1:80"}, []string{"192.0.2.2", "192.0.2.01", "[::ffff:192.0.2.1]", "3221225985"}},
		{"[2001:DB8::1]", []string{"[2001:db8::1]", "[2001:db8:0:0:0:0:0:1]", "[2001:0DB8::1]:443"},
			[]string{"[2001:db8::2]", "[2001:db8::1]:8443", "2001:db8::1", "[2001:db8::1", "[2001:db8::1]x", "[]", "[::1]", ":443", ".", ".:80"}},
		{"[::1]:8443", []string{"[::1]:8443", "[0:0:0:0:0:0:0:1]:8443"}, []string{"[::1]", "[::]:8443", "[1]:8443"}},
	} {
		v := verifier(t, hosts(tt.entry, "another.example.org"))
		check := func(host string, want core.Code) {
			t.Helper()
			if _, err := v.Verify(forHost(t, host)); core.CodeOf(err) != want {
				t.Errorf("%s, signed for %q: got %v, want %q", tt.entry, host, err, want)
			}
		}
		check("another.example.org", "")
		for _, host := range tt.ours {
			check(host, "")
		}
		for _, host := range tt.other {
			check(host, core.CodeHostNotOurs)
		}
	}
}

// TestOddHosts_T183: letters that Unicode folds to those of a name are others, and an
// address with a zone is another one. No signer of ours signs for such hosts, so the
// credential is a password.
func TestOddHosts_T183(t *testing.T) {
	key := core.Key{Name: "k1", ID: "user", Secret: core.NewSecret("password-of-user")}
	v := verifier(t, hosts("api.example.com", "[2001:DB8::1]"), func(c *core.Config) {
		c.Schemes = []core.Scheme{basic.New(basic.Config{Keys: core.Keys(key)})}
	})
	for host, want := range map[string]core.Code{"API.example.com": "", "ap\u0131.example.com": core.CodeHostNotOurs, "api.example.\u212aom": core.CodeHostNotOurs,
		"[2001:db8::1]": "", "[2001:db8::1%25eth0]": core.CodeHostNotOurs, "[2001:db8::1%eth0]": core.CodeHostNotOurs} {
		r := httptest.NewRequest("GET", "/v1/items", nil)
		r.Host = host
		r.SetBasicAuth(key.ID, "password-of-user")
		wantVerdict(t, v, r, want)
	}
}

// TestHostsConfig_T183: entries that could stand for nothing, or for everything, are
// errors that say what to write.
func TestHostsConfig_T183(t *testing.T) {
	for _, tt := range []struct{ entry, want string }{
		{"", "not a host name"}, {"https://api.example.com", "leave out scheme"}, {"api.example.com/v1", "leave out scheme"}, {"user@api.example.com", "leave out scheme"},
		{"api.example.com:", "no port"}, {"api.example.com:http", "port"}, {"api.example.com:0", "port"}, {"api.example.com:65536", "port"}, {"api.example.com:080", "port"},
		{":8443", "not a host name"}, {"::1", "brackets"}, {"[::1", "brackets"}, {"[::1]x", "brackets"}, {"[fe80::1%eth0]", "zone"}, {"[192.0.2.1]", "IPv6"}, {"[example.com]", "IPv6"},
		{"*", "every host"}, {"*:8443", "every host"}, {"*.*", "first label"}, {"*.", "not a host name"}, {"api.*.com", "first label"}, {"*api.example.com", "first label"}, {"**.example.com", "first label"},
		{"api.example.com.", "dot"}, {".example.com", "not a host name"}, {"a..b", "not a host name"}, {"*..example.com", "not a host name"},
		{"b\u00fccher.example", "punycode"}, {"api example.com", "not a host name"}, {"api.example.com ", "not a host name"}, {"a,b", "not a host name"},
	} {
		_, err := core.New(config(hosts("api.example.com", tt.entry)))
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), fmt.Sprintf("Hosts[1] %q: ", tt.entry)) {
			t.Errorf("%q: got error %v, want one that says %q", tt.entry, err, tt.want)
		}
	}
	if _, err := core.New(config(hosts([]string{}...), func(c *core.Config) { c.Hosts = []string{} })); err == nil || !strings.Contains(err.Error(), "Hosts: an empty list") {
		t.Errorf("an empty list: got error %v", err)
	}
}

// TestHostsEveryScheme_T183: the list holds for every scheme, and its host must be
// signed where the scheme signs anything.
func TestHostsEveryScheme_T183(t *testing.T) {
	for _, f := range families() {
		for entry, want := range map[string]core.Code{"api.example.com": "", "*.example.com": "", "service-b.internal": core.CodeHostNotOurs} {
			for _, required := range [][]string{nil, {}, {"content-type"}} {
				v := f.of(t, hosts(entry), func(c *core.Config) { c.RequireSigned = required })
				if _, err := v.Verify(f.signed()); core.CodeOf(err) != want {
					t.Errorf("%s, %s: got %v, want %q", f.Name, entry, err, want)
				}
			}
		}
		r := f.signed() // for another host than it is sent to
		r.Host = "service-b.internal"
		want := core.CodeSignatureMismatch
		if f.prefix == "" {
			want = core.CodeHostNotOurs
		}
		if _, err := f.of(t, hosts("api.example.com")).Verify(r); core.CodeOf(err) != want {
			t.Errorf("%s, sent to another host: got %v, want %q", f.Name, err, want)
		}
	}
	for _, required := range [][]string{{}, {"x-tenant"}} {
		v := verifier(t, hosts("api.example.com"), func(c *core.Config) { c.RequireSigned = required })
		r := request(t, strings.Replace(p1, "SignedHeaders=host;x-sdk-date", "SignedHeaders=x-sdk-date;x-tenant", 1))
		r.Header.Set("X-Tenant", "blue")
		_, err := v.Verify(r)
		if wantCode(t, err, core.CodeHeaderNotSigned); !strings.HasSuffix(err.Error(), ": host") {
			t.Errorf("%q required: got %v", required, err)
		}
	}
}

// TestHostsBeforeTheBody_T183: a declared body is not read, nor a request recorded,
// that was meant for another service.
func TestHostsBeforeTheBody_T183(t *testing.T) {
	store := &memory{}
	v := verifier(t, hosts("service-b.internal"), func(c *core.Config) { c.Replay.Store = store })
	r := signed(t, k1, "POST", "/v1/items", "abc", apig.SignOptions{Payload: core.PayloadDeclared})
	r.Body = unread{t}
	_, err := v.Verify(r)
	wantCode(t, err, core.CodeHostNotOurs)
	if all := store.entries(); len(all) > 0 {
		t.Errorf("recorded: %+v", all)
	}
	problem := core.ProblemOf(err)
	if problem.Status != http.StatusMisdirectedRequest || problem.Title != "Misdirected Request" || problem.Detail == "" ||
		strings.Contains(problem.Detail, "service-b") || problem.Code != "" {
		t.Errorf("got the answer %+v", problem)
	}
	if strings.Contains(err.Error(), "service-b") || strings.Contains(err.Error(), "api.example.com") {
		t.Errorf("the error holds text of the request, or the list: %v", err)
	}
}

// TestHostsRewritten_T183: a rewritten host that is not listed refuses everything,
// which is said when the policy is loaded.
func TestHostsRewritten_T183(t *testing.T) {
	for host, warned := range map[string]bool{"API.example.com.": false, "internal.example.com": true} {
		var log strings.Builder
		verifier(t, hosts("api.example.com"), func(c *core.Config) {
			c.Rewrite.Host, c.Logger = host, jsonLogger(&log)
		})
		if got := strings.Contains(log.String(), "Rewrite.Host is none of Hosts"); got != warned {
			t.Errorf("%s: warned %v, want %v:\n%s", host, got, warned, log.String())
		}
	}
}
