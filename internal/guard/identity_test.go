package guard_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/replay"
	"github.com/gatewayauth/gatewayauth/internal/guard"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// identityOf returns the identity's headers in a request as the service received it.
func identityOf(raw string) map[string]string {
	found := map[string]string{}
	for _, name := range guard.Headers() {
		if got := values(raw, name); got != nil {
			found[strings.TrimPrefix(name, guard.Prefix)] = strings.Join(got, " AND ")
		}
	}
	delete(found, "Remote")
	return found
}

// TestIdentity_T201: the service gets the identity of a verified request, and no other.
func TestIdentity_T201(t *testing.T) {
	s := serveRaw(t, "")
	nobody := map[string]string{"Verified": "false"}
	orders := map[string]string{"Verified": "true", "Environment": "RELEASE", "Key": "orders_key", "Key-Id": testkit.Orders.ID, "Scheme": "hmac",
		"Payload": "hashed", "Covers": "target, host, body", "Signed-Headers": "host;x-note;x-sdk-date", "Replay-Checked": "false", "Retry": "false"}
	with := func(changes map[string]string) map[string]string {
		made := maps.Clone(orders)
		maps.Copy(made, changes)
		return made
	}
	declared := func(target string) string {
		return text(testkit.SignedBy(t, testkit.Orders, "POST", target, "12345", apig.SignOptions{Payload: core.PayloadDeclared}), target, "12345")
	}
	noted := text(testkit.Signed(testkit.Orders, "GET", "/", "", "X-Note: 1"), "/", "")
	signedPrefix := text(testkit.Signed(testkit.Orders, "GET", "/", "", "X-Note: 1", "X-Gatewayauth-Key: mallory"), "/", "")
	store, err := replay.New(replay.Config{})
	if err != nil {
		t.Fatal(err)
	}
	streams := core.API{Match: "/streams/", Key: testkit.Orders.Name, Stream: true}
	for _, x := range []struct {
		name   string
		change func(*core.Config)
		send   string
		want   map[string]string
	}{
		{"verified", nil, noted, orders},
		{"a signed header with the prefix", nil, signedPrefix, orders},
		{"a declared digest", nil, declared("/"), with(map[string]string{"Payload": "declared", "Signed-Headers": "host;x-sdk-content-sha256;x-sdk-date"})},
		{"a body that is on its way", func(c *core.Config) { c.APIs = append(c.APIs, streams) }, declared("/streams/"),
			with(map[string]string{"Payload": "declared", "Covers": "target, host", "Signed-Headers": "host;x-sdk-content-sha256;x-sdk-date"})},
		{"the first of its kind", func(c *core.Config) { c.Replay.Store = store }, noted, with(map[string]string{"Replay-Checked": "true"})},
		{"an open API", nil, unsigned("GET", "/health"), nobody},
		{"an open API, signed", nil, signed("GET", "/health", ""), nobody},
		{"report", func(c *core.Config) { c.Mode = core.Report }, unsigned("GET", "/"), nobody},
		{"report, verified", func(c *core.Config) { c.Mode = core.Report }, noted, orders},
		{"off", off, noted, nobody},
	} {
		p := start(t, "http://"+s.address, x.change)
		conn := p.dial(t)
		io.WriteString(conn, x.send)
		raw := <-s.got
		if got := identityOf(raw); !maps.Equal(got, x.want) {
			t.Errorf("%s: got %v, want %v", x.name, got, x.want)
		}
		if got := values(raw, "X-Gatewayauth-Remote"); !slices.Equal(got, []string{conn.LocalAddr().String()}) {
			t.Errorf("%s: got remote %q, want %s", x.name, got, conn.LocalAddr())
		}
	}
}

// spoofs are spellings that a service could take for X-Gatewayauth-Key.
var spoofs = []string{"X-Gatewayauth-Key", "x-gatewayauth-key", "X-GATEWAYAUTH-KEY", "X_Gatewayauth_Key", "x_gatewayauth-key",
	"X-Gatewayauth_Key", "X.Gatewayauth.Key", "X-Gatewayauth.Key", "x~gatewayauth!key", "X-Gatewayauth-", "X_gatewayauth_",
	"X-Gatewayauth-Anything", "X-Gatewayauth-Verified", "X_GATEWAYAUTH_VERIFIED", "X-Gatewayauth-Remote"}

