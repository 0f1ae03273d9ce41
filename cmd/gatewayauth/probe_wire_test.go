package main_test

import (
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// TestProbeEndlessResponse_T211: the probe does not wait for the end of a response.
func TestProbeEndlessResponse_T211(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "environments.yaml", probed)
	s := receiving(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	if r := probeJSON(t, dir, 1, s.URL+"/orders/7"); r.Verdict != "not protected" {
		t.Errorf("got %q, %q", r.Verdict, r.Reason)
	}
}

// TestProbeGRPC_T211: a gRPC server without interceptors is not protected, and one that
// does not know the method, which it says before any interceptor runs, shows nothing.
func TestProbeGRPC_T211(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "environments.yaml", probed)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	healthpb.RegisterHealthServer(s, health.NewServer())
	go s.Serve(l)
	defer s.Stop()
	r := probeJSON(t, dir, 1, "grpc://"+l.Addr().String())
	if got := r.with("accepted"); r.Verdict != "not protected" || len(got) < 26 || len(got)+len(r.with("not sent")) != len(r.Requests) {
		t.Errorf("got %q: %+v", r.Verdict, r.Requests)
	}
	r = probeJSON(t, dir, 2, "-X", "POST", "grpc://"+l.Addr().String()+"/orders.v1.Orders/Delete")
	if r.Verdict != "unknown" || !strings.HasSuffix(r.Reason, "got the response grpc 12") {
		t.Errorf("got %q, %q", r.Verdict, r.Reason)
	}
	web := receiving(t, responds(200)) // not a gRPC server
	if r = probeJSON(t, dir, 2, "grpc://"+strings.TrimPrefix(web.URL, "http://")); r.Verdict != "unknown" {
		t.Errorf("got %q, %q", r.Verdict, r.Reason)
	}
}

// TestProbeTLS_T210: over TLS in HTTP/2, if the certificate is trusted.
func TestProbeTLS_T210(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "environments.yaml", probed)
	verified := protecting(t, dir, responds(200))
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			t.Errorf("got %s", r.Proto)
		}
		verified.ServeHTTP(w, r)
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	write(t, dir, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})))
	for want, ca := range map[int]string{0: "ca.pem", 2: "/dev/null"} {
		c := exec.Command("env", "SSL_CERT_FILE="+ca, binary, "probe", "-config", "environments.yaml", "-env", "dev", "-oversized", "-H", "Host: api.example.com", s.URL+"/orders/7")
		if r := finish(t, c, dir, ""); r.code != want {
			t.Errorf("with %s: exit %d\n%s%s", ca, r.code, r.out, r.err)
		}
	}
}
