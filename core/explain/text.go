package explain

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/explain/internal/elapsed"
)

// hideKey keeps the secrets of a key out of the report.
func (s *search) hideKey(key *core.Key) {
	s.hide(key.Secret)
	s.hide(key.SessionToken)
	for _, p := range key.Previous {
		s.hide(p.Secret)
	}
}

func (s *search) hide(secret core.Secret) {
	const least = 4 // shorter ones could occur anywhere in the report
	for _, text := range []string{secret.Reveal(), strings.TrimSpace(secret.Reveal())} {
		if len(text) >= least {
			s.hidden[text] = true
		}
	}
}

const redacted = "[redacted]"

// private matches the parts of requests that others could misuse: signatures and session
// tokens in a query, and the values of some headers.
var private = regexp.MustCompile(`(?im)(\bx-(?:sdk|amz)-(?:signature|security-token)=)[^&\s]*|` +
	`^((?:header )?(?:x-security-token|x-amz-security-token|x-auth-token|cookie|authorization|proxy-authorization):).*$`)

// shown prepares a text for output: it removes secrets, escapes the text, and cuts each
// line to most bytes.
func (s *search) shown(text string, most int) string {
	for _, secret := range s.longest {
		text = strings.ReplaceAll(text, secret, redacted)
	}
	text = private.ReplaceAllString(text, "$1$2"+redacted)
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = cut(lines[i], most)
	}
	return strings.Join(lines, "\n")
}

// cut escapes a text to printable ASCII and cuts it to most bytes.
func cut(s string, most int) string {
	end := ""
	if len(s) > most {
		s, end = s[:most], "..."
	}
	if strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c > '~' }) {
		quoted := strconv.QuoteToASCII(s)
		s = quoted[1 : len(quoted)-1]
	}
	return s + end
}

// shownLine is like shown, and replaces line breaks by spaces.
func (s *search) shownLine(text string) string {
	const most = 2048
	return cut(strings.ReplaceAll(s.shown(text, most), "\n", " "), most)
}

// report returns the explanation, prepared for output.
func (s *search) report() *Explanation {
	x := &s.explanation
	s.longest = slices.SortedFunc(maps.Keys(s.hidden), func(a, b string) int { return len(b) - len(a) })
	x.Tried, x.Cut = s.tried, s.cut
	for _, text := range []*string{&x.Detail, &x.Environment, &x.Scheme, &x.Algorithm, &x.KeyID, &x.Key, &x.Bound} {
		*text = s.shownLine(*text)
	}
	const longest = 1 << 20
	x.CanonicalRequest, x.StringToSign = s.shown(x.CanonicalRequest, longest), s.shown(x.StringToSign, longest)
	for _, findings := range [][]Finding{x.Causes, x.Alternatives} {
		for i := range findings {
			findings[i].Detail, findings[i].Change = s.shownLine(findings[i].Detail), s.shownLine(findings[i].Change)
		}
	}
	for i := range x.Lines {
		line := &x.Lines[i]
		for _, text := range []*string{&line.Sender, &line.Verifier} {
			if strings.HasSuffix(line.Name, ":") && private.MatchString(line.Name+*text) {
				*text = redacted
			}
			*text = s.shown(*text, longest)
		}
		line.Name = cut(line.Name, 2048)
	}
	return x
}

// DurationText returns a duration as explanations write it, by its two largest
// units: "3 years 12 days", "4h 10m", "15m".
func DurationText(d time.Duration) string { return elapsed.Text(d) }

// String returns the explanation as text for people.
func (x *Explanation) String() string {
	if x == nil {
		return "<nil>"
	}
	var b strings.Builder
	verdict := "accepted"
	switch {
	case x.Open:
		verdict = "the API is open to everyone"
	case x.Code != "":
		verdict = "refused: " + string(x.Code) + ": " + x.Detail
	}
	fmt.Fprintf(&b, "%s\n", verdict)
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintf(&b, "  %-14s %s\n", name, text)
		}
	}
	line("environment", x.Environment)
	line("scheme", strings.TrimSpace(x.Scheme+" "+x.Algorithm))
	line("key id", x.KeyID)
	line("key", x.Key)
	line("made with", x.MadeWith)
	line("bound key", x.Bound)
	if !x.SignedAt.IsZero() {
		line("signed at", date(x.SignedAt)+", "+x.Clock)
	}
	if x.searched() && len(x.Causes) == 0 {
		line("cause", "none was found")
		if x.Code == core.CodeSignatureMismatch && x.CanonicalRequest != "" {
			line("", "the sender may use another secret, or something was changed that cannot be guessed: most often the host, then the path or a signed header")
		}
	}
	for _, f := range x.Causes {
		writeFinding(line, "cause", f)
	}
	for _, f := range x.Alternatives {
		writeFinding(line, "or", f)
	}
	if x.Tried > 0 {
		cut := ""
		if x.Cut {
			cut = "; the search ended early"
		}
		line("tried", fmt.Sprintf("%d%s", x.Tried, cut))
	}
	block(&b, "canonical request", x.CanonicalRequest)
	block(&b, "string to sign", x.StringToSign)
	if len(x.Lines) > 0 {
		b.WriteString("compared with what was signed:\n")
	}
	for _, l := range x.Lines {
		if !l.Differs {
			fmt.Fprintf(&b, "    %s %s\n", l.Name, l.Verifier)
			continue
		}
		fmt.Fprintf(&b, "  - %s %s\n  + %s %s\n", l.Name, l.Verifier, l.Name, l.Sender)
	}
	return b.String()
}

// searched reports whether a cause was searched. If there is nothing to verify, the
// verdict is the only cause.
func (x *Explanation) searched() bool { return x.Code != "" && x.Tried > 0 }

func writeFinding(line func(name, text string), name string, f Finding) {
	cause := string(f.Cause)
	if !f.Proven {
		cause += " (not proven by a signature)"
	}
	line(name, cause)
	line("", f.Detail)
	if f.Change != "" {
		line("", "as signed: "+f.Change)
	}
}

func block(b *strings.Builder, name, text string) {
	if text != "" {
		fmt.Fprintf(b, "%s:\n    %s\n", name, strings.ReplaceAll(text, "\n", "\n    "))
	}
}
