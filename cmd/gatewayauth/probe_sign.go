package main

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/config"
	"github.com/gatewayauth/gatewayauth/core/signer"
)

// probeHeader is a header that is signed in every request, so that no two have the same
// signature, and that some of them change.
const probeHeader = "X-Gatewayauth-Probe"

var errNothingToChange = errors.New("keys of this type do not sign it, or the request does not have it")

// sign makes the n-th request.
func (p *prober) sign(x *probe, n int) error {
	f, err := parseFaults(x.faults)
	if err != nil {
		return err
	}
	r := p.request.Clone(p.request.Context())
	r.Header.Set(probeHeader, rand.Text())
	r.Host = cmp.Or(x.host, r.Host)
	r = beforeRewrite(r, &p.policy.Rewrite)
	for _, change := range f.target { // of what is signed: what is sent stays what the user gave
		if change(r) == "" {
			return errNothingToChange
		}
	}
	body := p.body
	if f.body != nil {
		body = f.body(body)
	}
	setBody(r, body)
	if x.oversized {
		setZeros(r, p.api.MaxBody+1)
	}
	key := p.key
	if x.key != nil {
		key = *x.key
	}
	if f.wrongSecret {
		key = wrongSecret(key)
	}
	signed, err := p.signed(r, key, x.options, time.Now().Add(-f.skew))
	if err != nil {
		return err
	}
	if n == 0 && p.policy.Rewrite.Host == "" {
		p.request.Host = signed.Host // without the zone of an address, as it is sent
	}
	if x.request, err = p.sent(x, signed, f); err != nil {
		return err
	}
	if n > 0 && same(x.request, p.probes[0].request) {
		return errNothingToChange
	}
	return nil
}

// signed returns the signed request.
func (p *prober) signed(r *http.Request, key config.SigningKey, options config.SignOptions, at time.Time) (*http.Request, error) {
	options.Headers = slices.Concat([]string{probeHeader}, p.headers, p.policy.RequireSigned, p.policy.RequireSignedWithBody)
	if options.Payload == core.PayloadNone && (p.grpc || p.api.Stream) {
		options.Payload = core.PayloadDeclared
	}
	s, err := key.Signer(options)
	if err != nil {
		return nil, err
	}
	k := &keep{}
	t := &signer.Transport{Signer: s, Base: k, MaxBody: r.ContentLength + 1, Now: func() time.Time { return at }}
	if _, err := t.RoundTrip(r); k.request == nil {
		return nil, err
	}
	return k.request, nil
}

// sent returns the user's request with the signature of another one.
func (p *prober) sent(x *probe, signed *http.Request, f *faults) (*http.Request, error) {
	r := p.request.Clone(p.request.Context())
	r.Header = signed.Header.Clone()
	r.Host = cmp.Or(x.host, r.Host)
	if x.options.Expires != 0 {
		r.URL.RawQuery = signed.URL.RawQuery
	}
	setBody(r, p.body)
	if x.oversized {
		setZeros(r, p.api.MaxBody+1)
		r.Header.Set("Expect", "100-continue")
	}
	for _, change := range append(f.changes, x.changes...) {
		if change(r) == "" {
			return nil, errNothingToChange
		}
	}
	return r, nil
}

func setBody(r *http.Request, body []byte) {
	r.Body, r.GetBody, r.ContentLength = http.NoBody, nil, int64(len(body))
	if len(body) > 0 {
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		r.Body, _ = r.GetBody()
	}
}

// setZeros gives the request a body of n zeros, which is hashed and not sent.
func setZeros(r *http.Request, n int64) {
	r.ContentLength = n
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(io.LimitReader(zeros{}, n)), nil }
	r.Body, _ = r.GetBody()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// same reports whether two requests differ in nothing but their number.
func same(a, b *http.Request) bool {
	text := func(r *http.Request) string {
		r = r.Clone(r.Context())
		r.Header.Del(probeHeader)
		return requestText(r)
	}
	return text(a) == text(b)
}

// expect verifies the request by the policy of the file, as a server does that has
// received it.
func (p *prober) expect(x *probe) error {
	in := x.request.Clone(x.request.Context())
	in.RequestURI = in.URL.RequestURI()
	u, err := url.ParseRequestURI(in.RequestURI)
	if err != nil {
		return err
	}
	in.URL, in.RemoteAddr = u, "127.0.0.1:1"
	if in.GetBody != nil {
		in.Body, _ = in.GetBody()
	}
	id, err := p.local.Verify(in)
	core.Release(in)
	x.code, x.detail = core.CodeOf(err), ""
	if e, ok := errors.AsType[*core.Error](err); ok {
		x.detail = e.Detail
	} else if err != nil {
		return err
	}
	if id == nil && err == nil {
		return errors.New("the verifier returned nothing")
	}
	return nil
}
