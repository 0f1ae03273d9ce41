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

// NewGateway returns a reverse proxy to target that treats requests as the gateway does:
// it removes the headers that clients may not send ([Strip]), signs the request with t,
// and forwards it. The signed host is that of target. The path of target is put before
// that of the request. The query is forwarded unchanged, and so are all other headers,
// except hop-by-hop headers and X-Forwarded-*, which are replaced. The signature
// replaces an Authorization header of the client.
//
// A body larger than t.MaxBody bytes is answered with 413. A body that the signature
// covers is read into memory before it is forwarded, so bidirectional streams need a
// signer that leaves the payload unsigned: its body is forwarded as it arrives, while
// the response is sent. If t.Base is nil, a [GatewayTransport] is used.
//
// A request that cannot be signed is answered as a verifier would answer it. If target
// cannot be reached, the answer is 502.
func NewGateway(target *url.URL, t *Transport) http.Handler {
	if t.Base == nil {
		sending := *t
		sending.Base = GatewayTransport()
		t = &sending
	}
	return Forward(target, t, t.MaxBody)
}

// Forward returns a reverse proxy like that of [NewGateway] that does not sign. It
// removes the headers that clients may not send, and sends the rest with base, including
// the client's own Authorization header. maxBody is the largest body in bytes; 0 means
// 12 MiB.
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
			if r.Header.Get("Expect") == "" { // or a client that is still sending gets a reset instead of the response
				io.CopyN(io.Discard, r.Body, most+1)
			}
			return
		}
		if r.ContentLength != 0 {
			r.Body = http.MaxBytesReader(w, r.Body, most)
			// Or HTTP/1.1 holds back the response until the whole body was read.
			http.NewResponseController(w).EnableFullDuplex()
		}
		proxy.ServeHTTP(w, r)
	})
}

var errTooLarge = core.Refuse(core.CodeBodyTooLarge, "the body exceeds the limit")

// notForwarded answers a request that was not sent, or got no response.
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

// GatewayTransport returns a transport for a gateway. Without TLS it forwards HTTP/2
// requests, such as gRPC calls, in HTTP/2, and all others in HTTP/1.1; with TLS the
// server chooses the version. It uses no proxy, and does not compress or decompress.
func GatewayTransport() http.RoundTripper {
	plain := &http.Transport{DisableCompression: true, ForceAttemptHTTP2: true}
	http2 := &http.Transport{DisableCompression: true, Protocols: new(http.Protocols)}
	http2.Protocols.SetUnencryptedHTTP2(true)
	return sameProtocol{plain, http2}
}

type sameProtocol struct{ plain, http2 *http.Transport }

func (s sameProtocol) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.ProtoMajor == 2 && r.URL.Scheme == "http" { // ReverseProxy copies the version from the incoming request
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

// Strip deletes the headers that clients of a gateway may not send: those that start
// with x-apig- or x-sdk-, and x-stage, also if they are spelled with underscores. It
// keeps all others, including X-Auth-Token and X-Amz-*, which a gateway forwards.
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
