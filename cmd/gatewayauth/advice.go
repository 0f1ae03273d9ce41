package main

import (
	"cmp"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/cmd/gatewayauth/internal/capture"
	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/explain"
)

// option names an option as the user sees it: the flag of the command, or the label
// of the field on the page.
func (q *question) option(flag string) string {
	if !q.form {
		return "--" + flag
	}
	return labels[flag]
}

// labels are the labels of the fields on the page, by the flag with the same meaning.
var labels = map[string]string{"env": "Environment", "at": "Clock", "host": "Hosts", "prefix": "Prefixes", "header": "Headers", "entry": "Entry",
	"client-canonical": "Canonical request of the sender"}

// with says where the user gives a value: with a flag, or in a field of the page.
func (q *question) with(flag, example string) string {
	if q.form {
		return strings.TrimSuffix("in the field "+labels[flag]+": "+example, ": ")
	}
	return strings.TrimSpace("with --" + flag + " " + example)
}

// quoted puts quotes around a value that a shell would split.
func (q *question) quoted(value string) string {
	if q.form {
		return value
	}
	return "'" + value + "'"
}

// words returns a note in the words of the command or the page.
func (q *question) words(note string) string {
	for flag := range labels {
		note = strings.ReplaceAll(note, "with --"+flag, q.with(flag, ""))
	}
	return note
}

// advise appends to the answer what to try next.
func (q *question) advise(a *answer, c *capture.Captured) {
	x := a.Explanation
	try := func(text string) { a.Advice = append(a.Advice, text) }
	late := slices.ContainsFunc(x.Causes, func(f explain.Finding) bool {
		return f.Cause == explain.CauseClock || f.Cause == explain.CauseLocalTime || f.Cause == explain.CauseExpired
	})
	if !x.Accepted() && (late || x.Code == core.CodeSignatureExpired || x.Code == core.CodeSignatureNotYetValid) && q.at == "" && a.Recorded == nil && !x.SignedAt.IsZero() {
		try("a saved request has expired by now: set the verifier's clock to the time when the request was received, " + q.with("at", x.SignedAt.UTC().Format(time.RFC3339)))
	}
	switch {
	case x.Code != core.CodeSignatureMismatch || len(x.Causes) > 0:
	case x.CanonicalRequest == "":
		try("the password differs from the gateway's: compare the two, including spaces and line breaks")
	default:
		q.adviseChanges(x, c.Request, try)
		if q.canonical == "" {
			try("make the sender log its canonical request, and give that " + q.with("client-canonical", ""))
		}
		try("if the request was saved exactly as it arrived and none of this helps, the sender uses another secret")
	}
	if x.Code == core.CodeCredentialMissing && c.Format == "har" {
		try("a browser's HAR file holds the request before the gateway signs it: save the request where the backend receives it")
	}
	if !x.Accepted() && len(x.Causes) == 0 && x.Code != core.CodeSignatureMismatch && c.Broken == nil {
		try(sentence(x.Hint))
	}
}

// sentence returns a hint of package core as the other texts are written: without a capital
// letter at its start and a full stop at its end.
func sentence(hint string) string {
	if hint == "" {
		return ""
	}
	return strings.ToLower(hint[:1]) + strings.TrimSuffix(hint[1:], ".")
}

// inOneLine joins texts that are written as those of sentence: each but the first starts
// with a capital letter, unless it starts with a name.
func inOneLine(texts []string) string {
	var b strings.Builder
	for i, text := range texts {
		if i > 0 {
			b.WriteString(". ")
			if startsWithWord.MatchString(text) {
				text = strings.ToUpper(text[:1]) + text[1:]
			}
		}
		b.WriteString(text)
	}
	return b.String()
}

var startsWithWord = regexp.MustCompile(`^[a-z]+[ ,:]`)

// adviseChanges suggests the changes that explain cannot find unless the user names
// the value that was signed.
func (q *question) adviseChanges(x *explain.Explanation, r *http.Request, try func(string)) {
	lines := strings.Split(x.CanonicalRequest, "\n")
	var others []string
	for name := range strings.SplitSeq(lines[max(0, len(lines)-2)], ";") {
		if name != "host" && !strings.HasSuffix(name, "-date") {
			others = append(others, name)
		}
	}
	if len(q.hosts) == 0 {
		try("the host is what proxies change most often, and the request does not say which host was signed: it arrived as " + printable(cmp.Or(r.Host, "none")) +
			". Give the host that the gateway calls, including a port, " + q.with("host", "api.example.com"))
	}
	if len(q.prefixes) == 0 {
		try("a proxy may have removed or added a prefix of the path: give it " + q.with("prefix", "/v1"))
	}
	if len(q.headers) == 0 && len(others) > 0 {
		try("a signed header may have had another value (signed headers: " + printable(strings.Join(others, ", ")) + "): give it " + q.with("header", q.quoted(printable(others[0])+": value")))
	}
}

// dateIn returns a date found in the headers or the query of a request whose
// credential cannot be parsed, and a note on where it was found. The date is zero
// if there is none.
func dateIn(r *http.Request) (time.Time, string) {
	read := func(text string) (time.Time, bool) {
		if at, err := parseTime(text); err == nil {
			return at, true
		}
		at, err := http.ParseTime(text)
		return at, err == nil
	}
	isDate := func(name string) bool {
		name = strings.ToLower(name)
		return name == "date" || strings.HasPrefix(name, "x-") && strings.HasSuffix(name, "-date")
	}
	query := r.URL.Query()
	for _, values := range []map[string][]string{r.Header, query} {
		var names []string
		for name := range values {
			if isDate(name) {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		slices.Reverse(names) // X-Sdk-Date and X-Amz-Date before Date
		for _, name := range names {
			for _, value := range values[name] {
				if at, ok := read(value); ok {
					return at, "the credential cannot be parsed: the verifier's clock is set to the date in " + printable(name) + ", so clock differences are not checked"
				}
			}
		}
	}
	return time.Time{}, "the request has no date that can be parsed: the verifier's clock is the current time; set it if it matters"
}
