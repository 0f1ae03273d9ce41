package coretest

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
)

// Records of requests: one line, printable, and without secrets.
func logCases() []testCase {
	var cases []testCase
	basicUser := func(user string) message { return onBasic(basicAuth(user + ":some-password")) }
	for _, c := range []struct {
		name string
		send message
		want verdict
	}{
		{"a user name with a line break", basicUser("x\r\nlevel=info msg=ok"), unknownKey},
		{"a user name with an escape sequence", basicUser("\x1b[2J"), unknownKey},
		{"a user name with NUL and a quote", basicUser("a\x00\"b"), unknownKey},
		{"a user name with a right-to-left override", basicUser("\u202egpj"), unknownKey},
		{"a user name that is not UTF-8", basicUser("\xff\xfe"), unknownKey},
		{"a user name of five thousand bytes", basicUser(strings.Repeat("u", 5000)), unknownKey},
		{"a user name of five thousand line breaks", basicUser(strings.Repeat("\n", 5000)), unknownKey},
		{"a key id with a right-to-left override", called("\u202egpj").send, unknownKey},
		{"a path that is not UTF-8", unsigned("/\x80\xff"), missing},
		{"a path that looks like a record", unsigned("/\"level=INFO%20msg=ok"), missing},
		{"a path of fifteen thousand bytes", unsigned("/" + strings.Repeat("p", 15_000)), missing},
		{"a method of a thousand letters", unsigned("/").as(strings.Repeat("M", 1000)), missing},
	} {
		cases = append(cases, testCase{name: "T125 " + c.name, script: func(b *bench) {
			b.expect(c.send, c.want)
			b.checkOneRecord()
		}})
	}
	return append(cases,
		testCase{name: "T127 no value prints a secret", script: prints})
}

// checkOneRecord checks that the verdict is one record in each format.
func (b *bench) checkOneRecord() {
	b.Helper()
	for name, text := range map[string]string{"JSON": b.records.json.String(), "text": b.records.text.String()} {
		line, isLine := strings.CutSuffix(text, "\n")
		switch {
		case !isLine || strings.Contains(line, "\n"):
			b.Errorf("the %s log does not have exactly one line: %.300q", name, text)
		case len(line) > 2500:
			b.Errorf("the %s record has %d bytes: %.100q", name, len(line), line)
		case strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r > '~' }):
			b.Errorf("the %s record is not printable ASCII: %.300q", name, line)
		case name == "JSON" && !json.Valid([]byte(line)):
			b.Errorf("the record is not JSON: %.300q", line)
		}
	}
}

// prints formats every value that may contain a secret, with every verb.
func prints(b *bench) {
	b.expect(p2(), accepted)
	var id *core.Identity
	b.app.then = nil
	r := receive(p2())
	id, err := b.verifier.Verify(r)
	if err != nil {
		b.Errorf("Verify: %v", err)
		return
	}
	core.Release(r)
	_, err = b.verifier.Verify(receive(forged()))
	key := k1.key()
	key.Previous = []core.PreviousSecret{{Secret: core.NewSecret(k1t.secret)}}
	key.SessionToken = core.NewSecret(k7.secret)
	source := core.Keys(key)
	config := fixture(b.records.logger(), &b.events)
	scheme := apig.New(apig.Config{Keys: source})
	credential := new(core.Credential)
	if err := scheme.Parse(receive(p1()), credential); err != nil {
		b.Errorf("Parse: %v", err)
	}
	type wrapper struct { // a struct of an application
		Key    core.Key
		secret core.Secret
		config core.Config
		id     *core.Identity
	}
	for _, value := range []any{key, &key, key.Secret, &key.Secret, key.Previous, source, apig.Config{Keys: source}, scheme, config, &config,
		b.verifier, id, id.Covers(), err, credential, *credential, []any{key}, map[string]any{"k": key},
		wrapper{key, key.Secret, config, id}, &wrapper{key, key.Secret, config, id}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			b.checkPrint(verb, value, fmt.Sprintf(verb, value))
		}
		text, _ := json.Marshal(value)
		b.checkPrint("JSON", value, string(text))
		var log logBuffer
		for _, handler := range []slog.Handler{slog.NewJSONHandler(&log, nil), slog.NewTextHandler(&log, nil)} {
			slog.New(handler).Info("value", "value", value, slog.Group("group", slog.Any("value", value)))
		}
		b.checkPrint("slog", value, log.String())
		func() {
			defer func() { b.checkPrint("panic", value, fmt.Sprint(recover())) }()
			panic(value)
		}()
	}
	if text := fmt.Sprintf("%v %+v %#v %s %x", key.Secret, key.Secret, key.Secret, key.Secret, key.Secret); strings.Count(text, "[redacted]") != 5 {
		b.Errorf("a secret prints as %q, want [redacted]", text)
	}
}

// checkPrint fails the case if a text contains a secret, also in hexadecimal as %x writes
// it.
func (b *bench) checkPrint(how string, value any, text string) {
	b.Helper()
	for _, secret := range append([]string{p1Signature, p2Signature}, secretTexts...) {
		if strings.Contains(text, secret) || strings.Contains(text, fmt.Sprintf("%x", secret)) {
			b.Errorf("%s of a %T shows %q", how, value, secret)
		}
	}
}
