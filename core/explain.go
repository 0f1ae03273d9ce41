package core

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync/atomic"
	"time"
)

// Hints are what an operator suspects. The zero Hints are of use: most causes
// can be found without.
type Hints struct {
	// Environments are the policies of other environments, by name: their keys
	// and rewrites are tried.
	Environments map[string]Config
	// Hosts are hosts that the sender may have signed.
	Hosts []string
	// Prefixes are path prefixes, such as /v1, that a proxy may have taken away
	// or put in front.
	Prefixes []string
	// Headers are values that signed headers may have had.
	Headers http.Header
	// Schemes are tried with the keys of this environment, to see that a sender
	// uses another scheme, or another rule of it. Their own keys are not used.
	Schemes []Scheme
	// CanonicalRequest is the canonical request of the sender, as its signer
	// shows it, to be compared line by line.
	CanonicalRequest string
	// Setting returns what the operator calls a field of [Config], such as
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
	Code   Code   `json:"code"`
	Detail string `json:"detail,omitempty"`
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
// signature does not fit looks for a known change on the way, or of the key,
// with which it does. The list is that of the [Cause] constants, each alone and
// every two together as far as MaxTries goes.
//
// It asks neither replay store nor observers, and logs nothing. It reads the
// body once, at most MaxBody bytes, into memory, and leaves r as it was, the
// body included. Secrets of c are tried in place of each other, so it is for
// operators: not for the hot path, and its result not for callers.
//
// The work is at most MaxTries verifications of the head of r, two more for each of
// its headers, and a few dozen passes over the body; JSON and compressed bodies above 1 MiB are not looked
// into. It ends early, with Cut set, when r's context ends.
// An error says that c or the hints are not usable.
//
// A saved request is explained with [Config].Now set to when it was received.
func Explain(r *http.Request, c Config, hints Hints) (*Explanation, error) {
	if r == nil || r.URL == nil {
		return nil, errors.New("gatewayauth: not a request of a server")
	}
	if hints.MaxTries < 0 || hints.MaxTries > maxTries {
		return nil, fmt.Errorf("gatewayauth: Hints.MaxTries: %d is not between 0 and %d", hints.MaxTries, maxTries)
	}
	p, err := c.aside()
	if err != nil {
		return nil, err
	}
	s := &search{policy: p, hints: hints, most: cmp.Or(hints.MaxTries, defaultTries), keys: map[keyAt]*Key{}, hidden: map[string]bool{}}
	for _, name := range slices.Sorted(maps.Keys(hints.Environments)) {
		other, err := hints.Environments[name].aside()
		if err != nil {
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

// aside compiles the policy for use aside from its Verifier.
func (c Config) aside() (*policy, error) {
	c.Replay, c.Observers, c.Logger = Replay{}, nil, slog.New(slog.DiscardHandler)
	p, err := c.compile()
	if err != nil {
		return nil, err
	}
	p.Mode, p.buffered, p.lookups = Enforce, new(atomic.Int64), new(atomic.Int64)
	return p, nil
}

// Accepted reports whether the request is let in, unless it is a replay.
func (x *Explanation) Accepted() bool { return x.Code == "" }
