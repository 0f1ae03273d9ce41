// Package signer is the other side of the verifier: it signs requests as the
// gateway does, for tests, local work and service-to-service calls.
//
// [Transport] signs what an [net/http.Client] sends. [NewGateway] is a reverse
// proxy that strips what clients must not send and signs what it forwards.
// Any scheme that can sign is a [Signer]: apig.NewSigner, basic.NewSigner.
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
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// A Signer adds a credential to outgoing requests. It is safe for concurrent
// use.
type Signer interface {
	// NewHash makes the hash of the body that Sign wants, or returns nil where
	// it wants none.
	NewHash() hash.Hash
	// Sign sets the headers that prove r, dated at. Digest is the hash of the
	// body in lower-case hex, empty without NewHash. r.Host and r.URL are what
	// will be sent; r.Body is not read. A request that no verifier would
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
	case r.URL == nil || r.URL.Opaque != "":
		return nil, errors.New("signer: the URL has no path to sign")
	case r.Response != nil && r.Response.Request != nil &&
		(r.Response.Request.URL.Host != r.URL.Host || r.Response.Request.URL.Scheme != r.URL.Scheme):
		return nil, errors.New("signer: a redirect leads to another host or scheme; it is not signed")
	}
	out := r.Clone(r.Context())
	out.RequestURI = "" // a server's request that is passed on: URL is what is sent
	if out.Host == "" {
		out.Host = out.URL.Host
	}
	if out.Method == "" {
		out.Method = http.MethodGet
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

// digest hashes the body and leaves it to be sent.
func (t *Transport) digest(r *http.Request) (string, error) {
	h := t.Signer.NewHash()
	if h == nil {
		return "", nil
	}
	if r.Body != nil && r.Body != http.NoBody {
		body, err := t.again(r)
		if err != nil {
			return "", err
		}
		n, err := io.Copy(h, body)
		body.Close()
		if err != nil {
			return "", fmt.Errorf("signer: reading the body: %w", err)
		}
		if n == 0 { // else it would be sent in chunks, which verifiers refuse of an empty body
			r.Body.Close()
			r.Body, r.ContentLength, r.TransferEncoding = http.NoBody, 0, nil
			r.GetBody = func() (io.ReadCloser, error) { return http.NoBody, nil }
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
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
			return nil, core.Refuse(core.CodeBodyTooLarge, "the body exceeds the limit")
		}
		r.ContentLength, r.TransferEncoding = int64(len(body)), nil
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		r.Body, _ = r.GetBody()
	}
	return r.GetBody()
}

// reserved are the prefixes and names of headers that clients of a gateway may
// not send: the gateway's own, and credentials for the backend.
var reserved = [...]string{"x-sdk-", "x-amz-", "x-apig-", "x-stage", "x-security-token", "x-auth-token", "authorization"}

// Strip deletes from h what clients of a gateway may not send: headers that
// start with x-sdk-, x-amz- or x-apig-, x-stage, and credentials; also in
// spellings with underscores.
func Strip(h http.Header) {
	for name := range h {
		plain := strings.ReplaceAll(strings.ToLower(name), "_", "-")
		for _, r := range reserved {
			if plain == r || strings.HasSuffix(r, "-") && strings.HasPrefix(plain, r) {
				delete(h, name)
			}
		}
	}
}
