package config

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// manner says which characters intended values of a field have, to tell them from
// mistakes.
type manner int

const (
	// strict values use the gateway's alphabets or base64: they start with a letter, a
	// digit, + or /, have no brackets, and an equals sign at the end only.
	strict manner = iota
	// free values may have any characters: passwords, and keys of type aes,
	// whose alphabet has the equals sign.
	free
	// address values are URLs.
	address
)

// odd says why a value is likely not the one that was meant, or "". The value is used
// all the same, since it may be right: the text is for warnings. It repeats nothing of the
// value.
//
// Odd are a reference that should have been replaced by the secret, text that tools put
// around a value, and invisible characters.
func odd(text string, m manner) string {
	if what := encoding(text); what != "" {
		return what
	}
	inner := strings.TrimFunc(text, invisible)
	if quoted := unquote(inner); quoted != inner {
		if what := reference(quoted, m); what != "" {
			return what
		}
	}
	if what := reference(inner, m); what != "" {
		return what
	}
	if what := surrounding(text, inner); what != "" {
		return what
	}
	return inside(text, m)
}

// hint returns what is odd about a value that has a problem, for the end of that text.
func hint(text string, m manner) string {
	if m == free {
		m = strict
	}
	if what := odd(text, m); what != "" {
		return "; it " + what
	}
	return ""
}

// warnOdd reports a value that is likely not the one that was meant.
func (r *report) warnOdd(m mark, text string, as manner) (found bool) {
	what := odd(text, as)
	if what != "" {
		r.add(m, what+": the value itself is used")
	}
	return what != ""
}

func encoding(text string) string {
	switch {
	case strings.HasPrefix(text, "\xff\xfe"), strings.HasPrefix(text, "\xfe\xff"), strings.Contains(text, "\x00") && utf8.ValidString(text):
		return "looks like UTF-16, or binary data; write it in UTF-8 without a byte order mark"
	case strings.HasPrefix(text, "\ufeff"):
		return "starts with a byte order mark, which is part of it; write it in UTF-8 without"
	}
	return ""
}

// invisible reports whether a character is not visible.
func invisible(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zs, r)
}

// quotes are what values are put between.
var quotes = [][2]string{{`"`, `"`}, {"'", "'"}, {"`", "`"}, {`\"`, `\"`}, {"“", "”"}, {"‘", "’"}, {"„", "“"}, {"«", "»"}}

func unquote(text string) string {
	for _, q := range quotes {
		if len(text) > len(q[0])+len(q[1]) && strings.HasPrefix(text, q[0]) && strings.HasSuffix(text, q[1]) {
			return text[len(q[0]) : len(text)-len(q[1])]
		}
	}
	return text
}

func surrounding(text, inner string) string {
	first, _ := utf8.DecodeRuneInString(text)
	last, _ := utf8.DecodeLastRuneInString(text)
	edge := func(r rune) string {
		switch {
		case r == '\n' || r == '\r':
			return "a line break"
		case r == ' ' || r == '\t':
			return "a blank"
		}
		return "a character that cannot be seen"
	}
	switch {
	case text == "" || inner == "":
		return ""
	case invisible(last):
		return "ends with " + edge(last) + ", which is part of it"
	case invisible(first):
		return "starts with " + edge(first) + ", which is part of it"
	case unquote(text) != text:
		return "is in quotes, which are part of it"
	}
	return ""
}

// inside looks at the characters in the middle.
func inside(text string, m manner) string {
	switch {
	case strings.ContainsAny(text, "\r\n"):
		return "has a line break in it, as if it were several values"
	case strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }):
		return "has a character in it that cannot be seen"
	case m == strict && strings.Contains(text, " #"):
		return "looks like a value with a comment behind it"
	case m == address && strings.Contains(text, " "):
		return "has a blank in it"
	}
	return ""
}

// form is something that stands where a secret should.
type form struct {
	what string
	is   *regexp.Regexp
}

func forms(pairs ...string) (all []form) {
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, form{pairs[i], regexp.MustCompile(`(?s)` + pairs[i+1])})
	}
	return all
}

