package main_test

import (
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/internal/needs"
)

// TestCredentialHeader_T192 is that sign, gateway and explain use the credential_header of
// the environment, and that the client's Authorization reaches the service.
func TestCredentialHeader_T192(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "environments.yaml", strings.Replace(environments, "    allow_presigned: true\n", "    credential_header: X-Backend-Sign\n", 1))
	server := backend(t, dir)
	key := []string{"sign", "-config", "environments.yaml", "-env", "dev", "-key", "orders_key"}
	const accepted = "orders_key hashed [host x-sdk-date] GET /orders/7 "

	with := append(key, "-H", "Authorization: Bearer x")
	if r := cli(t, dir, "", append(with, "-send", server.URL+"/orders/7")...); r.code != 0 || r.out != accepted {
		t.Errorf("sign: exit %d, got %q, want %q\n%s", r.code, r.out, accepted, r.err)
	}
	signed := cli(t, dir, "", append(with, "-as", "curl", server.URL+"/orders/7")...)
	if !strings.Contains(signed.out, "'X-Backend-Sign: SDK-HMAC-SHA256 ") || !strings.Contains(signed.out, "'Authorization: Bearer x'") {
		t.Errorf("sign prints %q, %s", signed.out, signed.err)
	}
	t.Run("by curl", func(t *testing.T) {
		needs.Program(t, "curl", "curl")
		got := finish(t, exec.Command("sh", "-c", strings.Replace(signed.out, "curl ", "curl --silent --noproxy '*' ", 1)), dir, "")
		if got.out != accepted {
			t.Errorf("got %q, want %q\n%s", got.out, accepted, got.err)
		}
	})
	for _, args := range [][]string{append(key, "-H", "X-Backend-Sign: x"), append(key, "-expires", "1m")} {
		if r := cli(t, dir, "", append(args, server.URL+"/")...); r.code == 0 || r.err == "" {
			t.Errorf("%v: exit %d, %q", args, r.code, r.out)
		}
	}
	byFlags := cli(t, dir, "", "sign", "-type", "hmac", "-key-id", "x", "-secret-text", "sktest-0123456789abcdef", "-credential-header", "x-gateway-sign", server.URL)
	if !strings.Contains(byFlags.out, "X-Gateway-Sign: SDK-HMAC-SHA256 Access=x") {
		t.Errorf("with flags: got %q, %s", byFlags.out, byFlags.err)
	}

	address, stderr := background(t, dir, "gateway", "-config", "environments.yaml", "-env", "dev", "-to", server.URL, "-listen", "127.0.0.1:0")
	r, err := http.NewRequest("GET", "http://"+address+"/orders/7", nil)
	r.Header.Set("Authorization", "Bearer x")
	r.Header.Set("X-Backend-Sign", "forged")
	if status, text, _ := ask(t, r, err); status != 200 || text != accepted {
		t.Errorf("gateway: got %d %q, %s", status, text, stderr())
	}

	elsewhere := strings.Replace(signed.out, "X-Backend-Sign", "X-Other-Sign", 1)
	told := cli(t, dir, elsewhere, "explain", "-config", "environments.yaml", "-env", "dev", "-")
	if want := "set credential_header to X-Other-Sign"; !strings.Contains(told.out, want) {
		t.Errorf("explain: want %q in\n%s%s", want, told.out, told.err)
	}
	if told := cli(t, dir, signed.out, "explain", "-config", "environments.yaml", "-env", "dev", "-"); told.code != 0 {
		t.Errorf("explain: exit %d for an accepted request\n%s%s", told.code, told.out, told.err)
	}
}
