package main_test

import (
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core/explain"
	"github.com/gatewayauth/gatewayauth/internal/needs"
)

// raw returns a saved request for dev, signed with a key of an environment.
func raw(t *testing.T, dir, env, target string, args ...string) string {
	t.Helper()
	args = append([]string{"sign", "-config", "environments.yaml", "-env", env, "-key", "orders_key", "-at", "2026-01-15T12:00:00Z"}, args...)
	return "GET " + target + " HTTP/1.1\nHost: api.example.com\n" + cli(t, dir, "", append(args, "http://api.example.com"+target)...).out + "\n"
}

// TestExplainWords_T186: the output uses the names of the flags and of the file's fields.
func TestExplainWords_T186(t *testing.T) {
	needs.Long(t) // runs the command for each request
	dir := folder(t)
	signed := raw(t, dir, "dev", "/orders/7")
	const at = "2026-01-15T12:00:00Z"
	for _, tt := range []struct {
		name, in string
		args     []string
		code     int
		says     []string
		not      []string
	}{
		{"another host", strings.Replace(signed, "api.example.com", "10.0.0.7:8080", 1), []string{"-at", "captured"}, 2,
			[]string{"the host is what proxies change most often", "it arrived as 10.0.0.7:8080", "--host api.example.com", "--prefix /v1", "--client-canonical"}, []string{"--header"}},
		{"another host, named", strings.Replace(signed, "api.example.com", "10.0.0.7:8080", 1), []string{"-at", "captured", "-host", "other.example.com"}, 2,
			[]string{"--prefix"}, []string{"--host"}},
		{"another host, named by a URL", strings.Replace(signed, "api.example.com", "10.0.0.7:8080", 1), []string{"-at", "captured", "-host", "https://api.example.com/"}, 1,
			[]string{"host api.example.com instead of"}, []string{"none was found"}},
		{"another host, named as a header", strings.Replace(signed, "api.example.com", "10.0.0.7:8080", 1), []string{"-at", "captured", "-host", "Host: api.example.com"}, 1,
			[]string{"host api.example.com instead of"}, nil},
		{"a prefix, named by a URL", strings.Replace(raw(t, dir, "dev", "/eu/2/orders/7"), "/eu/2/orders", "/orders", 1), []string{"-at", "captured", "-prefix", "https://api.example.com/eu/2/"}, 1,
			[]string{"set rewrite.add_prefix"}, nil},
		{"a signed header, changed", strings.Replace(raw(t, dir, "dev", "/orders/7", "-H", "X-Tenant: blue", "-H", "X-Tenant"), ": blue", ": red", 1), []string{"-at", "captured"}, 2,
			[]string{"--host", "signed headers: x-tenant", "--header 'x-tenant: value'"}, nil},
		{"the settings of the file", strings.Replace(signed, "/orders/7", "/x/orders/7", 1), []string{"-at", "2026-01-15T13:30:00Z"}, 1,
			[]string{"1h 30m behind", "clock_skew allows"}, []string{"1h30m0s", "ClockSkew"}},
		{"a prefix", strings.Replace(raw(t, dir, "dev", "/v1/orders/7"), "/v1/orders", "/orders", 1), []string{"-at", "captured"}, 1,
			[]string{"set rewrite.add_prefix"}, []string{"AddPrefix"}},
		{"years", signed, []string{"-at", "2031-01-15T00:00:00Z"}, 1, []string{"5 years"}, []string{"h0m0s"}},
		{"centuries", signed, []string{"-at", "2826-01-15T12:00:00Z"}, 1, []string{"800 years"}, []string{"2562047h"}},
		{"a difference that is no time zone", signed, []string{"-at", "2026-01-15T13:45:00Z"}, 1, []string{"1h 45m behind"}, []string{"local time"}},
		{"no credential, and a date", strings.Replace(signed, "Authorization: SDK-HMAC-SHA256", "X-Taken: nothing", 1), []string{"-at", "captured"}, 1,
			[]string{"clock: " + at, "the date in X-Sdk-Date", "did not come through the gateway"}, []string{"none was found"}},
		{"no credential, and another date", "GET / HTTP/1.1\nHost: a\nDate: Thu, 15 Jan 2026 12:00:00 GMT\n\n", []string{"-at", "captured"}, 1,
			[]string{"clock: " + at, "the date in Date"}, nil},
		{"a date in the query", "GET /?X-Amz-Date=20260115T120000Z HTTP/1.1\nHost: a\n\n", []string{"-at", "captured"}, 1,
			[]string{"clock: " + at, "the date in X-Amz-Date"}, nil},
		{"no date", "GET / HTTP/1.1\nHost: a\n\n", []string{"-at", "captured"}, 1, []string{"no date that can be parsed", "credential_missing"}, nil},
		{"a malformed credential", strings.Replace(signed, "Signature=", "Signature=XYZ", 1), []string{"-at", "captured"}, 1,
			[]string{"clock: " + at, "credential_malformed"}, nil},
		{"a header that is not signed", strings.Replace(signed, "Host:", "X-Sdk-Trace: 1\nHost:", 1), []string{"-at", "captured"}, 1, []string{"X-Sdk-Trace", "allow_unsigned"}, nil},
		{"a key of another environment", raw(t, dir, "RELEASE", "/orders/7"), []string{"-at", "captured"}, 1,
			[]string{"the key orders_key of the environment RELEASE"}, []string{"were tried"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			runExplain(t, dir, tt.in, tt.code, tt.args...)
			out := cli(t, dir, tt.in, append([]string{"explain", "-config", "environments.yaml", "-env", "dev"}, tt.args...)...).out
			for _, want := range tt.says {
				if !strings.Contains(out, want) {
					t.Errorf("the output does not contain %q:\n%s", want, out)
				}
			}
			for _, bad := range tt.not {
				if strings.Contains(out, bad) {
					t.Errorf("the output contains %q:\n%s", bad, out)
				}
			}
		})
	}
}

