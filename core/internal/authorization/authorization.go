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
	for end < len(value) && !isBlank(value[end]) {
		end++
	}
	start := end
	for start < len(value) && isBlank(value[start]) {
		start++
	}
	return value[:end], value[start:]
}

func isBlank(b byte) bool { return b == ' ' || b == '\t' }

func trim(s string) string {
	for s != "" && isBlank(s[0]) {
		s = s[1:]
	}
	for s != "" && isBlank(s[len(s)-1]) {
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
		piece, rest, more = strings.Cut(rest, ",")
		name, value, found := strings.Cut(trim(piece), "=")
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

// IsHex reports whether s is n lower-case hexadecimal digits.
func IsHex(s string, n int) bool {
	if len(s) != n {
		return false
	}
	bad := byte(0)
	for i := 0; i < len(s); i++ {
		bad |= digits[s[i]]
	}
	return bad < 16
}

// digits holds the value of each lower-case hexadecimal digit, 0xff for others.
var digits = func() (table [256]byte) {
	for i := range table {
		table[i] = 0xff
	}
	for i, b := range []byte("0123456789abcdef") {
		table[b] = byte(i)
	}
	return table
}()

// DateFormat is the one format of the date headers, in UTC.
const DateFormat = "20060102T150405Z"

// ParseDate reads a date in [DateFormat], and only a date that exists: no
// 30 February, no hour 24, no leap second.
func ParseDate(s string) (time.Time, bool) {
	if len(s) != len(DateFormat) || s[8] != 'T' || s[15] != 'Z' {
		return time.Time{}, false
	}
	year, ok1 := number(s[0:4])
	month, ok2 := number(s[4:6])
	day, ok3 := number(s[6:8])
	hour, ok4 := number(s[9:11])
	minute, ok5 := number(s[11:13])
	second, ok6 := number(s[13:15])
	if !(ok1 && ok2 && ok3 && ok4 && ok5 && ok6) || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	if month < 1 || month > 12 || day < 1 || day > daysIn(month, year) {
		return time.Time{}, false
	}
	days := int64(daysBefore(year, month) + day - 1)
	return time.Unix(days*86400+int64(hour*3600+minute*60+second), 0).UTC(), true
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
