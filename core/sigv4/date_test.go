package sigv4_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// dated returns m with Date in place of X-Amz-Date, signed.
func (m message) dated(text string) message {
	m.headers = append([]string(nil), m.headers...)
	m.headers[1] = "Date: " + text
	m.canonicalHeaders = strings.Replace(m.canonicalHeaders, "host:", "date:"+text+"\nhost:", 1)
	m.canonicalHeaders = strings.Replace(m.canonicalHeaders, "x-amz-date:"+m.date+"\n", "", 1)
	m.signedHeaders = strings.Replace("date;"+m.signedHeaders, ";x-amz-date", "", 1)
	return m
}

const fixdate = "Thu, 15 Jan 2026 12:00:00 "

// TestDateSpellings_T180: a signed Date takes the place of an absent x-amz-date, in
// the spellings that signers send.
func TestDateSpellings_T180(t *testing.T) {
	for _, tt := range []struct {
		text string
		want core.Code
	}{
		{fixdate + "GMT", accepted}, {fixdate + "-0000", accepted}, {fixdate + "+0000", accepted}, {date, accepted},

		{fixdate + "+0100", malformed}, {fixdate + "-0100", malformed}, {fixdate + "+0001", malformed}, {fixdate + "+00:00", malformed},
		{fixdate + "UT", malformed}, {fixdate + "UTC", malformed}, {fixdate + "Z", malformed}, {fixdate + "gmt", malformed},
		{fixdate + "EST", malformed}, {fixdate + "GMT+00", malformed}, {fixdate + " GMT", malformed}, {fixdate + "GMT (UTC)", malformed},
		{strings.TrimSpace(fixdate), malformed}, {"", malformed}, {"GMT", malformed}, {" GMT", malformed},
		{"Wed, 15 Jan 2026 12:00:00 GMT", malformed},    // it was a Thursday
		{"15 Jan 2026 12:00:00 GMT", malformed},         // no day of the week
		{"Thu, 15 Jan 26 12:00:00 GMT", malformed},      // two digits of the year
		{"Thursday, 15-Jan-26 12:00:00 GMT", malformed}, // obsolete: RFC 850
		{"Thu Jan 15 12:00:00 2026", malformed},         // obsolete: asctime
		{"Thu, 15 January 2026 12:00:00 GMT", malformed},
		{"thu, 15 jan 2026 12:00:00 GMT", malformed},
		{"THU, 15 JAN 2026 12:00:00 GMT", malformed},
		{"Thu,15 Jan 2026 12:00:00 GMT", malformed},
		{"Thu, 15 Jan 2026 12:00:00.5 GMT", malformed},
		{"Thu, 15 Jan 2026 12:00 GMT", malformed},
		{"Thu, 15 Jan 2026 24:00:00 GMT", malformed},
		{"Thu, 15 Jan 2026 11:59:60 GMT", malformed}, // a leap second
		{"Mon, 30 Feb 2026 12:00:00 GMT", malformed},
		{"2026-01-15T12:00:00Z", malformed},
		{"20260115T120000+0000", malformed},
		{"1768478400", malformed},
		{strings.Repeat("Thu, ", 10000), malformed},
		{"Thu, 15 Jan 2026 12:00:0\xd9\xa0GMT", malformed}, // another digit
	} {
		for name, m := range map[string]message{"sigv4": p4(), "sigv4a": p5()} {
			v := environment(t, v4(testKey()))
			if name == "sigv4a" {
				v = environment(t, v4a(testKey()))
			}
			expect(t, v, m.dated(tt.text).raw(), tt.want)
		}
	}
	v := environment(t, v4(testKey()))
	m := p4().dated("Thu,  5 Jan 2026 12:00:00 GMT") // one digit, right otherwise
	expect(t, v, m.raw(), malformed)
	for _, at := range []struct {
		seconds time.Duration
		want    core.Code
	}{{-900, accepted}, {900, accepted}, {-901, core.CodeSignatureExpired}, {901, core.CodeSignatureNotYetValid}} {
		when := now().Add(at.seconds * time.Second)
		m := p4().withDate(when.Format("20060102T150405Z")).dated(when.Format("Mon, 02 Jan 2006 15:04:05 ") + "-0000")
		expect(t, v, m.raw(), at.want)
	}
}

// TestDateHeader_T180: which of the two dates counts, and that it is signed.
func TestDateHeader_T180(t *testing.T) {
	v := environment(t, v4(testKey()))
	m := p4().dated(fixdate + "-0000")
	raw := m.raw()
	unsigned := p4().dated(fixdate + "GMT")
	unsigned.signedHeaders, unsigned.canonicalHeaders = "host", "host:api.example.com\n"
	both := p4() // Date is not signed, and says something else: a header like others
	both.headers = append(both.headers, "Date: Thu, 15 Jan 2015 12:00:00 +0100")
	otherDay := p4().dated("Wed, 14 Jan 2026 12:00:00 GMT")
	otherDay.date = "20260114T120000Z"
	for _, tt := range []struct {
		name, raw string
		want      core.Code
	}{
		{"signed", raw, accepted},
		{"not signed", unsigned.raw(), notSigned},
		{"absent, and listed", strings.Replace(raw, "Date: "+fixdate+"-0000\r\n", "", 1), malformed},
		{"twice", strings.Replace(raw, "Date: ", "Date: "+fixdate+"-0000\r\nDate: ", 1), ambiguous},
		{"another zone than the signed", strings.Replace(raw, "-0000", "+0000", 1), mismatch},
		{"a second later", strings.Replace(raw, "12:00:00", "12:00:01", 1), mismatch},
		{"x-amz-date added", strings.Replace(raw, "Date: ", "X-Amz-Date: "+date+"\r\nDate: ", 1), notSigned},
		{"an empty x-amz-date added", strings.Replace(raw, "Date: ", "X-Amz-Date:\r\nDate: ", 1), malformed},
		{"named by Connection", strings.Replace(raw, "Date: ", "Connection: Date\r\nDate: ", 1), ambiguous},
		{"beside a signed x-amz-date", both.raw(), accepted},
		{"of another day than the scope", otherDay.raw(), malformed},
		{"x-amz-date with a zone of Date", p4().withDate(fixdate + "-0000").raw(), malformed},
	} {
		if _, got := verify(t, v, tt.raw); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
	id, _ := verify(t, v, raw)
	if !id.SignedAt().Equal(now()) {
		t.Errorf("got signed at %v, want %v", id.SignedAt(), now())
	}
}

// TestDateForms_T180: Parse reads dates as net/http's own parser does, where both
// read them.
func TestDateForms_T180(t *testing.T) {
	for _, at := range []time.Time{now(), time.Date(2024, 2, 29, 23, 59, 59, 0, time.UTC), time.Date(1999, 12, 31, 0, 0, 0, 0, time.UTC)} {
		r := httptest.NewRequest("GET", "/v1/items", nil)
		m := p4().withDate(at.Format("20060102T150405Z")).dated(at.Format(http.TimeFormat))
		for _, line := range bytes.Split([]byte(strings.TrimSpace(m.raw())), []byte("\r\n"))[1:] {
			name, value, _ := strings.Cut(string(line), ": ")
			r.Header.Add(name, value)
		}
		var c core.Credential
		err := v4(testKey()).Parse(r, &c)
		parsed, _ := http.ParseTime(r.Header.Get("Date"))
		if err != nil || !c.Time.Equal(parsed) || c.Timestamp != at.Format("20060102T150405Z") || c.Date != "date" {
			t.Errorf("%v: got %v (%s, %s), error %v", at, c.Time, c.Timestamp, c.Date, err)
		}
	}
}
