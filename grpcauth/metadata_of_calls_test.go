package grpcauth_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"hash"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/proto"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/signer"
	"github.com/gatewayauth/gatewayauth/grpcauth"
)

// signing is a signer that does what it is told.
type signing func(*http.Request)

func (signing) NewHash() hash.Hash { return nil }

func (s signing) Sign(r *http.Request, _ string, _ time.Time) error { s(r); return nil }

// askedFor returns what Credentials add to a call, as gRPC asks for it.
func askedFor(ctx context.Context, s signer.Signer, uri ...string) (map[string]string, error) {
	ctx = credentials.NewContextWithRequestInfo(ctx, credentials.RequestInfo{Method: "/pkg.Service/Method"})
	return grpcauth.Credentials(s).GetRequestMetadata(ctx, uri...)
}

// TestSentMetadata: a signer sees the metadata that gRPC sends, in the form in which it
// sends it, and not what gRPC sets itself. What it adds has names in lower case, as HTTP/2
// needs them (RFC 9113 section 8.2), and nothing else may change.
func TestSentMetadata(t *testing.T) {
	const uri = "https://" + host + "/pkg.Service"
	md := metadata.MD{":path": {"/evil"}, "grpc-timeout": {"1S"}, "content-type": {"a"}, "user-agent": {"b"}, "te": {"c"},
		"grpc-trace-bin": {"\x00\xff"}, "x-role-bin": {"\x01", "\x02"}, "x-role": {"a", "b"}}
	ctx := metadata.NewOutgoingContext(t.Context(), md)
	var seen http.Header
	got, err := askedFor(ctx, signing(func(r *http.Request) {
		seen = r.Header.Clone()
		r.Header.Set("X-Signed", "by "+r.Host)
	}), uri)
	if err != nil || !maps.Equal(got, map[string]string{"x-signed": "by " + host}) {
		t.Errorf("got %v, %v, want x-signed", got, err)
	}
	want := http.Header{"Grpc-Trace-Bin": {"AP8"}, "X-Role-Bin": {"AQ", "Ag"}, "X-Role": {"a", "b"}}
	if !maps.EqualFunc(seen, want, slices.Equal) {
		t.Errorf("the signer sees %v, want %v", seen, want)
	}
	_, err = askedFor(ctx, signing(func(r *http.Request) { r.Header["X-Role"][0] = "admin" }), uri)
	if err == nil || !strings.Contains(err.Error(), "the header x-role,") {
		t.Errorf("a header that the signer changes: got %v", err)
	}
	for _, uris := range [][]string{nil, {uri, uri}} {
		if _, err := askedFor(ctx, unsignedPayload, uris...); err == nil {
			t.Errorf("%d URIs: no error", len(uris))
		}
	}
	if _, err := grpcauth.Credentials(unsignedPayload).GetRequestMetadata(ctx, uri); err == nil || !strings.Contains(err.Error(), "no information about the call") {
		t.Errorf("without the call's method: got %v", err)
	}
}

// TestPort443: gRPC removes the port 443 from the URI, so that the host has to be named
// where the connection is to that port, and only there.
func TestPort443(t *testing.T) {
	to := func(a net.Addr) context.Context { return peer.NewContext(t.Context(), &peer.Peer{Addr: a}) }
	at := func(port int) context.Context { return to(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}) }
	for _, tt := range []struct {
		name  string
		ctx   context.Context
		host  string
		fails bool
	}{
		{"port 443", at(443), host, true},
		{"port 443, without a number", at(443), host + ":", true},
		{"port 443, named", at(443), host + ":8443", false},
		{"another port", at(8443), host, false},
		{"no address", to(nil), host, false},
		{"no peer", t.Context(), host, false},
		{"a socket", to(&net.UnixAddr{Name: "/run/443", Net: "unix"}), host, false},
	} {
		signed := ""
		_, err := askedFor(tt.ctx, signing(func(r *http.Request) { signed = r.Host }), "https://"+tt.host+"/pkg.Service")
		switch {
		case tt.fails && (err == nil || !strings.Contains(err.Error(), `"`+tt.host+`" or "`+tt.host+`:443"`)):
			t.Errorf("%s: got %v, want an error that names both hosts", tt.name, err)
		case !tt.fails && (err != nil || signed != tt.host):
			t.Errorf("%s: got %v, signed for %q, want %q", tt.name, err, signed, tt.host)
		}
	}
}

