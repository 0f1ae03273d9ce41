package config

import (
	"regexp"
	"slices"
	"strings"
)

// settingNames are the fields of [core.Config] that the file sets, and what it calls
// them inside an environment.
var settingNames = map[string]string{
	"Environment":           "environment",
	"Mode":                  "mode",
	"ClockSkew":             "clock_skew",
	"MaxBody":               "max_body",
	"MaxBuffered":           "max_buffered",
	"BodyTimeout":           "body_timeout",
	"RequireSigned":         "require_signed",
	"RequireSignedWithBody": "require_signed_with_body",
	"AllowUnsigned":         "allow_unsigned",
	"AllowUnsignedPayload":  "allow_unsigned_payload",
	"Hosts":                 "hosts",
	"AllowPresigned":        "allow_presigned",
	"ExposeReason":          "expose_reason",
	"Rewrite.AddPrefix":     "rewrite.add_prefix",
	"Rewrite.Host":          "rewrite.host",
	"Replay.ExemptMethods":  "replay.exempt_methods",
	"Default":               "default",
	"APIs":                  "apis",
	"Schemes":               "keys",
}

// Setting returns what the file calls a field of [core.Config], such as
// rewrite.add_prefix for Rewrite.AddPrefix; the field itself where the file has no
// name for it. It is for Hints.Setting of package core/explain.
func Setting(field string) string {
	if name, ok := settingNames[field]; ok {
		return name
	}
	return field
}

// inFile replaces the fields of core.Config in a text of the core by the file's
// names. What stands in quotes is of the file already, and is left as it is.
func inFile(text string) string {
	parts := strings.Split(text, `"`)
	for i := 0; i < len(parts); i += 2 {
		parts[i] = settingName.ReplaceAllStringFunc(parts[i], Setting)
	}
	return strings.Join(parts, `"`)
}

// settingName matches the fields whose names are no words of English.
var settingName = func() *regexp.Regexp {
	var names []string
	for field, name := range settingNames {
		if strings.ContainsAny(name, "._") {
			names = append(names, regexp.QuoteMeta(field))
		}
	}
	slices.SortFunc(names, func(a, b string) int { return len(b) - len(a) }) // one may begin another
	return regexp.MustCompile(`\b(?:` + strings.Join(names, "|") + `)\b`)
}()
