// Package authorization reads the Authorization header that the signing schemes
// share, and the dates beside it: strictly, since every sender is a machine.
package authorization

import (
	"errors"
	"strings"
	"time"
)

// Fields are the parameters of a signature's Authorization header. A field
// that is absent is empty; one that is present is not.
type Fields struct {
	Access, Credential       string
	SignedHeaders, Signature string
	// Listed is true where SignedHeaders is present: it may be empty.
	Listed bool
}

// Errors of [Parse]. None holds text of the header.
var (
	errForm     = errors.New("a field is not name=value")
	errRepeated = errors.New("a field occurs twice")
	errUnknown  = errors.New("a field is not known")
	errEmpty    = errors.New("a field is empty")
)

// Cut splits a header value into the algorithm token and what follows it after
// spaces or tabs.
func Cut(value string) (token, fields string) {
	end := 0
	for end < len(value) && !IsBlank(value[end]) {
		end++
	}
	start := end
	for start < len(value) && IsBlank(value[start]) {
		start++
	}
	return value[:end], value[start:]
}

// IsBlank reports a space or a tab: the white space of HTTP.
func IsBlank(b byte) bool { return b == ' ' || b == '\t' }

// Trim cuts spaces and tabs off both ends: the white space that HTTP allows
// around a field value (RFC 9110 section 5.5), and no other.
func Trim(s string) string {
	for s != "" && IsBlank(s[0]) {
		s = s[1:]
	}
	for s != "" && IsBlank(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

// Parse reads the fields after the token: name=value, joined by commas with any
// run of spaces and tabs around them, in any order, each once, none unknown.
func Parse(fields string) (Fields, error) {
	var f Fields
	for rest, more := fields, true; more; {
		var piece string
		piece, rest, more = CutByte(rest, ',')
		name, value, found := CutByte(Trim(piece), '=')
		if !found {
			return f, errForm
		}
		var field *string
		switch name {
		case "Access":
			field = &f.Access
		case "Credential":
			field = &f.Credential
		case "SignedHeaders":
			if f.Listed {
				return f, errRepeated
			}
			f.SignedHeaders, f.Listed = value, true
			continue
		case "Signature":
			field = &f.Signature
		default:
			return f, errUnknown
		}
		switch {
		case *field != "":
			return f, errRepeated
		case value == "":
			return f, errEmpty
		}
		*field = value
	}
	return f, nil
}

// CutByte is [strings.Cut] for one byte.
func CutByte(s string, separator byte) (before, after string, found bool) {
	if i := strings.IndexByte(s, separator); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

// DateFormat is the one format of the date headers, in UTC.
const DateFormat = "20060102T150405Z"

// ParseDate reads a date in [DateFormat], and only a date that exists: no
// 30 February, no hour 24, no leap second.
func ParseDate(s string) (time.Time, bool) {
	if len(s) != len(DateFormat) || s[8] != 'T' || s[15] != 'Z' {
		return time.Time{}, false
	}
	century, year, month, day := pair(s, 0), pair(s, 2), pair(s, 4), pair(s, 6)
	hour, minute, second := pair(s, 9), pair(s, 11), pair(s, 13)
	if century > 99 || year > 99 || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	year += 100 * century
	if month < 1 || month > 12 || day < 1 || day > daysIn(month, year) {
		return time.Time{}, false
	}
	days := int64(daysBefore(year, month) + day - 1)
	return time.Unix(days*86400+int64(hour*3600+minute*60+second), 0).UTC(), true
}

// pair reads two digits of a date; what is none gives a number that no part of a
// date can be.
func pair(s string, i int) int {
	tens, ones := s[i]-'0', s[i+1]-'0'
	if tens > 9 || ones > 9 {
		return 100
	}
	return 10*int(tens) + int(ones)
}

// daysBefore returns the number of days from 1 January 1970 to the first of a
// month, in the Gregorian calendar. [time.Date] would do, and take longer.
func daysBefore(year, month int) int {
	if month < 3 { // years that start in March end with the leap day
		year, month = year-1, month+12
	}
	year += 400 // for year 0: divisions round to zero
	return 365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 - 719468 - 146097
}

// daysIn returns the number of days of a month in the Gregorian calendar.
func daysIn(month, year int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

func number(s string) (n int, ok bool) {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, true
}
