package replay_test

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/replay"
)

// TestExpiry_T095: entries are gone within a minute after they expired, given
// one request, and with them their memory.
func TestExpiry_T095(t *testing.T) {
	for name, lifetime := range map[string]time.Duration{"second": time.Second, "default": skew, "hour": time.Hour} {
		s := newStore(t, 0)
		for n := range uint64(60_000) {
			e := request(n, start.Add(time.Duration(n)*time.Millisecond))
			e.Until = e.SignedAt.Add(lifetime)
			want(t, s, e, true, name)
		}
		full := s.Stats()
		now := start.Add(time.Minute + lifetime) // as the last one expires
		e := request(1<<32, now)
		e.Until = now.Add(lifetime)
		want(t, s, at(e, now.Add(16*time.Second)), true, name)
		got := s.Stats()
		if got.Entries != 1 || got.Buckets != 1 || got.Dropped != 60_000 || got.Bytes > 2000 || full.Bytes < 8*20_000 {
			t.Errorf("%s: got %+v, before %+v", name, got, full)
		}
	}
}

// TestKeptUntilTheEnd: an entry is there in the last instant in which it can
// be used, wherever in its bucket it lies and whatever happens in between.
func TestKeptUntilTheEnd(t *testing.T) {
	for offset := range 31 {
		for _, lifetime := range []time.Duration{0, time.Second, 1001 * time.Millisecond, skew, time.Hour, time.Hour + 1, 6 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour} {
			s := newStore(t, 0)
			e := request(1, start.Add(time.Duration(offset)*time.Second))
			e.Until, e.Presigned = e.SignedAt.Add(lifetime), lifetime > time.Hour
			want(t, s, e, true, "new")
			other := request(2, e.Until)
			other.Until, other.Presigned = e.Until.Add(lifetime), e.Presigned
			want(t, s, other, true, "another in the last instant")
			want(t, s, at(e, e.Until), false, "again in the last instant")
			if got := s.Stats(); got.Forgotten != 0 || got.Dropped != 0 {
				t.Errorf("offset %d, lifetime %v: dropped: %+v", offset, lifetime, got)
			}
		}
	}
}

// TestClockStepsForward_F09, and back: by more than requests live, by hours, by
// years. What was recorded is not new again, and others soon are.
func TestClockStepsForward_F09(t *testing.T) {
	for _, step := range []time.Duration{16 * time.Minute, time.Hour, 25 * time.Hour, 10 * 365 * 24 * time.Hour} {
		for _, ahead := range []time.Duration{0, time.Second, 10 * time.Minute, 3 * time.Hour} { // for how long
			s := newStore(t, 0)
			r1 := request(1, start)
			want(t, s, r1, true, "before the step")
			n := uint64(2)
			for d := time.Duration(0); d <= ahead; d += 10 * time.Second {
				want(t, s, request(n, start.Add(step+d)), true, "during the step")
				n++
			}
			if got := s.Stats(); got.Dropped == 0 {
				t.Errorf("step %v: nothing was dropped: %+v", step, got)
			}
			want(t, s, at(r1, start.Add(time.Second)), false, "the first one, when the clock has returned")
			for i := range n - 2 {
				e := request(2+i, start.Add(step+time.Duration(i)*10*time.Second))
				want(t, s, at(e, start.Add(time.Second)), false, "one of the step, when the clock has returned")
				want(t, s, at(e, e.SignedAt), false, "one of the step, when it is that time")
			}
			// 15 seconds after the first one, all is well.
			for d := 15 * time.Second; d < min(step, skew); d += time.Second {
				want(t, s, request(n, start.Add(d)), true, "after the step")
				n++
			}
		}
	}
}

// TestClockStepsBack_F10, and forth.
func TestClockStepsBack_F10(t *testing.T) {
	for _, step := range []time.Duration{time.Second, time.Hour, 25 * time.Hour, 10 * 365 * 24 * time.Hour} {
		s := newStore(t, 0)
		r1, r2 := request(1, start), request(2, start.Add(-step))
		want(t, s, r1, true, "before the step")
		want(t, s, r2, true, "after the step")
		want(t, s, at(r1, start.Add(-step)), false, "the first one, after the step")
		for d := time.Second; d < time.Minute; d += time.Second {
			want(t, s, request(uint64(2+d), start.Add(d-step)), true, "after the step")
		}
		want(t, s, at(r1, start.Add(time.Minute)), false, "the first one, when the clock has returned")
		want(t, s, at(r2, start.Add(time.Minute)), false, "the other, when the clock has returned")
		want(t, s, request(3, start), true, "of the first one's second, when the clock has returned")
	}
}

