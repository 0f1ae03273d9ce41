package core

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"time"
)

// Retries says which requests a gateway may send once more with the same bytes, because it
// got no answer or one of 5xx to the first one. Everybody who has seen the request can send
// it instead of the gateway. A store that becomes unavailable before it was told of the answer
// permits the retry as well, until the time has passed.
type Retries struct {
	// Methods are those that the gateway retries, of GET, HEAD, OPTIONS, TRACE, PUT and
	// DELETE. Handlers of these methods get some requests twice.
	Methods []string
	// Within is how long after the first request the second one is accepted. It is
	// required with Methods, and at most one minute.
	Within time.Duration
}

// A RetryStore is a [ReplayStore] that can permit a request to be sent once more.
type RetryStore interface {
	ReplayStore
	// Permit permits the request of e, which Add has just recorded, to be sent once
	// more within the time.
	Permit(ctx context.Context, e ReplayEntry, within time.Duration) error
	// Redeem removes the permission, and reports whether it was there and the time had
	// not passed. Of all calls after one Permit, concurrent or not, in all processes that
	// share the store, at most one reports true. An error means that it cannot tell.
	Redeem(ctx context.Context, e ReplayEntry) (bool, error)
}

const maxRetryTime = time.Minute

// idempotent are the methods that may be retried (RFC 9110 section 9.2.2).
var idempotent = []string{http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete}

func (x *compiler) validateRetries() {
	r := &x.Replay.Retries
	r.Methods = slices.Clone(r.Methods)
	for i, method := range r.Methods {
		field := item("Replay.Retries.Methods", i)
		switch {
		case !slices.Contains(idempotent, method):
			x.wrongValue(field, method, "is not a method that gateways retry: GET, HEAD, OPTIONS, TRACE, PUT or DELETE")
		case slices.Contains(x.Replay.ExemptMethods, method):
			x.wrongValue(field, method, "is exempt from the check, so that it can be sent as often as anybody likes")
		}
	}
	bounded(x, "Replay.Retries.Within", r.Within, maxRetryTime)
	switch _, ok := x.Replay.Store.(RetryStore); {
	case len(r.Methods) > 0 && r.Within == 0:
		x.problem("Replay.Retries.Within", "is missing: set a duration, such as 5s")
	case len(r.Methods) == 0 && r.Within != 0:
		x.problem("Replay.Retries.Methods", "is missing: name the methods, such as PUT and DELETE")
	case len(r.Methods) > 0 && x.Replay.Store != nil && !ok:
		x.problem("Replay.Retries", "set, with a store that is not a RetryStore")
	}
}

// checkRetry refuses a request that was accepted before, unless it is the permitted retry.
func (v *verification) checkRetry(e ReplayEntry) error {
	retries := &v.policy.Replay.Retries
	if !slices.Contains(retries.Methods, v.request.Method) {
		return errReplayed
	}
	ctx := v.request.Context()
	redeemed, err := v.policy.callStore(ctx, func(s ReplayStore) (bool, error) { return s.(RetryStore).Redeem(ctx, e) })
	v.replayUnavailable = err != nil && ctx.Err() == nil
	switch {
	case err != nil:
		return &Error{Code: CodeUnavailable, Detail: "the replay store is unavailable", Err: err}
	case !redeemed:
		return errReplayed
	}
	v.replayChecked, v.retry = true, true
	return nil
}

var errReplayed = Refuse(CodeReplayed, "the request was accepted before")

// mayPermit keeps what is needed to permit a retry of a request that is new.
func (v *verification) mayPermit(e ReplayEntry) {
	if slices.Contains(v.policy.Replay.Retries.Methods, v.request.Method) {
		v.permission = &permission{policy: v.policy, request: v.request, entry: e}
	}
}

// A permission is what an [Admission] needs to permit a retry, and to take that back.
type permission struct {
	policy   *policy
	request  *http.Request
	entry    ReplayEntry
	answered atomic.Bool
}

// PermitRetry permits the request to be sent once more ([Replay.Retries]), and reports
// whether it may have: also where the store did not answer, which may have been told. If so,
// the caller must call [Admission.Answer]. Adapters call it before the handler runs; without
// it there are no retries.
func (a Admission) PermitRetry() bool {
	m := a.permission
	if m == nil {
		return false
	}
	ctx := m.request.Context()
	m.policy.callStore(ctx, func(s ReplayStore) (bool, error) {
		return true, s.(RetryStore).Permit(ctx, m.entry, m.policy.Replay.Retries.Within)
	})
	return true
}

// Answer tells how the handler answers the request. Adapters call it before the first
// byte of the answer is sent, and with 200 when the handler has returned without one. The
// first status other than 1xx counts (and 101): below 500 there is no retry any more. A
// handler that panics has not answered.
func (a Admission) Answer(status int) {
	m := a.permission
	if m == nil || status < 200 && status != http.StatusSwitchingProtocols || !m.answered.CompareAndSwap(false, true) || status >= 500 {
		return
	}
	ctx := context.WithoutCancel(m.request.Context()) // the client may have gone
	m.policy.callStore(ctx, func(s ReplayStore) (bool, error) { return s.(RetryStore).Redeem(ctx, m.entry) })
}

// Watch is [Admission.PermitRetry] and returns a ResponseWriter that calls
// [Admission.Answer]; w itself where no retry is permitted. When the handler has returned,
// the caller calls Answer with 200.
func (a Admission) Watch(w http.ResponseWriter) http.ResponseWriter {
	if !a.PermitRetry() {
		return w
	}
	return &watchedWriter{w, a}
}

// watchedWriter tells its admission how the request is answered.
type watchedWriter struct {
	http.ResponseWriter
	admission Admission
}

// Unwrap is for [http.ResponseController].
func (w *watchedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *watchedWriter) WriteHeader(status int) {
	w.admission.Answer(status)
	w.ResponseWriter.WriteHeader(status)
}

func (w *watchedWriter) Write(p []byte) (int, error) {
	w.admission.Answer(http.StatusOK)
	return w.ResponseWriter.Write(p)
}

// WriteString implements [io.StringWriter].
func (w *watchedWriter) WriteString(s string) (int, error) {
	w.admission.Answer(http.StatusOK)
	return io.WriteString(w.ResponseWriter, s)
}

// Flush sends the header.
func (w *watchedWriter) Flush() { w.FlushError() }

// FlushError is Flush for [http.ResponseController].
func (w *watchedWriter) FlushError() error {
	w.admission.Answer(http.StatusOK)
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Hijack counts as an answer.
func (w *watchedWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.admission.Answer(http.StatusSwitchingProtocols)
	return http.NewResponseController(w.ResponseWriter).Hijack()
}
