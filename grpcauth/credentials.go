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

// Credentials signs outgoing calls: the method, the host, the date, and the metadata
// that s signs. Use it with grpc.WithPerRPCCredentials or, for one call, with
// grpc.PerRPCCredentials. Do not use both: the call would have two credentials. gRPC
// does not pass messages to credentials, so s must leave the payload unsigned.
//
// The host is the connection's authority, see [WithAuthority].
//
// A call that every server would refuse fails before it is sent, with an error that
// gives the reason. This happens if
//
//   - s signs the payload, or signs in the query;
//   - the metadata holds a header that s sets, or a header that s signs in another
//     form than gRPC sends;
//   - s signs another authority than gRPC sends, as for an IPv6 address with a zone;
//   - the connection is to port 443 and WithAuthority is not used, because gRPC does
//     not pass that port to credentials.
func Credentials(s signer.Signer, opts ...Option) credentials.PerRPCCredentials {
	return &perRPC{s, newOptions(opts)}
}

// WithAuthority sets the host that [Credentials] signs, as servers see it in
// :authority. Connections to port 443 need it: gRPC removes that port from the URI that
// it passes to credentials, but sends it to the server if the target names it.
func WithAuthority(host string) Option { return func(o *options) { o.authority = host } }

// WithInsecureTransport lets [Credentials] sign calls on connections without TLS, where
// anyone on the network can read the call and change what is not signed. Use it for
// local development only.
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
	switch {
	case c.signer == nil:
		return nil, errors.New("grpcauth: Credentials was given no signer: pass one such as apig.NewSigner(key, apig.SignOptions{Payload: core.PayloadUnsigned})")
	case c.signer.NewHash() != nil:
		return nil, errors.New("grpcauth: the signer signs the payload, which gRPC does not pass to credentials: make it with SignOptions{Payload: core.PayloadUnsigned}")
	case !ok || len(uri) != 1:
		return nil, errors.New("grpcauth: gRPC gave no information about the call: pass the credentials to grpc.WithPerRPCCredentials or grpc.PerRPCCredentials")
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

// authority returns :authority. It is the part of the URI that gRPC passes to
// credentials before the name of the service, except that gRPC removes port 443.
func (c *perRPC) authority(ctx context.Context, method, uri string) (string, error) {
	service := method[:max(0, strings.LastIndexByte(method, '/'))]
	authority := strings.TrimSuffix(strings.TrimPrefix(uri, "https://"), service)
	if c.options.authority == "" && !hasPort(authority) && toPort443(ctx) {
		return "", fmt.Errorf("grpcauth: the connection is to port 443, and gRPC does not tell whether the server receives the host as %q or %q: set it with grpcauth.WithAuthority",
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

// outgoing returns the metadata of a call in the form in which gRPC sends it.
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

// added returns the headers that signing has added. It returns an error if signing has
// changed anything else, because gRPC would send the rest unchanged.
func added(r *http.Request, authority, method string, sent http.Header) (map[string]string, error) {
	switch {
	case r.Host != authority:
		return nil, fmt.Errorf("grpcauth: the authority %q is signed as %q, but gRPC sends it unchanged: set another one with grpc.WithAuthority", authority, r.Host)
	case r.RequestURI != method:
		return nil, errors.New("grpcauth: the signer signs in the query, which a gRPC call does not have: use one that signs in headers")
	case len(sent["Connection"]) > 0:
		return nil, errors.New("grpcauth: the metadata of the call has the header connection, which HTTP/2 forbids: remove it")
	}
	for name, values := range sent {
		if !slices.Equal(r.Header[name], values) {
			return nil, fmt.Errorf("grpcauth: the metadata of the call has the header %s, which the signer sets itself or signs in another form: remove or change it", strings.ToLower(name))
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
