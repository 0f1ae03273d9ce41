package explain

import (
	"fmt"
	"slices"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/explain/internal/elapsed"
)

// late adds what is wrong with the date.
func (s *search) late(c *core.Credential) (Finding, bool) {
	if c == nil || s.timely(c) {
		return Finding{}, false
	}
	skew := s.now.Sub(c.Time)
	between := elapsed.Between(s.now, c.Time)
	side, most, advice := "behind", c.Time.Add(s.policy.ClockSkew), "set the sender's clock, or the verifier's; a request that was queued, or sent again, must be signed anew"
	if skew < 0 {
		side, most, advice = "ahead of", c.Time.Add(-s.policy.ClockSkew), "set the sender's clock, or the verifier's"
	}
	f := Finding{Cause: CauseClock, Proven: true, Change: "at " + s.now.UTC().Format(time.RFC3339) + ", give or take " + elapsed.Text(s.policy.ClockSkew),
		Detail: fmt.Sprintf("the signed date is %s %s the verifier's clock, %s more than the %s that %s allows: %s",
			between, side, elapsed.Between(s.now, most), elapsed.Text(s.policy.ClockSkew), s.setting("ClockSkew"), advice)}
	if zone, ok := zoneOf(-skew); ok {
		f.Cause = CauseLocalTime
		f.Detail = fmt.Sprintf("the signed date is %s %s the verifier's clock, as the local time of %s is: the sender writes that where UTC is meant", between, side, zone)
	}
	if c.Presigned && skew > 0 {
		f = Finding{Cause: CauseExpired, Proven: true, Change: "for use until " + c.Time.Add(c.Expires).UTC().Format(time.RFC3339),
			Detail: fmt.Sprintf("the link was valid for %s and came %s after that: make a new one, or one that is valid for longer",
				elapsed.Text(c.Expires), elapsed.Between(s.now, c.Time.Add(c.Expires)))}
	}
	return f, true
}

// partOfAnHour are the offsets of time zones that are not whole hours.
var partOfAnHour = []time.Duration{-(9*60 + 30) * time.Minute, -(3*60 + 30) * time.Minute, -(2*60 + 30) * time.Minute,
	(3*60 + 30) * time.Minute, (4*60 + 30) * time.Minute, (5*60 + 30) * time.Minute, (5*60 + 45) * time.Minute,
	(6*60 + 30) * time.Minute, (8*60 + 45) * time.Minute, (9*60 + 30) * time.Minute, (10*60 + 30) * time.Minute,
	(12*60 + 45) * time.Minute, (13*60 + 45) * time.Minute}

// zoneOf names the time zone that is offset from UTC by about d.
func zoneOf(d time.Duration) (string, bool) {
	const tolerance = 2 * time.Minute
	offset := d.Round(15 * time.Minute)
	if (d-offset).Abs() > tolerance || offset < -12*time.Hour || offset > 14*time.Hour || offset.Abs() < time.Hour {
		return "", false
	}
	if offset%time.Hour != 0 && !slices.Contains(partOfAnHour, offset) {
		return "", false
	}
	sign := '+'
	if offset < 0 {
		sign = '-'
	}
	offset = offset.Abs()
	return fmt.Sprintf("UTC%c%02d:%02d", sign, int(offset.Hours()), int(offset.Minutes())%60), true
}

// timely reports whether the policy accepts the date of a credential.
func (s *search) timely(c *core.Credential) bool {
	valid := s.policy.ClockSkew
	if c.Presigned {
		valid = c.Expires
	}
	age := s.now.Sub(c.Time)
	return !c.SignsRequest || age <= valid && age >= -s.policy.ClockSkew
}
