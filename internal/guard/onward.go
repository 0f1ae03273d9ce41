package guard

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/signer"
)

// onward signs each request with the signer of the moment, and sends it with base.
type onward struct {
	signer func() signer.Signer
	base   http.RoundTripper
	most   int64
	held   *atomic.Int64 // bytes of bodies in memory, but for those that the verifier holds
}

// maxHeld is the default of Config.MaxHeld: as much as the verifier holds by default.
const maxHeld = 256 << 20

func (o onward) RoundTrip(r *http.Request) (*http.Response, error) {
	s := o.signer()
	if r.Body != nil && r.Body != http.NoBody && r.GetBody == nil && s.NewHash() != nil {
		out := *r
		body := &heldBody{ReadCloser: r.Body, most: o.most, all: o.held}
		defer body.release()
		out.Body, r = body, &out
	}
	return (&signer.Transport{Signer: s, Base: o.base}).RoundTrip(r)
}

// heldBody counts what is read of a body.
type heldBody struct {
	io.ReadCloser
	most int64
	all  *atomic.Int64
	mine int64
}

func (b *heldBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.mine += int64(n)
	if b.all.Add(int64(n)) > b.most {
		return 0, core.Refuse(core.CodeUnavailable, "the memory for bodies that are signed onward is used up")
	}
	return n, err
}

func (b *heldBody) release() { b.all.Add(-b.mine) }

// once sends a request with base so that it is not sent again if the service may have got
// it. net/http's transport repeats requests with GetBody, which the verifier has set, and
// those without a body, if they have an Idempotency-Key, which anybody can add. GET, HEAD,
// OPTIONS and TRACE without a body it still repeats.
type once struct{ base http.RoundTripper }

func (o once) RoundTrip(r *http.Request) (*http.Response, error) {
	out := *r
	out.GetBody = nil
	out.Header = r.Header.Clone()
	for _, name := range [...]string{"Idempotency-Key", "X-Idempotency-Key"} {
		if values, ok := out.Header[name]; ok { // the transport knows this spelling alone
			delete(out.Header, name)
			out.Header[strings.ToLower(name)] = values
		}
	}
	return o.base.RoundTrip(&out)
}

// stripCredential removes the headers of the credential with which the caller signed.
func stripCredential(h http.Header) {
	for name := range h {
		plain := strings.ToLower(strings.ReplaceAll(name, "_", "-"))
		if strings.HasPrefix(plain, "x-sdk-") || isCredential[plain] {
			delete(h, name)
		}
	}
}

// isCredential are the headers of credentials but x-sdk-* and the one of credential_header,
// usually Authorization, which the signer replaces: where it is another one, Authorization
// is for the service. Of x-amz-* services use others.
var isCredential = map[string]bool{"x-auth-token": true, "x-amz-date": true,
	"x-amz-content-sha256": true, "x-amz-security-token": true, "x-amz-region-set": true}
