// Package elapsed formats durations for people.
package elapsed

import (
	"fmt"
	"time"
)

// Text returns a duration by its two largest units, such as "3 years 12 days",
// "4h 10m", "15m" or "47m 13s". A year has 365 days. Smaller units are left out. A duration
// below a second is in milliseconds, and one below a millisecond is formatted as
// [time.Duration] does.
func Text(d time.Duration) string {
	switch {
	case d.Abs() < time.Millisecond:
		return d.String()
	case d.Abs() < time.Second:
		return d.Truncate(time.Millisecond).String()
	}
	if d < 0 {
		return "-" + seconds(-int64(d/time.Second))
	}
	return seconds(int64(d / time.Second))
}

// Between returns the time between two instants, whichever comes first, as Text
// does. They may be further apart than a [time.Duration] can hold.
func Between(a, b time.Time) string {
	if a.Before(b) {
		a, b = b, a
	}
	if d := a.Sub(b); d < time.Second {
		return Text(d)
	}
	n := a.Unix() - b.Unix()
	if a.Nanosecond() < b.Nanosecond() {
		n--
	}
	return seconds(n)
}

func seconds(n int64) string {
	const minute, hour, day, year = 60, 60 * 60, 24 * 60 * 60, 365 * 24 * 60 * 60
	switch {
	case n >= year:
		return two(n/year, " year", n%year/day, " day")
	case n >= day:
		return two(n/day, " day", n%day/hour, "h")
	case n >= hour:
		return two(n/hour, "h", n%hour/minute, "m")
	case n >= minute:
		return two(n/minute, "m", n%minute, "s")
	}
	return fmt.Sprint(n, "s")
}

func two(a int64, unit string, b int64, smaller string) string {
	text := one(a, unit)
	if b > 0 {
		text += " " + one(b, smaller)
	}
	return text
}

// one formats a number with its unit: words, which begin with a space, in the plural.
func one(n int64, unit string) string {
	if unit[0] == ' ' && n != 1 {
		unit += "s"
	}
	return fmt.Sprint(n, unit)
}