// TestRoomAfterTheStep_F09: what was accepted ahead of time does not take the
// room from what is accepted when the clock is right again.
func TestRoomAfterTheStep_F09(t *testing.T) {
	s := newStore(t, 1000)
	const step = 365 * 24 * time.Hour
	for n := range uint64(1000) {
		want(t, s, request(n, start.Add(step)), true, "ahead of time")
	}
	for n := range uint64(1000) {
		want(t, s, request(n, start), true, "when the clock has returned")
	}
	for n := range uint64(1000) {
		want(t, s, request(n, start.Add(step)), false, "when it is that time")
	}
}

// TestFullAfterStepBack_F10: a full store keeps an entry for as long as its date is at most an
// hour in the future, since the request can be sent again; after that it gives the room away.
func TestFullAfterStepBack_F10(t *testing.T) {
	s := newStore(t, 1)
	e := request(1, start)
	want(t, s, e, true, "before the step")
	now := start.Add(-time.Hour)
	if ok, err := s.Add(t.Context(), request(2, now)); ok || !errors.Is(err, replay.ErrFull) {
		t.Errorf("an hour before: got %v, %v, want ErrFull", ok, err)
	}
	want(t, s, at(e, now), false, "the first one, an hour before")
	now = now.Add(-time.Second)
	want(t, s, request(3, now), true, "a second more")
}

// TestManyClockSteps: the store stays small however often the clock jumps.
func TestManyClockSteps(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for name, step := range map[string]func(n int) time.Duration{
		"anywhere": func(int) time.Duration { return time.Duration(r.Int64N(int64(100 * 365 * 24 * time.Hour))) },
		"back":     func(n int) time.Duration { return -time.Duration(n) * time.Hour },
	} {
		s := newStore(t, 0)
		most := 0
		for n := range 5_000 {
			if _, err := s.Add(t.Context(), request(uint64(n), start.Add(step(n)))); err != nil {
				t.Fatal(err)
			}
			got := s.Stats()
			if most = max(most, got.Buckets); most > 1024 || got.Bytes > 1<<20 {
				t.Fatalf("%s: after %d steps: %+v", name, n, got)
			}
		}
		if name == "back" && most != 1024 {
			t.Errorf("%s: %d buckets at most, want 1024", name, most)
		}
	}
}

// TestNewRequestsAreNeverRefused: while the clock runs forward and the policy stays, nothing new
// is ever refused, however gateways' clocks differ, within the skew.
func TestNewRequestsAreNeverRefused(t *testing.T) {
	for _, skew := range []time.Duration{time.Second, 40 * time.Second, skew, time.Hour} {
		s := newStore(t, 0)
		r := rand.New(rand.NewPCG(3, 4))
		now := start
		for n := range uint64(50_000) {
			now = now.Add(time.Duration(r.Int64N(int64(skew / 1000))))
			d := time.Duration(r.Int64N(int64(2*skew+1))) - skew
			if r.IntN(4) == 0 { // at the edges
				d = skew
				if r.IntN(2) == 0 {
					d = -skew
				}
			}
			e := request(n, now.Add(d).Truncate(time.Second))
			if e.SignedAt.Before(now.Add(-skew)) {
				e.SignedAt = e.SignedAt.Add(time.Second)
			}
			e.Until, e.Now = e.SignedAt.Add(skew), now
			want(t, s, e, true, "new")
			want(t, s, e, false, "again")
		}
		if got := s.Stats(); got.Forgotten != 0 || got.Dropped == 0 {
			t.Errorf("skew %v: got %+v", skew, got)
		}
	}
}

// TestPolicyWithLongerSkew: a policy that accepts older requests than the one before
// does not make any of them new.
func TestPolicyWithLongerSkew(t *testing.T) {
	s := newStore(t, 0)
	r1 := request(1, start)
	want(t, s, r1, true, "new")
	want(t, s, request(2, start.Add(skew+time.Minute)), true, "when the first has expired")
	if got := s.Stats(); got.Dropped != 1 {
		t.Fatalf("got %+v, want the first one dropped", got)
	}
	r1.Until, r1.Now = start.Add(time.Hour), start.Add(skew+2*time.Minute)
	want(t, s, r1, false, "the first, under the longer policy")
	if got := s.Stats(); got.Forgotten != 1 {
		t.Errorf("got %+v, want it counted", got)
	}
	e := request(3, start.Add(5*time.Minute))
	e.Until, e.Now = e.SignedAt.Add(time.Hour), r1.Now
	want(t, s, e, true, "one that was not used, under the longer policy")
	want(t, s, at(e, e.Until), false, "again")
}

