package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/gatewayauth/gatewayauth/conformance/bench"
	"github.com/gatewayauth/gatewayauth/conformance/bench/internal/servers"
	"github.com/gatewayauth/gatewayauth/conformance/bench/internal/turns"
	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/grpcauth"
)

var errIdentity = errors.New("the handler did not run, or has no identity where it should")

// adapters returns the servers of all adapters.
func adapters() ([]adapter, error) {
	c := bench.Config()
	c.AllowUnsignedPayload = true
	v, err := core.New(c)
	if err != nil {
		return nil, err
	}
	signed, err := bench.Requests()[0].Signed(bench.NewSigner(), "6ba7b810-9dad-11d1-80b4-00c04fd430c8", hexOf(nil))
	if err != nil {
		return nil, err
	}
	var all []adapter
	for _, f := range []struct {
		name  string
		serve func(*core.Verifier, servers.Check) http.Handler
	}{{"net/http", servers.HTTP}, {"Echo v4", servers.Echo}, {"Echo v5", servers.EchoV5}, {"Gin", servers.Gin}} {
		all = append(all, adapter{f.name, called(f.serve, nil, signed), called(f.serve, v, signed)})
	}
	for _, f := range []struct {
		name    string
		signer  *apig.Signer
		options []grpc.ServerOption
	}{
		{"gRPC, unary", bench.NewSigner(), grpcauth.ServerOptions(v)},
		{"gRPC, unary, payload unsigned", bench.NewUnsignedSigner(), grpcauth.ServerOptions(v)},
		{"gRPC, unary, payload unsigned, tap handle", bench.NewUnsignedSigner(), grpcauth.TapServerOptions(v)},
	} {
		bare, err := dialed(f.signer, false, nil)
		if err != nil {
			return nil, err
		}
		verified, err := dialed(f.signer, true, f.options)
		if err != nil {
			return nil, err
		}
		all = append(all, adapter{f.name, bare, verified})
	}
	for _, a := range all {
		for _, f := range []turns.Func{a.bare, a.verified} {
			if err := f(); err != nil {
				return nil, fmt.Errorf("%s: %w", a.name, err)
			}
		}
	}
	return all, nil
}

func hexOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// called calls a handler with copies of a request.
func called(serve func(*core.Verifier, servers.Check) http.Handler, v *core.Verifier, signed *http.Request) turns.Func {
	right := false
	handler := serve(v, func(ctx context.Context) bool {
		right = servers.Identified(ctx) == (v != nil)
		return right
	})
	w := &writer{http.Header{}}
	return func() error {
		right = false
		clear(w.header)
		r := new(http.Request)
		*r = *signed
		handler.ServeHTTP(w, r)
		if !right {
			return errIdentity
		}
		return nil
	}
}

// writer is a response that nobody reads.
type writer struct{ header http.Header }

func (w *writer) Header() http.Header         { return w.header }
func (w *writer) Write(p []byte) (int, error) { return len(p), nil }
func (w *writer) WriteHeader(int)             {}

// dialed calls a method with an empty message and signed metadata. The server runs until
// the program ends.
func dialed(signer *apig.Signer, verified bool, options []grpc.ServerOption) (turns.Func, error) {
	l := bufconn.Listen(1 << 20)
	s := servers.GRPC(func(ctx context.Context) bool { return servers.Identified(ctx) == verified }, options...)
	go s.Serve(l)
	c, err := grpc.NewClient("passthrough:///"+servers.Authority, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithAuthority(servers.Authority),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) }))
	if err != nil {
		return nil, err
	}
	ctx, err := servers.SignedContext(signer, servers.Unary, hexOf(binary.BigEndian.AppendUint32([]byte{0}, 0)), "1")
	if err != nil {
		return nil, err
	}
	return func() error {
		return c.Invoke(ctx, servers.Unary, new(wrapperspb.BytesValue), new(wrapperspb.BytesValue))
	}, nil
}