// TestNamesOfMetadata: metadata is verified under its name in lower case, in which gRPC sends
// it, although an interceptor in front may have set it in another one.
func TestNamesOfMetadata(t *testing.T) {
	v, _ := verifier(t, allowUnsigned)
	with := func(ctx context.Context, more metadata.MD) context.Context {
		md, _ := metadata.FromIncomingContext(ctx)
		maps.Copy(md, more)
		return metadata.NewIncomingContext(t.Context(), md)
	}
	binary := incoming(signedWith(t, "x-role-bin", base64.RawStdEncoding.EncodeToString([]byte("\x00\xff"))))
	if ran, err := intercept(v, with(binary, metadata.MD{"X-Role-BIN": {"\x00\xff"}}), echo+"Unary"); err != nil || !ran {
		t.Errorf("binary metadata: got %v, want it accepted", err)
	}
	role := incoming(signedWith(t, "x-role", "guest"), "x-role", "guest")
	if ran, err := intercept(v, role, echo+"Unary"); err != nil || !ran {
		t.Errorf("a signed header: got %v, want it accepted", err)
	}
	for range 50 { // maps have no order
		ran, err := intercept(v, with(role, metadata.MD{"X-Role": {"admin"}}), echo+"Unary")
		if ran || err == nil {
			t.Fatalf("a second value in another case: got %v, want it refused", err)
		}
	}
}

// encodedAs is a call whose messages are encoded.
type encodedAs struct {
	grpc.ServerTransportStream
	encoding string
}

func (e encodedAs) RecvCompress() string { return e.encoding }

// TestBytesOfUnaryCalls_T220: the bytes of a unary call are those that were signed where it is
// not compressed, and are given back after the verification in any case.
func TestBytesOfUnaryCalls_T220(t *testing.T) {
	v, _ := verifier(t, allowUnsigned)
	encoded, err := proto.Marshal(text("one"))
	if err != nil {
		t.Fatal(err)
	}
	for encoding, accepted := range map[string]bool{"": true, "identity": true, "gzip": false} {
		for name, sent := range map[string][]byte{"signed": encoded, "other": bytes.ToUpper(encoded)} {
			pool := new(returned)
			bodies, _ := grpcauth.NewBodies()
			data, message := buffer(t, sent, pool), new(bytesValue)
			if err := bodies.Unmarshal(data, message); err != nil {
				t.Fatal(err)
			}
			data.Free()
			ctx := grpc.NewContextWithServerTransportStream(incoming(signed(t, echo+"Unary", core.PayloadHashed, text("one"))), encodedAs{encoding: encoding})
			_, err := bodies.UnaryInterceptor(v)(ctx, message, &grpc.UnaryServerInfo{FullMethod: echo + "Unary"},
				func(context.Context, any) (any, error) { return nil, nil })
			if want := accepted && name == "signed"; (err == nil) != want {
				t.Errorf("encoding %q, %s bytes: got %v, want accepted %v", encoding, name, err, want)
			}
			if back := pool.n.Load(); back != 1 {
				t.Errorf("encoding %q, %s bytes: %d buffers are given back, want 1", encoding, name, back)
			}
		}
	}
}

// TestStreamsWithoutBytes: a stream whose credential covers the body is refused before the
// handler runs, where the bytes will not be available.
func TestStreamsWithoutBytes(t *testing.T) {
	v, _ := verifier(t, nil)
	var runs atomic.Int32
	conn := start(t, func(ctx context.Context, receive func() ([]byte, error)) error {
		runs.Add(1)
		return readAll(ctx, receive)
	}, grpc.StreamInterceptor(grpcauth.StreamServerInterceptor(v)))
	err := exchange(signed(t, echo+"Upload", core.PayloadDeclared, text("one")), conn, echo+"Upload", []*bytesValue{text("one")})
	wantCode(t, "a declared digest", err, codes.Unauthenticated)
	if runs.Load() != 0 {
		t.Error("the handler ran")
	}
}