// TestSpoofs_T201: a caller cannot send the identity's headers, in any mode and spelling.
func TestSpoofs_T201(t *testing.T) {
	s := serveRaw(t, "")
	for mode, change := range map[string]func(*core.Config){"off": off, "report": func(c *core.Config) { c.Mode = core.Report }, "enforce": nil} {
		p := start(t, "http://"+s.address, change)
		for _, name := range spoofs {
			for _, connection := range []string{"", "Connection: " + name, "Connection: X-Gatewayauth-Key, X-Gatewayauth-Verified"} {
				lines := []string{name + ": mallory"}
				if connection != "" {
					lines = append(lines, connection)
				}
				target, want := "/orders", "orders_key"
				status, _ := p.send(t, signed("GET", target, "", lines...))
				if mode == "off" {
					want = ""
				}
				raw := s.request()
				if got := identityOf(raw); status != 200 || strings.Contains(raw, "mallory") || got["Key"] != want || got["Verified"] == "" {
					t.Errorf("%s, %s, %s: got status %d, service got %q", mode, name, connection, status, raw)
				}
			}
		}
		p.send(t, unsigned("GET", "/health", "X-Xgatewayauth-Key: 1", "Gatewayauth-Key: 2", "X-Gatewayauth: 3", "XGatewayauth-Key: 4", "X-Gatewayauthkey: 5"))
		raw := s.request()
		for i, name := range []string{"X-Xgatewayauth-Key", "Gatewayauth-Key", "X-Gatewayauth", "Xgatewayauth-Key", "X-Gatewayauthkey"} {
			if got := values(raw, name); len(got) != 1 || got[0] != string(rune('1'+i)) {
				t.Errorf("%s: got %q, want it forwarded", name, got)
			}
		}
	}
}

// TestWSGISpoofs_T201: the same as Python's WSGI server sees it, which takes dashes for
// underscores.
func TestWSGISpoofs_T201(t *testing.T) {
	s := servePython(t, `
import json
from wsgiref.simple_server import make_server, WSGIRequestHandler
class Quiet(WSGIRequestHandler):
    def log_message(self, *args): pass
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({k: v for k, v in environ.items() if "GATEWAYAUTH" in k.upper()}).encode()]
server = make_server("127.0.0.1", 0, app, handler_class=Quiet)
print(server.server_port, flush=True)
server.serve_forever()
`)
	p := start(t, "http://"+s, off)
	for _, name := range spoofs {
		status, body := p.send(t, unsigned("GET", "/", name+": mallory"))
		var seen map[string]string
		if err := json.Unmarshal([]byte(body), &seen); err != nil || status != 200 {
			t.Fatalf("%s: got status %d, %q, error %v", name, status, body, err)
		}
		delete(seen, "HTTP_X_GATEWAYAUTH_REMOTE")
		if want := map[string]string{"HTTP_X_GATEWAYAUTH_VERIFIED": "false"}; !maps.Equal(seen, want) {
			t.Errorf("%s: the service sees %v, want %v", name, seen, want)
		}
	}
	// Without the proxy it is taken for the header.
	r, _ := http.NewRequest("GET", "http://"+s+"/", nil)
	r.Header["X_Gatewayauth_Key"] = []string{"mallory"}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer res.Body.Close()
	if body, _ := io.ReadAll(res.Body); !strings.Contains(string(body), `"HTTP_X_GATEWAYAUTH_KEY": "mallory"`) {
		t.Errorf("the service takes underscores otherwise, so the test shows nothing: %s", body)
	}
}

// TestIdentityHeadersAreDocumented_T201: the list of names is the one that is sent.
func TestIdentityHeadersAreDocumented_T201(t *testing.T) {
	var seen http.Header
	backend := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = r.Header }))
	defer backend.Close()
	p := start(t, backend.URL, nil)
	p.send(t, signed("GET", "/", ""))
	names := guard.Headers()
	for name := range seen {
		if strings.HasPrefix(name, guard.Prefix) && !slices.Contains(names, name) {
			t.Errorf("%s is not in Headers", name)
		}
	}
	for _, name := range names {
		if seen.Get(name) == "" {
			t.Errorf("%s is in Headers, and is not sent", name)
		}
	}
}
