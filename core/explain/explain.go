// Package explain says why a request is refused, for operators and their tools. It
// judges the request with a [core.Verifier]. Where the signature does not fit, it
// looks for a known edit of the request or of the key with which it does: the Host
// that a proxy replaced, a prefix that was taken away, a body that was written anew,
// the secret of another environment.
//
// Nothing in package core depends on it, and it uses core's exported names alone.
//
// # How it works
//
// [Explain] takes the verdict (received.go) and builds a list of edits from the table
// in cause.go. The search (search.go) applies each edit to a hypothesis: how the
// request may have been when it was signed, and with which key (hypothesis.go). It
// asks the scheme whether the credential verifies then, for each edit alone and for
// every two. What verifies becomes a [Finding] (findings.go, clock.go). What the
// policy refuses beside the signature is found by a Verifier whose schemes accept the
// credential (policy.go), and a Verifier with a scheme of this package tells which key
// an API is bound to, and finds keys (probe.go).
//
// # To add a cause
//
//  1. Add a [Cause] constant in cause.go. The text is stable.
//  2. Write a function that returns edits, func (s *search) name() []edit, in the
//     file for what it edits: target.go (host, method), path.go, query.go, headers.go,
//     body.go, keys.go (secrets, environments, scopes, schemes), or signers.go
//     (signers that leave the specification). [newEdit] makes one; its detail says
//     what happened and what to do. What needs no edit, such as a date, is a fact
//     that findings.go or clock.go adds.
//  3. Add the function to the table edits in cause.go, the likely ones first.
//  4. Add a case to the list for the same subject in cause_cases_test.go: a real proxy
//     or client that brings the cause about. TestCauses (causes_test.go) runs it, and
//     checks that the cause is never named for a secret that nobody knows. If random
//     requests can have the cause, add a fault to random_requests_test.go, and how it
//     is undone to property_test.go, for TestRandomRequests_T186.
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

// Hints are what an operator suspects. The zero Hints are of use: most causes
// can be found without.
type Hints struct {
	// Environments are the policies of other environments, by name: their keys
	// and rewrites are tried.
	Environments map[string]core.Config
	// Hosts are hosts that the sender may have signed.
	Hosts []string
	// Prefixes are path prefixes, such as /v1, that a proxy may have taken away
	// or put in front.
	Prefixes []string
	// Headers are values that signed headers may have had.
	Headers http.Header
	// Schemes are tried with the keys of this environment, to see that a sender
	// uses another scheme, or another rule of it. Their own keys are not used.
	Schemes []core.Scheme
	// CanonicalRequest is the canonical request of the sender, as its signer
	// shows it, to be compared line by line.
	CanonicalRequest string
	// Setting returns what the operator calls a field of [core.Config], such as
	// rewrite.add_prefix for Rewrite.AddPrefix, where the policy comes from a file.
	// nil: as Config does.
	Setting func(field string) string
	// MaxTries bounds the verifications; 0 means 4000. At most 100000.
	MaxTries int
}

const (
	defaultTries = 4000
	maxTries     = 100_000
)

// An Explanation says why a request is refused, for the operator of a verifier
// and nobody else. Nobody is let in for it: it is no verdict.
//
// It holds no secret and no signature, neither the expected one nor the
// received. Texts of the request are escaped to printable ASCII; session tokens
// and cookies are left out.
type Explanation struct {
	// Code is the verdict, "" for a request that is accepted or open. Replays
	// are not looked for. Detail is the verdict in words.
	Code   core.Code `json:"code"`
	Detail string    `json:"detail,omitempty"`
	// Open is true where the API is open to everyone.
	Open bool `json:"open,omitempty"`

	// Environment is the one that was asked; Scheme and Algorithm are those of
	// the credential, Key is the name of the key it names, and Bound of the
	// key bound to the API. Empty is not known.
	Environment string `json:"environment"`
	Scheme      string `json:"scheme,omitempty"`
	Algorithm   string `json:"algorithm,omitempty"`
	KeyID       string `json:"key_id,omitempty"`
	Key         string `json:"key,omitempty"`
	Bound       string `json:"bound_key,omitempty"`
	// MadeWith says which secret of the key the signature was made with, where the
	// key has several and one fits: the current one, or a previous one, and until
	// when that is accepted.
	MadeWith string `json:"made_with,omitempty"`

	// SignedAt is the signed date, Skew the clock minus that, Allowed how far
	// into the past it may be. Zero where no date is signed. Skew is cut to
	// what a [time.Duration] holds; Clock is not.
	SignedAt time.Time     `json:"signed_at,omitzero"`
	Skew     time.Duration `json:"-"`
	Allowed  time.Duration `json:"-"`
	// Clock says both in words, such as "47m 13s before the clock; 15m allowed".
	Clock string `json:"clock,omitempty"`

	// Causes are the changes that make the request verify: all of them together.
	// Empty: no explanation was found; the secret may simply be another.
	Causes []Finding `json:"causes,omitempty"`
	// Alternatives are other changes of which each alone does.
	Alternatives []Finding `json:"alternatives,omitempty"`
	// Tried is how many verifications that took. Cut is true where the search
	// ended before everything was tried.
	Tried int  `json:"tried"`
	Cut   bool `json:"cut,omitempty"`

	// CanonicalRequest and StringToSign are what the verifier computes of the
	// request as received.
	CanonicalRequest string `json:"canonical_request,omitempty"`
	StringToSign     string `json:"string_to_sign,omitempty"`
	// Lines compares the sender's canonical request with the verifier's.
	Lines []Line `json:"lines,omitempty"`
}

// A Finding is one thing that is wrong with a request.
type Finding struct {
	Cause Cause `json:"cause"`
	// Detail says in words what happened and what to do about it.
	Detail string `json:"detail"`
	// Change is how the request, or the key, was when it was signed.
	Change string `json:"change,omitempty"`
	// Proven is true where the signature fits the request with the changes in
	// Causes, so that it was made so. Otherwise the finding is a fact about the
	// request that alone gets it refused, whoever signed it.
	Proven bool `json:"proven"`
}

// A Line is one line of two canonical requests.
type Line struct {
	// Name is method, path, query, a header's name and ':', signed headers, or
	// payload.
	Name     string `json:"name"`
	Sender   string `json:"sender"`
	Verifier string `json:"verifier"`
	Differs  bool   `json:"differs,omitempty"`
}

// Explain says why a Verifier of c refuses r: it judges r, and where the
// signature does not fit looks for a known edit of the request, or of the key,
// with which it does. The list is that of the [Cause] constants, each alone and
// every two together as far as MaxTries goes.
//
// It asks neither replay store nor observers, and logs nothing. It reads the
// body once, at most MaxBody bytes, into memory, and leaves r as it was, the
// body included. Secrets of c are tried in place of each other, so it is for
// operators: not for the hot path, and its result not for callers.
//
// The work is at most MaxTries verifications of the head of r, two more for each of
// its headers, and a few dozen passes over the body; JSON and compressed bodies above
// 1 MiB are not looked into. It ends early, with Cut set, when r's context ends.
// An error says that c or the hints are not usable.
//
// A saved request is explained with [core.Config].Now set to when it was received.
func Explain(r *http.Request, c core.Config, hints Hints) (*Explanation, error) {
	if r == nil || r.URL == nil {
		return nil, errors.New("gatewayauth: not a request of a server")
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
	s.judge(r)
	if s.explanation.Code != "" {
		s.explain()
	}
	return s.report(), nil
}

// Accepted reports whether the request is let in, unless it is a replay.
func (x *Explanation) Accepted() bool { return x.Code == "" }
