// Package explain finds out why a request is refused, for operators and their tools. It
// verifies the request with a [core.Verifier]. If the signature does not match, it
// searches for a known edit of the request or the key with which it matches: the Host
// that a proxy replaced, a prefix that was removed, a body that was serialized again, the
// secret of another environment.
//
// Package core does not depend on it, and it uses only the exported names of core.
//
// # How it works
//
// [Explain] takes the verdict (received.go) and builds a list of edits from the table
// in cause.go. The search (search.go) applies each edit to a hypothesis: how the
// request may have been when it was signed, and with which key (hypothesis.go). It
// asks the scheme whether the credential then verifies, for each edit and for each pair
// of edits. If it does, the edits become [Finding] values (findings.go, clock.go). To
// find what the policy refuses besides the signature, it uses a Verifier whose schemes
// accept every credential (policy.go). To find keys and the key that is bound to an API,
// it uses a Verifier with a scheme of this package (probe.go).
//
// # To add a cause
//
//  1. Add a [Cause] constant in cause.go. The text is stable.
//  2. Write a function that returns edits, func (s *search) name() []edit, in the
//     file for what it edits: target.go (host, method), path.go, query.go, headers.go,
//     body.go, keys.go (secrets, environments, scopes, schemes), or signers.go
//     (signers that deviate from the specification). [newEdit] creates an edit; its
//     detail says what happened and what to do. A cause that needs no edit, such as a
//     date, is added in findings.go or clock.go.
//  3. Add the function to the table edits in cause.go, the likely ones first.
//  4. Add a case to the list for the same subject in cause_cases_test.go: a real proxy
//     or client that produces the cause. TestCauses (causes_test.go) runs it, and
//     checks that the cause is never reported for a signature with an unknown secret.
//     If random requests can have the cause, add a fault to random_requests_test.go,
//     and how it is undone to property_test.go, for TestRandomRequests_T186.
package explain

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// Hints are values that the search should try. They are optional: most causes are found
// without hints.
type Hints struct {
	// Environments are the policies of other environments, by name: their keys
	// and rewrites are tried.
	Environments map[string]core.Config
	// Hosts are hosts that the sender may have signed.
	Hosts []string
	// Prefixes are path prefixes, such as /v1, that a proxy may have removed or added.
	Prefixes []string
	// Headers are values that signed headers may have had.
	Headers http.Header
	// Schemes are tried with the keys of this environment, to find out whether the
	// sender uses another scheme, or a variant of it. Their own keys are not used.
	Schemes []core.Scheme
	// CanonicalRequest is the canonical request that the sender's signer computed. It is
	// compared line by line with the verifier's.
	CanonicalRequest string
	// Setting returns the name of a field of [core.Config] in the file that the policy
	// comes from, such as rewrite.add_prefix for Rewrite.AddPrefix. Nil means the
	// names of Config.
	Setting func(field string) string
	// MaxTries bounds the verifications; 0 means 4000. At most 100000.
	MaxTries int
}

const (
	defaultTries = 4000
	maxTries     = 100_000
)

// An Explanation says why a request is refused. It is for the operator of a verifier. Do
// not send it to callers, and do not accept a request because of it.
//
// It holds no secret, and neither the expected nor the received signature. Texts of the
// request are escaped to printable ASCII. Session tokens and cookies are left out.
type Explanation struct {
	// Code is the verdict, or "" for a request that is accepted or on an open API.
	// Replays are not checked. Detail describes the verdict, and says if the API is bound to
	// no key, so that another credential would be refused as well.
	Code   core.Code `json:"code"`
	Detail string    `json:"detail,omitempty"`
	// Hint says what to do about the verdict, see [core.HintOf].
	Hint string `json:"hint,omitempty"`
	// Open is true if the API is open to everyone.
	Open bool `json:"open,omitempty"`

	// Environment is the environment of the policy. Scheme and Algorithm are those of
	// the credential, KeyID and Key are the id and the name of its key, and Bound is the
	// name of the key that is bound to the API. They are empty if unknown.
	Environment string `json:"environment"`
	Scheme      string `json:"scheme,omitempty"`
	Algorithm   string `json:"algorithm,omitempty"`
	KeyID       string `json:"key_id,omitempty"`
	Key         string `json:"key,omitempty"`
	Bound       string `json:"bound_key,omitempty"`
	// MadeWith says which secret the signature was computed with, if the key has
	// several: the current one, or a previous one, and until when that is accepted.
	MadeWith string `json:"made_with,omitempty"`

	// SignedAt is the signed date, Skew is the verifier's clock minus SignedAt, and
	// Allowed is the largest Skew that the policy accepts. They are zero if no date is
	// signed. Skew is limited to the range of [time.Duration]; Clock is not.
	SignedAt time.Time     `json:"signed_at,omitzero"`
	Skew     time.Duration `json:"-"`
	Allowed  time.Duration `json:"-"`
	// Clock describes both, such as "47m 13s before the clock; 15m allowed".
	Clock string `json:"clock,omitempty"`

	// Causes are the changes that together make the request verify. If there are none,
	// no cause was found; the sender may use another secret.
	Causes []Finding `json:"causes,omitempty"`
	// Alternatives are other changes, each of which makes the request verify alone.
	Alternatives []Finding `json:"alternatives,omitempty"`
	// Tried is the number of verifications. Cut is true if the search ended before
	// everything was tried.
	Tried int  `json:"tried"`
	Cut   bool `json:"cut,omitempty"`

	// CanonicalRequest and StringToSign are what the verifier computes of the
	// request as received.
	CanonicalRequest string `json:"canonical_request,omitempty"`
	StringToSign     string `json:"string_to_sign,omitempty"`
	// Lines compares the canonical request that was signed with the verifier's, where they
	// differ or Hints has the sender's. Without it, what was signed is the request with
	// the changes of Causes.
	Lines []Line `json:"lines,omitempty"`
}

