package sigv4

import (
	"net/http"
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
)

// parseRegion reads the region set, in which core looks for the key's region.
func (a ecdsaP256) parseRegion(r *http.Request, c *core.Credential, parameter field) error {
	set := parameter
	if !c.Presigned {
		set = signedHeader(r, c, regionSetHeader)
	}
	if !set.present {
		if !c.Presigned && header(r, regionSetHeader).present {
			return core.Refuse(core.CodeHeaderNotSigned, "x-amz-region-set is not signed")
		}
		return malformed("there is no x-amz-region-set")
	}
	c.Region = strings.Trim(set.value, " ")
	if c.Region == "" {
		return malformed("x-amz-region-set is empty")
	}
	wildcards, single := a.wildcardsByID[c.KeyID]
	if !single {
		wildcards = a.wildcards
	}
	c.InRegion = func(region string) bool { return inRegionSet(region, set.value, wildcards) }
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
