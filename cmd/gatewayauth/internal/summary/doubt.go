package summary

import (
	"fmt"
	"strings"
)

// Doubt says why the log does not tell whether enforce would refuse anything, and
// what to do; it is "" where the log tells. Refusals in the log are no doubt, but
// for those that may be missing.
//
// Refusals are logged at warn level and acceptances at debug level, so a log
// without either can be that of a service that accepted everything, of one that
// nobody called, or of one that verifies nothing: it is no evidence.
func (s *Summary) Doubt() string {
	switch {
	case s.Lines == 0:
		return "the log is empty: give one in which the service started and was called"
	case s.Unclear > 0:
		var first []string
		for _, u := range s.UnclearLines {
			first = append(first, fmt.Sprintf("line %d: %s", u.Line, u.Why))
		}
		return fmt.Sprintf("%d lines may be records of a verifier and could not be read, so requests that would be refused may be missing from the sums (%s)",
			s.Unclear, strings.Join(first, "; "))
	case s.Records == 0:
		return fmt.Sprintf("there is no record of a verifier in the %d lines (%d in JSON, %d in key=value, %d in neither): give the log of the service itself, "+
			"at level debug (acceptances are logged at debug level, refusals at warn), from its start on",
			s.Lines, s.Lines-s.Text-s.Unreadable, s.Text, s.Unreadable)
	}
	reporting := false
	var silent []string
	for _, e := range s.Environments {
		if e.Mode != "report" {
			continue
		}
		reporting = true
		if e.Verified+e.WouldRefuse == 0 {
			silent = append(silent, e.Name)
		}
	}
	switch {
	case !reporting:
		return "no record is of mode report: what enforce would refuse shows in the log of a service whose environment is in mode report"
	case len(silent) > 0:
		return fmt.Sprintf("a verifier ran in mode report (environment %s), and the log holds no request that it verified or would have refused: "+
			"acceptances are logged at debug level, so set the level of the log's handler to debug and send requests through the gateway",
			strings.Join(silent, ", "))
	}
	return ""
}
