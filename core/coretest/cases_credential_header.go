package coretest

import (
	"net/http"
	"slices"

	"github.com/gatewayauth/gatewayauth/core"
)

// credentialHeader is that of these cases; no other case has it.
const credentialHeader = "X-Backend-Sign"

// credential is what a message presents.
func (m message) credential() string {
	if values := m.values(credentialHeader); len(values) > 0 {
		return values[0]
	}
	return m.value("Authorization")
}

// credentialHeaderCases are requests to an environment that reads the credential from
// X-Backend-Sign.
func credentialHeaderCases() []testCase {
	const header, bearer = credentialHeader, "Authorization: Bearer of-the-client"
	moved := func(m message) message {
		return m.without("Authorization").with(header + ": " + m.value("Authorization"))
	}
	right := moved(p1())
	return under(func(c *core.Config) { c.CredentialHeader = credentialHeader }, slices.Concat(
		rows("T192", accepted,
			row{"the credential in its header", right},
			row{"beside a token of the client", right.with(bearer)},
			row{"beside two tokens of the client", right.with(bearer, "Authorization: Basic eDp5")},
			row{"beside a forged credential in Authorization", right.with("Authorization: " + forged().value("Authorization"))},
			row{"with a body", moved(p2())}),
		rows("T192", missing,
			row{"the credential in Authorization", p1()},
			row{"a token of the client alone", unsigned("/v1/items").with(bearer)},
			row{"no credential", unsigned("/v1/items")}),
		rows("T192", mismatch,
			row{"a forged credential", moved(forged())},
			row{"a forged credential, and the right one in Authorization", moved(forged()).with("Authorization: " + p1().value("Authorization"))}),
		rows("T192", ambiguous,
			row{"twice", right.with(header + ": " + right.value(header))},
			row{"with an underscore beside it", right.with("X_Backend-Sign: x")},
			row{"named by Connection", right.with("Connection: x-backend-sign")}),
		[]testCase{{name: "T192 the handler sees the client's Authorization", script: func(b *bench) {
			b.app.then = func(_ http.ResponseWriter, r *http.Request) {
				if got := r.Header["Authorization"]; len(got) != 1 || got[0] != "Bearer of-the-client" {
					b.Errorf("the handler sees Authorization %q, want that of the client", got)
				}
			}
			b.expect(right.with(bearer), accepted)
		}}}))
}
