package config_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/config"
)

// TestDesignExample loads the published example, and lets a really signed request
// prove itself.
func TestDesignExample(t *testing.T) {
	t.Setenv("ORDERS_SECRET", secret)
	dir := t.TempDir()
	write(t, dir, "old", "the-secret-before-it\r\n")
	path := write(t, dir, "environments.yaml", `environments:
  RELEASE:
    mode: enforce              # enforce (default) | report | off
    clock_skew: 15m            # default
    max_body: 12MiB            # default; larger gets 413
    max_buffered: 256MiB       # bodies held in memory at once
    require_signed: [host]     # besides the date header
    allow_unsigned_payload: false
    allow_presigned: false     # signatures in the query string
    expose_reason: false       # development only
    replay: {store: memory, max_entries: 1000000, exempt_methods: [GET, HEAD]}
    rewrite: {add_prefix: /v1, host: api.example.com}
    keys:
      - name: orders_key
        type: hmac
        key: 071fe2459cf64d75  # the gateway's "Key"
        secret: {env: ORDERS_SECRET}
        previous: [{secret: {file: old}, until: 2999-01-01T00:00:00Z}]
      - {name: pay_key, type: basic, key: payer, secret: 12345678}
    apis:
      - {match: "GET /orders/{id}", key: orders_key}     # net/http.ServeMux pattern syntax
      - {match: "/payments.v1.Payments/", key: pay_key}  # a gRPC service
      - {match: "GET /healthz", open: true}
    default: orders_key        # every other API; absent = refused
`)
	f, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Warnings(); len(got) != 0 {
		t.Errorf("got warnings %v; want none", got)
	}
	v, err := f.Verifier("RELEASE", quiet)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, target, secret, want string }{
		{"bound API", "http://api.example.com/v1/orders/7", secret, "orders_key"},
		{"previous secret", "http://api.example.com/v1/orders/7", "the-secret-before-it", "orders_key"},
		{"default", "http://api.example.com/v1/other", secret, "orders_key"},
		{"key of another API", "http://api.example.com/v1/payments.v1.Payments/Pay", secret, "key_not_bound"},
		{"wrong secret", "http://api.example.com/v1/orders/7", "wrong-" + secret, "signature_mismatch"},
	} {
		r := signed(t, "GET", tt.target, tt.secret)
		r.RequestURI = strings.TrimPrefix(r.URL.Path, "/v1") // what the proxy does
		if got := verdict(v, r); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
	r := httptest.NewRequest("POST", "/payments.v1.Payments/Pay", nil)
	r.SetBasicAuth("payer", "12345678")
	if got := verdict(v, r); got != "pay_key" {
		t.Errorf("basic with a secret that looks like a number: got %s, want pay_key", got)
	}
}

// TestEnvironments: one is chosen by name, and a name that is not there is an
// error that lists the others.
func TestEnvironments(t *testing.T) {
	path := write(t, t.TempDir(), "f.yaml", `environments:
  TEST: &shared
    mode: report
    keys: [{name: key, type: hmac, key: 071fe2459cf64d75, secret: kept-from-every-message-1}]
    default: key
  RELEASE:
    <<: *shared
    mode: enforce
`)
	f, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(f.Environments(), " "), "TEST RELEASE"; got != want {
		t.Errorf("got environments %s, want %s", got, want)
	}
	for env, want := range map[string]core.Mode{"TEST": core.Report, "RELEASE": core.Enforce} {
		c, err := f.Config(env)
		if err != nil || c.Mode != want || c.Environment != env || c.Default != "key" {
			t.Errorf("%s: got %v %s %s, error %v; want mode %v", env, c.Mode, c.Environment, c.Default, err, want)
		}
	}
	_, err = f.Verifier("release", quiet)
	if want := path + `: there is no environment "release"; did you mean RELEASE? There are: TEST, RELEASE`; err == nil || err.Error() != want {
		t.Errorf("got error %v, want %s", err, want)
	}
}

// TestRequireSigned: an empty list is not the same as none.
func TestRequireSigned(t *testing.T) {
	for _, tt := range []struct {
		line string
		want []string
	}{
		{"", nil},
		{"    require_signed: []\n", []string{}},
		{"    require_signed: [Host, x-role]\n", []string{"Host", "x-role"}},
		{"    require_signed:\n    - host\n", []string{"host"}},
	} {
		f, err := config.Load(write(t, t.TempDir(), "f.yaml", base, tt.line))
		if err != nil {
			t.Fatalf("%q: %v", tt.line, err)
		}
		c, err := f.Config("R")
		if err != nil {
			t.Fatal(err)
		}
		if got := c.RequireSigned; (got == nil) != (tt.want == nil) || strings.Join(got, ",") != strings.Join(tt.want, ",") {
			t.Errorf("%q: got %#v, want %#v", tt.line, got, tt.want)
		}
	}
}

