//go:build unix

package nginx_test

import (
	"strings"
	"testing"
)

// TestCapturedSignature sends a request that nginx signed directly to the backend:
// unchanged, and with changes.
func TestCapturedSignature(t *testing.T) {
	address, taken := record(t)
	n := startNginx(t, "nginx.conf", env, upstream(address))
	b := startBackend(t, "RELEASE")
	if status, text := curl(t, []byte(`{"amount":100}`), "--json", "@-", "http://"+n.addresses[0]+"/orders/7?b=1&a=2"); status != 200 {
		t.Fatalf("got %d %s", status, text)
	}
	captured := <-taken
	for _, tt := range []struct {
		name   string
		change func(m *message)
		want   int
	}{
		{"nothing", func(m *message) {}, 200}, // there is no replay store
		{"order of parameters", func(m *message) { m.target = "/orders/7?a=2&b=1" }, 200},
		{"header that is not signed", func(m *message) { m.header.Set("User-Agent", "other") }, 200},
		{"path", func(m *message) { m.target = "/orders/8?b=1&a=2" }, 401},
		{"case of the path", func(m *message) { m.target = "/Orders/7?b=1&a=2" }, 401},
		{"double slash", func(m *message) { m.target = "//orders/7?b=1&a=2" }, 401},
		{"parameter", func(m *message) { m.target = "/orders/7?b=1&a=3" }, 401},
		{"parameter more", func(m *message) { m.target += "&c=3" }, 401},
		{"parameter less", func(m *message) { m.target = "/orders/7?b=1" }, 401},
		{"method", func(m *message) { m.method = "PUT" }, 401},
		{"host", func(m *message) { m.host = "elsewhere.example.com" }, 401},
		{"body", func(m *message) { m.body = []byte(`{"amount":900}`) }, 401},
		{"no body", func(m *message) { m.body = nil }, 401},
		{"body and digest", func(m *message) {
			m.body = []byte(`{"amount":900}`)
			m.header.Set("X-Sdk-Content-Sha256", digest(m.body))
		}, 401},
		{"no digest", func(m *message) { m.header.Del("X-Sdk-Content-Sha256") }, 401},
		{"payload unsigned", func(m *message) { m.header.Set("X-Sdk-Content-Sha256", "UNSIGNED-PAYLOAD") }, 401},
		{"content type", func(m *message) { m.header.Set("Content-Type", "text/plain") }, 401},
		{"no content type", func(m *message) { m.header.Del("Content-Type") }, 401},
		{"date", func(m *message) { m.header.Set("X-Sdk-Date", "20260115T120000Z") }, 401},
		{"another protocol header", func(m *message) { m.header.Set("X-Sdk-More", "1") }, 401},
		{"key", func(m *message) {
			m.header.Set("Authorization", strings.Replace(m.header.Get("Authorization"), keyID, "other-gateway", 1))
		}, 401},
		{"no signature", func(m *message) { m.header.Del("Authorization") }, 401},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := captured
			m.header = captured.header.Clone()
			tt.change(&m)
			if status := m.send(t, b); status != tt.want {
				t.Errorf("got %d, want %d", status, tt.want)
			}
		})
	}
}

// TestSecondProxy: a request that a proxy behind the gateway changed verifies only if
// rewrite describes the change.
func TestSecondProxy(t *testing.T) {
	for environment, want := range map[string]int{"BEHIND_PROXY": 200, "RELEASE": 401} {
		t.Run(environment, func(t *testing.T) {
			b := startBackend(t, environment)
			second := startNginx(t, "second-proxy.conf", nil, upstream(b))
			n := startNginx(t, "nginx.conf", env, upstream(second.addresses[0]))
			body := []byte(`{"amount":100}`)
			for _, target := range []string{"/v1/orders/7", "/v1/", "/v1//a///b/", "/v1/caf%C3%A9/%2B+%3b;x?k=~&k=%C3%A4&k=-&q=a+b&r=%2B", "/v1/v1/a"} {
				for i, version := range []string{"--http1.1", "--http2-prior-knowledge"} {
					status, text := curl(t, body, version, "--json", "@-", "http://"+n.addresses[i]+target)
					if status != want {
						t.Errorf("%s %s: got %d %s; want %d", version, target, status, text, want)
					} else if want == 200 {
						proven(t, text, body, true)
					}
				}
				if status, text := curl(t, body, "--json", "@-", "http://"+second.addresses[0]+target); status != 401 {
					t.Errorf("%s without the gateway: got %d %s; want 401", target, status, text)
				}
			}
			if status, text := curl(t, nil, "http://"+n.addresses[0]+"/orders/7"); status != 404 {
				t.Errorf("without the prefix: got %d %s; want 404", status, text)
			}
		})
	}
}

// TestCredentialInTheQuery: nginx signs and forwards a presigned URL, and the verifier
// refuses the request, because it has two credentials.
func TestCredentialInTheQuery(t *testing.T) {
	n := startNginx(t, "nginx.conf", env, upstream(startBackend(t, "RELEASE")))
	for _, query := range []string{"X-Sdk-Signature=a", "X-Amz-Signature=a"} {
		if status, text := curl(t, nil, "http://"+n.addresses[0]+"/?"+query); status != 400 {
			t.Errorf("%s: got %d %s; want 400", query, status, text)
		}
	}
}
