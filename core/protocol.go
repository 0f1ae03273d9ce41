package core

import (
	"fmt"
	"slices"
	"strings"
)

// protocolPrefixes are the prefixes of the schemes of this module. A header with one of
// them must occur once and without underscores in every request, whatever its scheme:
// when this is checked, the sender is not known yet.
var protocolPrefixes = [...]string{"x-sdk-", "x-amz-"}

// setPrefixes sets which headers the requests of a scheme must sign: those of its
// protocol, or those of all schemes of this module if it is no ProtocolScheme.
func (x *compiledScheme) setPrefixes() error {
	x.prefixes = protocolPrefixes[:]
	if s, ok := x.Scheme.(ProtocolScheme); ok {
		prefix := s.HeaderPrefix()
		if !isHeaderName(prefix) || !strings.HasSuffix(prefix, "-") {
			return &ConfigError{Field: "HeaderPrefix", Rule: fmt.Sprintf("%q is not the start of header names, in lower case and with a dash at its end", prefix)}
		}
		x.prefixes = []string{prefix}
	}
	x.notSigned = "a protocol header (" + strings.Join(x.prefixes, "*, ") + "*) is present and not signed"
	return nil
}

// owns reports whether a header belongs to the protocol of the scheme.
func (x *compiledScheme) owns(header string) bool { return startsWith(header, x.prefixes) }

// isProtocol reports whether a header belongs to the protocol of any scheme of the policy
// or of this module. Underscores count as dashes.
func (p *policy) isProtocol(header string) bool {
	return startsWith(header, protocolPrefixes[:]) || startsWith(header, p.prefixes)
}

func startsWith(header string, prefixes []string) bool {
	for _, prefix := range prefixes {
		if len(header) >= len(prefix) && sameSpelling(prefix, header[:len(prefix)]) {
			return true
		}
	}
	return false
}

// allowsUnsigned reports whether AllowUnsigned lists a header.
func (p *policy) allowsUnsigned(header string) bool {
	for _, name := range p.AllowUnsigned {
		if sameName(name, header) {
			return true
		}
	}
	return false
}

// Headers that AllowUnsigned cannot except, and what they do: by name, and by name
// behind the prefix of a protocol.
var (
	steering = map[string]string{
		"host":             "says for whom the request is: RequireSigned decides whether it must be signed",
		"date":             saysWhen,
		"authorization":    holdsCredential,
		"x-auth-token":     holdsCredential,
		"x-security-token": holdsToken,
	}
	steeringProtocol = map[string]string{
		"date":           saysWhen,
		"content-sha256": saysBody,
		"content-sm3":    saysBody,
		"security-token": holdsToken,
		"auth-token":     holdsToken,
		"region-set":     "says for which regions the request was signed, so it must be signed",
		"algorithm":      holdsCredential,
		"credential":     holdsCredential,
		"signature":      holdsCredential,
		"signedheaders":  holdsCredential,
		"expires":        "says for how long the request is valid, so it must be signed",
	}
)

const (
	saysWhen        = "says when the request was signed, so it must be signed"
	saysBody        = "says what the body is, and counts only where it is signed"
	holdsToken      = "holds the session token, so it must be signed"
	holdsCredential = "is part of a credential, and not a header that something adds behind the signer"
)

// validateAllowed reads AllowUnsigned, and reports names that cannot be excepted.
func (x *compiler) validateAllowed() {
	names := make([]string, 0, len(x.AllowUnsigned))
	for i, given := range x.AllowUnsigned {
		name := strings.ToLower(given)
		if reason := x.whyNot(name); reason != "" {
			x.wrongValue(item("AllowUnsigned", i), name, reason)
		}
		names = append(names, name)
	}
	x.AllowUnsigned = names
}

// whyNot says why a header cannot be left unsigned, "" where it can.
func (p *policy) whyNot(name string) string {
	requires := func(list []required) bool {
		return slices.ContainsFunc(list, func(h required) bool { return h.name == name })
	}
	switch reason := steering[name]; {
	case reason != "":
		return reason
	case name == p.headerName:
		return holdsCredential
	case !isHeaderName(name) || p.unsignable(name):
		return "is not the name of a header that can be signed"
	case strings.ContainsAny(name, "*_") || strings.HasSuffix(name, "-"):
		return "is no exact name of a header; list each by its name, with dashes"
	case isOneOf(name, overrideHeaders[:]):
		return "changes the method, so it must be signed"
	case requires(p.required):
		return "is required to be signed as well (RequireSigned)"
	case requires(p.requiredWithBody):
		return "is required to be signed as well (RequireSignedWithBody)"
	}
	return p.steers(name)
}

// steers says what a protocol header does that AllowUnsigned cannot except, "" for others.
// It allocates nothing.
func (p *policy) steers(header string) string {
	for _, prefixes := range [...][]string{protocolPrefixes[:], p.prefixes} {
		for _, prefix := range prefixes {
			if len(header) < len(prefix) || !sameName(prefix, header[:len(prefix)]) {
				continue
			}
			for rest, reason := range steeringProtocol {
				if sameName(rest, header[len(prefix):]) {
					return reason
				}
			}
		}
	}
	return ""
}
