package coretest

import (
	"slices"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// dated returns P1, correctly signed with a date in any format.
func dated(date string) message { return k1.sign(p1().set("X-Sdk-Date", date), plain) }

// at returns P1, correctly signed at an offset from the clock.
func at(offset time.Duration) message { return dated(now().Add(offset).Format("20060102T150405Z")) }

func timeCases() []testCase {
	expired, early := refused(core.CodeSignatureExpired), refused(core.CodeSignatureNotYetValid)
	const skew = 15 * time.Minute
	form := func(dates ...string) (list []row) {
		for _, date := range dates {
			list = append(list, row{"date " + date, dated(date)})
		}
		return list
	}
	return slices.Concat(
		rows("T071", accepted, row{"15:00 old", at(-skew)}, row{"15:00 ahead", at(skew)}),
		rows("T071", expired, row{"15:01 old", at(-skew - time.Second)}, row{"a day old", at(-24 * time.Hour)}),
		rows("T071", early, row{"15:01 ahead", at(skew + time.Second)}, row{"a day ahead", at(24 * time.Hour)}),
		rows("T072", malformed,
			row{"no date", k1.sign(p1().without("X-Sdk-Date"), "host")},
			row{"no date, which is listed", p1().without("X-Sdk-Date")},
			row{"only Date", k1.sign(p1().without("X-Sdk-Date").with("Date: Thu, 15 Jan 2026 12:00:00 GMT"), "date;host")},
			row{"date empty", dated("")}),
		rows("T073", expired,
			row{"a stale date and a fresh Date", at(-time.Hour).with("Date: Thu, 15 Jan 2026 12:00:00 GMT")},
			row{"a stale date and a fresh X-Amz-Date", at(-time.Hour).with("X-Amz-Date: " + today)}),
		rows("T074", notSigned,
			row{"the date is not signed", k1.sign(p1(), "host")},
			row{"the date is not signed, and changed", k1.sign(p1(), "host").set("X-Sdk-Date", "20260115T120001Z")}),
		rows("T074", mismatch, row{"the date is signed, and changed", p1().set("X-Sdk-Date", "20260115T120001Z")}),
		rows("T075", malformed, form("Bad Date", "Thu, 15 Jan 2026 12:00:00 GMT", "1768478400", "2026-01-15T12:00:00Z", "20260115T120000+0000",
			"20260115T120000", "20260115t120000Z", "20260115T120000z", "20260115 120000Z", "20260115T120000.5Z", "+0260115T120000Z", "20260115T1２0000Z")...),
		// Whitespace around a field value is not part of it.
		rows("T075", accepted, form(" "+today, today+" ", "\t"+today)...),
		rows("T075", malformed.orServer(431), row{"a date of a million bytes", dated(strings.Repeat("2", 1<<20))}),
		rows("T076", malformed, form("20260230T120000Z", "20260115T240000Z", "20260115T126000Z", "20260115T120060Z", "20261301T000000Z", "20260100T000000Z")...),
		rows("T076", expired, form("00000101T000000Z", "19500101T000000Z", "19691231T235959Z")...),
		rows("T076", early, form("99991231T235959Z")...),
		[]testCase{{name: "T076 a date that does not exist gives the event no skew", script: func(b *bench) {
			b.exchange(dated("20260230T120000Z"))
			b.settle()
			for _, e := range b.events.take() {
				if e.Skew != 0 {
					b.Errorf("got a skew of %v, want none", e.Skew)
				}
			}
		}}},
		[]testCase{{name: "T078 an invalid skew is refused at start", script: skews}},
	)
}

// skews creates verifiers with skews inside and outside the bounds.
func skews(b *bench) {
	for skew, valid := range map[time.Duration]bool{
		0: true, time.Minute: true, time.Hour: true, -1: false, -time.Hour: false, 24 * time.Hour: false, 1<<63 - 1: false, -1 << 63: false,
	} {
		c := fixture(b.records.logger(), &b.events)
		c.ClockSkew = skew
		if _, err := core.New(c); (err == nil) != valid {
			b.Errorf("New with ClockSkew %v: got error %v, want it valid: %v", skew, err, valid)
		}
	}
}
