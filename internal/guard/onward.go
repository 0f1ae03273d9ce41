package guard

import (
	"net/http"
	"strings"

	"github.com/gatewayauth/gatewayauth/core/signer"
)

// onward signs each request with the signer of the moment, and sends it with base.
type onward struct {
	signer func() signer.Signer
	base   http.RoundTripper
}

func (o onward) RoundTrip(r *http.Request) (*http.Response, error) {
	return (&signer.Transport{Signer: o.signer(), Base: o.base}).RoundTrip(r)
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

// isCredential are the headers of credentials but x-sdk-*. Of x-amz-* services use others.
var isCredential = map[string]bool{"authorization": true, "x-auth-token": true, "x-amz-date": true,
	"x-amz-content-sha256": true, "x-amz-security-token": true, "x-amz-region-set": true}
