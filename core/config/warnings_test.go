package config_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core/config"
)

// TestWarnings: values outside of the gateway's published limits load, and are
// reported without the value of a secret.
func TestWarnings(t *testing.T) {
	const (
		names  = "3 to 64 letters, digits and _, starting with a letter"
		hmacID = "8 to 32 letters, digits, _ and -, starting with a letter or digit"
		hmac   = "16 to 64 letters, digits and _!@#$%-, starting with a letter or digit"
		user   = "4 to 32 letters, digits, _ and -, starting with a letter"
		basic  = "8 to 64 letters, digits and _!@#$%-, starting with a letter or digit"
		aes    = "16 or 32 letters, digits and _!@#$%+/=-, starting with a letter, digit, + or /"
		vector = "16 letters, digits and _!@#$%+/=-, starting with a letter, digit, + or /"
	)
	for _, tt := range []struct{ key, field, want string }{
		{"{name: key, type: hmac, key: 01234567, secret: 0123456789abcdef}", "", ""},
		{"{name: A_1, type: hmac, key: A-_45678901234567890123456789012, secret: 'a!@#$%-_89abcdef'}", "", ""},
		{"{name: key, type: basic, key: user, secret: 12345678}", "", ""},
		{"{name: ke, type: hmac, key: 01234567, secret: 0123456789abcdef}", "name", names},
		{"{name: 1key, type: hmac, key: 01234567, secret: 0123456789abcdef}", "name", names},
		{"{name: a-key, type: hmac, key: 01234567, secret: 0123456789abcdef}", "name", names},
		{"{name: key, type: hmac, key: 0123456, secret: 0123456789abcdef}", "key", hmacID},
		{"{name: key, type: hmac, key: _1234567, secret: 0123456789abcdef}", "key", hmacID},
		{"{name: key, type: hmac, key: 012345678901234567890123456789012, secret: 0123456789abcdef}", "key", hmacID},
		{"{name: key, type: hmac, key: 01234567, secret: kept-from-it-12}", "secret", hmac},
		{"{name: key, type: hmac, key: 01234567, secret: -kept-from-it-12}", "secret", hmac},
		{"{name: key, type: hmac, key: 01234567, secret: kept-from-it.123}", "secret", hmac},
		{"{name: key, type: hmac, key: 01234567, secret: 0123456789abcdef, previous: [{secret: kept-from}]}", "previous[0].secret", hmac},
		{"{name: key, type: basic, key: 1user, secret: 12345678}", "key", user},
		{"{name: key, type: basic, key: user, secret: kept-fr}", "secret", basic},
		{"{name: key, type: basic, key: user, secret: {file: password}}", "secret.file", basic},
		{"{name: key, type: aes, key: '+123456789!@#$%=', secret: '/!@#$%+/=-_abcde'}", "", ""},
		{"{name: key, type: aes, key: 0123456789abcdef0123456789abcdef, secret: 0123456789abcdef}", "", ""},
		{"{name: key, type: aes, key: =kept-from-16-00, secret: 0123456789abcdef}", "key", aes},
		{"{name: key, type: aes, key: kept.from.16.000, secret: 0123456789abcdef}", "key", aes},
		{"{name: key, type: aes, key: kept-from-it-of-16-and-of-32.000, secret: 0123456789abcdef}", "key", aes},
		{"{name: key, type: aes, key: {file: aes}, secret: 0123456789abcdef}", "key.file", aes},
		{"{name: key, type: aes, key: 0123456789abcdef, secret: -kept-from-16-00}", "secret", vector},
		{"{name: key, type: aes, key: 0123456789abcdef, secret: 0123456789abcdef, previous: [{key: -kept-from-16-00}]}", "previous[0].key", aes},
		{"{name: key, type: aes, key: 0123456789abcdef, secret: 0123456789abcdef, previous: [{secret: _kept-from-16-00}]}", "previous[0].secret", vector},
		{"{name: key, type: token, iam_url: 'https://iam', user: u, password: p, domain: d, project: p}", "", ""},
		{"{name: a-key, type: token, iam_url: 'https://iam', user: u, password: kept, domain: d, project: p}", "name", names},
	} {
		t.Chdir(t.TempDir())
		write(t, ".", "password", "kept from it\n")
		write(t, ".", "aes", "kept from it 16.\n")
		f, err := config.Load(write(t, ".", "f.yaml", head, "    keys:\n    - ", tt.key, "\n  S: {mode: off}\n"))
		if err != nil {
			t.Errorf("%s: %v", tt.key, err)
			continue
		}
		var got, log, want strings.Builder
		for _, p := range f.Warnings() {
			got.WriteString(p.Error())
		}
		if tt.want != "" {
			want.WriteString("f.yaml:4: environments.R.keys[0]." + tt.field + ": outside of the gateway's published limits: " + tt.want)
		}
		if got.String() != want.String() {
			t.Errorf("%s: got warning %s\nwant %s", tt.key, &got, &want)
		}
		if _, err := f.Verifier("R", config.WithLogger(slog.New(slog.NewTextHandler(&log, nil)))); err != nil {
			t.Fatal(err)
		}
		if logged := strings.Count(log.String(), "level=WARN") == 1; logged != (tt.want != "") {
			t.Errorf("%s: logged %q", tt.key, &log)
		}
		if strings.Contains(got.String()+log.String(), "kept") {
			t.Errorf("%s: the secret is in %s%s", tt.key, &got, &log)
		}
	}
}

// TestWarningsOfOneEnvironment: a Verifier logs those of its own alone.
func TestWarningsOfOneEnvironment(t *testing.T) {
	f, err := config.Load(write(t, t.TempDir(), "f.yaml", oneKey, "  S: {keys: [{name: key, type: basic, key: user, secret: password}]}\n"))
	must(t, err)
	var log bytes.Buffer
	_, err = f.Verifier("S", config.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	must(t, err)
	if log.Len() != 0 || len(f.Warnings()) != 1 {
		t.Errorf("got log %s and %d warnings; want none and 1", &log, len(f.Warnings()))
	}
}
