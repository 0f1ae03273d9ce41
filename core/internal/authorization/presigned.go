package authorization

import (
	"errors"
	"net/url"
	"strings"
	"time"
)

// Presigned are the parameters of a query that is a credential, decoded. One
// that is absent or has no value is empty.
type Presigned struct {
	Algorithm, Credential, Date, Expires, SignedHeaders, Signature string
}

// ErrParameterTwin is returned by [ParsePresigned] for a query in which a
// parameter of the credential occurs twice, or in another case: readers could
// take either.
var ErrParameterTwin = errors.New("a parameter of the credential occurs twice, or in another case")

// ParsePresigned reads the parameters of a raw query whose decoded names start
// with prefix. Names are case-sensitive. Other parameters are not looked at.
func ParsePresigned(query, prefix string) (Presigned, error) {
	var p Presigned
	var seen [6]bool
	for piece := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(piece, "=")
		name, err := url.QueryUnescape(name)
		if err != nil {
			return p, errForm
		}
		if len(name) < len(prefix) || !strings.EqualFold(name[:len(prefix)], prefix) {
			continue
		}
		i, field := p.parameter(name[len(prefix):])
		if field == nil {
			continue
		}
		if seen[i] || name != prefix+parameterNames[i] {
			return p, ErrParameterTwin
		}
		seen[i] = true
		if *field, err = url.QueryUnescape(value); err != nil {
			return p, errForm
		}
	}
	return p, nil
}

var parameterNames = [6]string{"Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature"}

// parameter returns the field for a parameter's name in any case; nil if there
// is none.
func (p *Presigned) parameter(name string) (int, *string) {
	fields := [6]*string{&p.Algorithm, &p.Credential, &p.Date, &p.Expires, &p.SignedHeaders, &p.Signature}
	for i, known := range parameterNames {
		if strings.EqualFold(name, known) {
			return i, fields[i]
		}
	}
	return -1, nil
}

// MaxExpires is the longest time that a credential in a query may be valid.
const MaxExpires = 7 * 24 * time.Hour

// ParseExpires reads a number of seconds from 1 to [MaxExpires]: decimal digits
// and nothing else, without leading zeros.
func ParseExpires(s string) (time.Duration, bool) {
	const longest = len("604800")
	seconds, ok := number(s)
	if !ok || s == "" || s[0] == '0' || len(s) > longest {
		return 0, false
	}
	expires := time.Duration(seconds) * time.Second
	return expires, expires <= MaxExpires
}
