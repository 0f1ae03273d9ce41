package explain

import (
	"fmt"
	"slices"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/explain/internal/elapsed"
)

// late returns a finding if the policy does not accept the date of the credential.
func (s *search) late(c *core.Credential) (Finding, bool) {
	if c == nil || s.timely(c) {
		return Finding{}, false
	}
	skew := s.now.Sub(c.Time)
	between := elapsed.Between(s.now, c.Time)
	side, most, advice := "behind", c.Time.Add(s.policy.ClockSkew), "correct the clock of the sender or of the verifier; if the request waited in a queue or was sent again, sign it again"
	if skew < 0 {
		side, most, advice = "ahead of", c.Time.Add(-s.policy.ClockSkew), "correct the clock of the sender or of the verifier"
	}
	f := Finding{Cause: CauseClock, Proven: true,
		Detail: fmt.Sprintf("the signed date is %s %s the verifier's clock, %s more than the %s that %s allows: %s. The request would be accepted if signed within %s of %s",
			between, side, elapsed.Between(s.now, most), elapsed.Text(s.policy.ClockSkew), s.setting("ClockSkew"), advice, elapsed.Text(s.policy.ClockSkew), date(s.now))}
	if zone, ok := zoneOf(-skew); ok {
		f.Cause = CauseLocalTime
		f.Detail = fmt.Sprintf("the signed date is %s %s the verifier's clock, which is the local time of %s: make the sender sign the time in UTC", between, side, zone)
	}
	if c.Presigned && skew > 0 {
		f = Finding{Cause: CauseExpired, Proven: true, Change: "for use until " + date(c.Time.Add(c.Expires)),
			Detail: fmt.Sprintf("the presigned link was valid for %s, and the request came %s after that: sign a new link, or one that is valid for longer",
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
