package signer

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"

	"github.com/gatewayauth/gatewayauth/core"
)

// NewGateway returns a reverse proxy to target that does to requests what the
// gateway does: it deletes what clients may not send ([Strip]), and signs what
// it forwards with t. The target's host is the host that is signed; the
// target's path is put in front of the request's; the query goes through byte
// for byte.
//
// A request that cannot be signed is answered as a verifier would answer it,
// an unreachable target with 502.
func NewGateway(target *url.URL, t *Transport) http.Handler {
	return &httputil.ReverseProxy{
		Transport: t,
		Rewrite: func(p *httputil.ProxyRequest) {
			Strip(p.Out.Header)
			p.SetURL(target)
			p.SetXForwarded()
			p.Out.URL.RawQuery = p.In.URL.RawQuery
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if refusal, ok := errors.AsType[*core.Error](err); ok {
				core.WriteProblem(w, r, refusal)
				return
			}
			slog.Default().WarnContext(r.Context(), "gatewayauth: the gateway's target failed", "error", err)
			http.Error(w, http.StatusText(http.StatusBadGateway), http.StatusBadGateway)
		},
	}
}
