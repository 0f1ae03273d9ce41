package replay_test

import (
	"context"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/replay"
)

// TestManyRetries_T193 is that the bound of a store counts the permissions that were not
// redeemed, whichever of them is the oldest, and that their time frees it.
func TestManyRetries_T193(t *testing.T) {
	const most = 1 << 15
	s, err := replay.New(replay.Config{MaxEntries: 1})
	if err != nil {
		t.Fatal(err)
	}
	now, ctx := time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC), context.Background()
	request := func(i int) core.ReplayEntry {
		e := core.ReplayEntry{Environment: "prod", SignedAt: now, Until: now.Add(time.Hour), Now: now}
		binary.BigEndian.PutUint64(e.Fingerprint[:], uint64(i))
		return e
	}
	permit := func(i int, want error) {
		t.Helper()
		if err := s.Permit(ctx, request(i), time.Minute); !errors.Is(err, want) {
			t.Fatalf("request %d: got %v, want %v", i, err, want)
		}
	}
	redeem := func(i int, want bool) {
		t.Helper()
		if got, err := s.Redeem(ctx, request(i)); got != want || err != nil {
			t.Fatalf("request %d: got %v, %v, want %v", i, got, err, want)
		}
	}
	for i := range most - 1 { // of each three, one is not redeemed
		permit(3*i, nil)
		for j := 1; j < 3; j++ {
			permit(3*i+j, nil)
			redeem(3*i+j, true)
		}
	}
	permit(3*(most-1), nil)
	permit(3*most, replay.ErrFull)
	redeem(3*most, false)
	redeem(3*(most-1), true)
	permit(3*most, nil)
	redeem(0, true)
	redeem(0, false)
	now = now.Add(time.Minute + time.Second)
	redeem(3, false)
	for i := range most {
		permit(4*most+i, nil)
	}
	permit(5*most, replay.ErrFull)
}

// TestPermissionPeriod_T193: a permission counts from the time at which it was given to the
// end of its period, and once.
func TestPermissionPeriod_T193(t *testing.T) {
	now, ctx := time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC), context.Background()
	for after, want := range map[time.Duration]bool{-1: false, 0: true, time.Minute: true, time.Minute + 1: false} {
		s, err := replay.New(replay.Config{})
		if err != nil {
			t.Fatal(err)
		}
		e := core.ReplayEntry{Environment: "prod", SignedAt: now, Until: now.Add(time.Hour), Now: now}
		if err := s.Permit(ctx, e, time.Minute); err != nil {
			t.Fatal(err)
		}
		e.Now = now.Add(after)
		for i, want := range []bool{want, false} {
			if got, err := s.Redeem(ctx, e); got != want || err != nil {
				t.Errorf("%v after it was given, call %d: got %v, %v, want %v", after, i, got, err, want)
			}
		}
	}
}
