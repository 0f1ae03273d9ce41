package redis_test

import (
	"context"
	"flag"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/replay/internal/storemodel"
	"github.com/gatewayauth/gatewayauth/core/replay/redis"
	"github.com/gatewayauth/gatewayauth/internal/needs"
)

var length = flag.Int("length", needs.Rounds(4, 5), "the length of the sequences of TestModel; each more takes 11 times as long")

// frozen is a store whose server's clock stands still but for Pass: an entry's lifetime is
// read as soon as it is recorded, and the test removes the entry at its end.
type frozen struct {
	t       *testing.T
	client  rueidis.Client
	stores  [2]*redis.Store // on the same server; a restart changes to the other one
	current int
	name    string                   // of the sequence, whose entries no other one has
	lives   map[string]time.Duration // what is left of the lives of keys
}

func (f *frozen) Restart() { f.current = 1 - f.current }

func (f *frozen) Pass(d time.Duration) {
	for key := range f.lives {
		// A server deletes a key when the millisecond of its end is over.
		if f.lives[key] -= d; f.lives[key] < 0 {
			delete(f.lives, key)
			if err := f.client.Do(context.Background(), f.client.B().Del().Key(key).Build()).Error(); err != nil {
				f.t.Error(err)
			}
		}
	}
}

// Add passes e on in an environment of the sequence's own. All lives are whole seconds: what
// has passed of one when it is read is added again, and if that is not clear, the entry
// is recorded once more.
func (f *frozen) Add(ctx context.Context, e core.ReplayEntry) (added bool, err error) {
	e.Environment += f.name
	key := f.stores[0].Key(e)
	for {
		start := time.Now()
		if added, err = f.stores[f.current].Add(ctx, e); !added || err != nil {
			return added, err
		}
		replies := f.client.DoMulti(ctx, f.client.B().Pttl().Key(key).Build(), f.client.B().Persist().Key(key).Build())
		left, err := replies[0].AsInt64()
		if err := replies[1].Error(); err != nil {
			return false, err
		}
		if time.Since(start) < 900*time.Millisecond {
			f.lives[key] = time.Duration(left+900) * time.Millisecond / time.Second * time.Second
			return added, err
		}
		if err := f.client.Do(ctx, f.client.B().Del().Key(key).Build()).Error(); err != nil {
			return false, err
		}
	}
}

// TestModel_T088 compares the store with a model of its documentation, for all short
// sequences of requests, clock changes, reloads and restarts. No request is accepted twice
// while clocks step back by up to ClockStep, and none that is new is refused as a replay.
func TestModel_T088(t *testing.T) {
	steps := *length
	if raceEnabled {
		steps = min(steps, 4)
	}
	server := startServer(t)
	option, err := rueidis.ParseURL(server.url(""))
	if err != nil {
		t.Fatal(err)
	}
	option.ForceSingleClient, option.DisableCache = true, true
	client, err := rueidis.NewClient(option)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	const step = 2 * time.Minute
	var stores [2]*redis.Store
	for i := range stores {
		stores[i] = open(t, server.url(""), func(c *redis.Config) { c.ClockStep = step })
		works(t, stores[i])
	}
	var sequence atomic.Int64
	storemodel.Setup{
		Signed: time.Date(2026, 1, 15, 12, 0, 14, 0, time.UTC), Link: 30 * time.Minute, ClockStep: step,
		Letters: "abpnexFBlsr", Length: steps, Workers: 32, Persists: true,
		Model: func() storemodel.Model { return storemodel.NewRedis(step) },
		Store: func() storemodel.Store {
			return &frozen{t: t, client: client, stores: stores, name: fmt.Sprint(sequence.Add(1)), lives: map[string]time.Duration{}}
		},
	}.Run(t)
}
