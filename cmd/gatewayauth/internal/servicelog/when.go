package servicelog

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// clocks are the names of fields that hold the time of a record.
var clocks = []string{"time", "ts", "timestamp", "@timestamp", "t", "date", "datetime", "realtimetimestamp"}

// when returns the time of a record: that of a field with a name in clocks, of another
// field that looks like a date, of the words before the record, or of the envelope.
func (o *object) when() time.Time {
	for _, f := range o.fields {
		if slices.Contains(clocks, f.name) {
			if t := instant(f.value); !t.IsZero() {
				return t
			}
		}
	}
	for _, f := range o.fields {
		if t, err := time.Parse(time.RFC3339Nano, f.value); err == nil && !slices.Contains(chosen, f.name) {
			return t
		}
	}
	if t := instant(dateForm.FindString(o.head)); !t.IsZero() {
		return t
	}
	return o.time
}

// dateForm matches a date in the formats of RFC 3339, package log and others.
var dateForm = regexp.MustCompile(`[0-9]{4}[-/][0-9]{2}[-/][0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:?[0-9]{2})?`)

// instant parses a date, or seconds, milliseconds, microseconds or nanoseconds since
// 1970. A date without a zone is in UTC.
func instant(text string) time.Time {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999-0700", "2006-01-02 15:04:05.999999999Z07:00",
		"2006-01-02 15:04:05.999999999 -0700 MST", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006/01/02 15:04:05.999999999"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t
		}
	}
	whole, fraction, _ := strings.Cut(text, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	switch {
	case err != nil || n < 1e9:
		if f, err := strconv.ParseFloat(text, 64); err == nil && f >= 1e9 && f < 1e11 { // 1.7e+09
			return time.UnixMicro(int64(f * 1e6)).UTC()
		}
		return time.Time{}
	case n < 1e11:
		nanos, _ := strconv.ParseInt((fraction + "000000000")[:9], 10, 64)
		return time.Unix(n, nanos).UTC()
	case n < 1e14:
		return time.UnixMilli(n).UTC()
	case n < 1e17:
		return time.UnixMicro(n).UTC()
	}
	return time.Unix(0, n).UTC()
}
