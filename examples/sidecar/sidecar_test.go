package sidecar_test

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/signer"
	"github.com/gatewayauth/gatewayauth/internal/needs"
)

var key = core.Key{Name: "orders_key", ID: "071fe2459cf64d75", Secret: core.NewSecret(secret)}

// ask sends a request, and returns its status and the JSON of the response.
func ask(t *testing.T, rt http.RoundTripper, method, url, body string, header http.Header) (int, map[string]any) {
	t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if header != nil {
		r.Header = header
	}
	res, err := rt.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var value map[string]any
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatalf("got %d %q", res.StatusCode, text)
	}
	return res.StatusCode, value
}

// TestSidecar_T209: the service gets signed requests with their identity, and neither unsigned
// requests nor headers of the identity that a caller has sent.
func TestSidecar_T209(t *testing.T) {
	service := run(t, exec.Command(needs.Program(t, "python3", "python3"), "service.py", "0"))
	command := built(t)
	guard := exec.Command(command, "guard", "-config", "environments.yaml", "-env", "RELEASE", "-listen", "127.0.0.1:0", "-to", "http://"+service)
	guard.Env = append(os.Environ(), "ORDERS_SECRET="+secret)
	url := "http://" + run(t, guard)
	plain := &http.Transport{DisableKeepAlives: true}
	signed := &signer.Transport{Signer: apig.NewSigner(key, apig.SignOptions{}), Base: plain}
	forged := http.Header{"X-Gatewayauth-Verified": {"true"}, "X-Gatewayauth-Key": {"admin_key"}, "X_Gatewayauth_Key": {"admin_key"}}

	status, got := ask(t, signed, "POST", url+"/orders/7?fields=a,b&", `{"amount":100}`, forged)
	if status != 200 || got["key"] != "orders_key" || got["target"] != "/orders/7?fields=a,b&" || got["bytes"] != 14.0 || got["method"] != "POST" {
		t.Errorf("signed: got %d %v", status, got)
	}
	if headers, _ := got["signed_headers"].([]any); !slices.Equal(headers, []any{"host", "x-sdk-date"}) {
		t.Errorf("signed headers: got %v", headers)
	}
	if status, got := ask(t, plain, "GET", url+"/orders/7", "", forged); status != 401 || got["title"] != "Unauthorized" {
		t.Errorf("unsigned: got %d %v, want the guard's refusal", status, got)
	}
	if status, got := ask(t, plain, "GET", url+"/healthz", "", forged); status != 200 || got["status"] != "ok" {
		t.Errorf("/healthz: got %d %v", status, got)
	}
	// What the service would make of the forged headers without the guard.
	if status, got := ask(t, plain, "GET", "http://"+service+"/orders/7", "", http.Header{"X-Gatewayauth-Verified": {"true"},
		"X-Gatewayauth-Key": {"admin_key"}, "X-Gatewayauth-Signed-Headers": {""}}); status != 200 || got["key"] != "admin_key" {
		t.Errorf("past the guard: got %d %v; the test shows nothing", status, got)
	}

	probe := exec.Command(command, "probe", "-config", "environments.yaml", "-env", "RELEASE", url+"/orders/7")
	probe.Env = guard.Env
	if out, err := probe.CombinedOutput(); err != nil || !strings.Contains(string(out), "\nprotected: ") {
		t.Errorf("probe: %v\n%s", err, out)
	}
}
