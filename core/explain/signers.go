package explain

import (
	"net/url"
	"slices"
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
)

// A Prover is a [core.Scheme] that can verify a signature over a canonical request other
// than the one that it computes. With it, [Explain] finds signers that write parts of the
// canonical request in another way.
type Prover interface {
	core.Canonicalizer
	// Proves reports whether the credential's signature is that of the secret over
	// the canonical request. It makes none of the other checks of Verify.
	Proves(canonicalRequest string, c *core.Credential, key *core.Key, secret core.Secret) bool
}

// proves returns the index of the secret with which the signature matches the edited
// canonical request of the hypothesis, or -1.
func (s *search) proves(scheme core.Scheme, h *hypothesis, c *core.Credential, key *core.Key, secrets []core.Secret) int {
	prover, ok := scheme.(Prover)
	if !ok {
		return -1
	}
	text, _, err := prover.Canonical(s.request(h), c, payloadOf(h, c))
	if err != nil {
		return -1
	}
	edited := h.rewrite(text)
	return slices.IndexFunc(secrets, func(secret core.Secret) bool { return prover.Proves(edited, c, key, secret) })
}

// forms yields canonical requests as signers write them that deviate from the
// specification.
func (s *search) forms() (edits []edit) {
	if _, ok := s.scheme.(Prover); !ok || s.credential == nil {
		return nil
	}
	add := func(what string, edit func(*form)) {
		edits = append(edits, newEdit("form", CauseSigner, what,
			"the sender's signer deviates from the specification of the canonical request ("+what+"): use another version of it, or send a request that avoids the difference",
			func(h *hypothesis) {
				h.rewrite = func(text string) string {
					f, ok := parseForm(text)
					if !ok {
						return text
					}
					edit(&f)
					return f.String()
				}
			}))
	}
	query := func(what string, edit func(pieces []string)) {
		add(what, func(f *form) {
			pieces := strings.Split(f.query, "&")
			edit(pieces)
			f.query = strings.Join(pieces, "&")
		})
	}
	_, received := canonical.Target(s.request(&s.base))
	add("parameters as received, not sorted", func(f *form) {
		pieces := strings.Split(each(withoutSignature(received), func(text string) string { return escape(decoded(text), "") }), "&")
		for i := range pieces {
			if !strings.Contains(pieces[i], "=") {
				pieces[i] += "="
			}
		}
		f.query = strings.Join(pieces, "&")
	})
	query("parameters sorted by their decoded names", func(pieces []string) {
		slices.SortFunc(pieces, func(a, b string) int { return strings.Compare(decoded(a), decoded(b)) })
	})
	query("parameters sorted by their encoded names", slices.Sort)
	query("parameters sorted without regard to case", func(pieces []string) {
		slices.SortFunc(pieces, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	})
	query("no = after names without a value", func(pieces []string) {
		for i := range pieces {
			pieces[i] = strings.TrimSuffix(pieces[i], "=")
		}
	})
	add("+ for spaces in the query", func(f *form) { f.query = strings.ReplaceAll(f.query, "%20", "+") })
	add("the query decoded", func(f *form) { f.query, _ = url.PathUnescape(f.query) })
	add("the query as received", func(f *form) { f.query = withoutSignature(received) })
	add("a slash at the end of the path", func(f *form) { f.path = strings.TrimSuffix(f.path, "/") + "/" })
	add("no slash at the end of the path", func(f *form) { f.path = strings.TrimSuffix(f.path, "/") })
	add("percent-encoding in lower case", func(f *form) {
		f.path, f.query = digits(f.path, strings.ToLower), digits(f.query, strings.ToLower)
	})
	add("values of one header joined with a comma", func(f *form) { f.headers = joined(f.headers, ",") })
	add("values of one header joined with a comma and a space", func(f *form) { f.headers = joined(f.headers, ", ") })
	add("spaces inside header values as received", func(f *form) {
		for i, line := range f.headers {
			if values := s.received.Header.Values(line.where); len(values) == 1 {
				f.headers[i].value = values[0]
			}
		}
	})
	add("header values in lower case", func(f *form) {
		for i := range f.headers {
			f.headers[i].value = strings.ToLower(f.headers[i].value)
		}
	})
	add("no empty line after the headers", func(f *form) { f.tight = true })
	add("the hash of the body in upper case", func(f *form) { f.payload = strings.ToUpper(f.payload) })
	add("a line break at the end", func(f *form) { f.payload += "\n" })
	return edits
}

// joined joins the lines of one header into one line.
func joined(headers []source, separator string) (lines []source) {
	for _, line := range headers {
		if n := len(lines); n > 0 && lines[n-1].where == line.where {
			lines[n-1].value += separator + line.value
			continue
		}
		lines = append(lines, line)
	}
	return lines
}

// withoutSignature removes the signature from a query.
func withoutSignature(query string) string {
	return strings.Join(slices.DeleteFunc(strings.Split(query, "&"), isSignature), "&")
}
