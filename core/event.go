package core

import (
	"context"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"
)

// An Event is one verdict. It holds no secret, no signature, no query and no
// body. Texts that the caller chose are escaped to printable ASCII and cut;
// they must not become metric labels.
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
	// Scheme, Algorithm and Key are known values of the configuration, empty
	// where the request was refused before they were found.
	Scheme, Algorithm, Key string
	// Secret is which secret of the key matched, see [Identity.Secret].
	Secret int
	// ReplayUnchecked is true for a request that was accepted although the replay
	// store could not judge it, see [Replay].AllowUnavailable.
	ReplayUnchecked bool
	// Skew is the clock minus the signed date, 0 where there is none.
	Skew time.Duration
	// KeyID, Method, Host, Path and Remote are the caller's text, escaped and cut.
	KeyID, Method, Host, Path, Remote string
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

// publish hands the verdict to the log and the observers.
func (p *policy) publish(r *http.Request, a *attempt, id *Identity, err error) {
	level := slog.LevelWarn
	if err == nil && !a.replayUnchecked {
		level = slog.LevelDebug
	}
	ctx := context.Background()
	if r != nil {
		ctx = r.Context()
	}
	defer p.survive(ctx, "log handler")
	logging := p.Logger.Enabled(ctx, level)
	if !logging && len(p.Observers) == 0 {
		return
	}
	e := Event{Time: p.Now(), Environment: p.Environment, Mode: p.Mode, Err: err,
		Open: err == nil && !id.Verified(), Algorithm: a.credential.Algorithm, KeyID: printable(a.credential.KeyID)}
	if err != nil {
		e.Code = CodeOf(err)
	}
	if a.scheme != nil {
		e.Scheme = a.scheme.Name()
	}
	if a.key != nil {
		e.Key = a.key.Name
	}
	if id != nil {
		e.Secret = id.secret
		e.ReplayUnchecked = a.replayUnchecked
	}
	if !a.credential.Time.IsZero() {
		e.Skew = e.Time.Sub(a.credential.Time)
	}
	if r != nil {
		e.Method, e.Host, e.Path, e.Remote = printable(r.Method), printable(r.Host), printable(a.path), printable(r.RemoteAddr)
	}
	if logging {
		p.log(ctx, level, &e)
	}
	for _, o := range p.Observers {
		p.observe(ctx, o, e)
	}
}

func (p *policy) observe(ctx context.Context, o Observer, e Event) {
	defer p.survive(ctx, "observer")
	o.Observe(ctx, e)
}

func (p *policy) log(ctx context.Context, level slog.Level, e *Event) {
	message := "request verified"
	switch {
	case e.Err != nil && e.Mode == Report:
		message = "request would be refused"
	case e.Err != nil:
		message = "request refused"
	case e.ReplayUnchecked:
		message = "request verified, but for replay: the store is unavailable"
	case e.Open:
		message = "request on an open API"
	}
	attrs := make([]slog.Attr, 0, 12)
	add := func(key, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(key, value))
		}
	}
	add("code", string(e.Code))
	if e.Err != nil {
		attrs = append(attrs, slog.String("error", cut(e.Err.Error(), 512))) // a key source's may hold the caller's text
	}
	add("environment", e.Environment)
	add("mode", e.Mode.String())
	add("scheme", e.Scheme)
	add("key", e.Key)
	add("key_id", e.KeyID)
	add("method", e.Method)
	add("host", e.Host)
	add("path", e.Path)
	add("remote", e.Remote)
	if e.Skew != 0 {
		attrs = append(attrs, slog.Duration("skew", e.Skew))
	}
	p.Logger.LogAttrs(ctx, level, message, attrs...)
}

// survive is deferred around the user's code: a panic there changes no verdict.
func (p *policy) survive(ctx context.Context, where string) {
	if recover() != nil {
		p.panicked(ctx, where)
	}
}

// panicked logs that the user's code panicked. The value of a panic may hold a
// secret, so it is not logged.
func (p *policy) panicked(ctx context.Context, where string) {
	defer func() { recover() }() // the log handler itself may be what panics
	p.Logger.LogAttrs(ctx, slog.LevelError, "gatewayauth: panic in the application's "+where,
		slog.String("stack", string(debug.Stack())))
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
