package core

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// A verdict waits for the log's handler for writeTime at most. When maxStuck calls of the
// handler have not returned, nothing is written until one of them has.
const (
	writeTime = 100 * time.Millisecond
	maxStuck  = 64
)

// The kinds of records that are limited, besides one for each code.
const (
	unlimited    = -1
	furtherKinds = 2
)

var (
	kindUnchecked = len(codes)
	kindPanic     = len(codes) + 1
)

// logState is what the policies of a Verifier share.
type logState struct {
	limits             []limiter // by kind
	suppressed, failed atomic.Uint64
	stuck              atomic.Int64 // calls of the handler that took longer than writeTime
}

// limiter counts the records of one kind.
type limiter struct {
	second   atomic.Int64 // of real time
	written  atomic.Int64 // in that second
	held     atomic.Int64 // not written, since the last summary
	awaiting atomic.Bool  // a summary
}

// mayLog reports whether a record of the kind may be written. The first record that may
// not starts a timer, which writes a summary.
func (p *policy) mayLog(kind int) bool {
	if kind == unlimited {
		return true
	}
	l := &p.counters.log.limits[kind]
	second := int64(time.Since(epoch) / time.Second) // monotonic
	if last := l.second.Load(); last != second && l.second.CompareAndSwap(last, second) {
		l.written.Store(0)
	}
	if l.written.Add(1) <= int64(p.LogLimit) {
		return true
	}
	p.counters.log.suppressed.Add(1)
	l.held.Add(1)
	if !l.awaiting.Swap(true) {
		time.AfterFunc(time.Second, func() { p.summarize(kind, l) })
	}
	return false
}

var epoch = time.Now()

func (p *policy) summarize(kind int, l *limiter) {
	l.awaiting.Store(false)
	n := l.held.Swap(0)
	if n == 0 {
		return
	}
	level, message, attrs := slog.LevelWarn, "requests refused; their records were too many", []slog.Attr(nil)
	switch kind {
	case kindUnchecked:
		message = "requests verified, but for replay; their records were too many"
	case kindPanic:
		level, message = slog.LevelError, "gatewayauth: panics in the application's code; their records were too many"
	default:
		attrs = append(attrs, slog.String("code", string(codes[kind])))
	}
	p.write(context.Background(), level, message, append(attrs, slog.String("environment", p.Environment),
		slog.String("mode", p.Mode.String()), slog.Int64("suppressed", n)))
}

// record writes one event.
func (p *policy) record(ctx context.Context, level slog.Level, e *Event) {
	message := "request verified"
	switch {
	case e.Err != nil && e.Mode == Report && !e.ByAdapter:
		message = "request would be refused"
	case e.Err != nil:
		message = "request refused"
	case e.ReplayUnchecked:
		message = "request verified, but for replay: the store is unavailable"
	case e.Retry:
		message = "request verified: a retry"
	case e.Open:
		message = "request on an open API"
	}
	attrs := make([]slog.Attr, 0, 24)
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
	add("api", e.API)
	add("scheme", e.Scheme)
	add("algorithm", e.Algorithm)
	add("key", e.Key)
	if e.Err == nil && !e.Open {
		attrs = append(attrs, slog.Int("secret", e.Secret))
	}
	add("key_id", e.KeyID)
	add("method", e.Method)
	add("host", e.Host)
	add("path", e.Path)
	add("remote", e.Remote)
	// As text, since JSON has nanoseconds for a duration; and records are ASCII, so there is no "µs".
	if skew := readable(e.Skew); skew != 0 {
		add("skew", skew.String())
	}
	if e.Duration != 0 {
		attrs = append(attrs, slog.Int64("duration_ns", int64(e.Duration)))
	}
	if e.Err != nil {
		if refusal, ok := errors.AsType[*Error](e.Err); ok {
			add("header", cut(refusal.Header, 1024)) // a scheme of the user's may have set it
		}
		switch e.Code {
		case CodeKeyNotBound:
			add("api_key", e.APIKey)
		case CodeBodyTooLarge:
			if e.Size != 0 {
				attrs = append(attrs, slog.Int64("size", e.Size))
			}
			if e.Limit != 0 {
				attrs = append(attrs, slog.Int64("limit", e.Limit))
			}
		}
		add("hint", HintOf(e.Err))
		add("doc", e.Code.doc())
	}
	p.write(ctx, level, message, attrs)
}

// readable rounds to seconds, or what is shorter than a minute to milliseconds.
func readable(d time.Duration) time.Duration {
	if d.Abs() >= time.Minute {
		return d.Round(time.Second)
	}
	return d.Round(time.Millisecond)
}

// panicked logs that the user's code panicked. The value of a panic may hold a
// secret, so it is not logged.
func (p *policy) panicked(ctx context.Context, where string) {
	defer func() { recover() }() // the log handler itself may be what panics
	if p.Logger.Enabled(ctx, slog.LevelError) && p.mayLog(kindPanic) {
		p.write(ctx, slog.LevelError, panicText+where, []slog.Attr{slog.String("stack", string(debug.Stack()))})
	}
}

const panicText = "gatewayauth: panic in the application's "

// write calls the handler, and waits writeTime for it at most: if a disk is full or a
// sink hangs, records are lost and counted, and verdicts are not delayed further.
func (p *policy) write(ctx context.Context, level slog.Level, message string, attrs []slog.Attr) {
	l := &p.counters.log
	if l.stuck.Load() >= maxStuck {
		l.failed.Add(1)
		return
	}
	record := slog.NewRecord(time.Now(), level, message, 0)
	record.AddAttrs(attrs...)
	var ended atomic.Bool // the call, or the waiting for it
	done := make(chan struct{})
	go func() {
		defer func() {
			if ended.Swap(true) {
				l.stuck.Add(-1)
			}
			close(done)
		}()
		if !p.handle(ctx, record) {
			l.failed.Add(1)
		}
	}()
	patience := time.NewTimer(writeTime)
	defer patience.Stop()
	select {
	case <-done:
	case <-patience.C:
		if !ended.Swap(true) {
			l.stuck.Add(1)
		}
	}
}

// handle reports whether the handler took the record.
func (p *policy) handle(ctx context.Context, record slog.Record) (taken bool) {
	defer func() {
		if recover() != nil {
			defer func() { recover() }() // the handler may panic again
			failure := slog.NewRecord(time.Now(), slog.LevelError, panicText+"log handler", 0)
			failure.AddAttrs(slog.String("stack", string(debug.Stack())))
			p.Logger.Handler().Handle(ctx, failure)
		}
	}()
	return p.Logger.Handler().Handle(ctx, record) == nil
}
