package authorization_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core/internal/authorization"
)

func TestCut(t *testing.T) {
	for value, want := range map[string][2]string{
		"": {"", ""}, "A": {"A", ""}, "A ": {"A", ""}, "A  b c": {"A", "b c"}, "A\tb": {"A", "b"}, " b": {"", "b"},
	} {
		token, fields := authorization.Cut(value)
		if token != want[0] || fields != want[1] {
			t.Errorf("%q: got %q, %q", value, token, fields)
		}
	}
}

// TestSeparators_T020: commas with any blanks around them, in any order; and
// nothing else.
func TestSeparators_T020(t *testing.T) {
	want := authorization.Fields{Access: "a", SignedHeaders: "h;i", Signature: "s", Listed: true}
	for _, fields := range []string{
		"Access=a, SignedHeaders=h;i, Signature=s", "Access=a,SignedHeaders=h;i,Signature=s",
		"Signature=s ,\t SignedHeaders=h;i\t,Access=a", " Access=a, SignedHeaders=h;i, Signature=s\t",
	} {
		if got, err := authorization.Parse(fields); err != nil || got != want {
			t.Errorf("%q: got %+v, %v", fields, got, err)
		}
	}
	for _, fields := range []string{
		"", ",", ",,,", "Access", "Access=a,", ",Access=a", "Access=a,,Signature=s",
		"Access=a, Access=a", "Signature=s, Signature=s", "SignedHeaders=, SignedHeaders=", "Credential=a, Credential=b",
		"Access=", "Signature=, Signature=s", "access=a", "Access =a", "Access=a, Foo=bar",
		"SignedHeaders", "SignedHeaders, Signature=s", "Signature=s, SignedHeaders", `=a`, "Access=a Signature=s, ",
	} {
		if got, err := authorization.Parse(fields); err == nil {
			t.Errorf("%q: taken as %+v", fields, got)
		}
	}
	if got, err := authorization.Parse(`Access="a"`); err != nil || got.Access != `"a"` {
		t.Errorf("quotes are part of the value: got %+v, %v", got, err)
	}
	if got, err := authorization.Parse("Signature=a=b"); err != nil || got.Signature != "a=b" {
		t.Errorf("cut at the first =: got %+v, %v", got, err)
	}
}

// TestDates_T075_T076: one format, and only dates that exist.
func TestDates_T075_T076(t *testing.T) {
	for s, want := range map[string]time.Time{
		"20260115T120000Z": time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC),
		"20240229T235959Z": time.Date(2024, 2, 29, 23, 59, 59, 0, time.UTC),
		"00010101T000000Z": time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC),
		"99991231T235959Z": time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
		"00000101T000000Z": time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		if got, ok := authorization.ParseDate(s); !ok || !got.Equal(want) {
			t.Errorf("%q: got %v, %v", s, got, ok)
		}
	}
	for _, s := range []string{
		"", strings.Repeat("\x00", 16), "Bad Date", "Thu, 15 Jan 2026 12:00:00 GMT", "1768478400", "2026-01-15T12:00:00Z", "20260115T120000+0000",
		"20260115T120000", " 20260115T120000Z", "20260115T120000Z ", "20260115t120000Z", "20260115T120000z", "20260115 120000Z",
		"20260230T120000Z", "20250229T120000Z", "20260100T120000Z", "20260132T120000Z", "20260015T120000Z", "20261315T120000Z",
		"20260115T240000Z", "20260115T126000Z", "20260115T120060Z", "2026011５T12000Z", "-0260115T120000Z", "+0260115T120000Z", "2026 115T120000Z",
	} {
		if got, ok := authorization.ParseDate(s); ok {
			t.Errorf("%q: taken as %v", s, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("Access=a, SignedHeaders=h;i, Signature=s")
	f.Add(",=,")
	f.Fuzz(func(t *testing.T, s string) {
		_, rest := authorization.Cut(s)
		if got, err := authorization.Parse(rest); err == nil && got == (authorization.Fields{}) {
			t.Errorf("%q: nothing was read, without an error", s)
		}
	})
}

func FuzzParseDate(f *testing.F) {
	f.Add("20260115T120000Z")
	f.Fuzz(func(t *testing.T, s string) {
		if got, ok := authorization.ParseDate(s); ok && got.Format(authorization.DateFormat) != s {
			t.Errorf("%q is read as %v", s, got)
		}
	})
}

// TestEveryDay_T075: of all years that a date can have.
func TestEveryDay_T075(t *testing.T) {
	for at := time.Date(0, 1, 1, 23, 59, 58, 0, time.UTC); at.Year() < 10000; at = at.AddDate(0, 0, 1) {
		if got, ok := authorization.ParseDate(at.Format(authorization.DateFormat)); !ok || !got.Equal(at) || got.Location() != time.UTC {
			t.Fatalf("%v: got %v, %v", at, got, ok)
		}
	}
}

// TestEveryByteOfADate_T076 compares with time.Parse for each byte in each place.
func TestEveryByteOfADate_T076(t *testing.T) {
	for _, date := range []string{"20240229T235959Z", "00000101T000000Z", "99991231T195959Z", "19000930T091010Z"} {
		for i := range len(date) {
			for b := range 256 {
				s := date[:i] + string([]byte{byte(b)}) + date[i+1:]
				want, err := time.Parse(authorization.DateFormat, s)
				if got, ok := authorization.ParseDate(s); ok != (err == nil) || ok && !got.Equal(want) {
					t.Errorf("%q: got %v, %v; want %v, %v", s, got, ok, want, err)
				}
			}
		}
	}
}

// TestNoOtherDay_T075: the days that a month of a year lacks.
func TestNoOtherDay_T075(t *testing.T) {
	for year := range 10000 {
		for month := 1; month <= 12; month++ {
			for day := 28; day <= 32; day++ {
				s := fmt.Sprintf("%04d%02d%02dT000000Z", year, month, day)
				exists := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).Day() == day
				if _, ok := authorization.ParseDate(s); ok != exists {
					t.Fatalf("%s: got %v, want %v", s, ok, exists)
				}
			}
		}
	}
}
