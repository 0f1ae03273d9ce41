package main

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/cmd/gatewayauth/internal/capture"
	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/explain"
)

// option is what the one who asks calls an option: the flag, or the field of the
// page.
func (q *question) option(flag string) string {
	if !q.form {
		return "--" + flag
	}
	return map[string]string{"at": "Clock", "host": "Hosts", "prefix": "Prefixes", "header": "Headers", "client-canonical": "Canonical request of the sender"}[flag]
}

// advise says what to try next.
func (q *question) advise(a *answer, c *capture.Captured) {
	x := a.Explanation
	try := func(text string) { a.Advice = append(a.Advice, text) }
	late := slices.ContainsFunc(x.Causes, func(f explain.Finding) bool {
		return f.Cause == explain.CauseClock || f.Cause == explain.CauseLocalTime || f.Cause == explain.CauseExpired
	})
	if !x.Accepted() && (late || x.Code == core.CodeSignatureExpired || x.Code == core.CodeSignatureNotYetValid) && q.at == "" && !x.SignedAt.IsZero() {
		try("a saved request is expired by now: judge it as of when it was received, with " + q.option("at") + " " + x.SignedAt.UTC().Format(time.RFC3339))
	}
	switch {
	case x.Code != core.CodeSignatureMismatch || len(x.Causes) > 0:
	case x.CanonicalRequest == "":
		try("the password is another: compare it with the gateway's, also for blanks and line breaks")
	default:
		q.adviseChanges(x, c.Request, try)
		if q.canonical == "" {
			try("let the sender log its canonical request, and give that with " + q.option("client-canonical"))
		}
		try("if all of it was saved as it arrived, and none of that fits, the sender's secret is another")
	}
	if x.Code == core.CodeCredentialMissing && c.Format == "har" {
		try("a browser's HAR holds what was sent to the gateway, and the signature comes after that: save the request where the backend receives it")
	}
}

// adviseChanges says what may have been changed that cannot be found without being
// named.
func (q *question) adviseChanges(x *explain.Explanation, r *http.Request, try func(string)) {
	lines := strings.Split(x.CanonicalRequest, "\n")
	var others []string
	for name := range strings.SplitSeq(lines[max(0, len(lines)-2)], ";") {
		if name != "host" && !strings.HasSuffix(name, "-date") {
			others = append(others, name)
		}
	}
	if len(q.hosts) == 0 {
		try("the host is what is changed most often, and nothing here says which one was signed: it arrived as " + printable(cmp.Or(r.Host, "none")) +
			". Name the host that the gateway calls, with its port if it has one, with " + q.option("host") + " api.example.com")
	}
	if len(q.prefixes) == 0 {
		try("a proxy may have taken away a prefix of the path, or put one in front: name it with " + q.option("prefix") + " /v1")
	}
	if len(q.headers) == 0 && len(others) > 0 {
		try("a signed header may have had another value (signed are " + printable(strings.Join(others, ", ")) + "): name it with " + q.option("header") + " '" + printable(others[0]) + ": value'")
	}
}

// dateIn is the date in a request whose credential cannot be read, and where it
// was found; zero for none.
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
					return at, "no credential can be read: judged at the date in " + printable(name) + ", so that nothing is said about clocks"
				}
			}
		}
	}
	return time.Time{}, "the request holds no date that can be read: judged by the clock of now; give the date itself if it matters"
}
