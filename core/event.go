package core

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"
)

// An Event is one verdict. But for Request it holds no secret, no signature, no query
// and no body. Texts that the caller chose are escaped to printable ASCII and cut;
// they must not become metric labels.
//
// # Records
//
// [Config.Logger] gets one record for each: refusals, and acceptances that could
// not be checked for replay, at warn level, other acceptances at debug level.
// The fields are stable; those without a value are absent:
//
//	code         string    the [Code] of a refusal
//	error        string    the refusal in words
//	environment  string    Environment
//	mode         string    Mode
//	api          string    API
//	scheme       string    Scheme
//	algorithm    string    Algorithm
//	key          string    Key
//	secret       int       Secret; of verified requests
//	key_id       string    KeyID, and so on: the caller's text
//	method       string
//	host         string
//	path         string
//	remote       string
//	skew         string    Skew, such as 20m3s: how long ago the request was signed; unless it is 0
//	duration_ns  int       Duration
//	header       string    the header that is wrong, or several: [Error].Header
//	api_key      string    APIKey; with key_not_bound
//	size, limit  int       Size and Limit, in bytes; with body_too_large, unless 0
//	hint         string    what to do: [HintOf] the refusal
//	doc          string    the address of the code's section in docs/troubleshooting.md
//
// A request that the adapter refused itself ([Verifier.Refuse]) is "request refused" in
// every mode.
//
// Records at warn level are limited: those of one code over [Config.LogLimit] in a
// second are not written but counted, and summed up in a
// record with code, environment, mode and
//
//	suppressed   int       how many, in about a second
//
// The seconds are those of real time, since Config.Now may be frozen or step. Observers
// still see every event, and [Verifier.Status] tells how many records were not written.
type Event struct {
	// Time is the verifier's clock at the verdict.
	Time time.Time
	// Environment and Mode are those of the policy that judged.
	Environment string
	Mode        Mode
	// Code is "" for a request that was verified, or that an open API let in.
	Code Code
	// Err is the refusal, nil with Code "".
	Err error
	// Open is true for open APIs: nothing was verified.
	Open bool
	// ByAdapter is true for a refusal of [Verifier.Refuse], which the adapter decided. The
	// request was refused, whatever Mode says.
	ByAdapter bool
	// Scheme, Algorithm and Key are known values of the configuration, empty
	// where the request was refused before they were found.
	Scheme, Algorithm, Key string
	// Secret is which secret of the key matched, see [Identity.Secret].
	Secret int
	// ReplayUnchecked is true for a request that was accepted although the replay
	// store could not judge it, see [Replay].AllowUnavailable.
	ReplayUnchecked bool
	// Retry is true for the second of two equal requests, which [Replay].Retries permits.
	Retry bool
	// ReplayUnavailable is true where the replay store could not judge, whether
	// the request was accepted or, with [CodeUnavailable], refused for it.
	ReplayUnavailable bool
	// API is the pattern of the API that the request matched, empty where none
	// does and where it was refused before.
	API string
	// APIKey is the name of the key that is bound to the API, empty where none is and
	// where the request was refused before.
	APIKey string
	// Size is the announced length of the body, 0 where none is announced. Limit is the
	// largest that the API accepts, 0 where the request was refused before. Both are bytes.
	Size, Limit int64
	// Duration is how long the verdict took, the reading of the body included. It
	// is measured in real time where there are observers, and 0 elsewhere, and for
	// the second verdict on a request, at the end of a streamed body.
	Duration time.Duration
	// SignedAt is the date of the credential, as it was presented; zero where
	// there is none. Skew is Time minus that, 0 where there is none.
	SignedAt time.Time
	Skew     time.Duration
	// ValidUntil is when the signature is too old; zero without SignedAt.
	ValidUntil time.Time
	// KeyID, Method, Host, Path and Remote are the caller's text, escaped and cut. Host and
	// Path are without a user and a password; "..." stands for them.
	KeyID, Method, Host, Path, Remote string
	// Request is the request as received, nil where there was none. It holds
	// credentials. It must not be changed, and its Body not be read: [Event.Body] has
	// what was read of it. Neither may be used after Observe has returned.
	Request *http.Request
}

// Body returns the first bytes of the body that the verifier holds in memory, at most
// as many as asked for, and how many it holds. It holds none where the request was
// refused before its body was read, and where the handler reads it.
func (e *Event) Body(most int64) (first []byte, held int64) {
	if e.Request == nil {
		return nil, 0
	}
	b := heldBody(e.Request)
	if b == nil {
		return nil, 0
	}
	first, _ = io.ReadAll(io.LimitReader(&bodyReader{buffer: b}, most)) // ends early where the memory was given back
	return first, b.size
}

// An Observer sees every verdict, on the request's goroutine: it must be quick
// and safe for concurrent use. A panic in it is logged and changes no verdict.
type Observer interface {
	Observe(ctx context.Context, e Event)
}