// TestPolicyLists_T179_T182_T183: the lists of an environment reach the core, each
// Config with its own, and what they say holds.
func TestPolicyLists_T179_T182_T183(t *testing.T) {
	f, err := config.Load(write(t, t.TempDir(), "f.yaml", base, `    allow_unsigned: [x-sdk-nonce]
    require_signed_with_body: [Content-Type]
    hosts:
    - api.example.com
    - "*.svc.cluster.local:8443"
    default: k
`))
	must(t, err)
	c, err := f.Config("R", quiet)
	must(t, err)
	for _, list := range []*[]string{&c.AllowUnsigned, &c.RequireSignedWithBody, &c.Hosts} {
		(*list)[0] = "changed"
	}
	again, err := f.Config("R", quiet)
	must(t, err)
	got := fmt.Sprint(again.AllowUnsigned, again.RequireSignedWithBody, again.Hosts)
	if want := "[x-sdk-nonce] [Content-Type] [api.example.com *.svc.cluster.local:8443]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	v, err := f.Verifier("R", quiet)
	must(t, err)
	s := apig.NewSigner(core.Key{ID: keyID, Secret: core.NewSecret(secret)}, apig.SignOptions{})
	for _, tt := range []struct {
		host, header, want string
		length             int64
	}{
		{"api.example.com", "X-Sdk-Nonce", "k", 0},
		{"a.b.svc.cluster.local:8443", "X-Amz-Cf-Id", "k", 0},
		{"api.example.com", "X-Sdk-Other", "header_not_signed", 0},
		{"api.example.com", "X-Other", "header_not_signed", -1},
		{"service-a.internal", "X-Other", "host_not_ours", 0},
	} {
		r := httptest.NewRequest("GET", "/a", http.NoBody)
		r.Host, r.ContentLength = tt.host, tt.length
		must(t, s.Sign(r, hexOf(s.NewHash().Sum(nil)), time.Now()))
		r.Header.Set(tt.header, "1")
		if got := verdict(v, r); got != tt.want {
			t.Errorf("%+v: got %s, want %s", tt, got, tt.want)
		}
	}
}

// TestOptions reach the core, and every Config is a value of its own.
func TestOptions(t *testing.T) {
	f, err := config.Load(write(t, t.TempDir(), "f.yaml", base, "    require_signed: [host]\n    apis: [{match: /a, key: k}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	then := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	l := slog.New(slog.DiscardHandler)
	observer := core.ObserverFunc(nil)
	c, err := f.Config("R", config.WithNow(func() time.Time { return then }), config.WithLogger(l), config.WithObservers(observer, observer))
	if err != nil {
		t.Fatal(err)
	}
	if !c.Now().Equal(then) || c.Logger != l || len(c.Observers) != 2 {
		t.Errorf("got clock %v, logger %p, %d observers; want %v, %p, 2", c.Now(), c.Logger, len(c.Observers), then, l)
	}
	c.APIs[0].Key, c.RequireSigned[0] = "changed", "changed"
	if again, _ := f.Config("R", config.WithNow(nil), config.WithLogger(nil)); again.APIs[0].Key != "k" || again.RequireSigned[0] != "host" {
		t.Error("a change to one Config is seen in the next")
	}
}

// TestSettings_T186: each field of core.Config that the file can set has its name
// there.
func TestSettings_T186(t *testing.T) {
	// What a program sets, and no file.
	unnamed := []string{"Replay.Store", "Replay.AllowUnavailable", "KeyTimeout", "Limits", "Now", "Logger", "LogLimit", "Observers"}
	var check func(kind reflect.Type, prefix string)
	check = func(kind reflect.Type, prefix string) {
		for field := range kind.Fields() {
			name := prefix + field.Name
			switch {
			case slices.Contains(unnamed, name):
			case field.Type.Kind() == reflect.Struct:
				check(field.Type, name+".")
			case config.Setting(name) == name:
				t.Errorf("core.Config.%s has no name in the file", name)
			}
		}
	}
	check(reflect.TypeFor[core.Config](), "")
	if got := config.Setting("Limits.Headers"); got != "Limits.Headers" {
		t.Errorf("got %s for what the file does not set", got)
	}
}

// TestProblemsSpeakOfTheFile_T186: a problem that the core finds speaks of the
// fields of the file.
func TestProblemsSpeakOfTheFile_T186(t *testing.T) {
	path := write(t, t.TempDir(), "f.yaml", `environments:
  R:
    rewrite: {host: a}
    max_buffered: 1MiB
    keys: [{name: k, type: hmac, key: id, secret: secret-0123456789}]
    apis:
    - {match: "example.com/MaxBody/", key: k}
`)
	_, err := config.Load(path)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"while rewrite.host says", "fewer than max_body"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("it does not say %q: %v", want, err)
		}
	}
}
