package main_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// bound is what check --route says of one environment.
type bound struct {
	Environment, Pattern, Key, Code, Why string
	Line, Column                         int
	Open                                 bool
	Others                               []string
}

// TestRoute_T243: check --route names the pattern that net/http's ServeMux takes, with its key
// and its place, and what the verifier refuses.
func TestRoute_T243(t *testing.T) {
	dir := folder(t)
	patterns := []struct{ match, key string }{
		{"GET /admin/", "k1"}, {"GET /admin/x", "k2"}, {"/healthz", ""}, {"GET /items/{id}", "k1"},
		{"POST /items/{id}/{rest...}", "k2"}, {"GET admin.example.com/", "k2"}, {"/files/{$}", "k1"},
	}
	text := "environments:\n  R:\n    keys:\n" +
		"      - {name: k1, type: hmac, key: abcdefgh01, secret: {env: NOT_SET}}\n" +
		"      - {name: k2, type: hmac, key: abcdefgh02, secret: {file: not-here}}\n    apis:\n"
	mux := http.NewServeMux()
	keys := map[string]string{}
	lines := map[string]int{}
	for i, p := range patterns {
		mux.HandleFunc(p.match, func(http.ResponseWriter, *http.Request) {})
		keys[p.match], lines[p.match] = p.key, 7+i
		bind := "key: " + p.key
		if p.key == "" {
			bind = "open: true"
		}
		text += fmt.Sprintf("      - {match: %q, %s}\n", p.match, bind)
	}
	write(t, dir, "routes.yaml", text+"  D: {keys: [{name: k3, type: hmac, key: abcdefgh03, secret: {env: NOT_SET}}], default: k3}\n  O: {mode: off}\n")

	run := func(route string, code int) (all []bound) {
		t.Helper()
		r := cli(t, dir, "", "check", "-json", "-route", route, "routes.yaml")
		plain := cli(t, dir, "", "check", "--route", route, "routes.yaml")
		var out struct{ Environments []bound }
		if err := json.Unmarshal([]byte(r.out), &out); err != nil || r.code != code || plain.code != code || len(out.Environments) != 3 {
			t.Fatalf("%s: exit %d and %d, want %d: %v\n%s%s", route, r.code, plain.code, code, err, r.out, r.err)
		}
		if n := strings.Count(plain.out, "\n"); n != 3+len(out.Environments[0].Others) {
			t.Errorf("%s: %d lines:\n%s", route, n, plain.out)
		}
		return out.Environments
	}
	for _, route := range []string{"GET /admin/x", "GET /admin/y", "/admin/", "PATCH /healthz", "GET /items/7", "POST /items/7/a/b", "POST /items/7/",
		"GET admin.example.com/healthz/x", "GET admin.example.com/admin/x", "/files/", "GET /items/a?b=c"} {
		method, target, found := strings.Cut(route, " ")
		if !found {
			method, target = "GET", route
		}
		host, path, _ := strings.Cut(target, "/")
		r := httptest.NewRequest(method, "/"+path, nil)
		r.Host = host
		_, want := mux.Handler(r)
		all := run(route, 0)
		got := all[0]
		if want == "" || got.Pattern != want || got.Key != keys[want] || got.Open != (keys[want] == "") || got.Line != lines[want] || got.Column != 10 {
			t.Errorf("%s: got %+v, want %s in line %d", route, got, want, lines[want])
		}
		for _, other := range got.Others { // alone, it is the pattern of the request
			alone := http.NewServeMux()
			alone.HandleFunc(other, func(http.ResponseWriter, *http.Request) {})
			if _, matched := alone.Handler(r); matched != other || other == want {
				t.Errorf("%s: %s does not match", route, other)
			}
		}
		if all[1].Key != "k3" || all[1].Pattern != "" || !strings.Contains(all[1].Why, "default") || !all[2].Open {
			t.Errorf("%s: got %+v", route, all[1:])
		}
	}
	if got := run("GET /admin/x", 0)[0]; fmt.Sprint(got.Others) != "[GET /admin/]" {
		t.Errorf("got %+v, want the subtree among the others", got)
	}
	for route, code := range map[string]string{
		"POST /admin/x": "key_not_bound", "GET /nothing": "key_not_bound",
		"GET /healthz/../admin/x": "request_ambiguous", "GET //admin/x": "request_ambiguous", "GET /items/a%2Fb": "request_ambiguous",
		"HEAD /admin/x": "request_ambiguous", // to ServeMux it is GET, to other routers it is not
	} {
		if got := run(route, 1)[0]; got.Code != code || got.Key != "" || got.Open || got.Why == "" {
			t.Errorf("%s: got %+v, want %s", route, got, code)
		}
	}
	const form = `write a method and a path, such as "GET /orders/7"`
	for route, want := range map[string]string{
		"admin": `write "GET /admin": a path starts with a slash`, "GET admin": `write "GET /admin": a path starts with a slash`,
		"GET admin/x": `write "GET /admin/x": a path starts with a slash (and a host without a dot is given with its port, as admin:80)`,
		"admin/x":     `write "GET /admin/x": a path starts`,
		"GET":         `write "GET /orders/7": a path is missing`, "post": `write "POST /orders/7": a path is missing`,
		"get /admin/x": `write "GET /admin/x": methods are in upper case`, "Get admin.example.com/x": `write "GET admin.example.com/x": methods are`,
		"/admin/x GET": `write "GET /admin/x": the method comes first`, "GET admin.example.com": `write "GET admin.example.com/": a path is missing`,
		"GET https://x.com/orders/7": `write "GET x.com/orders/7": a route has no scheme`, "http://x.com:81/a?b=c://d": `write "GET x.com:81/a?b=c://d": a route has no scheme`,
		"POST https://x.com": `write "POST x.com/": a route has no scheme, and a path`, "GET https://user:kept-from@x.com/": form, "GET x.com?a=/": form,
		"GET /a b": form, "GET /a\tb": form, "GET /%zz": "no server reads", "GET,POST /a": "no server reads", " ": form, "GET https://": `write "GET /": `,
	} {
		if r := cli(t, dir, "", "check", "--route", route, "routes.yaml"); r.code != 3 || !strings.Contains(r.err, "--route: "+want) || strings.Contains(r.err, "kept-from") {
			t.Errorf("%q: exit %d, %s%s, want %s", route, r.code, r.out, r.err, want)
		}
	}
	run("GET /admin/x?to=https://x.com/", 0)
}

