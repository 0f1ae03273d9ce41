package core

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
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
	evidence evidence
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

// Reload replaces the policy. Requests that are being judged finish under the
// policy they started with; those that start after Reload has returned are
// judged by the new one. With an error the old policy stays.
func (v *Verifier) Reload(c Config) error {
	if v == nil {
		return errNotBuilt
	}
	p, err := c.compile()
	if err != nil {
		return err
	}
	p.buffered, p.lookups, p.tally = &v.buffered, &v.lookups, v.evidence.tally(p)
	old := v.policy.Swap(p)
	weaker := p.Mode != Enforce && (old == nil || old.Mode < p.Mode)
	if old != nil && old.Replay.Store != p.Replay.Store {
		p.Logger.LogAttrs(context.Background(), slog.LevelWarn,
			"gatewayauth: another replay store; requests accepted before can be accepted once more",
			slog.String("environment", p.Environment))
	}
	for _, warning := range []struct {
		on   bool
		text string
	}{
		{weaker, "gatewayauth: requests that are not verified are let through"},
		{p.Replay.AllowUnavailable, "gatewayauth: requests are accepted while the replay store is unavailable"},
		{p.Rewrite.Host != "" && p.checkHost(p.Rewrite.Host) != nil, "gatewayauth: every signed request is refused: Rewrite.Host is none of Hosts"},
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

// Mode returns what [Verifier.Admit] does with verdicts at present.
func (v *Verifier) Mode() Mode {
	if v == nil || v.policy.Load() == nil {
		return Enforce
	}
	return v.policy.Load().Mode
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
// The target judged is r.RequestURI where a server set it, else r.URL. Verify
// reads the body only where the signature covers it, and then replaces r.Body
// with what it read and sets r.GetBody; the caller calls [Release] when it is
// done with the body. A body has the length that r announces (ContentLength, the
// Content-Length field, TransferEncoding), or the request is refused with
// [CodeBodyMismatch]: one that was read before r got here is not an empty one.
// So a body that is announced without its length has at least one byte. Trailers
// are covered by no scheme.
func (v *Verifier) Verify(r *http.Request) (*Identity, error) {
	var p *policy
	if v != nil {
		p = v.policy.Load()
	}
	if p == nil {
		return nil, errNotBuilt
	}
	a := p.newAttempt()
	id, err := p.judge(r, a)
	p.end(a)
	return id, err
}

// judge verifies, and publishes the verdict.
func (p *policy) judge(r *http.Request, a *attempt) (*Identity, error) {
	a.started = p.start()
	id, err := p.verify(r, a)
	if err != nil {
		id, err = nil, p.refusal(r, a, err)
	}
	p.publish(r, a, id, err)
	return id, err
}

// Admit judges r as the mode says and returns the request for the handler, or
// the refusal.
//
// In enforce mode a refused request gives an error. A verified one gives a
// copy of r whose context carries the [Identity], without trailers, without
// unsigned x-apig-* headers, and with a body of at most MaxBody bytes, which
// may still be on its way where [API].Stream says so. In
// report mode the same is done for what verifies, but that no body is bounded;
// what does not verify is logged as "would be refused" and goes through
// unchanged and without identity. In off
// mode r is returned as it is.
//
// Adapters call [Release] with r, as it was passed in, when the handler has
// returned.
func (v *Verifier) Admit(r *http.Request) (*http.Request, error) {
	return v.admit(r, handler, nil, copied)
}

// AdmitWhole is [Verifier.Admit] for a body that nobody reads on, such as that of a
// gRPC call whose handler gets the message: it is judged whole, where [API].Stream
// would leave it to the handler as well.
func (v *Verifier) AdmitWhole(r *http.Request) (*http.Request, error) {
	return v.admit(r, nobody, nil, copied)
}

// AdmitStream is [Verifier.Admit] for a body that nobody can hold, such as a
// gRPC stream: its credential is judged at once, and a declared digest while
// the handler reads the body. The Read that meets the end of a body with
// another digest fails with [CodeBodyMismatch] in place of io.EOF; until then
// nothing about the body is proven. A credential that covers the hash of the
// body without declaring it gives [CodePayloadUnsupported].
//
// The caller vouches that nothing has read from r.Body before: where no length is
// announced, an empty stream is an empty body.
func (v *Verifier) AdmitStream(r *http.Request) (*http.Request, error) {
	return v.admit(r, stream, nil, copied)
}

// copied gives a request another context.
func copied(ctx context.Context, r *http.Request) *http.Request { return r.WithContext(ctx) }

func (v *Verifier) admit(r *http.Request, onward reader, route []Route, with func(context.Context, *http.Request) *http.Request) (*http.Request, error) {
	var p *policy
	if v != nil {
		p = v.policy.Load()
	}
	if p == nil {
		return nil, errNotBuilt
	}
	if p.Mode == Off && r != nil {
		return r, nil
	}
	a := p.newAttempt()
	returned := false
	defer func() {
		if !returned { // the user's code panicked
			Release(r)
			return
		}
		p.end(a)
	}()
	a.onward, a.route = onward, route
	id, err := p.judge(r, a)
	returned = true
	switch {
	case err != nil && p.Mode == Report && r != nil:
		return with(NewContext(r.Context(), nil), r), nil
	case err != nil:
		return nil, err
	case !id.Verified():
		return with(NewContext(r.Context(), nil), r), nil
	}
	admitted := with(NewContext(r.Context(), id), r)
	admitted.Header = withoutReserved(r.Header, a)
	admitted.Trailer = nil
	if !a.held {
		p.bound(admitted, a)
	}
	return admitted, nil
}

// bound limits a body that the handler will be the first to read, and checks
// its digest where one was declared.
func (p *policy) bound(r *http.Request, a *attempt) {
	r.GetBody = nil // it would go around
	if r.Body == nil {
		r.Body = http.NoBody
	}
	if timed := p.timed(r); timed != nil && a.binding.stream {
		timed.each = p.BodyTimeout
	}
	if r.Body != http.NoBody && p.Mode != Report {
		r.Body = http.MaxBytesReader(nil, r.Body, a.binding.maxBody)
	}
	if a.credential.Payload == PayloadDeclared {
		r.Body = p.verifying(r, a, r.Body)
	}
}
