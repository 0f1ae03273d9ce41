package core

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
)

// Identity is the result of a verification: which key, in which environment,
// and what it covers. It is immutable, and only a [Verifier] makes one that is
// Verified: the zero Identity, and one read from JSON, is not.
type Identity struct {
	// Pointers and small fields, since one is allocated for each request.
	origin        *origin // nil in the zero Identity
	key           *Key    // nil for open APIs
	signedHeaders string
	attributes    map[string][]string
	signedAt      int64  // in seconds since the zero time
	fingerprint   uint64 // short, where replayChecked is set; the whole may be the signature
	secret        uint16

	payload                           Payload
	signsTarget, signsHost, signsBody bool
	verified, replayChecked, retry    bool
}

// origin is what identities of a scheme and algorithm have in common.
type origin struct {
	environment, scheme, algorithm string
	mode                           Mode
}

func (id *Identity) from() origin {
	if id.origin == nil {
		return origin{}
	}
	return *id.origin
}

// sinceZero is a time in seconds since the zero time.
func sinceZero(t time.Time) int64 { return t.Unix() - zeroTime }

var zeroTime = time.Time{}.Unix()

// Verified reports whether a request was proven to come from the holder of the
// key. It is false for APIs that are open to everyone.
func (id *Identity) Verified() bool { return id != nil && id.verified }

// Environment returns the environment that accepted the request.
func (id *Identity) Environment() string { return id.from().environment }

// Mode returns the mode of the environment when the request was verified. In report mode
// a body that the handler reads while its digest is checked ([API].Stream) comes whole
// even if it is another one: Covers says that it is not proven.
func (id *Identity) Mode() Mode { return id.from().mode }

// Scheme returns the scheme's name, as in the environments file.
func (id *Identity) Scheme() string { return id.from().scheme }

// Algorithm returns the algorithm token of the credential.
func (id *Identity) Algorithm() string { return id.from().algorithm }

// Key returns the name of the key, as in the API bindings.
func (id *Identity) Key() string {
	if id.key == nil {
		return ""
	}
	return id.key.Name
}

// KeyID returns the id of the key, as requests carry it.
func (id *Identity) KeyID() string {
	if id.key == nil {
		return ""
	}
	return id.key.ID
}

// Secret tells which secret of the key matched: 0 the current one, n the n-th
// of the previous ones that were still accepted.
func (id *Identity) Secret() int { return int(id.secret) }

// SignedAt returns the date that was signed (resolution one second), zero for
// schemes that sign none.
func (id *Identity) SignedAt() time.Time { return time.Unix(id.signedAt+zeroTime, 0).UTC() }

// Payload says what was proven about the body.
func (id *Identity) Payload() Payload { return id.payload }

// ReplayChecked reports whether the request is proven to be the first of its
// kind, or the one retry of it that the policy permits. It is false where there is no
// store, the method is exempt, the scheme signs no requests, or the store was unavailable
// and that was allowed.
func (id *Identity) ReplayChecked() bool { return id.replayChecked }

// Retry reports whether the same request was accepted before, and this is the second one
// that [Replay].Retries permits. What the handler of the first one has done is not known.
func (id *Identity) Retry() bool { return id.retry }

// Attribute returns what the scheme learned about the sender beside the key,
// such as the roles of a token. Which names there are the scheme documents.
func (id *Identity) Attribute(name string) []string { return slices.Clone(id.attributes[name]) }

// SignedHeaders returns the names of the signed headers, lower case, sorted.
func (id *Identity) SignedHeaders() []string {
	if id.signedHeaders == "" {
		return []string{}
	}
	return strings.Split(id.signedHeaders, ";")
}

// Covers returns what the credential proves about the request.
func (id *Identity) Covers() Coverage {
	return Coverage{
		Target:  id.signsTarget,
		Host:    id.signsHost,
		Body:    id.signsBody,
		Headers: id.SignedHeaders(),
	}
}

// Coverage is what a credential proves to be as the signer sent it. What is
// not covered may have been changed by anyone on the way.
type Coverage struct {
	// Target: method, path and query. The SDK-* forms do not tell /a from /a/,
	// ?b from ?b=, nor the order of a repeated parameter's values.
	Target bool `json:"target"`
	// Host: the authority in Request.Host. False where Config.Rewrite replaces
	// it: then the gateway's host was verified, and the received one was not.
	Host bool `json:"host"`
	// Body: every byte of the body. False for [BodyUnbuffered]: nothing is
	// proven about a stream until its end was read.
	Body bool `json:"body"`
	// Headers: these, with all their values. The SDK-* forms do not cover the
	// order of several values.
	Headers []string `json:"headers"`
}

// MarshalJSON writes what the accessors return. It is for logs; there is no
// way back.
func (id *Identity) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Verified    bool     `json:"verified"`
		Environment string   `json:"environment"`
		Scheme      string   `json:"scheme"`
		Algorithm   string   `json:"algorithm"`
		Key         string   `json:"key"`
		Covers      Coverage `json:"covers"`
		Replay      bool     `json:"replay_checked"`
		Retry       bool     `json:"retry,omitempty"`
	}{id.Verified(), id.Environment(), id.Scheme(), id.Algorithm(), id.Key(), id.Covers(), id.replayChecked, id.retry})
}

// String returns the key, its scheme and the environment, such as
// "orders_key (hmac, RELEASE)"; "not verified" where nothing was.
func (id *Identity) String() string {
	if !id.Verified() {
		return "not verified"
	}
	return fmt.Sprintf("%s (%s, %s)", id.Key(), id.Scheme(), id.Environment())
}

// LogValue returns environment, scheme and key.
func (id *Identity) LogValue() slog.Value {
	if id == nil {
		return slog.Value{}
	}
	return slog.GroupValue(slog.String("environment", id.Environment()),
		slog.String("scheme", id.Scheme()), slog.String("key", id.Key()))
}

type identityKey struct{}

// NewContext returns a context that carries id. Adapters do not need it:
// [Verifier.Admit] returns a request whose context carries the identity.
func NewContext(ctx context.Context, id *Identity) context.Context {
	return context.WithValue(ctx, identityKey{}, id)
}

// FromContext returns the identity of the request. It is false where the
// request was not verified: on open APIs, in report mode where the request
// would have been refused, and in off mode. What is refused while the handler reads the
// body ([API].Stream) cannot take the identity back: in enforce mode the body ends with
// an error, in report mode nothing does, see [Identity.Mode].
func FromContext(ctx context.Context) (*Identity, bool) {
	id, _ := ctx.Value(identityKey{}).(*Identity)
	if !id.Verified() {
		return nil, false
	}
	return id, true
}
