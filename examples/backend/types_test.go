package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/aescfb"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/apig/sm"
	"github.com/gatewayauth/gatewayauth/core/basic"
	"github.com/gatewayauth/gatewayauth/core/signer"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
	"github.com/gatewayauth/gatewayauth/core/token"
)

// then is the instant of all requests of TestBackendTypes.
var then = time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)

// identityService is a fake Keystone with one valid token.
func identityService(w http.ResponseWriter, r *http.Request) {
	status := http.StatusOK
	switch {
	case r.Method == http.MethodPost:
		w.Header().Set("X-Subject-Token", "own-token")
		status = http.StatusCreated
	case r.Header.Get("X-Auth-Token") != "own-token":
		status = http.StatusUnauthorized
	case r.Header.Get("X-Subject-Token") != "token-of-a-caller":
		status = http.StatusNotFound
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"token": {"user": {"id": "u"}, "project": {"id": "p"}, "expires_at": %q}}`, then.Add(time.Hour).Format(time.RFC3339))
}

// elsewhere is a RoundTripper that sends a request to another path than the signed one.
type elsewhere string

func (path elsewhere) RoundTrip(r *http.Request) (*http.Response, error) {
	if path != "" {
		r.URL.Path = string(path)
	}
	return http.DefaultTransport.RoundTrip(r)
}

// TestBackendTypes: with a key of every type in the file, each bound to its own API,
// requests are verified behind each adapter.
func TestBackendTypes(t *testing.T) {
	iam := httptest.NewServer(http.HandlerFunc(identityService))
	defer iam.Close()
	key := func(id string) core.Key {
		return core.Key{ID: id, Secret: core.NewSecret(secret), Region: "cn-north-4", Service: "apig"}
	}
	aes := func(text string) aescfb.Key {
		return aescfb.Key{Name: "aes" + fmt.Sprint(8*len(text)), Key: core.NewSecret(text), Vector: core.NewSecret("vector-987654321")}
	}
	const scope = ", region: cn-north-4, service: apig"
	types := []struct {
		name, typ, fields string
		signer            signer.Signer
	}{
		{"hmac", "hmac", "key: HMAC0001, secret: " + secret, apig.NewSigner(key("HMAC0001"), apig.SignOptions{})},
		{"basic", "basic", "key: basic0001, secret: " + secret, basic.NewSigner(key("basic0001"))},
		{"aksk", "aksk", "key: AKSK0001, secret: " + secret + scope, apig.NewScopedSigner(key("AKSK0001"), apig.SignOptions{})},
		{"v11", "v11", "key: VVVV0011, secret: " + secret + scope, apig.NewV11Signer(key("VVVV0011"), apig.SignOptions{})},
		{"ecdsa", "ecdsa-p256", "key: ECDS0001, secret: " + secret, apig.NewECDSASigner(key("ECDS0001"), apig.SignOptions{})},
		{"sm3", "hmac-sm3", "key: HSM30001, secret: " + secret, sm.NewSigner(key("HSM30001"), apig.SignOptions{})},
		{"sm2", "sm2", "key: SM2K0001, secret: " + secret, sm.NewSM2Signer(key("SM2K0001"), apig.SignOptions{})},
		{"sigv4", "sigv4", "key: SIGV0004, secret: " + secret + scope, sigv4.NewSigner(key("SIGV0004"), sigv4.SignOptions{})},
		{"sigv4a", "sigv4a", "key: SIGV004A, secret: " + secret + scope, sigv4.NewSignerA(key("SIGV004A"), sigv4.SignOptions{})},
		{"aes128", "aes", "key: aesKey-123456789, secret: vector-987654321, algorithm: aes-128-cfb", aescfb.NewSigner(aes("aesKey-123456789"), aescfb.SignOptions{})},
		{"aes256", "aes", "key: aesKey-123456789-0123456789abcde, secret: vector-987654321", aescfb.NewSigner(aes("aesKey-123456789-0123456789abcde"), aescfb.SignOptions{OmitAccess: true})},
		{"token", "token", "iam_url: " + iam.URL + ", insecure_http: true, user: u, password: p, domain: d, project: p", token.NewSigner(core.NewSecret("token-of-a-caller"))},
	}
	keys, apis := "", ""
	for _, tt := range types {
		keys += fmt.Sprintf("      - {name: %s, type: %s, %s}\n", tt.name, tt.typ, tt.fields)
		apis += fmt.Sprintf("      - {match: /%s/, key: %[1]s}\n", tt.name)
	}
	file := filepath.Join(t.TempDir(), "environments.yaml")
	if err := os.WriteFile(file, []byte("environments:\n  prod:\n    keys:\n"+keys+"    apis:\n"+apis), 0o600); err != nil {
		t.Fatal(err)
	}
	adapters := start(t, "-config", file, "-env", "prod", "-at", then.Format(time.RFC3339), "-echo", "127.0.0.1:0", "-gin", "127.0.0.1:0")
	if len(adapters) != 3 {
		t.Fatalf("got adapters %v", adapters)
	}
	for i, tt := range types {
		for adapter, address := range adapters {
			t.Run(tt.name+" "+adapter, func(t *testing.T) {
				send := func(base http.RoundTripper) (int, map[string]any) {
					client := &http.Client{Transport: &signer.Transport{Signer: tt.signer, Base: base, Now: func() time.Time { return then }}}
					return call(t, client, "POST", "http://"+address+"/"+tt.name+"/items?b=2&a=1", "text")
				}
				if status, got := send(nil); status != 200 || got["verified"] != true || got["key"] != tt.name || got["scheme"] != tt.typ {
					t.Errorf("got %d %v", status, got)
				}
				other := types[(i+1)%len(types)].name
				if status, got := send(elsewhere("/" + other + "/items")); status != 401 && status != 403 {
					t.Errorf("at the API of %s: got %d %v", other, status, got)
				}
			})
		}
	}
	for adapter, address := range adapters {
		client := &http.Client{Transport: &signer.Transport{Signer: token.NewSigner(core.NewSecret("token-of-nobody"))}}
		if status, got := call(t, client, "GET", "http://"+address+"/token/items", ""); status != 401 || strings.Contains(fmt.Sprint(got), "of-nobody") {
			t.Errorf("%s: a token that is not valid: got %d %v", adapter, status, got)
		}
	}
}
