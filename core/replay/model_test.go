package replay_test

import (
	"flag"
	"math"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core/replay"
	"github.com/gatewayauth/gatewayauth/core/replay/internal/storemodel"
	"github.com/gatewayauth/gatewayauth/internal/needs"
)

var length = flag.Int("length", needs.Rounds(4, 5), "the length of the sequences of TestModel; each more takes 13 times as long")

// modelled is a store with a capacity.
type modelled struct {
	*replay.Store
	t       *testing.T
	entries int
}

func (m *modelled) Pass(time.Duration) {}
func (m *modelled) Restart()           { m.Store = newStore(m.t, m.entries) }

// TestModel_T088 compares the store with a model of its documentation, for all short
// sequences of requests, clock changes, reloads and restarts. No request is accepted twice,
// and without clock steps and reloads none that is new is refused as a replay.
func TestModel_T088(t *testing.T) {
	steps := *length
	if raceEnabled {
		steps = min(steps, 4)
	}
	last := start.Add(14 * time.Second) // of a bucket
	for _, tt := range []struct {
		name    string
		signed  time.Time
		link    time.Duration
		step    time.Duration
		entries int
		letters string
	}{
		{"the last second of a bucket", last, 30 * time.Minute, 2 * time.Minute, math.MaxInt32, storemodel.Letters},
		{"the first second of a bucket", start, 100 * time.Minute, 20 * time.Minute, math.MaxInt32, "apqne+xFBlr"},
		{"room for two entries", last, time.Hour, 2 * time.Hour, 2, "abpqnexFBlr"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			storemodel.Setup{
				Signed: tt.signed, Link: tt.link, ClockStep: tt.step, Letters: tt.letters, Length: steps, Workers: 2,
				Model: func() storemodel.Model { return storemodel.NewMemory(tt.entries) },
				Store: func() storemodel.Store { return &modelled{newStore(t, tt.entries), t, tt.entries} },
			}.Run(t)
		})
	}
}
