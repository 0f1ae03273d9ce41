package core

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"

	"github.com/gatewayauth/gatewayauth/core/internal/memo"
)

// A Verifier proves that requests came through the gateway. It is safe for
// concurrent use. The zero Verifier, and a nil one, refuse everything.
//
// It must see the request before anything has read its body or answered it: in
// front of the router, or of the routes it protects.
type Verifier struct {
	policy   atomic.Pointer[policy]
	buffered atomic.Int64
	lookups  atomic.Int64
	history  history
}

// String tells nothing: what a Verifier holds changes while it is printed.
func (v *Verifier) String() string { return "gatewayauth.Verifier" }

// Format writes what String returns, for every verb.
func (v *Verifier) Format(f fmt.State, _ rune) { io.WriteString(f, v.String()) }

// New returns a Verifier for one environment. All problems of the
// configuration are reported at once, and then there is no Verifier.
func New(c Config) (*Verifier, error) {
	v := new(Verifier)
	if err := v.Reload(c); err != nil {
		return nil, err
	}
	return v, nil
}

// Reload replaces the policy. Requests that are being verified finish under the
// policy they started with; those that start after Reload has returned are
// verified by the new one. With an error the old policy stays.
func (v *Verifier) Reload(c Config) error {
	if v == nil {
		return errNotBuilt
	}
	p, err := c.compile()
	if err != nil {
		return err
	}
	p.buffered, p.lookups, p.counters = &v.buffered, &v.lookups, v.history.countersFor(p)
	old := v.policy.Swap(p)
	weaker := p.Mode != Enforce && (old == nil || old.Mode < p.Mode)
	if old != nil && (old.Replay.Store != p.Replay.Store || p.Replay.Store != nil && old.Environment != p.Environment) { // entries are of an environment
		p.Logger.LogAttrs(context.Background(), slog.LevelWarn,
			"gatewayauth: another replay store or environment; requests accepted before can be accepted once more",
			slog.String("environment", p.Environment))
	}
	for _, warning := range []struct {
		on   bool
		text string
	}{
		{weaker, "gatewayauth: requests that are not verified are let through"},
		{p.Replay.AllowUnavailable, "gatewayauth: requests are accepted while the replay store is unavailable"},
		{p.Rewrite.Host != "" && !p.isOurs(p.Rewrite.Host), "gatewayauth: every signed request is refused: Rewrite.Host is none of Hosts"},
		{p.ExposeReason, "gatewayauth: answers explain refusals to the caller; for development only"},
	} {
		if warning.on {
			p.Logger.LogAttrs(context.Background(), slog.LevelWarn, warning.text,
				slog.String("environment", p.Environment), slog.String("mode", p.Mode.String()))
		}
	}
	return nil
}

var errNotBuilt = &Error{Code: CodeUnavailable, Detail: "the Verifier was not made by New"}

// current returns the policy in force, nil where there is none.
func (v *Verifier) current() *policy {
	if v == nil {
		return nil
	}
	return v.policy.Load()
}

// Mode returns what [Verifier.Admit] does with verdicts at present.
func (v *Verifier) Mode() Mode {
	if p := v.current(); p != nil {
		return p.Mode
	}
	return Enforce
}

// Buffered returns the bytes of memory that hold bodies at present. It returns
// to 0 when all requests were released.
func (v *Verifier) Buffered() int64 {
	if v == nil {
		return 0
	}
	return v.buffered.Load()
}

// Verify tells the truth about r whatever the mode: an [Identity], or an
// [*Error], never both and never neither. On an open API the identity is not
// Verified.
//
// The target that is verified is r.RequestURI where a server set it, else r.URL. Verify
// reads the body only where the signature covers it, and then replaces r.Body
// with what it read and sets r.GetBody; the caller calls [Release] when it is
// done with the body. A body has the length that r announces (ContentLength, the
// Content-Length field, TransferEncoding), or the request is refused with
// [CodeBodyMismatch]: one that was read before r got here is not an empty one.
// So a body that is announced without its length has at least one byte. Trailers
// are covered by no scheme.
func (v *Verifier) Verify(r *http.Request) (*Identity, error) {
	p := v.current()
	if p == nil {
		return nil, errNotBuilt
	}
	verification := p.newVerification(r, BodyConsumed)
	verification.cleanup = true
	id, err := verification.verifyAndReport()
	verification.free()
	return id, err
}

// policy is a compiled Config: immutable but for its memos, and swapped as a whole.
type policy struct {
	Config
	bindings         bindings
	schemes          []*compiledScheme // Schemes
	algorithms       []string
	challenge        string
	headers          []string // that hold credentials of schemes, beside CredentialHeader
	usesHeader       bool     // some scheme reads CredentialHeader
	headerName       string   // CredentialHeader in lower case
	refusalsOf       credentialRefusals
	prefixes         []string    // of the schemes' headers, beside protocolPrefixes
	required         []required  // RequireSigned
	underscored      []string    // those of them with an underscore
	requiredWithBody []required  // RequireSignedWithBody
	hosts            []authority // Hosts; none where every host is accepted
	openOrigin       *origin     // of the identities of open APIs

	// Of the Verifier.
	buffered *atomic.Int64 // bytes of bodies in memory
	lookups  *atomic.Int64 // calls to key sources that have not returned
	counters counters

	// What pure functions of this policy have returned. Only accepted requests fill
	// the first two.
	lists      memo.Memo[string, *signedHeaders]
	bindingsOf memo.Memo[bindingKey, *binding]
	refusals   memo.Memo[*Error, *Error] // the texts in the code, with the policy's challenge
}
