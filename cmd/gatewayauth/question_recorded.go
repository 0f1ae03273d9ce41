package main

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/cmd/gatewayauth/internal/capture"
	"github.com/gatewayauth/gatewayauth/core"
)

// elsewhere are the codes of refusals that do not follow from the request alone.
var elsewhere = []core.Code{core.CodeReplayed, core.CodeThrottled, core.CodeUnavailable}

// fillIn gives a kept request the headers that the user names instead of those whose
// values are not in the file. It returns the names that are still without a value. Other
// headers of the user remain values to try.
func (q *question) fillIn(c *capture.Captured) (missing []string, err error) {
	given := http.Header{}
	var others []string
	for _, text := range q.headers {
		name, value, err := q.header(text)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(c.Recorded.Withheld, func(w string) bool { return strings.EqualFold(w, name) }) {
			given.Add(name, value)
		} else {
			others = append(others, text)
		}
	}
	q.headers = others
	for _, name := range c.Recorded.Withheld {
		values := given.Values(name)
		if len(values) == 0 {
			if !slices.Contains(missing, name) {
				missing = append(missing, name)
			}
			continue
		}
		c.Request.Header[http.CanonicalHeaderKey(name)] = values
	}
	return missing, nil
}

// reasons are what the verifier said when it refused the request: what was wrong, where
// it said more than the code, and what to do.
func reasons(r *capture.Recorded) (all []string) {
	_, detail, _ := strings.Cut(r.Error, ": "+r.Code+": ")
	if detail != "" {
		all = append(all, printable(detail))
	}
	return append(all, sentence(printable(cmp.Or(r.Hint, core.Code(r.Code).Hint()))))
}

// asRecorded adds to an answer what the file of a kept request says besides the request.
// missing are the withheld values that the user did not give.
func (q *question) asRecorded(a *answer, c *capture.Captured, missing []string) {
	x, r := a.Explanation, c.Recorded
	a.Recorded = r
	code, was := core.Code(r.Code), "the verifier refused the request with "+r.Code+" on "+r.At.UTC().Format(time.RFC3339)
	partial := len(missing) > 0 || slices.ContainsFunc(c.Notes, func(note string) bool { return strings.HasPrefix(note, "The body ") })
	switch {
	case r.ByAdapter:
		a.Notes = append(a.Notes, "the adapter or the proxy, and not the verifier, refused the request on "+r.At.UTC().Format(time.RFC3339)+": "+printable(r.Error))
	case x.Code == code:
	case slices.Contains(elsewhere, code):
		a.fromRecord = x.Accepted() || partial
		a.Notes = append(a.Notes, was+": "+inOneLine(reasons(r))+". That does not follow from the request alone")
	case !a.At.Equal(r.At):
		a.Notes = append(a.Notes, was+". The verdict here differs: the clock is another one than when the request was received, which "+q.option("at")+" has set")
	case partial:
		a.fromRecord = true
		a.Notes = append(a.Notes, was+": "+inOneLine(reasons(r))+". The verdict here differs, because the file does not hold all of the request")
	default:
		a.Notes = append(a.Notes, was+". The verdict here differs: the environments file or its secrets have changed since, or the service uses others")
	}
	if slices.ContainsFunc(c.Notes, func(note string) bool { return strings.HasPrefix(note, "The body is cut") }) && x.Code != code {
		a.Advice = append(a.Advice, "the body in the file is cut: raise bodies in the section capture")
	}
	if len(missing) == 0 || x.Accepted() || len(x.Causes) > 0 || x.Code == code && slices.Contains(verdictSuffices, code) {
		return
	}
	for _, name := range missing {
		if _, isHeader := c.Request.Header[http.CanonicalHeaderKey(name)]; isHeader {
			a.Advice = append(a.Advice, "the file does not hold the value of "+printable(name)+", which is a secret: give it "+q.with("header", q.quoted(printable(name)+": value")))
			continue
		}
		a.Advice = append(a.Advice, "the file does not hold the value of the parameter "+printable(name)+", which is a secret: write it into the file in place of %5Bwithheld%5D")
	}
}
