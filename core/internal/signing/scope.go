package signing

import (
	"strings"

	"github.com/gatewayauth/gatewayauth/core/internal/authorization"
	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
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

// parse reads a credential. It returns nil where that does not have the parts of
// the scope.
func (s *Scope) parse(m *canonical.Message, credential string) *authorization.Scope {
	if !s.WithoutRegion {
		return m.Authorization.Scope(credential, s.Terminator)
	}
	scope, ok := authorization.ParseScopeWithoutRegion(credential, s.Terminator)
	if !ok {
		return nil
	}
	return &scope
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
