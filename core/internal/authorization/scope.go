package authorization

import "strings"

// Scope is a credential of the form id/yyyymmdd/region/service, with or
// without a terminator after it.
type Scope struct {
	KeyID string
	// Text is everything after the id and its slash, as presented.
	Text                  string
	Date, Region, Service string
}

// ParseScope reads a credential that ends with /terminator, or with the service
// where terminator is empty. The parts are exactly those, none is empty, and no
// part holds a slash. What date, region and service are is for the caller to
// check.
func ParseScope(credential, terminator string) (Scope, bool) {
	var s Scope
	if terminator != "" {
		var ends bool
		if s.Service, ends = strings.CutSuffix(credential, terminator); !ends {
			return s, false
		}
		if s.Service, ends = strings.CutSuffix(s.Service, "/"); !ends {
			return s, false
		}
	} else {
		s.Service = credential
	}
	_, s.Text, _ = strings.Cut(credential, "/")
	for _, part := range []*string{&s.KeyID, &s.Date, &s.Region} {
		var found bool
		if *part, s.Service, found = strings.Cut(s.Service, "/"); !found || *part == "" {
			return s, false
		}
	}
	return s, s.Service != "" && strings.IndexByte(s.Service, '/') < 0
}

// ParseScopeWithoutRegion is [ParseScope] for a credential of the form
// id/yyyymmdd/service/terminator.
func ParseScopeWithoutRegion(credential, terminator string) (Scope, bool) {
	var s Scope
	var ends bool
	s.KeyID, s.Text, _ = strings.Cut(credential, "/")
	s.Date, s.Service, _ = strings.Cut(s.Text, "/")
	s.Service, ends = strings.CutSuffix(s.Service, "/"+terminator)
	return s, ends && s.KeyID != "" && s.Service != "" && !strings.Contains(s.Service, "/")
}
