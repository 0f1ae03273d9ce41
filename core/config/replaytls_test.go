package config_test

import (
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// TestReplayTLS_F28: the store gets what tls says, and another one takes over when a
// certificate is renewed.
func TestReplayTLS_F28(t *testing.T) {
	servers := new(servers)
	dir := t.TempDir()
	ca := testkit.NewAuthority(t)
	renew := func() (der []byte) {
		certificate, key := ca.Issue(t, "client.internal")
		write(t, dir, "client.pem", string(certificate))
		write(t, dir, "client.key", string(key))
		block, _ := pem.Decode(certificate)
		return block.Bytes
	}
	first := renew()
	write(t, dir, "ca.pem", string(ca.PEM))
	path := write(t, dir, "f.yaml", oneKey, `    default: k
    replay:
      store: redis
      url: rediss://redis.example.com
      tls: {ca: {file: ca.pem}, certificate: {file: client.pem}, key: {file: client.key}, server_name: redis.internal}
`)
	check := func(when string, stores int, shown []byte) {
		t.Helper()
		opened := servers.opened()
		if len(opened) != stores {
			t.Fatalf("%s: %d stores, want %d", when, len(opened), stores)
		}
		c := opened[len(opened)-1].Config.TLS
		if c == nil || c.ServerName != "redis.internal" || len(c.Certificates) != 1 || string(c.Certificates[0].Certificate[0]) != string(shown) {
			t.Fatalf("%s: got %+v", when, c)
		}
		leaf, err := x509.ParseCertificate(shown)
		must(t, err)
		if _, err := leaf.Verify(x509.VerifyOptions{Roots: c.RootCAs}); err != nil {
			t.Errorf("%s: %v", when, err)
		}
	}
	watched(t, path, func(w *watch) {
		check("at first", 1, first)
		w.looks(2)
		check("later", 1, first)
		second := renew()
		w.looks(2)
		check("renewed", 2, second)
		if log := w.logged(); !strings.Contains(log, "another replay store") || strings.Contains(log, "not loaded") {
			t.Errorf("logged %s", log)
		}
		write(t, dir, "client.key", "half\n")
		w.looks(2)
		check("half written", 2, second)
		if log := w.logged(); !strings.Contains(log, "replay.tls.key.file: is not the unencrypted private key") {
			t.Errorf("logged %s", log)
		}
	}, servers.option())
}