// TestExplainUntriedKeys_T186: a note names the environments whose secrets are missing,
// so that not all of their keys were tried.
func TestExplainUntriedKeys_T186(t *testing.T) {
	dir := folder(t)
	write(t, dir, "environments.yaml", strings.Replace(environments, "RELEASE_SECRET", "SET_NOWHERE", 1))
	write(t, dir, "whole.yaml", environments)
	stranger := cli(t, dir, "", "sign", "-config", "whole.yaml", "-env", "RELEASE", "-key", "orders_key", "-at", "2026-01-15T12:00:00Z", "http://api.example.com/orders/7").out
	in := "GET /orders/7 HTTP/1.1\nHost: api.example.com\n" + stranger + "\n"
	x := runExplain(t, dir, in, 2, "-at", "captured")
	if notes := strings.Join(x.Notes, "\n"); !strings.Contains(notes, "environment RELEASE") || !strings.Contains(notes, "SET_NOWHERE") {
		t.Errorf("got notes %q", x.Notes)
	}
	if r := cli(t, dir, in, "explain", "-config", "environments.yaml", "-env", "RELEASE"); r.code != 3 || !strings.Contains(r.err, "SET_NOWHERE") {
		t.Errorf("exit %d %s", r.code, r.err)
	}
	// The page is started for one environment, and gets a question about another.
	address, _ := background(t, dir, "explain", "-config", "environments.yaml", "-env", "dev", "-http", "127.0.0.1:0")
	r, err := form(t, address, map[string]string{"env": "RELEASE", "request": in})
	if status, text, _ := ask(t, r, err); status != 422 || !strings.Contains(text, "SET_NOWHERE") {
		t.Errorf("%d: %s", status, text)
	}
}

// TestPageWords_T186: the page gives the same advice as the command, with the labels of its
// own fields.
func TestPageWords_T186(t *testing.T) {
	dir := folder(t)
	address, _ := background(t, dir, "explain", "-config", "environments.yaml", "-env", "dev", "-http", "127.0.0.1:0")
	in := raw(t, dir, "dev", "/orders/7", "-H", "X-Tenant: blue", "-H", "X-Tenant")
	for _, tt := range []struct {
		fields map[string]string
		want   []string
	}{
		{map[string]string{"request": in, "at": "2026-01-15T12:05:00Z"}, []string{"5m before the clock; 15m allowed"}},
		{map[string]string{"request": in, "at": "2030-01-15T12:00:00Z"}, []string{"4 years 1 day behind", "clock_skew"}},
		{map[string]string{"request": strings.Replace(in, ": blue", ": red", 1), "at": "captured"},
			[]string{"the host is what proxies change most often", "in the field Hosts: api.example.com", "in the field Prefixes: /v1", "in the field Headers: x-tenant: value"}},
		{map[string]string{"request": strings.Replace(in, ": blue", ": red", 1), "at": "captured", "headers": "X-Other: a\r\nX-Tenant: blue\r\n"},
			[]string{string(explain.CauseHeader), "X-Tenant: blue"}},
		{map[string]string{"request": strings.Replace(in, "Authorization: SDK-HMAC-SHA256", "X-Taken: nothing", 1), "at": "captured"}, []string{"did not come through the gateway"}},
		{map[string]string{"request": in, "headers": "nothing"}, []string{"Headers: &#34;nothing&#34; is not a header such as"}},
	} {
		tt.fields["env"] = "dev"
		r, err := form(t, address, tt.fields)
		_, text, _ := ask(t, r, err)
		for _, want := range tt.want {
			if !strings.Contains(text, want) {
				t.Errorf("%v: the page does not contain %q\n%s", tt.fields, want, text)
			}
		}
		if strings.Contains(text, " --at") || strings.Contains(text, " --host") || strings.Contains(text, " --prefix") || strings.Contains(text, " --header") {
			t.Errorf("the page names flags of the command:\n%s", text)
		}
	}
}
