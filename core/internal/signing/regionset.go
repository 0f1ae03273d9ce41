package signing

import (
	"net/http"
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
)

// parseRegionSet reads the region set, in which core looks for the key's region. It
// stands in a parameter of the query form, or in a signed header.
func (s *scheme) parseRegionSet(r *http.Request, c *core.Credential, set Value, wildcards bool) error {
	if !c.Presigned {
		set = SignedHeader(r, c, s.RegionSetHeader)
	}
	if !set.Present {
		if !c.Presigned && header(r, s.RegionSetHeader).Present {
			return core.RefuseWithHint(core.CodeHeaderNotSigned, "x-amz-region-set is not signed", "The sender must sign x-amz-region-set.")
		}
		return malformed("there is no x-amz-region-set")
	}
	c.Region = strings.Trim(set.Text, " ")
	if c.Region == "" {
		return malformed("x-amz-region-set is empty")
	}
	c.InRegion = func(region string) bool { return inRegionSet(region, set.Text, wildcards) }
	return nil
}

// inRegionSet reports whether an entry of the set is the region, or matches it where
// wildcards count.
func inRegionSet(region, set string, wildcards bool) bool {
	for entry := range strings.SplitSeq(set, ",") {
		entry = strings.Trim(entry, " ")
		if entry == region || wildcards && matches(entry, region) {
			return true
		}
	}
	return false
}

// matches reports whether a pattern, in which '*' stands for any text, matches
// the whole of name.
func matches(pattern, name string) bool {
	first, rest, wild := strings.Cut(pattern, "*")
	if !wild {
		return pattern == name
	}
	name, ok := strings.CutPrefix(name, first)
	if !ok {
		return false
	}
	for {
		part, after, more := strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(name, rest)
		}
		i := strings.Index(name, part)
		if i < 0 {
			return false
		}
		name, rest = name[i+len(part):], after
	}
}
