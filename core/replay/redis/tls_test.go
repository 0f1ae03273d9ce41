package redis_test

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core/replay/redis"
	"github.com/gatewayauth/gatewayauth/internal/needs"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// startTLS starts a server that speaks TLS alone, with a certificate of ca for a host. It
// demands certificates of clients if auth is yes.
func startTLS(t *testing.T, ca *testkit.Authority, host, auth string) (address string) {
	t.Helper()
	dir := t.TempDir()
	file := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	certificate, key := ca.Issue(t, host)
	args := []string{"--tls-cert-file", file("cert", certificate), "--tls-key-file", file("key", key),
		"--tls-ca-cert-file", file("ca", ca.PEM), "--tls-auth-clients", auth}
	// The port for connections without TLS is 0, which the last of two options decides.
	_, port := startTCP(t, func(port string) []string { return append(args, "--port", "0", "--tls-port", port) })
	return "127.0.0.1:" + port
}

// TestTLS_F28: the server is who its certificate is for, and so is the client, for a server
// that asks.
func TestTLS_F28(t *testing.T) {
	needs.Long(t) // waits for connections that fail
	ours, other := testkit.NewAuthority(t), testkit.NewAuthority(t)
	trust := func(ca *testkit.Authority) func(*redis.Config) {
		return func(c *redis.Config) {
			c.TLS = &tls.Config{RootCAs: x509.NewCertPool()}
			c.TLS.RootCAs.AppendCertsFromPEM(ca.PEM)
		}
	}
	show := func(ca *testkit.Authority) func(*redis.Config) {
		certificate, key := ca.Issue(t, "client")
		pair, err := tls.X509KeyPair(certificate, key)
		if err != nil {
			t.Fatal(err)
		}
		return func(c *redis.Config) { c.TLS.Certificates = []tls.Certificate{pair} }
	}
	name := func(host string) func(*redis.Config) { return func(c *redis.Config) { c.TLS.ServerName = host } }

	byAddress := startTLS(t, ours, "127.0.0.1", "no")
	byName := startTLS(t, ours, "redis.internal", "no")
	demanding := startTLS(t, ours, "127.0.0.1", "yes")
	plain := newProxy(t, startServer(t).socket).address
	for _, tt := range []struct {
		name, url string
		change    []func(*redis.Config)
		want      string // the error; empty if it works
	}{
		{"the right authority", "rediss://" + byAddress, []func(*redis.Config){trust(ours)}, ""},
		{"Valkey's scheme", "valkeys://" + byAddress, []func(*redis.Config){trust(ours)}, ""},
		{"an authority that the system does not know", "rediss://" + byAddress, nil, "certificate signed by unknown authority"},
		{"another authority", "rediss://" + byAddress, []func(*redis.Config){trust(other)}, "certificate signed by unknown authority"},
		{"a certificate for another host", "rediss://" + byName, []func(*redis.Config){trust(ours)}, "x509: cannot validate certificate for 127.0.0.1"},
		{"the host as it is called", "rediss://" + byName, []func(*redis.Config){trust(ours), name("redis.internal")}, ""},
		{"the host by another name", "rediss://" + byName, []func(*redis.Config){trust(ours), name("other.internal")}, "certificate is valid for redis.internal, not other.internal"},
		{"no certificate", "rediss://" + demanding, []func(*redis.Config){trust(ours)}, "tls: certificate required"},
		{"a certificate of another authority", "rediss://" + demanding, []func(*redis.Config){trust(ours), show(other)}, "tls: unknown certificate authority"},
		{"the right certificate", "rediss://" + demanding, []func(*redis.Config){trust(ours), show(ours)}, ""},
		{"a server without TLS", "rediss://" + plain, []func(*redis.Config){trust(ours)}, "connecting with TLS: context deadline exceeded"},
		{"a server with TLS", "redis://" + byAddress, nil, "connection"},
	} { // "connection": closed by the server, or reset
		t.Run(tt.name, func(t *testing.T) {
			var log logged
			s := open(t, tt.url, append(tt.change, log.to)...)
			if tt.want == "" {
				want(t, "again", s, works(t, s), false)
				return
			}
			var err error
			t.Cleanup(func() {
				if t.Failed() {
					t.Logf("got %v, and the log %s", err, log.String())
				}
			})
			eventually(t, tt.want, func() bool { // which the first of two attempts may not tell
				err = wantUnavailable(t, tt.name, s, entry())
				return strings.Contains(err.Error(), tt.want) && strings.Contains(log.String(), tt.want)
			})
		})
	}
}
