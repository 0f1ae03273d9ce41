package signing

import (
	"strings"

	"github.com/gatewayauth/gatewayauth/core/internal/authorization"
)

// A Scope is what follows the key's id in a credential:
//
//	yyyymmdd/region/service/terminator
type Scope struct {
	// Terminator is the last part; empty where there is none.
	Terminator string
	// WithoutRegion leaves the region out: the request carries a region set.
	WithoutRegion bool
}

const dayFormat = "20060102"

// parse reads a credential, and reports false where that does not have the parts of the
// scope. Without a scope it is the id.
func (s *Scope) parse(credential string) (authorization.Scope, bool) {
	switch {
	case s == nil:
		return authorization.Scope{KeyID: credential}, true
	case s.WithoutRegion:
		return authorization.ParseScopeWithoutRegion(credential, s.Terminator)
	}
	return authorization.ParseScope(credential, s.Terminator)
}

// text returns the scope of a day.
func (s *Scope) text(day, region, service string) string {
	parts := []string{day}
	if !s.WithoutRegion {
		parts = append(parts, region)
	}
	parts = append(parts, service)
	if s.Terminator != "" {
		parts = append(parts, s.Terminator)
	}
	return strings.Join(parts, "/")
}