var (
	// references are whole values that name a secret, or hold it encrypted.
	references = forms(
		"looks like a variable that was not expanded, ${NAME}", `^\$\{.*\}$`,
		"looks like a variable or command that was not expanded, $(NAME)", `^\$\(.*\)$`,
		"looks like an expression that was not evaluated, $[...]", `^\$\[.*\]$`,
		"looks like a variable that was not expanded, $NAME", `^\$[A-Z_][A-Z0-9_]*$`,
		"looks like a variable that was not expanded, %NAME%", `^%[A-Za-z_][A-Za-z0-9_.-]*%$`,
		"looks like a variable that was not expanded, #{NAME}", `^#\{.*\}#?$`,
		"looks like a variable that was not expanded, @NAME@", `^@[A-Z_][A-Z0-9_.]*@$`,
		"looks like a variable that was not expanded, __NAME__", `^__[A-Z][A-Z0-9_]*__$`,
		"looks like a template that was not rendered, {{ }}", `^\{\{.*\}\}$`,
		"looks like a template that was not rendered, {% %}", `^\{%.*%\}$`,
		"looks like a template that was not rendered, <% %>", `^<%.*%>$`,
		"looks like a variable that was not replaced, ((NAME))", `^\(\(.*\)\)$`,
		"looks like a placeholder in brackets, <NAME>", `^<[A-Za-z][A-Za-z0-9_ .-]*>$`,
		"looks like an encrypted value, ENC[...] of sops", `^ENC\[.*\]?$`,
		"looks like an encrypted value, ENC(...)", `^(ENC|DEC)\(.*\)$`,
		"looks like an encrypted value, {cipher}...", `^\{(cipher|noop|bcrypt|vault|enc|secret)\}`,
		"looks like an encrypted value of Ansible Vault", `^\$ANSIBLE_VAULT;`,
		"looks like a reference of Azure's App Service, @Microsoft.KeyVault(...)", `^@[A-Za-z.]+\(.*\)$`,
		"looks like an Amazon resource name, arn:...", `^arn:`,
		"looks like a secret's name in Google Cloud, projects/.../secrets/...", `^projects/[^/]+/(locations/[^/]+/)?secrets/`,
		"looks like a reference to a secret, name:...", `(?i)^(vault|ssm|aws-ssm|ssm-secure|secretsmanager|aws-secrets|awssm|secretmanager|gcpsm|gcp-sm|gcp|`+
			`kms|sm|env|file|op|azure|keyvault|akv|sops|encrypted|enc|cipher|conjur|doppler|bitwarden|bws|keychain|consul|k8s|kubernetes|secret|secrets|`+
			`ref|resolve|chamber|lastpass|infisical|base64|b64|hex|kv|cmd|exec|plain|text):`,
		"looks like a YAML tag that was not applied, !Name ...", `^!([A-Z][A-Za-z0-9:]{2,}|vault|secret|env|env_var|include|file|reference)[ \t]`,
		"looks like a path and not what the file holds", `^(/(run|etc|var|mnt|secrets|vault|home|opt)/|(secret|kv)/data/|(\.\.?|~)/[A-Za-z0-9_-]{3})`,
		"looks like JSON that holds the value", `^[\[{]\s*\{?\s*"[^"]*"\s*:`,
		"looks like a key in PEM", `-----BEGIN `,
		"looks like a file encrypted with age", `^age-encryption\.org/`,
		"looks like a variable with its name, NAME=value", `^(export |set |\$env:)[A-Za-z_]`,
		"looks like a variable with its name, NAME=value", `^[A-Z0-9_]*(SECRET|PASSWORD|PASSWD|TOKEN|VECTOR|URL)[A-Z0-9_]*[ \t]*=`,
		"looks like a variable with its name, NAME=value", `^([A-Z0-9]+_)*(KEY|NAME|PASS|PWD)[ \t]*=`,
		"looks like a variable with its name, NAME=value", `^(?:[A-Z][A-Z0-9]*_[A-Z0-9_]{5,}|[A-Z][A-Z0-9]{2,}_[A-Z0-9_]{3,})=`,
		"looks like a field with its name, name: value", `(?i)^[a-z0-9_-]*(secret|password|passwd|token|key|vector|url):[ \t]`,
	)
	// strictReferences are for values that are not free.
	strictReferences = forms(
		"looks like a variable that was not expanded, $NAME", `^\$[A-Za-z_][A-Za-z0-9_.]*$`,
		"looks like a variable that was not expanded, %NAME%", `^%.+%$`,
		"looks like a variable that was not expanded, @NAME@", `^@.+@$`,
		"looks like a placeholder in brackets, <NAME>", `^<.*>$`,
		"looks like a template that was not rendered, [[ ]]", `^\[\[.*\]\]$`,
		"looks like a variable with its name, NAME=value", `^[A-Za-z_][A-Za-z0-9_.-]*[ \t]*=[ \t]*[^=]`,
		"looks like a field with its name, name: value", `^["']?[A-Za-z_][A-Za-z0-9_.-]*["']?:[ \t]+[^ ]`,
	)
	// within are references in a part of a value that is not free.
	within = forms(
		"has a variable in it that was not expanded, ${NAME}", `\$\{`,
		"has a variable or command in it that was not expanded, $(NAME)", `\$\(`,
		"has a variable in it that was not expanded, #{NAME}", `#\{`,
		"has a template in it that was not rendered, {{ }}", `\{\{`,
		"has a template in it that was not rendered, <% %>", `<%`,
		"has a placeholder in brackets in it, <NAME>", `<[^>]*>`,
		"has an encrypted value in it, ENC[...]", `ENC[\[(]`,
	)
	// withinAddress are those that only an address cannot hold by chance.
	withinAddress = forms(
		"has a variable in it that was not expanded, $NAME", `[/:@.]\$[A-Z_][A-Z0-9_]*([/:@.?]|$)`,
		"has a variable in it that was not expanded, %NAME%", `%[A-Z_][A-Z0-9_]*[G-Z_][A-Z0-9_]*%`,
	)
	anyScheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]+://`)
	schemes   = regexp.MustCompile(`^(https?|rediss?|valkeys?|unix)://`)
)

// signs are the characters of which every form has one.
const signs = "$%#@_!({[<=:/- \t"

// reference looks for what stands in place of a value, or around it.
func reference(text string, m manner) string {
	if !strings.ContainsAny(text, signs) { // as of most values, of which a file may have many
		return ""
	}
	tables := [][]form{references}
	switch m {
	case strict:
		tables = append(tables, strictReferences, within)
	case address:
		tables = append(tables, strictReferences, within, withinAddress)
		if schemes.MatchString(text) {
			tables = [][]form{within, withinAddress}
		}
	}
	for _, table := range tables {
		for _, f := range table {
			if f.is.MatchString(text) {
				return f.what
			}
		}
	}
	if anyScheme.MatchString(text) && !(m == address && schemes.MatchString(text)) {
		return "looks like a reference to a secret, scheme://..."
	}
	return ""
}
