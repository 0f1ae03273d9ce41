// Package signer signs requests as the gateway does, for tests, local development and
// service-to-service calls.
//
// [Transport] signs the requests of an [net/http.Client]. [NewGateway] returns a reverse
// proxy that removes the headers that clients may not send, and signs the requests that
// it forwards. The schemes create signers, such as apig.NewSigner and basic.NewSigner.
//
// The signature is computed over the request as it is sent. Before a request is signed
// it is changed to the form in which net/http sends it: the host without an IPv6 zone,
// the names of headers in canonical form, their values without surrounding spaces. A
// request that no verifier accepts is not sent and gives an error. Such a request has
//
//   - a host that is not ASCII (write bücher.example as xn--bcher-kva.example) or not
//     valid, the method CONNECT, or an opaque URL;
//   - a query with a semicolon, a parameter without a name, an invalid percent
//     encoding, a space, a '#', or parameters of a credential;
//   - a path that has the same canonical form as another path;
//   - a header of the protocols (x-sdk-*, x-amz-*) with two values or an underscore, a
//     method override that is not signed, a hop-by-hop header that is to be signed,
//     Connection with the name of a signed header, TE with anything but trailers, or
//     Expect with anything but 100-continue.
//
// A signer does not know the verifier's policy: which key is bound to the API, which
// headers must be signed, whether unsigned payloads are allowed, and its limits.
//
// The reverse proxy is not a gateway for production: it does not authenticate callers.
package signer

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"time"

	"github.com/gatewayauth/gatewayauth/core/internal/outgoing"
)

// A Signer adds a credential to outgoing requests. It is safe for concurrent
// use.
type Signer interface {
	// NewHash returns a new hash for the body, or nil if Sign needs no digest.
	NewHash() hash.Hash
	// Sign adds the credential to r, with the date at. Digest is the hash of the body
	// in lower-case hex, or empty if NewHash returns nil. Sign does not read r.Body.
	// Signers of this module also set r.Host, and change the headers to the form in
	// which they are sent, so r must not be changed afterwards. Sign returns an error
	// for a request that no verifier would accept, such as one with dot segments in its
	// path.
	Sign(r *http.Request, digest string, at time.Time) error
}

const defaultMaxBody = 12 << 20

// Transport is an [http.RoundTripper] that signs every request before it sends it.
//
// A redirect to another host or scheme gives an error, because signing it would send a
// credential to another server, or without TLS.
type Transport struct {
	// Signer signs the requests. Required.
	Signer Signer
	// Base sends the signed requests; nil means http.DefaultTransport.
	Base http.RoundTripper
	// MaxBody is the largest body in bytes that is read into memory to be
	// hashed, for requests without GetBody. 0 means 12 MiB.
	MaxBody int64
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// RoundTrip signs a copy of r and sends it.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	signed, err := t.sign(r)
	if err != nil {
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, err
	}
	base := t.Base
	if base == nil {
		base = http.DefaultTransport
	}
	return base.RoundTrip(signed)
}

func (t *Transport) sign(r *http.Request) (*http.Request, error) {
	switch {
	case t.Signer == nil:
		return nil, errors.New("signer: Transport.Signer is nil")
	case r.URL == nil:
		return nil, errors.New("signer: the request has no URL")
	case r.Response != nil && r.Response.Request != nil &&
		(r.Response.Request.URL.Host != r.URL.Host || r.Response.Request.URL.Scheme != r.URL.Scheme):
		return nil, errors.New("signer: a redirect to another host or scheme is not signed: send a new request if the target is trusted")
	}
	out := r.Clone(r.Context())
	out.RequestURI = "" // set if a server forwards its request; clients must not set it
	if err := outgoing.Prepare(out); err != nil {
		return nil, fmt.Errorf("signer: %w", err)
	}
	if none := out.Body == nil || out.Body == http.NoBody; none && (out.ContentLength > 0 || len(out.Trailer) > 0) {
		return nil, errors.New("signer: the request has no body, but a ContentLength or trailers")
	}
	digest, err := t.digest(out)
	if err != nil {
		return nil, err
	}
	now := time.Now
	if t.Now != nil {
		now = t.Now
	}
	if err := t.Signer.Sign(out, digest, now()); err != nil {
		return nil, fmt.Errorf("signer: %w", err)
	}
	return out, nil
}

// digest returns the digest of the body. It sets the body again, so that it can be sent,
// and its length.
func (t *Transport) digest(r *http.Request) (string, error) {
	h := t.Signer.NewHash()
	if h == nil {
		return "", nil
	}
	hashed := int64(0)
	if r.Body != nil && r.Body != http.NoBody {
		body, err := t.again(r)
		if err != nil {
			return "", err
		}
		hashed, err = io.Copy(h, body)
		body.Close()
		if err != nil {
			return "", fmt.Errorf("signer: reading the body: %w", err)
		}
		r.Body.Close() // what is sent is another copy: GetBody of connect returns the body itself, rewound
		if r.Body, err = r.GetBody(); err != nil {
			return "", fmt.Errorf("signer: the body cannot be read twice: %w", err)
		}
	}
	if err := announce(r, hashed); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// announce sets the length of the body to that of the bytes that were hashed. It returns
// an error if r announces another body: the verifier could not tell it from one that was
// removed on the way.
func announce(r *http.Request, hashed int64) error {
	switch {
	case r.ContentLength > 0 && r.ContentLength != hashed:
		return fmt.Errorf("signer: the body has %d bytes, but ContentLength is %d", hashed, r.ContentLength)
	case hashed == 0 && len(r.Trailer) > 0:
		return errors.New("signer: the request has trailers, but an empty body")
	case hashed == 0:
		if r.Body != nil {
			r.Body.Close()
		}
		r.Body, r.GetBody, r.ContentLength, r.TransferEncoding = http.NoBody, nil, 0, nil
	case len(r.Trailer) > 0: // HTTP/1.1 can send them only after a chunked body
		r.ContentLength, r.TransferEncoding = -1, []string{"chunked"}
	default:
		r.ContentLength, r.TransferEncoding = hashed, nil
	}
	return nil
}

// again returns a copy of the body to hash. It comes from GetBody if that is set, or
// else from reading the body into memory.
func (t *Transport) again(r *http.Request) (io.ReadCloser, error) {
	if r.GetBody == nil {
		most := t.MaxBody
		if most <= 0 {
			most = defaultMaxBody
		}
		body, err := io.ReadAll(io.LimitReader(r.Body, most+1))
		r.Body.Close()
		if err != nil {
			return nil, fmt.Errorf("signer: reading the body: %w", err)
		}
		if int64(len(body)) > most {
			return nil, errTooLarge
		}
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	}
	return r.GetBody()
}
