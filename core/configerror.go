package core

import "fmt"

// A ConfigError is one thing that is wrong with a configuration. [New] and
// [Verifier.Reload] return all of them at once, joined: errors.AsType finds the
// first, and Unwrap() []error gives each. Schemes report the problems of their own
// configuration the same way, see [Validator]. It holds no secret.
type ConfigError struct {
	// Key is the name of the key that Field belongs to. It is empty where Field
	// belongs to the configuration itself.
	Key string
	// Field is the path of the field, such as Limits.Target, APIs[2].Match or, with
	// Key, Previous[0].Secret. It is empty where no one field is meant.
	Field string
	// Value is what the field holds, quoted as by strconv.Quote. It is empty where Rule
	// does without.
	Value string
	// Rule says what is wrong, without Field and Value.
	Rule string
	// Err is the cause, such as a [PatternError]; nil where Rule says everything.
	Err error
}

// Error returns the field, its value and the rule, behind the key where there is one.
func (e *ConfigError) Error() string {
	text := e.Field
	if e.Value != "" {
		text += " " + e.Value
	}
	if text != "" {
		text += ": "
	}
	text += e.Rule
	if e.Key != "" {
		text = fmt.Sprintf("key %q: %s", e.Key, text)
	}
	return text
}

// Unwrap returns Err.
func (e *ConfigError) Unwrap() error { return e.Err }

// item is the path of an item of a list.
func item(field string, i int) string { return fmt.Sprintf("%s[%d]", field, i) }