// TestPresigned: requests that live for days are kept for so long, are new
// when first used late, and keep nothing else from being dropped.
func TestPresigned(t *testing.T) {
	for _, lifetime := range []time.Duration{30 * time.Minute, 2 * time.Hour, 6 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour} {
		s := newStore(t, 0)
		late := request(1<<32, start)
		late.Until, late.Presigned = start.Add(lifetime), true
		var n uint64
		for now := start; now.Before(late.Until); now = now.Add(lifetime / 500) {
			want(t, s, request(n, now), true, "an ordinary one")
			e := request(n, now)
			e.Environment, e.Until, e.Presigned = "links", now.Add(lifetime), true
			want(t, s, e, true, "a presigned one")
			n++
		}
		if got := s.Stats(); int64(got.Entries) > 502+500*int64(skew+16*time.Second)/int64(lifetime) {
			t.Errorf("%v: ordinary requests were kept: %+v", lifetime, got)
		}
		want(t, s, at(late, late.Until), true, "first used in the last instant")
		for n := range uint64(500) {
			e := request(n, start.Add(time.Duration(n)*(lifetime/500)))
			e.Environment, e.Until, e.Now, e.Presigned = "links", e.SignedAt.Add(lifetime), late.Until, true
			want(t, s, e, false, "a presigned one again")
		}
		want(t, s, request(1<<33, late.Until.Add(8*24*time.Hour)), true, "a week later")
		if got := s.Stats(); got.Entries != 1 || got.Forgotten != 0 {
			t.Errorf("%v: presigned requests were kept: %+v", lifetime, got)
		}
	}
}

// TestWhenBucketsEnd: entries are kept as long as the package comment says, and the first
// request a second later removes them: those of presigned requests for one hour, 6 hours, one
// day or one week after the last second of their bucket, the others for their own time.
func TestWhenBucketsEnd(t *testing.T) {
	const day = 24 * time.Hour
	for _, tt := range []struct {
		presigned             bool
		lifetime, kept, width time.Duration
	}{
		{false, time.Minute, time.Minute, 15 * time.Second},
		{false, time.Hour, time.Hour, 15 * time.Second},
		{true, time.Minute, time.Hour, 15 * time.Second},
		{true, time.Hour, time.Hour, 15 * time.Second},
		{true, time.Hour + 1, 6 * time.Hour, time.Minute},
		{true, 6 * time.Hour, 6 * time.Hour, time.Minute},
		{true, 6*time.Hour + 1, day, 5 * time.Minute},
		{true, day, day, 5 * time.Minute},
		{true, day + 1, 7 * day, 30 * time.Minute},
		{true, 7 * day, 7 * day, 30 * time.Minute},
	} {
		s := newStore(t, 0)
		e := request(1, start) // the first second of a bucket of any width
		e.Until, e.Presigned = start.Add(tt.lifetime), tt.presigned
		want(t, s, e, true, "new")
		e.SignedAt = start.Add(tt.width - time.Second)
		e.Until, e.Fingerprint[0] = e.SignedAt.Add(tt.lifetime), 1
		want(t, s, e, true, "in the last second of the bucket")
		if got := s.Stats().Buckets; got != 1 {
			t.Errorf("%v: %d buckets, want 1", tt.lifetime, got)
		}
		end := start.Add(tt.width - time.Second + tt.kept)
		for i, wanted := range []int64{0, 2} {
			other := at(request(uint64(10+i), end), end.Add(time.Duration(i)*time.Second))
			other.Until = other.SignedAt.Add(time.Second)
			want(t, s, other, true, "another")
			if got := s.Stats().Dropped; got != wanted {
				t.Errorf("presigned %v, %v: %d seconds after the end, %d were removed, want %d", tt.presigned, tt.lifetime, i, got, wanted)
			}
		}
	}
}

// TestPresignedFirstUsedLate: a presigned request that is first used on its
// last day is new, though others of its date, which lived shorter, are gone.
func TestPresignedFirstUsedLate(t *testing.T) {
	s := newStore(t, 0)
	var n uint64
	link := func(signed time.Time, lifetime time.Duration, now time.Time) core.ReplayEntry {
		n++
		e := request(n, signed)
		e.Until, e.Now, e.Presigned = signed.Add(lifetime), now, true
		return e
	}
	for _, lifetime := range []time.Duration{skew, 61 * time.Minute, 7 * time.Hour, 25 * time.Hour} {
		want(t, s, link(start, lifetime, start), true, "used at once")
	}
	for _, lifetime := range []time.Duration{time.Hour, 6 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour} {
		now := start.Add(lifetime)
		want(t, s, request(n+1000, now), true, "an ordinary one")
		want(t, s, link(start, lifetime, now), true, "first used in its last instant")
	}
	if got := s.Stats(); got.Forgotten != 0 {
		t.Errorf("got %+v", got)
	}
}
