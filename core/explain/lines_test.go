package explain_test

import (
	"net/http/httputil"
	"slices"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/explain"
)

// TestSignedLines_T234: the lines show what was signed, and mark exactly the lines that a
// proxy changed. The sender's canonical request is not given: what was signed is the
// canonical request of the same request without the proxy.
func TestSignedLines_T234(t *testing.T) {
	for _, tt := range []struct {
		name  string
		sent  scenario
		marks []string
	}{
		{"nothing", scenario{}, nil},
		{"host", scenario{proxy: backendHost, hints: explain.Hints{Hosts: []string{"api.example.com"}}}, []string{"host:"}},
		{"prefix", scenario{target: "/v1/items/7?b=2", proxy: stripped("/v1"), config: func(c *core.Config) { c.Default = "k1" }}, []string{"path"}},
		{"host and prefix", scenario{proxy: func(p *httputil.ProxyRequest) { backendHost(p); stripped("/v1")(p) },
			hints: explain.Hints{Hosts: []string{"api.example.com"}}}, []string{"path", "host:"}},
		{"parameter", scenario{proxy: func(p *httputil.ProxyRequest) { p.Out.URL.RawQuery += "&trace=1" }}, []string{"query"}},
		{"header", scenario{signer: signed1("x-note"), headers: []string{"X-Note: one"}, proxy: func(p *httputil.ProxyRequest) { p.Out.Header.Set("X-Note", "two") },
			hints: explain.Hints{Headers: map[string][]string{"X-Note": {"one"}}}}, []string{"x-note:"}},
		{"SigV4", scenario{key: k4, signer: signed4(), proxy: backendHost, hints: explain.Hints{Hosts: []string{"api.example.com"}}}, []string{"host:"}},
		{"another secret", scenario{key: secret(k1, p1+"\n")}, nil},
		{"an unknown secret", scenario{key: secret(k1, "a-secret-that-nobody-knows")}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			direct := tt.sent
			direct.proxy = nil
			want := direct.why(t).CanonicalRequest
			x := tt.sent.why(t)
			if len(tt.marks) == 0 {
				if len(x.Lines) > 0 {
					t.Errorf("nothing that is signed was changed, and got %v", x.Lines)
				}
				return
			}
			var marks []string
			var signed, received strings.Builder
			for _, l := range x.Lines {
				if l.Differs {
					marks = append(marks, l.Name)
				}
				name := ""
				if strings.HasSuffix(l.Name, ":") {
					name = l.Name
				}
				signed.WriteString(name + l.Sender + "\n")
				received.WriteString(name + l.Verifier + "\n")
			}
			if !slices.Equal(marks, tt.marks) {
				t.Errorf("got %v marked, want %v", marks, tt.marks)
			}
			lines := func(text string) string { return strings.TrimSpace(strings.ReplaceAll(text, "\n\n", "\n")) }
			if got := lines(signed.String()); got != lines(want) {
				t.Errorf("got as signed\n%s\nwant\n%s", got, lines(want))
			}
			if got := lines(received.String()); got != lines(x.CanonicalRequest) {
				t.Errorf("got as received\n%s\nwant\n%s", got, lines(x.CanonicalRequest))
			}
		})
	}
}

// TestLinesHideSecrets_T234: the lines do not show cookies and tokens, whichever side has
// them.
func TestLinesHideSecrets_T234(t *testing.T) {
	const value = "session=9f8e7d6c"
	x := scenario{signer: signed1("cookie", "x-auth-token"), headers: []string{"Cookie: " + value, "X-Auth-Token: " + value},
		proxy: func(p *httputil.ProxyRequest) { backendHost(p); p.Out.Header.Set("X-Auth-Token", "other-"+value) },
		hints: explain.Hints{Hosts: []string{"api.example.com"}, Headers: map[string][]string{"X-Auth-Token": {value}}}}.why(t)
	if len(x.Lines) != 9 {
		t.Fatalf("got %v", x)
	}
	var names []string
	for _, l := range x.Lines {
		names = append(names, l.Name)
	}
	if want := "method path query cookie: host: x-auth-token: x-sdk-date: signed headers payload"; strings.Join(names, " ") != want {
		t.Errorf("got %q, want %q", names, want)
	}
	if text := jsonText(t, x) + x.String(); strings.Contains(text, "9f8e7d6c") {
		t.Errorf("a secret is shown:\n%s", text)
	}
}
