package capture

import (
	"context"
	"log/slog"
	"time"
)

// lossEvery is the least time between two records of one kind.
const lossEvery = time.Minute

// The messages of records.
const (
	notKept    = "gatewayauth: refused requests were not kept"
	notDeleted = "gatewayauth: the oldest of the kept requests could not be deleted"
)

// A kind of loss has records of its own.
type kind struct {
	level   slog.Level
	message string
	reason  string // a limit, or what the file system says
}

// A loss counts the requests of one kind since its last record.
type loss struct {
	kind
	count int
	told  time.Time // the last record
}

type losses map[kind]*loss

func (l losses) add(level slog.Level, message, reason string) {
	k := kind{level, message, reason}
	if l[k] == nil {
		l[k] = &loss{kind: k}
	}
	l[k].count++
}

// due returns what is to be logged: the first request of a kind at once, and those after it when
// a minute has passed. It forgets a kind that had none in that minute.
func (l losses) due(now time.Time) (all []loss) {
	for k, one := range l {
		switch {
		case now.Sub(one.told).Abs() < lossEvery: // Abs: the clock may be set back
		case one.count == 0:
			delete(l, k)
		default:
			all = append(all, *one)
			one.count, one.told = 0, now
		}
	}
	return all
}

// log writes the records. The handler is the user's: if it panics, the service goes on.
func (r *Recorder) log(all []loss, environment string) {
	defer func() { recover() }()
	for _, l := range all {
		r.config.Logger.LogAttrs(context.Background(), l.level, l.message,
			slog.Int("count", l.count), slog.String("reason", l.reason),
			slog.String("environment", environment), slog.String("dir", r.config.Dir))
	}
}
