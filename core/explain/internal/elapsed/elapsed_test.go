package elapsed_test

import (
	"math"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core/explain/internal/elapsed"
)

func TestText_T186(t *testing.T) {
	const day, year = 24 * time.Hour, 365 * 24 * time.Hour
	for d, want := range map[time.Duration]string{
		0: "0s", time.Millisecond: "1ms", time.Second: "1s", 59*time.Second + 900*time.Millisecond: "59s",
		15 * time.Minute: "15m", 47*time.Minute + 13*time.Second: "47m 13s", time.Hour: "1h", 4*time.Hour + 10*time.Minute + 5*time.Second: "4h 10m",
		day: "1 day", 2*day + 3*time.Hour: "2 days 3h", year: "1 year", 3*year + 12*day: "3 years 12 days", 2*year + day: "2 years 1 day",
		-90 * time.Second: "-1m 30s", math.MaxInt64: "292 years 171 days", math.MinInt64: "-292 years 171 days",
	} {
		if got := elapsed.Text(d); got != want {
			t.Errorf("%v: got %s, want %s", d, got, want)
		}
	}
}

func TestBetween_T186(t *testing.T) {
	at := func(text string) time.Time {
		made, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	for _, tt := range []struct{ a, b, want string }{
		{"2026-01-15T12:00:00Z", "2026-01-15T12:00:00Z", "0s"},
		{"2026-01-15T12:00:00.9Z", "2026-01-15T12:00:02.1Z", "1s"},
		{"2026-01-15T12:00:00Z", "2026-01-15T16:10:00Z", "4h 10m"},
		{"0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "10005 years 233 days"},
	} {
		if got, back := elapsed.Between(at(tt.a), at(tt.b)), elapsed.Between(at(tt.b), at(tt.a)); got != tt.want || back != tt.want {
			t.Errorf("%s to %s: got %s and %s, want %s", tt.a, tt.b, got, back, tt.want)
		}
	}
}
