// Package signer is the other side of the verifier: it signs requests as the
// gateway does, for tests, local work and service-to-service calls.
//
// [Transport] signs what an [net/http.Client] sends. [NewGateway] is a reverse
// proxy that strips what clients must not send and signs what it forwards.
// Any scheme that can sign is a [Signer]: apig.NewSigner, basic.NewSigner.
//
// What is signed is what goes on the wire. Before a request is signed it gets the
// form in which net/http sends it: the host without an IPv6 zone, the names of
// headers in canonical form, their values without blanks around them. What no
// verifier accepts gives an error and is not sent:
//
//   - a host that is not ASCII (write bücher.example as xn--bcher-kva.example), or
//     holds what no authority has; CONNECT; a URL that is opaque;
//   - a query with a semicolon, a parameter without a name, a bad percent sequence,
//     a blank or '#', or with parameters of a credential; a path that the scheme
//     cannot tell from another one;
//   - a header of the protocols (x-sdk-*, x-amz-*) with two values or an
//     underscore, a method override that is not signed, a header to sign that
//     belongs to one connection, Connection with the name of a signed header, TE
//     with anything but trailers, Expect with anything but 100-continue.
//
// A signer does not know the verifier's policy: which key is bound to the API,
// which headers it requires to be signed, whether it allows unsigned payloads, and
// its limits.
//
// It is no gateway for production: it checks nothing about who calls it.
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
	// NewHash makes the hash of the body that Sign wants, or returns nil where
	// it wants none.
	NewHash() hash.Hash
	// Sign sets the headers that prove r, dated at. Digest is the hash of the
	// body in lower-case hex, empty without NewHash. r.Body is not read. Signers
	// of this module first set r.Host, and give the headers the form in which they
	// are sent: send r as it is afterwards. A request that no verifier would
	// accept, such as one with dot segments in its path, gives an error.
	Sign(r *http.Request, digest string, at time.Time) error
}

const defaultMaxBody = 12 << 20

// Transport is an [http.RoundTripper] that signs every request before it
// passes it on.
//
// A redirect to another host or scheme is not followed but gives an error:
// signing it would hand a credential to whoever the redirect names, or send it
// in clear.
type Transport struct {
	// Signer signs. Required.
	Signer Signer
	// Base sends; nil means http.DefaultTransport.
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
		return nil, errors.New("signer: a redirect leads to another host or scheme; it is not signed")
	}
	out := r.Clone(r.Context())
	out.RequestURI = "" // a server's request that is passed on: URL is what is sent
	if err := outgoing.Prepare(out); err != nil {
		return nil, fmt.Errorf("signer: %w", err)
	}
	if none := out.Body == nil || out.Body == http.NoBody; none && (out.ContentLength > 0 || len(out.Trailer) > 0) {
		return nil, errors.New("signer: a request without a body has a ContentLength or trailers")
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

// digest hashes the body and leaves it to be sent, with its length.
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
	}
	if err := announce(r, hashed); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// announce makes r say the length of the body that was hashed: a body that is
// announced and does not come cannot be told from one that was taken away.
func announce(r *http.Request, hashed int64) error {
	switch {
	case r.ContentLength > 0 && r.ContentLength != hashed:
		return fmt.Errorf("signer: the body has %d bytes, and ContentLength says %d", hashed, r.ContentLength)
	case hashed == 0 && len(r.Trailer) > 0:
		return errors.New("signer: a request with an empty body has trailers")
	case hashed == 0:
		if r.Body != nil {
			r.Body.Close()
		}
		r.Body, r.GetBody, r.ContentLength, r.TransferEncoding = http.NoBody, nil, 0, nil
	case len(r.Trailer) > 0: // which HTTP/1.1 sends behind chunks alone
		r.ContentLength, r.TransferEncoding = -1, []string{"chunked"}
	default:
		r.ContentLength, r.TransferEncoding = hashed, nil
	}
	return nil
}

// again returns the body for hashing, beside the one that is sent: by GetBody
// where there is one, else by reading it into memory.
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
		r.Body, _ = r.GetBody()
	}
	return r.GetBody()
}
