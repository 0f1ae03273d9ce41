package core_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
)

// TestSecretsPrintRedacted_T127 prints a secret in every way that programs print
// by accident, alone and inside other values, those that a verifier gives included.
func TestSecretsPrintRedacted_T127(t *testing.T) {
	const text = "sktest-0123456789abcdef"
	secret := core.NewSecret(text)
	type hidden struct {
		s core.Secret
		p *core.Secret
	}
	v := verifier(t, only(rotating("k1", text, older)))
	id, err := v.Verify(by(t, older))
	if err != nil {
		t.Fatal(err)
	}
	wrong := by(t, "wrong-0123456789abcdef")
	_, signature, _ := strings.Cut(wrong.Header.Get("Authorization"), "Signature=")
	if len(signature) != 64 {
		t.Fatalf("the request has the signature %q", signature)
	}
	_, refusal := v.Verify(wrong)
	values := []any{
		v, id, refusal, v.Status(),
		secret, &secret, hidden{secret, &secret}, &hidden{secret, &secret}, []core.Secret{secret},
		map[string]core.Secret{"k": secret}, core.Key{Name: "n", ID: "i", Secret: secret, SessionToken: secret,
			Previous: []core.PreviousSecret{{Secret: secret}}}, core.Keys(core.Key{ID: "i", Secret: secret}),
		config(func(c *core.Config) {
			c.Schemes = []core.Scheme{hmacScheme(core.Key{Name: "k", ID: "i", Secret: secret})}
		}),
	}
	for _, value := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p", "%c", "%U", "%e"} {
			leaks(t, fmt.Sprintf(verb, value), verb, text, older, signature)
		}
		if out, err := json.Marshal(value); err == nil {
			leaks(t, string(out), "JSON", text, older, signature)
		}
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "v", value)
		slog.New(slog.NewTextHandler(&log, nil)).Info("m", "v", value)
		leaks(t, log.String(), "slog", text, older, signature)
	}
	if got := fmt.Sprintf("%v %+v %#v %s %d", secret, secret, secret, secret, secret); got != strings.TrimSpace(strings.Repeat("[redacted] ", 5)) {
		t.Errorf("got %q", got)
	}
	if out, _ := json.Marshal(secret); string(out) != `"[redacted]"` {
		t.Errorf("JSON: got %s", out)
	}
	if secret.Reveal() != text {
		t.Error("Reveal lost the text")
	}
	if (core.Secret{}).Reveal() != "" || !core.NewSecret("").IsZero() {
		t.Error("the empty secret is not empty")
	}
}

// leaks fails where out holds one of the secrets, or its hexadecimal digits.
func leaks(t *testing.T, out, how string, secrets ...string) {
	t.Helper()
	for _, secret := range secrets {
		if strings.Contains(out, secret) || strings.Contains(strings.ToLower(out), fmt.Sprintf("%x", secret)) {
			t.Errorf("%s printed the secret: %s", how, out)
		}
	}
}

// TestIsBlank: one visible character is enough, in whatever letters, and bytes that are no
// UTF-8 are visible.
func TestIsBlank(t *testing.T) {
	for text, want := range map[string]bool{"": true, " \t\r\n\x00": true, "\ufeff\u200b\u00a0": true, "\x7f": true,
		"!": false, "~": false, " ~": false, "\u00e9": false, " \u5bc6\ufeff": false, "\xff": false} {
		if got := core.NewSecret(text).IsBlank(); got != want {
			t.Errorf("%q: got %t", text, got)
		}
	}
}

// TestDerive: computed once for each key, kept apart by type and secret, and
// bounded.
func TestDerive(t *testing.T) {
	type day struct{ n int }
	type other struct{ n int }
	secret, calls := core.NewSecret("text"), 0
	derive := func(s core.Secret, n int) string {
		return core.Derive(s, day{n}, func(text string) string { calls++; return fmt.Sprint(text, n) })
	}
	for range 3 {
		if got := derive(secret, 1); got != "text1" || calls != 1 {
			t.Fatalf("got %q after %d calls", got, calls)
		}
	}
	if got := core.Derive(secret, other{1}, func(string) int { return 7 }); got != 7 {
		t.Errorf("another type of key: got %v", got)
	}
	if got := derive(core.NewSecret("next"), 1); got != "next1" {
		t.Errorf("another secret: got %q", got)
	}
	for n := range 100 {
		derive(secret, n)
	}
	calls = 0
	derive(secret, 99)
	derive(secret, 92)
	if calls != 0 {
		t.Error("the newest eight are not remembered")
	}
	if derive(secret, 91); calls != 1 {
		t.Error("more than eight are remembered")
	}
	if got := derive(core.Secret{}, 1); got != "1" {
		t.Errorf("the empty secret: got %q", got)
	}
	if got := testing.AllocsPerRun(100, func() { core.Derive(secret, day{1}, func(string) string { return "" }) }); got > 0 {
		t.Errorf("a derivation that is remembered allocates %v times", got)
	}
}
