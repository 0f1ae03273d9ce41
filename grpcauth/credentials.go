package grpcauth

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/gatewayauth/gatewayauth/core/signer"
)

// Credentials signs outgoing calls: the method, the host, the date, and those of
// the call's metadata that s signs. Use it with grpc.WithPerRPCCredentials or, for
// one call, grpc.PerRPCCredentials, but not with both: the call would have two
// credentials. It is not shown the messages: s must leave the payload unsigned.
//
// The host is the connection's authority, see [WithAuthority].
//
// A call that would be refused whatever the server's policy is not made, and fails
// with the reason: where s covers the payload or signs in the query; where the
// metadata holds a header that s sets, or one in a form in which it is not sent;
// where the authority is not one that s signs as it is (that of an IPv6 address
// with a zone is not); and where the connection is to port 443, which gRPC does not
// tell credentials, and WithAuthority does not name the host.
func Credentials(s signer.Signer, opts ...Option) credentials.PerRPCCredentials {
	return &perRPC{s, settle(opts)}
}

// WithAuthority sets the host that [Credentials] signs, as servers see it in
// :authority. Connections to port 443 need it: gRPC cuts that port off what it
// tells credentials, and servers see it where the target names it.
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
	authority, err := c.authority(ctx, call.Method, uri[0])
	if err != nil {
		return nil, err
	}
	r := &http.Request{Method: http.MethodPost, RequestURI: call.Method, URL: &url.URL{Path: call.Method},
		Host: authority, Header: http.Header{}}
	sent := outgoing(ctx)
	for name, values := range sent {
		r.Header[name] = slices.Clone(values)
	}
	if err := c.signer.Sign(r, "", time.Now()); err != nil {
		return nil, fmt.Errorf("grpcauth: %w", err)
	}
	return added(r, authority, call.Method, sent)
}

// authority returns :authority. It is part of the URI that gRPC makes for
// credentials, in front of the name of the service, but for a port 443.
func (c *perRPC) authority(ctx context.Context, method, uri string) (string, error) {
	service := method[:max(0, strings.LastIndexByte(method, '/'))]
	authority := strings.TrimSuffix(strings.TrimPrefix(uri, "https://"), service)
	if c.options.authority == "" && !hasPort(authority) && toPort443(ctx) {
		return "", fmt.Errorf("grpcauth: the connection is to port 443, and gRPC does not tell whether servers see the host as %q or %q: name it with WithAuthority",
			authority, authority+":443")
	}
	return cmp.Or(c.options.authority, authority), nil
}

func hasPort(authority string) bool {
	_, port, err := net.SplitHostPort(authority)
	return err == nil && port != ""
}

func toPort443(ctx context.Context) bool {
	p, ok := peer.FromContext(ctx)
	if !ok || p.Addr == nil {
		return false
	}
	_, port, err := net.SplitHostPort(p.Addr.String())
	return err == nil && port == "443"
}

// outgoing returns the metadata of a call as gRPC sends it.
func outgoing(ctx context.Context) http.Header {
	sent := http.Header{}
	md, _ := metadata.FromOutgoingContext(ctx)
	for name, values := range md {
		switch {
		case strings.HasPrefix(name, ":"), strings.HasPrefix(name, "grpc-") && !strings.HasSuffix(name, "-bin"),
			name == "content-type", name == "user-agent", name == "te": // set by gRPC itself
			continue
		case strings.HasSuffix(name, "-bin"):
			values = slices.Clone(values)
			for i, value := range values {
				values[i] = base64.RawStdEncoding.EncodeToString([]byte(value))
			}
		}
		sent[http.CanonicalHeaderKey(name)] = values
	}
	return sent
}

// added returns the headers that signing has added, and refuses what it has changed:
// gRPC sends the rest as it was.
func added(r *http.Request, authority, method string, sent http.Header) (map[string]string, error) {
	switch {
	case r.Host != authority:
		return nil, fmt.Errorf("grpcauth: the authority %q is signed as %q, and would be sent as it is: set another with grpc.WithAuthority", authority, r.Host)
	case r.RequestURI != method:
		return nil, errors.New("grpcauth: the signer puts its credential into the query, which a call does not have")
	case len(sent["Connection"]) > 0:
		return nil, errors.New("grpcauth: the call's metadata has connection, which HTTP/2 does not allow")
	}
	for name, values := range sent {
		if !slices.Equal(r.Header[name], values) {
			return nil, fmt.Errorf("grpcauth: the call's metadata has %s, which the signer sets itself, or signs in another form", strings.ToLower(name))
		}
	}
	md := make(map[string]string, len(r.Header))
	for name := range r.Header {
		if _, there := sent[name]; !there {
			md[strings.ToLower(name)] = r.Header.Get(name)
		}
	}
	return md, nil
}
