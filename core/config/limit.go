package config

import "regexp"

// limit is a form that the gateway's console enforces on a field (user guide,
// "Signature Keys"). Other gateways' keys look otherwise, so it gives warnings.
// Where no limit is published, there is shortLimit.
type limit struct {
	form *regexp.Regexp
	rule string
}

// published starts the rules of the gateway.
const published = "outside of the gateway's published limits: "

var (
	nameLimit = limit{regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{2,63}$`),
		published + "3 to 64 letters, digits and _, starting with a letter"}
	hmacKeyLimit = limit{regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{7,31}$`),
		published + "8 to 32 letters, digits, _ and -, starting with a letter or digit"}
	hmacSecretLimit = limit{regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_!@#$%-]{15,63}$`),
		published + "16 to 64 letters, digits and _!@#$%-, starting with a letter or digit"}
	basicKeyLimit = limit{regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{3,31}$`),
		published + "4 to 32 letters, digits, _ and -, starting with a letter"}
	basicSecretLimit = limit{regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_!@#$%-]{7,63}$`),
		published + "8 to 64 letters, digits and _!@#$%-, starting with a letter or digit"}
	aesKeyLimit = limit{regexp.MustCompile(`^[A-Za-z0-9+/][A-Za-z0-9_!@#$%+/=-]{15}([A-Za-z0-9_!@#$%+/=-]{16})?$`),
		published + "16 or 32 letters, digits and _!@#$%+/=-, starting with a letter, digit, + or /"}
	aesVectorLimit = limit{regexp.MustCompile(`^[A-Za-z0-9+/][A-Za-z0-9_!@#$%+/=-]{15}$`),
		published + "16 letters, digits and _!@#$%+/=-, starting with a letter, digit, + or /"}
	// shortLimit is below what any vendor gives out as an access key or its secret.
	shortLimit = limit{regexp.MustCompile(`(?s)^.{16}`), "shorter than 16 characters"}
)

func (l limit) warn(m mark, text string, r *report) {
	if l.form != nil && text != "" && !l.form.MatchString(text) {
		r.add(m, l.rule)
	}
}
