package summary

import (
	"fmt"
	"strings"
)

// Doubt says why the log does not show whether enforce mode would refuse requests, and
// what to do. It returns "" if the log shows it, whether or not it has refusals.
//
// Refusals are logged at level warn, accepted requests at level debug. A log without
// either may be from a service that accepted everything, that received no requests, or
// that verifies nothing, so it shows nothing.
func (s *Summary) Doubt() string {
	switch {
	case s.Lines == 0:
		return "the log is empty: use a log in which the service started and received requests"
	case s.Unclear > 0:
		var first []string
		for _, u := range s.UnclearLines {
			first = append(first, fmt.Sprintf("line %d: %s", u.Line, u.Why))
		}
		return fmt.Sprintf("%s of a verifier and could not be parsed, so the counts may lack requests that would be refused (%s)",
			Counted(s.Unclear, "line may be a record", "lines may be records"), strings.Join(first, "; "))
	case s.Records == 0:
		return fmt.Sprintf("there is no record of a verifier in the %s (%d in JSON, %d in key=value, %d in neither): use the log of the service itself, "+
			"from its start on, at level debug (accepted requests are logged at level debug, refusals at level warn)",
			Counted(s.Lines, "line", "lines"), s.Lines-s.Text-s.Unreadable, s.Text, s.Unreadable)
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
		return "no record is from an environment in report mode: set mode: report, and use the log of that service"
	case len(silent) > 0:
		return fmt.Sprintf("a verifier ran in report mode (environment %s), and the log has no request that it verified or would have refused: "+
			"accepted requests are logged at level debug, so set the level of the log's handler to debug and send requests through the gateway",
			strings.Join(silent, ", "))
	}
	return ""
}
