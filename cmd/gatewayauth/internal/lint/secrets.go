package lint

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"strings"

	"github.com/gatewayauth/gatewayauth/core/config"
)

// keys adds the findings about keys: their secrets, and how long previous ones are
// accepted.
func (l *linter) keys(e *config.Outline) {
	for i, k := range e.Keys {
		for j, until := range k.Previous {
			at := fmt.Sprintf("keys[%d].previous[%d]", i, j)
			switch {
			case until.IsZero():
				l.add(Warning, "previous-without-end", e.Place(at), "a previous secret of the key %s is accepted forever: set until", k.Name)
			case !l.Now.Before(until):
				l.add(Warning, "previous-ended", e.Place(at+".until"), "a previous secret of the key %s is no longer accepted: remove it", k.Name)
			}
		}
		if k.InsecureHTTP && !development.MatchString(e.Name) {
			l.add(Warning, "insecure-http", e.Place(fmt.Sprintf("keys[%d].insecure_http", i)), "passwords and tokens are sent without encryption")
		}
	}
	for _, s := range e.Secrets {
		if s.Literal {
			l.add(Warning, "literal-secret", s.Place, "the secret is in the file: use {env: NAME} or {file: path}")
		}
		if s.Key != "" {
			l.secret(s, s.Value.Reveal())
		}
	}
}

// placeholder matches the words of placeholder secrets. Random values contain short words
// by chance, so short words match only if there is nothing else but digits and
// separators.
var placeholder = regexp.MustCompile(`(?i)change[-_ ]?me|^change[-_ ]?it|place[-_ ]?holder|^secret|secret$|password|passw0rd|example|your[-_ ]|^test|^dummy|` +
	`12345678|^qwert|not-a-secret|^admin|letmein|insert[-_ ]|replace[-_ ]?(me|this)|(^|[^a-z])to-?do([^a-z]|$)|^[^a-z]*((foo|bar|baz|x{3,}|to-?do)[^a-z]*)+$`)

// secret adds the findings about one value, without the value.
func (l *linter) secret(s config.OutlineSecret, text string) {
	least := 16
	if s.Type == "basic" || s.Type == "token" {
		least = 12
	}
	switch {
	case s.Name == "session_token" || text == "":
	case strings.Trim(text, text[:1]) == "":
		l.add(Warning, "weak-secret", s.Place, "the %s of the key %s is one character repeated", s.Name, s.Key)
	case distinct(text) < 5:
		l.add(Warning, "weak-secret", s.Place, "the %s of the key %s has fewer than 5 different characters", s.Name, s.Key)
	case placeholder.MatchString(text):
		l.add(Warning, "placeholder-secret", s.Place, "the %s of the key %s looks like a placeholder", s.Name, s.Key)
	case len(text) < least:
		l.add(Warning, "short-secret", s.Place, "the %s of the key %s is shorter than %d characters", s.Name, s.Key, least)
	}
}

func distinct(text string) int {
	seen := map[rune]bool{}
	for _, r := range text {
		seen[r] = true
	}
	return len(seen)
}

// shared adds the findings about secrets that two keys have, in one environment or in two.
// They are compared by their hashes. Of one key, its previous secrets do not count.
func (l *linter) shared(outlines []config.Outline) {
	type use struct {
		environment, key string
		at               config.Place
	}
	first := map[[sha256.Size]byte]use{}
	for _, e := range outlines {
		for _, s := range e.Secrets {
			if s.Key == "" || s.Value.IsZero() || s.Name == "session_token" {
				continue
			}
			hash := sha256.Sum256([]byte(s.Value.Reveal()))
			this := use{e.Name, s.Key, s.Place}
			other, seen := first[hash]
			switch {
			case !seen:
				first[hash] = this
			case other.environment != this.environment:
				l.add(Info, "shared-secret", s.Place, "the %s of the key %s is also that of the key %s of environment %s (line %d): whoever knows it in one environment can sign for the other", s.Name, s.Key, other.key, other.environment, other.at.Line)
			case other.key != this.key:
				l.add(Info, "shared-secret", s.Place, "the %s of the key %s is also that of the key %s (line %d): whoever may call the APIs of one key can sign for those of the other", s.Name, s.Key, other.key, other.at.Line)
			}
		}
	}
}
