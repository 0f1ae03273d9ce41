package grpcauth_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/signer"
	"github.com/gatewayauth/gatewayauth/grpcauth"
)

var unsignedPayload = apig.NewSigner(key, apig.SignOptions{Payload: core.PayloadUnsigned})

func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// TestCredentials: the interceptors accept calls that Credentials signs.
func TestCredentials(t *testing.T) {
	v, j := verifier(t, allowUnsigned)
	listener := listen(t)
	server := serve(listener, readAll, grpcauth.ServerOptions(v)...)
	t.Cleanup(server.Stop)
	toListener := grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", listener.Addr().String())
	})
	with := func(s *apig.Signer, options ...grpcauth.Option) grpc.DialOption {
		return grpc.WithPerRPCCredentials(grpcauth.Credentials(s, append(options, grpcauth.WithInsecureTransport())...))
	}
	other := core.Key{Name: "k1", ID: key.ID, Secret: core.NewSecret("another-secret-0123")}
	for _, tt := range []struct {
		name    string
		target  string
		options []grpc.DialOption
		want    codes.Code
	}{
		{"the connection's authority", "passthrough:///" + listener.Addr().String(), []grpc.DialOption{with(unsignedPayload)}, codes.OK},
		{"an authority of its own", "passthrough:///" + listener.Addr().String(), []grpc.DialOption{with(unsignedPayload), grpc.WithAuthority(host)}, codes.OK},
		{"a target on port 443", "passthrough:///" + host + ":443", []grpc.DialOption{with(unsignedPayload)}, codes.Unauthenticated},
		{"a target on port 443, named", "passthrough:///" + host + ":443", []grpc.DialOption{with(unsignedPayload, grpcauth.WithAuthority(host+":443"))}, codes.OK},
		{"another host", "passthrough:///" + host, []grpc.DialOption{with(unsignedPayload, grpcauth.WithAuthority("evil.example"))}, codes.Unauthenticated},
		{"another secret", "passthrough:///" + host, []grpc.DialOption{with(apig.NewSigner(other, apig.SignOptions{Payload: core.PayloadUnsigned}))}, codes.Unauthenticated},
		{"no credentials", "passthrough:///" + host, nil, codes.Unauthenticated},
	} {
		conn, err := grpc.NewClient(tt.target, append(tt.options, toListener, grpc.WithTransportCredentials(insecure.NewCredentials()))...)
		if err != nil {
			t.Fatal(err)
		}
		wantCode(t, tt.name+", unary", conn.Invoke(deadline(t), echo+"Unary", text("one"), new(bytesValue)), tt.want)
		wantCode(t, tt.name+", stream", exchange(deadline(t), conn, echo+"Chat", []*bytesValue{text("one")}), tt.want)
		if got := len(j.codes()); got != 2 {
			t.Errorf("%s: got %d verdicts, want 2", tt.name, got)
		}
		conn.Close()
	}

	conn := dial(t, listener)
	perCall := grpc.PerRPCCredentials(grpcauth.Credentials(unsignedPayload, grpcauth.WithInsecureTransport()))
	wantCode(t, "for one call", conn.Invoke(deadline(t), echo+"Unary", text("one"), new(bytesValue), perCall), codes.OK)
	covering := grpc.PerRPCCredentials(grpcauth.Credentials(apig.NewSigner(key, apig.SignOptions{}), grpcauth.WithInsecureTransport()))
	j.codes()
	err := conn.Invoke(deadline(t), echo+"Unary", text("one"), new(bytesValue), covering)
	if err == nil || !strings.Contains(err.Error(), "SignOptions{Payload: core.PayloadUnsigned}") || len(j.codes()) != 0 {
		t.Errorf("a signer that covers the body: got %v, want an error and no call", err)
	}
	if _, err := grpcauth.Credentials(nil).GetRequestMetadata(t.Context()); err == nil {
		t.Error("without a signer or a call: no error")
	}
}

// TestCredentialHeader_T192 is that a call has its credential in the header of the policy,
// beside a token of the client in authorization, which the handler gets.
func TestCredentialHeader_T192(t *testing.T) {
	v, _ := verifier(t, func(c *core.Config) { c.AllowUnsignedPayload, c.CredentialHeader = true, "X-Backend-Sign" })
	var seen []string
	conn := start(t, func(ctx context.Context, receive func() ([]byte, error)) error {
		md, _ := metadata.FromIncomingContext(ctx)
		seen = md.Get("authorization")
		return readAll(ctx, receive)
	}, grpcauth.ServerOptions(v)...)
	with := func(s signer.Signer) grpc.CallOption {
		return grpc.PerRPCCredentials(grpcauth.Credentials(s, grpcauth.WithInsecureTransport()))
	}
	moved := with(signer.InHeader(unsignedPayload, "x-backend-sign"))
	call := func(ctx context.Context, options ...grpc.CallOption) error {
		return conn.Invoke(ctx, echo+"Unary", text("one"), new(bytesValue), options...)
	}
	wantCode(t, "the credential in its header", call(deadline(t), moved), codes.OK)
	wantCode(t, "the credential in authorization", call(deadline(t), with(unsignedPayload)), codes.Unauthenticated)
	client := metadata.AppendToOutgoingContext(deadline(t), "authorization", "Bearer of-the-client")
	wantCode(t, "a token of the client alone", call(client), codes.Unauthenticated)
	wantCode(t, "a token of the client beside it", call(client, moved), codes.OK)
	if len(seen) != 1 || seen[0] != "Bearer of-the-client" {
		t.Errorf("the handler sees authorization %q, want that of the client", seen)
	}
	wantCode(t, "the credential twice", call(metadata.AppendToOutgoingContext(deadline(t), "x-backend-sign", "a", "x-backend-sign", "b")), codes.InvalidArgument)
}

// TestCredentialsNeedTLS: Credentials needs TLS, except with WithInsecureTransport.
func TestCredentialsNeedTLS(t *testing.T) {
	v, _ := verifier(t, allowUnsigned)
	certified := httptest.NewTLSServer(nil) // for its certificate, of example.com
	defer certified.Close()
	listener := listen(t)
	server := serve(listener, readAll, append(grpcauth.ServerOptions(v), grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: certified.TLS.Certificates})))...)
	t.Cleanup(server.Stop)
	pool := x509.NewCertPool()
	pool.AddCert(certified.Certificate())
	signs := grpc.WithPerRPCCredentials(grpcauth.Credentials(unsignedPayload))
	conn := dial(t, listener, grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: pool})), grpc.WithAuthority("example.com"), signs)
	wantCode(t, "over TLS", conn.Invoke(deadline(t), echo+"Unary", text("one"), new(bytesValue)), codes.OK)
	if conn, err := grpc.NewClient("passthrough:///"+host, grpc.WithTransportCredentials(insecure.NewCredentials()), signs); err == nil {
		conn.Close()
		t.Error("without TLS: no error")
	}
}
