package lint

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/cmd/gatewayauth/internal/envfile"
)

// keys looks at secrets, and at how long previous ones are kept.
func (l *linter) keys(e envfile.Environment) {
	for _, k := range e.List("keys") {
		for _, p := range k.List("previous") {
			until, err := time.Parse(time.RFC3339, p.Value("until"))
			switch {
			case p.Value("until") == "":
				l.add(Warning, "previous-without-end", p, "a previous secret of the key %s is accepted without end", k.Value("name"))
			case err == nil && !l.Now.Before(until):
				l.add(Warning, "previous-ended", p.Field("until"), "a previous secret of the key %s is past its end, and can be taken away", k.Value("name"))
			}
		}
		if on(k, "insecure_http") && !development.MatchString(e.Name) {
			l.add(Warning, "insecure-http", k.Field("insecure_http"), "passwords and tokens travel in the clear")
		}
	}
	for _, ref := range e.Secrets() {
		if ref.Scalar {
			l.add(Warning, "literal-secret", ref.Node, "the secret stands in the file; give {env: NAME} or {file: path}")
		}
		if text, known := l.value(ref); known && ref.Key != nil {
			l.secret(ref, text)
		}
	}
}

// value reads a secret, as far as that is wanted.
func (l *linter) value(ref envfile.SecretRef) (text string, known bool) {
	switch {
	case ref.Scalar:
		return ref.Text, true // it is there for everybody to see
	case l.NoSecrets:
		return "", false
	case ref.Env != "":
		return os.LookupEnv(ref.Env)
	}
	path := ref.File
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(l.Path), path)
	}
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > 64<<10 {
		return "", false
	}
	data, err := os.ReadFile(path)
	return strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r"), err == nil
}

// placeholder finds the words that stand in examples. Random values hold short ones by
// chance, so those count only where nothing but them, digits and separators is there.
var placeholder = regexp.MustCompile(`(?i)change[-_ ]?me|^change[-_ ]?it|place[-_ ]?holder|^secret|secret$|password|passw0rd|example|your[-_ ]|^test|^dummy|` +
	`12345678|^qwert|not-a-secret|^admin|letmein|insert[-_ ]|replace[-_ ]?(me|this)|(^|[^a-z])to-?do([^a-z]|$)|^[^a-z]*((foo|bar|baz|x{3,}|to-?do)[^a-z]*)+$`)

// secret looks at a value, and tells nothing of it but what is wrong.
func (l *linter) secret(ref envfile.SecretRef, text string) {
	name := ref.Key.Value("name")
	least := 16
	if ref.Key.Value("type") == "basic" || ref.Key.Value("type") == "token" {
		least = 12
	}
	switch {
	case ref.Name == "session_token" || text == "":
	case strings.Trim(text, text[:1]) == "":
		l.add(Warning, "weak-secret", ref.Node, "the %s of the key %s is one character over and over", ref.Name, name)
	case distinct(text) < 5:
		l.add(Warning, "weak-secret", ref.Node, "the %s of the key %s has fewer than 5 different characters", ref.Name, name)
	case placeholder.MatchString(text):
		l.add(Warning, "placeholder-secret", ref.Node, "the %s of the key %s looks like a placeholder", ref.Name, name)
	case len(text) < least:
		l.add(Warning, "short-secret", ref.Node, "the %s of the key %s is shorter than %d characters", ref.Name, name, least)
	}
}

func distinct(text string) int {
	seen := map[rune]bool{}
	for _, r := range text {
		seen[r] = true
	}
	return len(seen)
}

func orNode(n, other *envfile.Node) *envfile.Node {
	if n != nil {
		return n
	}
	return other
}
