package core_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

const (
	oldest = "oldest-0123456789abcdef"
	older  = "older-0123456789abcdef"
	newest = "newest-0123456789abcdef"
)

// rotating is k1 with these secrets, the current one first, made anew each time
// as a file that is read again does.
func rotating(name string, secrets ...string) core.Key {
	key := core.Key{Name: name, ID: k1.ID, Secret: core.NewSecret(strings.Clone(secrets[0]))}
	for _, text := range secrets[1:] {
		key.Previous = append(key.Previous, core.PreviousSecret{Secret: core.NewSecret(text), Until: instant.Add(time.Hour)})
	}
	return key
}

func only(keys ...core.Key) func(*core.Config) {
	return func(c *core.Config) {
		c.Schemes, c.Default = []core.Scheme{hmacScheme(keys...)}, keys[0].Name
	}
}

func by(t *testing.T, secret string) *http.Request {
	return signed(t, core.Key{ID: k1.ID, Secret: core.NewSecret(secret)}, "GET", "/v1/items", "", apig.SignOptions{})
}

// uses are those of a key's secrets, current first.
func uses(t *testing.T, v *core.Verifier, name string) string {
	t.Helper()
	for _, key := range v.Status().Keys {
		if key.Name != name {
			continue
		}
		var all []string
		for _, s := range key.Secrets {
			all = append(all, strconv.FormatUint(s.Uses, 10))
		}
		return strings.Join(all, " ")
	}
	return "none"
}

// TestStatusRotation_F12 follows a key through a rotation: what is counted for a
// secret stays with it, over reloads, for as long as key name and secret are
// the same.
func TestStatusRotation_F12(t *testing.T) {
	now := instant
	clock := func(c *core.Config) { c.Now = func() time.Time { return now } }
	v := verifier(t, only(rotating("k1", older)), clock)
	verify := func(secret string, times int) {
		t.Helper()
		for range times {
			if _, err := v.Verify(by(t, secret)); err != nil {
				t.Fatal(err)
			}
		}
	}
	reload := func(key core.Key) {
		t.Helper()
		if err := v.Reload(config(only(key), clock)); err != nil {
			t.Fatal(err)
		}
	}
	want := func(name, want string) {
		t.Helper()
		if got := uses(t, v, name); got != want {
			t.Errorf("got uses %q of %s, want %q", got, name, want)
		}
	}
	want("k1", "0")
	verify(older, 3)
	want("k1", "3")

	now = instant.Add(10 * time.Second)
	reload(rotating("k1", newest, older))
	want("k1", "0 0") // none since it is a previous one
	s := v.Status().Keys[0]
	if s.Scheme != "hmac" || !s.Secrets[0].LastUsed.IsZero() || !s.Secrets[1].LastUsed.Equal(instant) ||
		!s.Secrets[1].Until.Equal(instant.Add(time.Hour)) || !s.Secrets[0].Until.IsZero() {
		t.Errorf("got %+v", s)
	}
	verify(older, 2)
	verify(newest, 1)
	want("k1", "1 2")
	if last := v.Status().Keys[0].Secrets[1].LastUsed; !last.Equal(now) {
		t.Errorf("last used %v, want %v", last, now)
	}

	reload(rotating("k1", newest, older)) // the same file, read again
	want("k1", "1 2")
	reload(rotating("k1", newest, oldest, older))
	want("k1", "1 0 2")
	verify(oldest, 1)
	want("k1", "1 1 2")
	reload(rotating("k1", newest))
	want("k1", "1")
	if _, err := v.Verify(by(t, older)); core.CodeOf(err) != core.CodeSignatureMismatch {
		t.Errorf("a removed secret: %v", err)
	}
	reload(rotating("k1", older)) // back to the file of the beginning
	want("k1", "3")
	reload(rotating("another", older))
	want("another", "0")
	want("k1", "none")
	if err := v.Reload(core.Config{}); err == nil {
		t.Fatal("a bad configuration was taken")
	}
	want("another", "0")
	if s := v.Status(); !s.Since.Equal(instant) || !s.Time.Equal(now) || s.Environment != "prod" {
		t.Errorf("got %+v", s)
	}
}

