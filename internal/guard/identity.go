package guard

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
)

// Prefix is what the names of the identity's headers start with.
const Prefix = "X-Gatewayauth-"

const (
	headerVerified      = Prefix + "Verified"
	headerRemote        = Prefix + "Remote"
	headerEnvironment   = Prefix + "Environment"
	headerKey           = Prefix + "Key"
	headerKeyID         = Prefix + "Key-Id"
	headerScheme        = Prefix + "Scheme"
	headerPayload       = Prefix + "Payload"
	headerCovers        = Prefix + "Covers"
	headerSignedHeaders = Prefix + "Signed-Headers"
	headerReplayChecked = Prefix + "Replay-Checked"
	headerRetry         = Prefix + "Retry"
)

// Headers returns the names of the identity's headers.
func Headers() []string {
	return []string{headerVerified, headerRemote, headerEnvironment, headerKey, headerKeyID, headerScheme, headerPayload,
		headerCovers, headerSignedHeaders, headerReplayChecked, headerRetry}
}

// reserved reports whether a service could take a name for one of the identity's headers.
func reserved(name string) bool {
	if len(name) < len(Prefix) {
		return false
	}
	for i := range len(Prefix) {
		want, got := Prefix[i], name[i]
		switch {
		case want == '-':
			if isAlphanumeric(got) {
				return false
			}
		case got|0x20 != want|0x20:
			return false
		}
	}
	return true
}

func isAlphanumeric(b byte) bool {
	return '0' <= b && b <= '9' || 'a' <= b|0x20 && b|0x20 <= 'z'
}

func isToken(c rune) bool {
	return c < 0x80 && isAlphanumeric(byte(c)) || strings.ContainsRune("!#$%&'*+-.^_`|~", c)
}

// checkLookalikes refuses headers that a service could take for others, whose names are in
// lower case, but for those besides: any character that is neither letter nor digit counts as
// the dash. The verifier has refused those that differ from a signed one in underscores.
func checkLookalikes(r *http.Request, others, besides []string) error {
	var found []string
	taken, odd := "", slices.ContainsFunc(others, hasOtherDash)
	for name := range r.Header {
		if !odd && !hasOtherDash(name) {
			continue
		}
		lower := strings.ToLower(name)
		if slices.Contains(others, lower) || slices.Contains(besides, lower) {
			continue
		}
		dashed := withDashes(lower)
		if i := slices.IndexFunc(others, func(other string) bool { return withDashes(other) == dashed }); i >= 0 {
			found, taken = append(found, name), others[i]
		}
	}
	switch len(found) {
	case 0:
		return nil
	case 1:
		return &core.Error{Code: core.CodeRequestAmbiguous, Header: found[0],
			Detail: "services could take a header for " + taken + ", since it has other characters for the dashes: send one of them"}
	}
	slices.Sort(found)
	return &core.Error{Code: core.CodeRequestAmbiguous, Header: strings.Join(found, ", "),
		Detail: "services could take headers for others, since they have other characters for the dashes: send one of each"}
}

func hasOtherDash(name string) bool { return strings.ContainsFunc(name, isOtherDash) }

// withDashes returns a name with dashes for all that counts as one.
func withDashes(name string) string {
	return strings.Map(func(c rune) rune {
		if isOtherDash(c) {
			return '-'
		}
		return c
	}, name)
}

// isOtherDash reports whether a character of a name counts as the dash, and is none.
func isOtherDash(c rune) bool { return c < 0x80 && c != '-' && !isAlphanumeric(byte(c)) }

// setIdentity replaces the identity's headers in h, which nobody else has, by those of r. If
// r is not proven, it is not verified.
func setIdentity(h http.Header, r *http.Request, proven bool) {
	for name := range h {
		if reserved(name) {
			delete(h, name)
		}
	}
	id, verified := core.FromContext(r.Context())
	verified = verified && proven
	h[headerVerified] = []string{strconv.FormatBool(verified)}
	h[headerRemote] = []string{r.RemoteAddr}
	if !verified {
		return
	}
	covers := id.Covers()
	h[headerEnvironment] = []string{id.Environment()}
	h[headerKey] = []string{id.Key()}
	h[headerKeyID] = []string{id.KeyID()}
	h[headerScheme] = []string{id.Scheme()}
	h[headerPayload] = []string{id.Payload().String()}
	h[headerCovers] = []string{parts(covers)}
	// What the caller signed under a name with the prefix is not what the service sees.
	h[headerSignedHeaders] = []string{strings.Join(slices.DeleteFunc(covers.Headers, reserved), ";")}
	h[headerReplayChecked] = []string{strconv.FormatBool(id.ReplayChecked())}
	h[headerRetry] = []string{strconv.FormatBool(id.Retry())}
}

// parts names what is signed of a request besides its headers.
func parts(c core.Coverage) string {
	var signed []string
	for _, part := range []struct {
		name   string
		signed bool
	}{{"target", c.Target}, {"host", c.Host}, {"body", c.Body}} {
		if part.signed {
			signed = append(signed, part.name)
		}
	}
	return strings.Join(signed, ", ")
}
