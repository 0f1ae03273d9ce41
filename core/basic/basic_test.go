package basic_test

import (
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/basic"
)

var (
	gateway = core.Key{Name: "gateway", ID: "basicuser", Secret: core.NewSecret("basic-pass-123"),
		Previous: []core.PreviousSecret{{Secret: core.NewSecret("basic-pass-old:with-colon")}}}
	latin = core.Key{Name: "latin", ID: "latin", Secret: core.NewSecret("p\xe4ss-1234")}
)

func verifier(t *testing.T, now func() time.Time) *core.Verifier {
	t.Helper()
	v, err := core.New(core.Config{
		Environment: "prod",
		Schemes:     []core.Scheme{basic.New(basic.Config{Keys: core.Keys(gateway, latin), Now: now})},
		APIs:        []core.API{{Match: "/latin", Key: "latin"}},
		Default:     "gateway",
		Logger:      slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func request(target, authorization, remote string) *http.Request {
	r := httptest.NewRequest("GET", target, nil)
	r.Header["Authorization"] = []string{authorization}
	r.RemoteAddr = remote
	return r
}

func encode(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// TestCredentials_T165: the password byte for byte, in the one encoding.
func TestCredentials_T165(t *testing.T) {
	v := verifier(t, nil)
	right := encode("basicuser:basic-pass-123")
	for _, tt := range []struct {
		name, target, value string
		want                core.Code
		secret              int
	}{
		{"right", "/", "Basic " + right, "", 0},
		{"right, scheme in lower case", "/", "basic " + right, "", 0},
		{"right, previous password with a colon", "/", "Basic " + encode("basicuser:basic-pass-old:with-colon"), "", 1},
		{"right, Latin-1", "/latin", "Basic " + encode("latin:p\xe4ss-1234"), "", 0},
		{"UTF-8 in place of Latin-1", "/latin", "Basic " + encode("latin:p\u00e4ss-1234"), core.CodeSignatureMismatch, 0},
		{"right, a long s in the scheme", "/", "Ba\u017fic " + right, core.CodeCredentialMalformed, 0},
		{"no user, no password", "/", "Basic Og==", core.CodeCredentialMalformed, 0},
		{"nothing", "/", "Basic", core.CodeCredentialMalformed, 0},
		{"no colon", "/", "Basic " + encode("basicuser"), core.CodeCredentialMalformed, 0},
		{"user only", "/", "Basic " + encode("basicuser:"), core.CodeCredentialMalformed, 0},
		{"password only", "/", "Basic " + encode(":basic-pass-123"), core.CodeCredentialMalformed, 0},
		{"two spaces", "/", "Basic  " + right, core.CodeCredentialMalformed, 0},
		{"a tab", "/", "Basic\t" + right, core.CodeCredentialMalformed, 0},
		{"a space behind", "/", "Basic " + right + " ", core.CodeCredentialMalformed, 0},
		{"a line break inside", "/", "Basic " + right[:4] + "\r\n" + right[4:], core.CodeCredentialMalformed, 0},
		{"no padding", "/", "Basic " + strings.TrimRight(encode("basicuser:basic-pass-12"), "="), core.CodeCredentialMalformed, 0},
		{"padding bits that are not zero", "/", "Basic dTr=", core.CodeCredentialMalformed, 0},
		{"URL alphabet", "/", "Basic -_-_", core.CodeCredentialMalformed, 0},
		{"8 KiB and more", "/", "Basic " + encode("basicuser:"+strings.Repeat("x", 8192)), core.CodeCredentialMalformed, 0},
		{"password cut", "/", "Basic " + encode("basicuser:basic-pass-12"), core.CodeSignatureMismatch, 0},
		{"password longer", "/", "Basic " + encode("basicuser:basic-pass-1234"), core.CodeSignatureMismatch, 0},
		{"user in other case", "/", "Basic " + encode("BasicUser:basic-pass-123"), core.CodeKeyUnknown, 0},
		{"user of another API", "/latin", "Basic " + right, core.CodeKeyNotBound, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			id, err := v.Verify(request(tt.target, tt.value, "192.0.2.1:5"))
			if got := core.CodeOf(err); got != tt.want {
				t.Fatalf("got %q (%v), want %q", got, err, tt.want)
			}
			if err == nil && (id.Secret() != tt.secret || id.Scheme() != "basic") {
				t.Errorf("got %v, secret %d", id, id.Secret())
			}
		})
	}
}

// TestThrottle_T165: guesses are cut off, a gateway that works is not.
func TestThrottle_T165(t *testing.T) {
	now := time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
	right := "Basic " + encode("basicuser:basic-pass-123")
	try := func(v *core.Verifier, value, remote string) core.Code {
		_, err := v.Verify(request("/", value, remote))
		return core.CodeOf(err)
	}
	for name, attacker := range map[string][2]string{
		"IPv4": {"198.51.100.7:4000", "198.51.100.7:4001"},
		"IPv6": {"[2001:db8::1]:4000", "[2001:db8::2]:4000"},
		"odd":  {"@", "@"},
	} {
		t.Run(name, func(t *testing.T) {
			v := verifier(t, func() time.Time { return now })
			if got := guessing(v, attacker[0], 1000); got != 990 {
				t.Errorf("%d of 1000 guesses were throttled, want 990", got)
			}
			if got := try(v, right, attacker[1]); got != core.CodeThrottled {
				t.Errorf("a right guess among them: got %q", got)
			}
			now = now.Add(time.Second)
			if got := try(v, right, attacker[0]); got != "" {
				t.Errorf("after a second: got %q", got)
			}
			if got := guessing(v, attacker[0], 100); got != 0 {
				t.Errorf("%d guesses from an address that had it right were throttled", got)
			}
			if got := try(v, right, attacker[0]); got != "" {
				t.Errorf("the gateway was locked out: %q", got)
			}
			now = now.Add(11 * time.Minute)
			if got := guessing(v, attacker[0], 20); got != 10 {
				t.Errorf("after eleven minutes %d of 20 were throttled, want 10", got)
			}
		})
	}
}

// guessing returns how many of n wrong passwords from an address are throttled.
func guessing(v *core.Verifier, remote string, n int) (throttled int) {
	for i := range n {
		if _, err := v.Verify(request("/", "Basic "+encode(fmt.Sprint("basicuser:guess-", i)), remote)); core.CodeOf(err) == core.CodeThrottled {
			throttled++
		}
	}
	return throttled
}

// TestOtherAddresses_T165: guesses from any number of addresses hold off nobody
// at another one, and a right password lifts the limit for nobody else.
func TestOtherAddresses_T165(t *testing.T) {
	now := time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
	v := verifier(t, func() time.Time { return now })
	for i := range 20_000 {
		guessing(v, fmt.Sprintf("[2001:db8:%x::1]:4000", i), 1)
	}
	gateway := func(i int) string { return fmt.Sprintf("192.0.2.%d:5", i) }
	for i := range 200 {
		if _, err := v.Verify(request("/", "Basic "+encode("basicuser:basic-pass-123"), gateway(i))); err != nil {
			t.Fatalf("the gateway at %s: %v", gateway(i), err)
		}
	}
	for i := range 200 {
		if got := guessing(v, fmt.Sprintf("198.51.100.%d:4000", i), 20); got != 10 {
			t.Fatalf("stranger %d: %d of 20 guesses were throttled, want 10", i, got)
		}
	}
	if got := guessing(v, gateway(199), 100); got != 0 {
		t.Errorf("a gateway has lost its trust to strangers: %d of 100 were throttled", got)
	}
	// Right passwords of others leave the count of a guesser as it is.
	guessing(v, "203.0.113.1:4000", 10)
	for i := range 10_000 {
		if _, err := v.Verify(request("/", "Basic "+encode("basicuser:basic-pass-123"), fmt.Sprintf("10.0.%d.%d:5", i/250, i%250))); err != nil {
			t.Fatal(err)
		}
	}
	if got := guessing(v, "203.0.113.1:4000", 10); got != 10 {
		t.Errorf("%d of 10 more guesses in the same second were throttled, want 10", got)
	}
}

// TestThrottleTimes_T165: a second and ten minutes, to the nanosecond.
func TestThrottleTimes_T165(t *testing.T) {
	now := time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
	const remote, minutes = "198.51.100.7:4000", 10 * time.Minute
	for _, tt := range []struct {
		right bool // a right password before the first ten wrong ones
		after time.Duration
		want  int // of the next twenty
	}{
		{false, 0, 20}, {false, time.Second - 1, 20}, {false, time.Second, 10}, {false, time.Second + 1, 10}, {false, 2*time.Second - 1, 10}, {false, 2 * time.Second, 10},
		{true, 0, 0}, {true, minutes - 1, 0}, {true, minutes, 10}, {true, minutes + time.Second - 1, 10},
	} {
		v := verifier(t, func() time.Time { return now })
		if tt.right {
			if _, err := v.Verify(request("/", "Basic "+encode("basicuser:basic-pass-123"), remote)); err != nil {
				t.Fatal(err)
			}
		}
		guessing(v, remote, 10)
		now = now.Add(tt.after)
		if got := guessing(v, remote, 20); got != tt.want {
			t.Errorf("right password before: %v, after %v: %d of 20 were throttled, want %d", tt.right, tt.after, got, tt.want)
		}
	}
}

// TestThrottledAddresses_T165 changes each bit of an address: the guesser is the same where
// the first 64 bits of IPv6, or all of IPv4, are the same.
func TestThrottledAddresses_T165(t *testing.T) {
	for _, start := range []string{"2001:db8::1", "198.51.100.7"} {
		addr := netip.MustParseAddr(start)
		for bit := range addr.BitLen() {
			b := addr.AsSlice()
			b[bit/8] ^= 0x80 >> (bit % 8)
			changed, _ := netip.AddrFromSlice(b)
			v := verifier(t, func() time.Time { return time.Time{} })
			guessing(v, netip.AddrPortFrom(addr, 4000).String(), 10)
			want := 0
			if bit >= 64 {
				want = 1
			}
			if got := guessing(v, netip.AddrPortFrom(changed, 4001).String(), 1); got != want {
				t.Errorf("%v after %v: %d of 1 throttled, want %d", changed, addr, got, want)
			}
		}
	}
}

// TestSameSecretTwice_T165: of two equal passwords the first one counts.
func TestSameSecretTwice_T165(t *testing.T) {
	secret := func(s string) core.PreviousSecret { return core.PreviousSecret{Secret: core.NewSecret(s)} }
	key := core.Key{Name: "gateway", ID: "basicuser", Secret: core.NewSecret("basic-pass-new"),
		Previous: []core.PreviousSecret{secret("basic-pass-123"), secret("basic-pass-123"), secret("basic-pass-new")}}
	s := basic.New(basic.Config{Keys: core.Keys(key)})
	for want, password := range []string{"basic-pass-new", "basic-pass-123"} {
		c := core.Credential{KeyID: key.ID, Signature: password}
		all := []core.Secret{key.Secret, key.Previous[0].Secret, key.Previous[1].Secret, key.Previous[2].Secret}
		if got, err := s.Verify(request("/", "", "192.0.2.1:5"), &c, &key, all, ""); got != want || err != nil {
			t.Errorf("%s: got secret %d, %v, want %d", password, got, err, want)
		}
	}
	c := core.Credential{KeyID: key.ID, Signature: "basic-pass"}
	if got, err := s.Verify(request("/", "", "192.0.2.1:5"), &c, &key, []core.Secret{key.Secret}, ""); core.CodeOf(err) != core.CodeSignatureMismatch {
		t.Errorf("a wrong password: got secret %d, %v", got, err)
	}
}
