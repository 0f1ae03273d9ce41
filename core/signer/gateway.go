package signer

import (
	"cmp"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
)

// NewGateway returns a reverse proxy to target that does to requests what the
// gateway does: it deletes what clients may not send ([Strip]), and signs what
// it forwards with t. The target's host is the host that is signed; the
// target's path is put in front of the request's; the query goes through byte
// for byte, and so do all other headers but those that belong to one connection
// and X-Forwarded-*, which is set anew. An Authorization header of the client's
// gives way to the signature.
//
// A body is at most t.MaxBody bytes long; a larger one is answered with 413. What a
// signature covers is read into memory before it is sent on, so that both sides of
// a stream cannot talk in turns; with a signer that leaves the payload unsigned the
// body goes through as it arrives, while the answer comes. Without t.Base a [GatewayTransport] sends.
//
// A request that cannot be signed is answered as a verifier would answer it,
// an unreachable target with 502.
func NewGateway(target *url.URL, t *Transport) http.Handler {
	if t.Base == nil {
		sending := *t
		sending.Base = GatewayTransport()
		t = &sending
	}
	return Forward(target, t, t.MaxBody)
}

// Forward returns the reverse proxy of [NewGateway] without its signature: what
// clients may not send is deleted, and base sends the rest, the client's own
// Authorization included. maxBody is the largest body in bytes, 0 means 12 MiB.
func Forward(target *url.URL, base http.RoundTripper, maxBody int64) http.Handler {
	most := cmp.Or(maxBody, defaultMaxBody)
	proxy := &httputil.ReverseProxy{
		Transport: base,
		Rewrite: func(p *httputil.ProxyRequest) {
			Strip(p.Out.Header)
			p.SetURL(target)
			p.SetXForwarded()
			p.Out.URL.RawQuery = p.In.URL.RawQuery
		},
		ErrorHandler: notForwarded,
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > most {
			core.WriteProblem(w, r, errTooLarge)
			if r.Header.Get("Expect") == "" { // or a client that still sends sees a reset in place of the answer
				io.CopyN(io.Discard, r.Body, most+1)
			}
			return
		}
		if r.ContentLength != 0 {
			r.Body = http.MaxBytesReader(w, r.Body, most)
			// Or HTTP/1.1 keeps an answer back until the whole body was read.
			http.NewResponseController(w).EnableFullDuplex()
		}
		proxy.ServeHTTP(w, r)
	})
}

var errTooLarge = core.Refuse(core.CodeBodyTooLarge, "the body exceeds the limit")

// notForwarded answers a request that was not sent, or not answered.
func notForwarded(w http.ResponseWriter, r *http.Request, err error) {
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		err = errTooLarge
	}
	if refusal, ok := errors.AsType[*core.Error](err); ok {
		core.WriteProblem(w, r, refusal)
		return
	}
	slog.Default().WarnContext(r.Context(), "gatewayauth: the gateway's target failed", "error", err)
	http.Error(w, http.StatusText(http.StatusBadGateway), http.StatusBadGateway)
}

// GatewayTransport returns a transport for a gateway. Without TLS it sends what came
// in HTTP/2, such as a gRPC call, in HTTP/2, and the rest in HTTP/1.1; with TLS the
// server chooses. It uses no proxy and changes no encoding.
func GatewayTransport() http.RoundTripper {
	plain := &http.Transport{DisableCompression: true, ForceAttemptHTTP2: true}
	http2 := &http.Transport{DisableCompression: true, Protocols: new(http.Protocols)}
	http2.Protocols.SetUnencryptedHTTP2(true)
	return sameProtocol{plain, http2}
}

type sameProtocol struct{ plain, http2 *http.Transport }

func (s sameProtocol) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.ProtoMajor == 2 && r.URL.Scheme == "http" { // as the server set it, in a copy of its request
		return s.http2.RoundTrip(r)
	}
	return s.plain.RoundTrip(r)
}

func (s sameProtocol) CloseIdleConnections() {
	s.plain.CloseIdleConnections()
	s.http2.CloseIdleConnections()
}

// reserved are the prefixes and names of headers that clients of a gateway may not
// define (user guide of APIG, "Signature Keys").
var reserved = [...]string{"x-apig-", "x-sdk-", "x-stage"}

// Strip deletes from h what clients of a gateway may not send, and nothing else:
// headers that start with x-apig- or x-sdk-, and x-stage, also in spellings with
// underscores. Tokens (X-Auth-Token) and X-Amz-* headers pass through a gateway.
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