// A Finding is one thing that is wrong with a request.
type Finding struct {
	Cause Cause `json:"cause"`
	// Detail says in words what happened and what to do about it.
	Detail string `json:"detail"`
	// Change is the part of the request or key that differs, as it was when the request
	// was signed.
	Change string `json:"change,omitempty"`
	// Proven is true if the signature matches the request with the changes of Causes:
	// the sender signed that request. Otherwise the finding is a fact for which the
	// request is refused whoever signed it.
	Proven bool `json:"proven"`
}

// A Line is one line of two canonical requests: as Sender signed it, and as the Verifier
// computes it of the request as received.
type Line struct {
	// Name is method, path, query, a header's name and ':', signed headers, or
	// payload; or all for a canonical request that cannot be divided into lines.
	Name     string `json:"name"`
	Sender   string `json:"sender"`
	Verifier string `json:"verifier"`
	Differs  bool   `json:"differs,omitempty"`
}

// Explain says why a Verifier with the policy c refuses r. It verifies r. If the signature
// does not match, it searches for a known edit of the request or of the key with which it
// does: one for each [Cause], each alone and then two together, up to MaxTries.
//
// Explain calls neither the replay store nor observers, and logs nothing. It reads the body
// once, at most MaxBody bytes, into memory, and restores it: r is unchanged. It tries the
// secrets of c in place of each other. Call it for operators, not for every request, and
// do not send its result to callers.
//
// The work is at most MaxTries verifications of the header section of r, two more for each
// of its headers, and a few dozen passes over the body. JSON and compressed bodies above
// 1 MiB are not parsed. The search ends early, with Cut set, when the context of r ends.
// The error is not nil if c or the hints are not valid.
//
// To explain a saved request, let [core.Config].Now return the time at which it was
// received.
func Explain(r *http.Request, c core.Config, hints Hints) (*Explanation, error) {
	if r == nil || r.URL == nil {
		return nil, errors.New("gatewayauth: the request is nil or has no URL: pass a request that a server received")
	}
	if hints.MaxTries < 0 || hints.MaxTries > maxTries {
		return nil, fmt.Errorf("gatewayauth: Hints.MaxTries: %d is not between 0 and %d", hints.MaxTries, maxTries)
	}
	c = aside(c)
	verifier, err := core.New(c)
	if err != nil {
		return nil, err
	}
	s := &search{policy: c, verifier: verifier, hints: hints, most: cmp.Or(hints.MaxTries, defaultTries), keys: map[keyAt]*core.Key{}, hidden: map[string]bool{}}
	for _, name := range slices.Sorted(maps.Keys(hints.Environments)) {
		other := aside(hints.Environments[name])
		if _, err := core.New(other); err != nil {
			return nil, fmt.Errorf("gatewayauth: Hints.Environments[%q]: %w", name, err)
		}
		s.others = append(s.others, environment{name, other})
	}
	s.explanation.Environment = c.Environment
	s.recordVerdict(r)
	if s.explanation.Code != "" {
		s.explain()
		s.unbound()
	}
	return s.report(), nil
}

// Accepted reports whether the request is accepted, replays aside.
func (x *Explanation) Accepted() bool { return x.Code == "" }
