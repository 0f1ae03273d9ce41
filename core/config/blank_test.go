package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/aescfb"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/config"
	"github.com/gatewayauth/gatewayauth/core/token"
)

// blanks are texts without a visible character.
var blanks = []string{" ", "\n", " \n", "\n\n", "\r\n\r\n", "\t \t", "\u00a0", "\ufeff", "\ufeff\n", "\u200b\u2060", "\u3000", "\u2028",
	"\x00\x00\x00", "\x01\x7f", "\u00ad", "\u3164", strings.Repeat(" ", 16), strings.Repeat(" ", 32), strings.Repeat("\x00", 16)}

// secretFields are, by type, the fields that hold a secret.
var secretFields = []struct{ key, fields string }{
	{"name: k, type: hmac, key: i", "secret session_token previous.secret"},
	{"name: k, type: basic, key: i", "secret previous.secret"},
	{"name: k, type: aksk, key: i, region: r, service: s", "secret session_token previous.secret"},
	{"name: k, type: v11, key: i, region: r, service: s", "secret session_token previous.secret"},
	{"name: k, type: ecdsa-p256, key: i", "secret session_token previous.secret"},
	{"name: k, type: hmac-sm3, key: i", "secret session_token previous.secret"},
	{"name: k, type: sm2, key: i", "secret session_token previous.secret"},
	{"name: k, type: sigv4, key: i, region: r, service: s", "secret session_token previous.secret"},
	{"name: k, type: sigv4a, key: i, region: r, service: s", "secret session_token previous.secret"},
	{"name: k, type: aes", "key secret previous.key previous.secret"},
	{"name: k, type: token, iam_url: 'https://iam.example.com'", "password user! domain! project!"},
}

// TestBlankSecrets_T177: a secret without a visible character is an error at its
// place, in every field, form and type, and so is a blank account of a token.
func TestBlankSecrets_T177(t *testing.T) {
	const fine = "0123456789abcdef"
	dir := t.TempDir()
	for _, tt := range secretFields {
		all := strings.Fields(tt.fields)
		for _, field := range all {
			name, isText := strings.CutSuffix(field, "!")
			for i, blank := range append(blanks, "") {
				for _, form := range []string{"literal", "env", "file"} {
					if form == "env" && strings.Contains(blank, "\x00") || form != "literal" && isText || form == "literal" && blank == "" {
						continue // cannot be set; has no such form; is none
					}
					value, suffix := strconv.QuoteToASCII(blank), "" // YAML reads what Go writes
					switch form {
					case "env":
						t.Setenv("GATEWAYAUTH_BLANK", blank)
						value, suffix = "{env: GATEWAYAUTH_BLANK}", ".env"
					case "file":
						value, suffix = "{file: "+strconv.Itoa(i)+"}", ".file"
						must(t, os.WriteFile(filepath.Join(dir, strconv.Itoa(i)), []byte(blank), 0o600))
					}
					key := tt.key
					for _, other := range all { // the required ones
						other = strings.TrimSuffix(other, "!")
						if other != name && other != "session_token" && !strings.HasPrefix(other, "previous.") {
							key += ", " + other + ": " + fine
						}
					}
					place := name
					if rest, earlier := strings.CutPrefix(name, "previous."); earlier {
						place = "previous[0]." + rest
						key += ", previous: [{" + rest + ": " + value + "}]"
					} else {
						key += ", " + name + ": " + value
					}
					_, err := config.Load(write(t, dir, "f.yaml", head, "    keys:\n    - {", key, "}\n    default: k\n"))
					if err == nil {
						t.Errorf("%s: %s %s %q: no error", tt.key, form, name, blank)
						continue
					}
					want := fmt.Sprintf("f.yaml:4: environments.R.keys[0].%s%s: ", place, suffix)
					if got := err.Error(); !strings.Contains(got, want) || strings.Contains(got, "\n") ||
						!strings.Contains(got, "blank") && !strings.Contains(got, "empty") {
						t.Errorf("%s: %s %s %q: got %v\nwant one problem at %s", tt.key, form, name, blank, err, want)
					}
				}
			}
		}
	}
}

// TestBlankSecretsOfPrograms_T177: no scheme takes a blank secret from a program
// either, and a source of keys that gives one is as good as none.
func TestBlankSecretsOfPrograms_T177(t *testing.T) {
	fine := core.NewSecret("0123456789abcdef")
	for _, text := range blanks {
		blank := core.NewSecret(text)
		if !blank.IsBlank() || blank.IsZero() {
			t.Errorf("%q: blank %v, zero %v", text, blank.IsBlank(), blank.IsZero())
		}
		for name, scheme := range map[string]core.Scheme{
			"secret":        apig.New(apig.Config{Keys: core.Keys(core.Key{Name: "k", ID: "i", Secret: blank})}),
			"previous":      apig.New(apig.Config{Keys: core.Keys(core.Key{Name: "k", ID: "i", Secret: fine, Previous: []core.PreviousSecret{{Secret: blank}}})}),
			"session token": apig.New(apig.Config{Keys: core.Keys(core.Key{Name: "k", ID: "i", Secret: fine, SessionToken: blank})}),
			"id":            apig.New(apig.Config{Keys: core.Keys(core.Key{Name: "k", ID: text, Secret: fine})}),
			"aes key":       aescfb.New(aescfb.Config{Keys: []aescfb.Key{{Name: "k", Key: blank, Vector: fine}}}),
			"aes vector":    aescfb.New(aescfb.Config{Keys: []aescfb.Key{{Name: "k", Key: fine, Vector: blank}}}),
			"previous aes key": aescfb.New(aescfb.Config{Keys: []aescfb.Key{{Name: "k", Key: fine, Vector: fine,
				Previous: []aescfb.Previous{{Key: blank}}}}}),
			"previous aes vector": aescfb.New(aescfb.Config{Keys: []aescfb.Key{{Name: "k", Key: fine, Vector: fine,
				Previous: []aescfb.Previous{{Vector: blank}}}}}),
			"password": token.New(token.Config{Keys: []token.Key{{Name: "k", IAMURL: "https://iam.example.com",
				User: "u", Password: blank, Domain: "d", Project: "p"}}}),
			"user": token.New(token.Config{Keys: []token.Key{{Name: "k", IAMURL: "https://iam.example.com",
				User: text, Password: fine, Domain: "d", Project: "p"}}}),
		} {
			_, err := core.New(core.Config{Environment: "R", Schemes: []core.Scheme{scheme}, Default: "k"})
			if err == nil || name != "id" && !strings.Contains(err.Error(), "blank") {
				t.Errorf("%s %q: got %v", name, text, err)
			}
		}
	}
	for _, text := range []string{"s", " s", "\x00s", "\xff", "\ufeffs", "é", "密"} {
		if core.NewSecret(text).IsBlank() {
			t.Errorf("%q is blank", text)
		}
	}
}
