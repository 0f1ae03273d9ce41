package sigv4

import (
	"context"
	"net/http"
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
)

// parseRegion sets the region to the key's where the region set holds it, and
// else to the set as it stands, which is no key's region: core compares.
//
// A set of one name needs no key. For others the key is asked for its region;
// where there is none, core finds that out again, and gives the reason.
func (a ecdsaP256) parseRegion(r *http.Request, c *core.Credential, set field) error {
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
	if !strings.ContainsAny(set.value, ",*") {
		return nil
	}
	if region := a.regionOf(r.Context(), c.KeyID); region != "" && a.inRegionSet(region, set.value) {
		c.Region = region
	}
	return nil
}

// regionOf returns the region of a key, or nothing.
func (a ecdsaP256) regionOf(ctx context.Context, id string) (region string) {
	defer func() { _ = recover() }() // a source that panics does so again when core asks it, and core reports it
	key, err := a.keys.Key(ctx, id)
	if err != nil || key == nil {
		return ""
	}
	return key.Region
}

// inRegionSet reports whether an entry of the set is the region, or matches it.
func (a ecdsaP256) inRegionSet(region, set string) bool {
	for entry := range strings.SplitSeq(set, ",") {
		entry = strings.Trim(entry, " ")
		if entry == region || a.wildcards && matches(entry, region) {
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