// TestStatusCountsAcceptances alone: who holds an old secret and is refused for
// something else loses nothing with it. A secret that has ended keeps its place.
func TestStatusCountsAcceptances(t *testing.T) {
	now := instant
	many := rotating("k1", newest, "ended-0123456789abcdef", "p2-0123456789abcdef", "p3-0123456789abcdef", "p4-0123456789abcdef", oldest)
	many.Previous[0].Until = instant.Add(-time.Hour)
	v := verifier(t, only(many), func(c *core.Config) {
		c.Now = func() time.Time { return now }
		c.APIs = []core.API{{Match: "/closed", Key: "k2"}}
		c.Schemes = []core.Scheme{hmacScheme(many, k2)}
	})
	if id, err := v.Verify(by(t, oldest)); err != nil || id.Secret() != 4 {
		t.Errorf("got %v, %v", id, err)
	}
	r := signed(t, core.Key{ID: k1.ID, Secret: core.NewSecret(oldest)}, "GET", "/closed", "", apig.SignOptions{})
	wantVerdict(t, v, r, core.CodeKeyNotBound)
	wantVerdict(t, v, by(t, "wrong-0123456789abcdef"), core.CodeSignatureMismatch)
	if got, want := uses(t, v, "k1"), "0 0 0 0 0 1"; got != want {
		t.Errorf("got uses %q, want %q", got, want)
	}
}

