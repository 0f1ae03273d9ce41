package core

import (
	"fmt"
	"log/slog"
)

const redacted = "[redacted]"

// Secret holds a secret text and prints as [redacted]: in every verb of fmt, in
// JSON and other text encodings, and in slog, also inside other values. The
// zero value is the empty secret. Secrets are not comparable to any use: two
// made from one text are different values.
//
// It guards against printing by accident. It does not keep the text out of
// memory dumps.
type Secret struct {
	// A pointer, so that printing a struct with an unexported Secret shows an
	// address: fmt cannot call methods on unexported fields.
	text *string
}

// NewSecret returns a Secret that holds text.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{text: &text}
}

// Reveal returns the text. Schemes call it to compute; whoever else does is
// responsible for where it goes.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero reports whether the secret is empty.
func (s Secret) IsZero() bool { return s.text == nil }

// String returns "[redacted]".
func (s Secret) String() string { return redacted }

// Format writes "[redacted]" for every verb.
func (s Secret) Format(f fmt.State, verb rune) { f.Write([]byte(redacted)) }

// MarshalText returns "[redacted]"; encoding/json uses it as well.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue returns "[redacted]".
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