// ObserverFunc makes an [Observer] of a function.
type ObserverFunc func(ctx context.Context, e Event)

// Observe calls f.
func (f ObserverFunc) Observe(ctx context.Context, e Event) { f(ctx, e) }

// verifyAndReport makes the checks, and tells the log, the observers and the counters.
// A refusal is complete then.
func (v *verification) verifyAndReport() (*Identity, error) {
	p := v.policy
	if len(p.Observers) > 0 { // only observers see durations
		v.started = time.Now()
	}
	id, err := v.verify()
	if err != nil {
		return nil, v.refuse(err)
	}
	v.reportAccepted(id)
	return id, nil
}

// refuse reports a refusal, and returns the error that can answer the request.
func (v *verification) refuse(err error) *Error {
	refusal := v.policy.complete(err)
	if v.policy.ExposeReason {
		refusal.exposed = v.exposure()
	}
	v.reportRefused(refusal)
	return refusal
}

func (v *verification) reportAccepted(id *Identity) {
	level, limit := slog.LevelDebug, unlimited
	if v.replayUnchecked {
		level, limit = slog.LevelWarn, kindUnchecked
	}
	if id.Verified() {
		v.countAccepted()
	}
	v.policy.report(v.request.Context(), level, limit, func() Event {
		e := v.event()
		e.Open, e.Secret, e.ReplayUnchecked, e.Retry = !id.Verified(), id.Secret(), v.replayUnchecked, v.retry
		return e
	})
}

func (v *verification) reportRefused(refusal *Error) {
	ctx, mode := context.Background(), v.policy.Mode
	if v.request != nil {
		ctx = v.request.Context()
	}
	if v.refused {
		mode = Enforce
	}
	v.policy.reportRefused(ctx, v.binding.pattern, mode, refusal, v.event)
}

// reportRefused counts a refusal as one of the mode, and reports it. The event is of the
// request.
func (p *policy) reportRefused(ctx context.Context, api string, mode Mode, refusal *Error, event func() Event) {
	code := CodeOf(refusal)
	p.counters.countRefused(api, code, mode)
	p.report(ctx, slog.LevelWarn, codeIndex[code], func() Event {
		e := event()
		e.Code, e.Err = code, refusal
		return e
	})
}

// report hands a verdict to the log and the observers. The event is made where one of
// them takes it.
func (p *policy) report(ctx context.Context, level slog.Level, limit int, event func() Event) {
	defer p.survive(ctx, "log handler")
	logging := p.Logger.Enabled(ctx, level) && p.mayLog(limit)
	if !logging && len(p.Observers) == 0 {
		return
	}
	e := event()
	if logging {
		p.record(ctx, level, &e)
	}
	for _, o := range p.Observers {
		p.observe(ctx, o, e)
	}
}

// event is the event of the request, without a verdict.
func (v *verification) event() Event {
	c := &v.credential
	e := Event{Time: v.policy.Now(), Environment: v.policy.Environment, Mode: v.policy.Mode, API: v.binding.pattern, APIKey: v.binding.key, Limit: v.binding.maxBody, ByAdapter: v.refused,
		Algorithm: printable(c.Algorithm), KeyID: printable(c.KeyID), ReplayUnavailable: v.replayUnavailable}
	if v.scheme != nil {
		e.Scheme = v.scheme.Name()
	}
	if v.key != nil {
		e.Key = v.key.Name
	}
	if !c.Time.IsZero() {
		e.SignedAt, e.Skew, e.ValidUntil = c.Time, e.Time.Sub(c.Time), c.Time.Add(v.policy.ClockSkew)
		if c.Presigned {
			e.ValidUntil = c.Time.Add(c.Expires)
		}
	}
	if r := v.request; r != nil {
		e.Method, e.Host, e.Path, e.Remote = printable(r.Method), printable(withoutUser(r.Host)), printable(v.shownPath()), printable(r.RemoteAddr)
		e.Request, e.Size = r, max(r.ContentLength, 0)
	}
	if !v.started.IsZero() {
		e.Duration = max(time.Since(v.started), 1) // a coarse clock may not have moved
	}
	return e
}

func (p *policy) observe(ctx context.Context, o Observer, e Event) {
	defer p.survive(ctx, "observer")
	o.Observe(ctx, e)
}

// survive is deferred around the user's code: a panic there changes no verdict.
func (p *policy) survive(ctx context.Context, where string) {
	if recover() != nil {
		p.panicked(ctx, where)
	}
}

// printable escapes what is not printable ASCII, and cuts.
func printable(s string) string { return cut(s, 128) }

func cut(s string, most int) string {
	long := len(s) > most
	if long {
		s = s[:most]
	}
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] > '~' {
			quoted := strconv.QuoteToASCII(s)
			s = quoted[1 : len(quoted)-1]
			break
		}
	}
	if long {
		s += "..."
	}
	return s
}
