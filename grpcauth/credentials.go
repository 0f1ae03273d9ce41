package grpcauth

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"google.golang.org/grpc/credentials"

	"github.com/gatewayauth/gatewayauth/core/signer"
)

// Credentials signs outgoing calls: the method, the host and the date, as far
// as s signs them. Use it with grpc.WithPerRPCCredentials or, for one call,
// grpc.PerRPCCredentials. It is shown neither messages nor other metadata: s
// must leave the payload unsigned, or every call fails, and what the caller
// adds to the metadata may not start with x-sdk- or x-amz-.
//
// The host is the connection's authority, see [WithAuthority].
func Credentials(s signer.Signer, opts ...Option) credentials.PerRPCCredentials {
	return &perRPC{s, settle(opts)}
}

// WithAuthority sets the host that [Credentials] signs. Set it where the target
// names port 443: servers see it in :authority, and credentials do not.
func WithAuthority(host string) Option { return func(o *options) { o.authority = host } }

// WithInsecureTransport lets [Credentials] sign on connections without TLS,
// where anyone on the way can read the call and change what is not signed.
// It is for local work.
func WithInsecureTransport() Option { return func(o *options) { o.insecure = true } }

type perRPC struct {
	signer  signer.Signer
	options options
}

// RequireTransportSecurity implements [credentials.PerRPCCredentials].
func (c *perRPC) RequireTransportSecurity() bool { return !c.options.insecure }

// GetRequestMetadata implements [credentials.PerRPCCredentials].
func (c *perRPC) GetRequestMetadata(ctx context.Context, uri ...string) (map[string]string, error) {
	call, ok := credentials.RequestInfoFromContext(ctx)
	if !ok || len(uri) != 1 || c.signer == nil || c.signer.NewHash() != nil {
		return nil, errors.New("grpcauth: no call, or no signer that leaves the payload unsigned")
	}
	target, err := url.Parse(uri[0]) // of the service, without the method
	if err != nil {
		return nil, err
	}
	target.Path = call.Method
	r := &http.Request{Method: http.MethodPost, URL: target, Host: cmp.Or(c.options.authority, target.Host), Header: http.Header{}}
	if err := c.signer.Sign(r, "", time.Now()); err != nil {
		return nil, err
	}
	md := make(map[string]string, len(r.Header))
	for name := range r.Header {
		md[strings.ToLower(name)] = r.Header.Get(name)
	}
	return md, nil
}
