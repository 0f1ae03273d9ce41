package core

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
	"github.com/gatewayauth/gatewayauth/core/internal/elapsed"
)

// found takes changes with which the signature fits, and adds what else is in
// the way.
func (s *search) found(findings []Finding, g *guess, fitting fit) {
	x := &s.explanation
	x.Causes = append(x.Causes, findings...)
	if f, late := s.late(fitting.credential); late {
		x.Causes = append(x.Causes, f)
	}
	if g.key == nil { // else the finding says it
		x.MadeWith = madeWith(fitting.key, fitting.secret, s.now)
	}
	key := fitting.key.Name
	if hasCause(findings, CauseEnvironment) || hasCause(findings, CauseOtherKey) && x.Key != "" && key != s.bound {
		key = x.Key
	}
	if s.matched && key != "" && key != s.bound {
		detail := fmt.Sprintf("signed with the key %s, and the API is bound to %s: bind it to that key, or let the gateway sign with the other", key, s.bound)
		if s.bound == "" {
			detail = fmt.Sprintf("signed with the key %s, and the API is bound to no key: bind it, or set a default", key)
		}
		x.Causes = append(x.Causes, Finding{Cause: CauseBinding, Detail: detail, Change: "key " + key, Proven: true})
	}
	switch rest := s.rest(g, fitting); {
	case rest != nil && len(findings) > 0:
		x.Causes = append(x.Causes, Finding{Cause: CausePolicy, Proven: true,
			Detail: "beside that, this environment refuses the request with " + string(rest.Code) + ": " + inWords(rest) + s.permits(rest, fitting.credential)})
	case rest != nil:
		x.Causes = append(x.Causes, Finding{Cause: CausePolicy, Proven: true,
			Detail: "the signature is right, and this environment refuses the request for something else: " + inWords(rest) + s.permits(rest, fitting.credential)})
	case len(x.Causes) == 0:
		x.Causes = []Finding{{Cause: CausePolicy, Proven: true,
			Detail: "the signature is right, and this environment refuses the request for something else: " + x.Detail}}
	}
}

// permits names the setting that would let a request through which is refused for
// more than its signature.
func (s *search) permits(e *Error, c *Credential) string {
	switch {
	case e.Code == CodePayloadNotSigned:
		return " (" + s.setting("AllowUnsignedPayload") + " permits it)"
	case e.Code == CodeSchemeNotAccepted && c.Presigned && !s.policy.AllowPresigned:
		return " (" + s.setting("AllowPresigned") + " permits it)"
	case e.Code == CodeHeaderNotSigned && slices.ContainsFunc(s.policy.RequireSigned, func(name string) bool { return strings.HasSuffix(e.Detail, ": "+name) }):
		return " (" + s.setting("RequireSigned") + " lists what must be)"
	case e.Code == CodeHeaderNotSigned && slices.ContainsFunc(s.policy.schemes, func(x *accepted) bool { return strings.HasPrefix(e.Detail, x.notSigned.(*Error).Detail) }):
		return " (" + s.setting("AllowUnsigned") + " excepts single headers, each by its name)"
	case e.Code == CodeHostNotOurs:
		return ": it is " + s.base.host + ", and " + s.setting("Hosts") + " lists " + strings.Join(s.policy.Hosts, ", ")
	}
	return ""
}

func hasCause(findings []Finding, cause Cause) bool {
	for _, f := range findings {
		if f.Cause == cause {
			return true
		}
	}
	return false
}

// nothingFits takes what is known where no change makes the credential fit; base
// is how far it fits the request as it is.
func (s *search) nothingFits(base fit) {
	body := Finding{Cause: CauseBody, Proven: true,
		Detail: "the signature is right, and the body has not the digest that it covers: it was changed on the way, or the digest is of something else"}
	if s.consumed() {
		body = Finding{Cause: CauseBodyConsumed, Proven: base.signature,
			Detail: "a body was sent, and the verifier found less than that: something in front of it has read the body. Put the verifier in front, or let that give the body back"}
	}
	switch {
	case base.signature:
		s.found([]Finding{body}, &s.base, base)
	case s.consumed():
		s.explanation.Causes = []Finding{body}
	default:
		for _, name := range s.absent() {
			s.explanation.Causes = append(s.explanation.Causes, Finding{Cause: CauseHeaderMissing, Change: "header " + name,
				Detail: "the sender signed the header " + name + ", and the request has none: let the proxy pass it on, or the sender not sign it"})
		}
	}
}

// consumed reports whether a body was announced that is not there.
func (s *search) consumed() bool {
	r := s.received
	announced, err := announcedLength(r)
	return len(s.body) == 0 && s.whole &&
		(err != nil || announced != 0 || len(r.PostForm) > 0 || r.MultipartForm != nil ||
			s.credential != nil && s.credential.Payload == PayloadDeclared && s.credential.Declared != s.hash(nil))
}

// absent lists the signed headers that the request does not have.
func (s *search) absent() (names []string) {
	for _, name := range s.signed() {
		if !canonical.Has(s.received, name) && name != "" {
			names = append(names, name)
		}
	}
	return names
}

// signed lists the signed headers.
func (s *search) signed() []string {
	if s.credential == nil || s.credential.SignedHeaders == "" {
		return nil
	}
	names := strings.Split(s.credential.SignedHeaders, ";")
	return names[:min(len(names), s.policy.Limits.SignedHeaders)]
}

// late says what is wrong with the date.
func (s *search) late(c *Credential) (Finding, bool) {
	if c == nil || s.policy.checkTime(c, s.now) == nil {
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

// partOfAnHour are the offsets of time zones that are no whole hours.
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

// headerValue returns the first value of a header of the request as received.
func (s *search) headerValue(name string) string {
	return strings.TrimSpace(http.Header.Get(s.received.Header, name))
}
