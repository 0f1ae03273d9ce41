package core

import (
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"unicode"
)

const redacted = "[redacted]"

// Secret holds a secret text and prints as [redacted]: in every verb of fmt, in
// JSON and other text encodings, and in slog, also inside other values. The
// zero value is the empty secret. Do not compare Secrets with ==: two that were made
// from the same text are different values.
//
// It guards against printing by accident. It does not keep the text out of
// memory dumps.
type Secret struct {
	// A pointer, so that printing a struct with an unexported Secret shows an
	// address: fmt cannot call methods on unexported fields.
	held *held
}

type held struct {
	// A pointer as well: for some verbs fmt follows one pointer, but never two.
	text    *string
	mu      sync.Mutex
	derived atomic.Pointer[[]any] // of *derivation[K, V], the newest first
}

// NewSecret returns a Secret that holds text.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{held: &held{text: &text}}
}

// Reveal returns the text. Schemes call it to compute. Other callers must keep the text
// out of logs and errors.
func (s Secret) Reveal() string {
	if s.held == nil {
		return ""
	}
	return *s.held.text
}

// IsZero reports whether the secret is empty.
func (s Secret) IsZero() bool { return s.held == nil }

// IsBlank reports whether the secret has no visible character: it is empty, or
// holds nothing but blanks, line ends, control characters (NUL among them) and
// characters that Unicode does not show, such as a byte order mark. A broken pipeline
// can leave such a secret, which everybody could guess. [New] refuses keys with a blank
// secret.
func (s Secret) IsBlank() bool { return isBlank(s.Reveal()) }

// isBlank reports whether a text has no visible character. Bytes that are not
// UTF-8 count as visible: a secret may be binary.
func isBlank(text string) bool {
	for _, r := range text {
		if '!' <= r && r <= '~' { // nearly always the first one
			return false
		}
		if !unicode.In(r, unicode.Z, unicode.Cc, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) {
			return false
		}
	}
	return true
}

// String returns "[redacted]".
func (s Secret) String() string { return redacted }

// Format writes "[redacted]" for every verb.
func (s Secret) Format(f fmt.State, verb rune) { f.Write([]byte(redacted)) }

// MarshalText returns "[redacted]"; encoding/json uses it as well.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue returns "[redacted]".
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// Derive returns what derive makes of the secret's text, and remembers it with
// the secret, so that a rotated secret never meets the derivations of another.
// Schemes keep derived keys and prepared states in it. The key names the
// derivation; at most eight are remembered, the newest, so callers let nothing
// into it that a stranger can choose freely. The result is shared by concurrent
// calls.
func Derive[K comparable, V any](s Secret, key K, derive func(text string) V) V {
	if s.held == nil {
		return derive("")
	}
	if v, ok := derived[K, V](s.held, key); ok {
		return v
	}
	s.held.mu.Lock()
	defer s.held.mu.Unlock()
	if v, ok := derived[K, V](s.held, key); ok {
		return v
	}
	v := derive(*s.held.text)
	const most = 8
	all := []any{&derivation[K, V]{key, v}}
	if old := s.held.derived.Load(); old != nil {
		all = append(all, (*old)[:min(len(*old), most-1)]...)
	}
	s.held.derived.Store(&all)
	return v
}

type derivation[K comparable, V any] struct {
	key   K
	value V
}

func derived[K comparable, V any](h *held, key K) (v V, ok bool) {
	if all := h.derived.Load(); all != nil {
		for _, entry := range *all {
			if d, is := entry.(*derivation[K, V]); is && d.key == key {
				return d.value, true
			}
		}
	}
	return v, false
}
