package sigv4

import (
	"net/http"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/internal/authorization"
)

// httpDate reads the date of a request without x-amz-date, which some signers leave
// out where their caller has set Date. It returns the date as the string to sign has
// it, in the form of x-amz-date, and false where there is none.
//
// A Date is of that form, or the preferred one of HTTP (RFC 9110 section 5.6.7) with
// the zone GMT, +0000 or -0000: botocore writes the last one. No other zone or
// spelling of a date is accepted, nor a day of the week that is not the date's.
func httpDate(r *http.Request) (timestamp string, ok bool, err error) {
	values := r.Header["Date"]
	switch len(values) {
	case 0:
		return "", false, nil
	case 1:
	default:
		return "", false, core.Refuse(core.CodeRequestAmbiguous, "more than one Date, and no x-amz-date")
	}
	if _, ok := authorization.ParseDate(values[0]); ok {
		return values[0], true, nil
	}
	const form = "Mon, 02 Jan 2006 15:04:05"
	text, zone := values[0], ""
	if len(text) > len(form) {
		text, zone = text[:len(form)], text[len(form):]
	}
	if zone != " GMT" && zone != " +0000" && zone != " -0000" {
		return "", false, errHTTPDate
	}
	at, failed := time.Parse(form, text)
	if failed != nil || at.Format(form) != text {
		return "", false, errHTTPDate
	}
	return at.Format(authorization.DateFormat), true, nil
}

var errHTTPDate = core.Refuse(core.CodeCredentialMalformed, "there is no x-amz-date, and Date is not of the form Thu, 15 Jan 2026 12:00:00 GMT (or +0000, -0000)")