// TestRouteHosts_T252: a route with a host that the environment does not list is refused, as
// the verifier refuses signed requests for it.
func TestRouteHosts_T252(t *testing.T) {
	dir := folder(t)
	const key = "keys: [{name: k1, type: hmac, key: abcdefgh01, secret: {env: NOT_SET}}], default: k1, apis: [{match: /healthz, open: true}]"
	write(t, dir, "routes.yaml", `environments:
  listed: {hosts: [api.example.com, "*.svc.cluster.local:8443"], `+key+`}
  replaced: {hosts: [api.example.com], rewrite: {host: api.example.com}, `+key+`}
  replaced-by-another: {hosts: [api.example.com], rewrite: {host: gateway.example.com}, `+key+`}
  any: {`+key+`}
`)
	const ours, not, open, unknown = "k1", "host_not_ours", "open", "k1; name a host"
	for route, want := range map[string][]string{
		"GET api.example.com/a":            {ours, ours, not, ours},
		"GET API.example.com:443/a":        {ours, ours, not, ours},
		"GET api.example.com:444/a":        {not, ours, not, ours},
		"GET a.b.svc.cluster.local:8443/a": {ours, ours, not, ours},
		"GET svc.cluster.local:8443/a":     {not, ours, not, ours},
		"GET other.example.com/a":          {not, ours, not, ours},
		"GET other.example.com/healthz":    {open, open, open, open},
		"GET /a":                           {unknown, ours, not, ours},
		"GET /healthz":                     {open, open, open, open},
	} {
		r := cli(t, dir, "", "check", "-json", "-route", route, "routes.yaml")
		var out struct{ Environments []bound }
		if err := json.Unmarshal([]byte(r.out), &out); err != nil || len(out.Environments) != len(want) {
			t.Fatalf("%s: %v\n%s%s", route, err, r.out, r.err)
		}
		code := 0
		for i, b := range out.Environments {
			got := b.Key + b.Code
			switch {
			case b.Open:
				got = open
			case strings.Contains(b.Why, "name a host"):
				got += "; name a host"
			}
			if got != want[i] {
				t.Errorf("%s in %s: got %q (%s), want %q", route, b.Environment, got, b.Why, want[i])
			}
			if b.Code != "" {
				code = 1
			}
		}
		if r.code != code {
			t.Errorf("%s: exit %d, want %d", route, r.code, code)
		}
	}
}
