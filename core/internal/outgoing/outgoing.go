// Package outgoing gives a request the form in which it is sent before it is
// signed, and refuses what no verifier of this module accepts. All signers use it,
// so that what is signed is what goes on the wire.
package outgoing

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
)

// Prepare gives r the form in which net/http's Transport sends it over HTTP/1.1
// and HTTP/2: r.Method and r.Host are set, the host is without an IPv6 zone, the
// names of headers are in canonical form, their values have no blanks around them,
// and headers that the Transport leaves out are gone. A second call changes
// nothing.
//
// The error names what cannot be sent, or would be refused whatever the policy.
// What a policy limits (the size of the target and the body, the number of
// headers, which headers must be signed) is not checked.
func Prepare(r *http.Request) error {
	for _, step := range [...]func(*http.Request) error{method, host, target, headers} {
		if err := step(r); err != nil {
			return err
		}
	}
	return nil
}

// refuse returns the error for a request that would be ambiguous to a verifier.
func refuse(format string, args ...any) error {
	return core.Refuse(core.CodeRequestAmbiguous, fmt.Sprintf(format, args...))
}

func method(r *http.Request) error {
	switch {
	case r.Method == "":
		r.Method = http.MethodGet
	case r.Method == http.MethodConnect:
		return refuse("a CONNECT request has no path to sign")
	case !isToken(r.Method):
		return refuse("the method is not a token of HTTP")
	}
	return nil
}

// host sets the authority that is sent, by the rule of net/http's Request.Write
// but for its conversion to punycode, which is not exported.
func host(r *http.Request) error {
	if r.Host == "" && r.URL != nil {
		r.Host = r.URL.Host
	}
	name := withoutZone(r.Host)
	if name == "" {
		return refuse("the request has no host")
	}
	for i := range len(name) {
		switch b := name[i]; {
		case b >= 0x80:
			return refuse("the host is not in ASCII: write it in its xn-- form (punycode)")
		case !isAlphanumeric(b) && strings.IndexByte("!$%&'()*+-.:;=[]_~", b) < 0:
			return refuse("the host holds %q, which no authority has", b)
		}
	}
	r.Host = name
	return nil
}

// withoutZone takes the zone off an IPv6 address: it has a meaning on the sender's
// machine alone, and is not sent (RFC 6874 section 1).
func withoutZone(host string) string {
	end := strings.LastIndexByte(host, ']')
	if !strings.HasPrefix(host, "[") || end < 0 {
		return host
	}
	if zone := strings.LastIndexByte(host[:end], '%'); zone >= 0 {
		return host[:zone] + host[end:]
	}
	return host
}

// credentialParameters are those by which a query is a credential: one parameter
// of each form is enough to make the request ambiguous.
var credentialParameters = []string{
	"X-Sdk-Signature", "X-Sdk-Credential", "X-Sdk-Algorithm",
	"X-Amz-Signature", "X-Amz-Credential", "X-Amz-Algorithm",
}

func target(r *http.Request) error {
	if r.RequestURI == "" && (r.URL == nil || r.URL.Opaque != "") {
		return refuse("the URL has no path to sign")
	}
	m := canonical.NewMessage()
	defer m.Free()
	if err := m.CheckTarget(r, math.MaxInt); err != nil {
		return refuse("%v, which no verifier accepts", err)
	}
	_, query := m.Target(r)
	for i := range len(query) {
		if b := query[i]; b <= ' ' || b == '#' || b == 0x7f {
			return refuse("the query holds %q: write it as %%%02X", b, b)
		}
	}
	if m.HasParameter(r, credentialParameters...) {
		return refuse("the query holds parameters of a credential already")
	}
	return nil
}

// isToken reports whether text is a token (RFC 9110 section 5.6.2).
func isToken(text string) bool {
	return text != "" && !slices.ContainsFunc([]byte(text), func(b byte) bool {
		return !isAlphanumeric(b) && strings.IndexByte("!#$%&'*+-.^_`|~", b) < 0
	})
}

func isAlphanumeric(b byte) bool {
	return '0' <= b && b <= '9' || 'a' <= b|0x20 && b|0x20 <= 'z'
}
