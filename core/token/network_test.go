package token_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/token"
)

// certificate makes a self-signed one.
func certificate(t *testing.T, until time.Time) tls.Certificate {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: until.Add(-48 * time.Hour), NotAfter: until,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private, Leaf: leaf}
}

// TestTLS_T109: a service that cannot prove its name is not asked.
func TestTLS_T109(t *testing.T) {
	good, expired := certificate(t, time.Now().Add(24*time.Hour)), certificate(t, time.Now().Add(-time.Hour))
	for _, tt := range []struct {
		name    string
		serves  tls.Certificate
		trusted bool
		host    string
		want    core.Code
		says    string
	}{
		{"trusted", good, true, "127.0.0.1", "", ""},
		{"self-signed", good, false, "127.0.0.1", core.CodeUnavailable, "unknown authority"},
		{"wrong name", good, true, "localhost", core.CodeUnavailable, "localhost"},
		{"expired", expired, true, "127.0.0.1", core.CodeUnavailable, "expired"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			iam := newIAM()
			iam.projects["good"] = "p"
			server := httptest.NewUnstartedServer(iam)
			server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
			server.TLS = &tls.Config{Certificates: []tls.Certificate{tt.serves}}
			server.StartTLS()
			defer server.Close()
			c := token.Config{Keys: []token.Key{key(strings.Replace(server.URL, "127.0.0.1", tt.host, 1))}}
			if tt.trusted {
				pool := x509.NewCertPool()
				pool.AddCert(tt.serves.Leaf)
				transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
				defer transport.CloseIdleConnections()
				c.Transport = transport
			}
			s := token.New(c)
			defer s.Close()
			err := verify(verifier(t, s), "good")
			wantCode(t, tt.name, err, tt.want)
			if err != nil && !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want it to say %q", err, tt.says)
			}
			if logins, checks := iam.calls(); tt.want != "" && logins+checks > 0 {
				t.Errorf("%d logins and %d checks", logins, checks)
			}
		})
	}
}

// TestNetwork_F20: what goes wrong below HTTP is no verdict, says no more than it
// may, and is over by the timeout.
func TestNetwork_F20(t *testing.T) {
	echo := func(write string) string { // a server that answers with what it likes
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { listener.Close() })
		go func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				conn.Read(make([]byte, 1000))
				conn.Write([]byte(write))
				conn.Close()
			}
		}()
		return "http://" + listener.Addr().String()
	}
	closed := httptest.NewServer(nil)
	closed.Close()
	for name, url := range map[string]string{
		"refused":         closed.URL,
		"no such host":    "http://iam.invalid",
		"closes":          echo(""),
		"garbage":         echo("secret-echo\r\n\r\n"),
		"malformed":       echo("HTTP/1.1 secret-echo OK\r\n\r\n"),
		"bad header":      echo("HTTP/1.1 200 OK\r\nsecret-echo\r\n\r\n"),
		"cut":             echo("HTTP/1.1 201 Created\r\nContent-Length: 1000\r\n\r\nsecret-echo"),
		"bad chunk":       echo("HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\nsecret-echo\r\n"),
		"compressed":      echo("HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n\x1f\x8b\x08"),
		"64 KiB of names": echo("HTTP/1.1 201 Created\r\nX: " + strings.Repeat("x", 70<<10) + "\r\n\r\n"),
		"5 MB":            echo("HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n" + strings.Repeat(" ", 5<<20)),
	} {
		k := key(url)
		k.InsecureHTTP = true
		s := token.New(token.Config{Keys: []token.Key{k}, Timeout: 10 * time.Second})
		err := verify(verifier(t, s), "good")
		wantCode(t, name, err, core.CodeUnavailable)
		if text := err.Error(); strings.Contains(text, "secret-echo") || !strings.Contains(text, "logging in") {
			t.Errorf("%s: the error says %v", name, err)
		}
		s.Close()
	}
}

// TestNotCompressed_T108: no compressed answer is asked for, nor is one read: a few bytes of
// it can stand for any number.
func TestNotCompressed_T108(t *testing.T) {
	iam := newIAM()
	iam.projects["good"] = "p"
	asked := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Header.Get("Accept-Encoding")
		iam.ServeHTTP(w, r)
	}))
	defer server.Close()
	k := key(server.URL)
	k.InsecureHTTP = true
	s := token.New(token.Config{Keys: []token.Key{k}, Timeout: 30 * time.Second})
	defer s.Close()
	v := verifier(t, s)
	done := make(chan error)
	go func() { done <- verify(v, "good") }()
	for range 2 { // the log-in and the check
		if got := <-asked; got != "" {
			t.Errorf("asked for the encoding %s", got)
		}
	}
	wantCode(t, "not compressed", <-done, "")
}

// TestSlowBody_F20: an answer that never comes to its end is over by the timeout.
func TestSlowBody_F20(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	defer server.Close()
	k := key(server.URL)
	k.InsecureHTTP = true
	s := token.New(token.Config{Keys: []token.Key{k}, Timeout: 50 * time.Millisecond})
	defer s.Close()
	wantCode(t, "slow body", verify(verifier(t, s), "good"), core.CodeUnavailable)
}