// TestStatusOtherSources: keys of a source that is asked are known when they are
// used, told apart by place, and bounded.
func TestStatusOtherSources(t *testing.T) {
	name := "tenant-0"
	v := verifier(t, func(c *core.Config) {
		c.Schemes = []core.Scheme{apig.New(apig.Config{Keys: sourceFunc(func(context.Context, string) (*core.Key, error) {
			key := rotating(name, newest, older)
			return &key, nil
		})})}
		c.APIs = nil
		c.Default = "tenant-0"
	})
	for range 2 {
		if _, err := v.Verify(by(t, older)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := v.Verify(by(t, newest)); err != nil {
		t.Fatal(err)
	}
	if got := uses(t, v, name); got != "1 2" {
		t.Errorf("got uses %q", got)
	}
	for i := range 1200 {
		name = fmt.Sprint("tenant-", i)
		if err := v.Reload(config(func(c *core.Config) {
			c.Schemes = []core.Scheme{apig.New(apig.Config{Keys: sourceFunc(func(context.Context, string) (*core.Key, error) {
				key := rotating(name, newest)
				return &key, nil
			})})}
			c.Default = name
		})); err != nil {
			t.Fatal(err)
		}
		if _, err := v.Verify(by(t, newest)); err != nil {
			t.Fatal(err)
		}
	}
	if got := len(v.Status().Keys); got != 1000 {
		t.Errorf("%d keys are known, want 1000", got)
	}
}

// TestStatusReport: for each API what enforce would have refused, and why.
func TestStatusReport(t *testing.T) {
	apis := func(c *core.Config) { c.APIs = []core.API{{Match: "GET /orders/{id}", Key: "k2"}} }
	report := func(c *core.Config) { c.Mode = core.Report }
	var events []core.Event
	observed := func(c *core.Config) {
		c.Observers = []core.Observer{core.ObserverFunc(func(_ context.Context, e core.Event) { events = append(events, e) })}
	}
	v := verifier(t, apis, report, observed)
	for path, n := range map[string]int{"/orders/7": 3, "/v1/items": 2} {
		for range n {
			r := signed(t, k1, "GET", path, "", apig.SignOptions{})
			if path == "/v1/items" {
				r.Header.Del("Authorization")
			}
			if _, err := v.Admit(nil, r, core.BodyForHandler); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := v.Reload(config(apis)); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Admit(nil, signed(t, k1, "GET", "/orders/7", "", apig.SignOptions{}), core.BodyForHandler); err == nil {
		t.Fatal("admitted")
	}
	got := fmt.Sprint(v.Status().APIs)
	const want = "[{ map[] map[credential_missing:2]} {GET /orders/{id} map[key_not_bound:1] map[key_not_bound:3]}]"
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, e := range events {
		wantAPI := map[core.Code]string{core.CodeKeyNotBound: "GET /orders/{id}"}[e.Code]
		if e.API != wantAPI || e.Duration <= 0 || e.SignedAt.IsZero() != (e.Code == core.CodeCredentialMissing) {
			t.Errorf("event %+v", e)
		}
	}
}

// TestStatusForgets: of what is gone, the verifier remembers the counts of a thousand secrets
// and a thousand patterns, in case they come back; where there are more, they start at 0.
func TestStatusForgets(t *testing.T) {
	for others, want := range map[int]uint64{1000: 1, 1001: 0} {
		with := func(count int) core.Config {
			return config(func(c *core.Config) {
				c.Default, c.Logger = "", slog.New(slog.DiscardHandler)
				keys := make([]core.Key, count)
				for i := range keys {
					name := fmt.Sprint("other", i)
					keys[i] = core.Key{Name: name, ID: name, Secret: core.NewSecret("a-secret-of-" + name)}
					c.APIs = append(c.APIs, core.API{Match: "/" + name, Key: name})
				}
				c.Schemes = []core.Scheme{hmacScheme(keys...)}
			})
		}
		first := config(func(c *core.Config) {
			c.Schemes, c.APIs = []core.Scheme{hmacScheme(k1)}, []core.API{{Match: "/v1/", Key: "k1"}}
		})
		v := testkit.New(t, first)
		wantVerdict(t, v, request(t, p1), "")
		wantVerdict(t, v, request(t, strings.Replace(p1, "items", "other", 1)), core.CodeSignatureMismatch)
		for _, c := range []core.Config{with(others), with(1), first} {
			if err := v.Reload(c); err != nil {
				t.Fatal(err)
			}
		}
		var uses, refused uint64
		for _, k := range v.Status().Keys {
			uses += k.Secrets[0].Uses
		}
		for _, api := range v.Status().APIs {
			refused += api.Refused[core.CodeSignatureMismatch]
		}
		if uses != want || refused != want {
			t.Errorf("after %d others: %d uses and %d refusals, want %d of each", others, uses, refused, want)
		}
	}
}

// allUses are those of all keys, behind their names.
func allUses(t *testing.T, v *core.Verifier) (all []string) {
	t.Helper()
	for _, key := range v.Status().Keys {
		all = append(all, key.Name+" "+uses(t, v, key.Name))
	}
	return all
}

// TestStatusPositions: secrets of another source are told apart by their position, the last ones
// together. Those behind the last that was used are left out.
func TestStatusPositions(t *testing.T) {
	secret := func(i int) core.Secret { return core.NewSecret(fmt.Sprint("secret-at-position-", i)) }
	many := core.Key{Name: "many", ID: "MANY", Secret: secret(0)}
	for i := 1; i <= 5; i++ {
		many.Previous = append(many.Previous, core.PreviousSecret{Secret: secret(i)})
	}
	one := core.Key{Name: "also", ID: "ONE", Secret: secret(9), Previous: many.Previous}
	store := &memory{}
	v := verifier(t, func(c *core.Config) {
		c.Default, c.Replay.Store = "", store
		c.APIs = []core.API{{Match: "/many/", Key: "many"}, {Match: "/one/", Key: "also"}}
		c.Schemes = []core.Scheme{apig.New(apig.Config{Keys: sourceFunc(func(_ context.Context, id string) (*core.Key, error) {
			return map[string]*core.Key{"MANY": &many, "ONE": &one}[id], nil
		})})}
	})
	for position, n := range map[int]int{0: 1, 1: 2, 2: 3, 5: 1} {
		for i := range n {
			key := core.Key{ID: "MANY", Secret: secret(position)}
			wantVerdict(t, v, signed(t, key, "GET", fmt.Sprintf("/many/%d/%d", position, i), "", apig.SignOptions{}), "")
		}
	}
	wantVerdict(t, v, signed(t, one, "GET", "/one/", "", apig.SignOptions{}), "")
	if got, want := fmt.Sprint(allUses(t, v)), "[also 1 many 1 2 3 1]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if v.ReplayStore() != core.ReplayStore(store) {
		t.Errorf("got the store %v", v.ReplayStore())
	}
}

// TestStatusIsSorted: keys by name, APIs by pattern and without those that refused nothing. A
// secret under two names, and names that end where secrets begin, are counted apart.
func TestStatusIsSorted(t *testing.T) {
	keys := []core.Key{
		{Name: "k", ID: "K", Secret: core.NewSecret("1secret-0123456789")}, {Name: "k1", ID: "K1", Secret: core.NewSecret("secret-0123456789")},
		{Name: "z", ID: "Z", Secret: core.NewSecret("shared-0123456789")}, {Name: "a", ID: "A", Secret: core.NewSecret("shared-0123456789")},
	}
	for range 10 { // maps have no order
		v := verifier(t, func(c *core.Config) {
			c.Default, c.Schemes = "", []core.Scheme{hmacScheme(keys...)}
			for _, path := range []string{"/d", "/b", "/c", "/a"} {
				c.APIs = append(c.APIs, core.API{Match: path, Key: "a"})
			}
			c.APIs = append(c.APIs, core.API{Match: "/k", Key: "k"})
		})
		wantVerdict(t, v, signed(t, keys[0], "GET", "/k", "", apig.SignOptions{}), "")
		wantVerdict(t, v, signed(t, keys[3], "GET", "/d", "", apig.SignOptions{}), "")
		for _, path := range []string{"/c", "/a", "/b"} {
			wantVerdict(t, v, signed(t, keys[2], "GET", path, "", apig.SignOptions{}), core.CodeKeyNotBound)
		}
		got := fmt.Sprint(allUses(t, v), v.Status().APIs)
		if want := "[a 1 k 1 k1 0 z 0] [{/a map[key_not_bound:1] map[]} {/b map[key_not_bound:1] map[]} {/c map[key_not_bound:1] map[]}]"; got != want {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
	}
}
