package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// run runs the program, with some source files replaced by others.
func run(t *testing.T, replace map[string]string) (string, bool) {
	t.Helper()
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "overlay.json")
	if err := os.WriteFile(file, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "run", "-overlay", file, ".").CombinedOutput()
	return string(out), err == nil
}

func TestQuickstart(t *testing.T) {
	out, ok := run(t, nil)
	if !ok || strings.Contains(out, "WRONG") || strings.Count(out, "  right\n") < 120 {
		t.Errorf("exit 0: %v\n%s", ok, out)
	}
}

// TestQuickstartSeesEveryCheck takes one check after the other out of the
// verifier: each time the program must exit with 1.
func TestQuickstartSeesEveryCheck(t *testing.T) {
	const core = "../../core/"
	for _, m := range []struct{ file, old, new string }{
		{"verify.go", "if err := p.checkForm(r, a); err != nil {", "if err := p.checkForm(r, a); false {"},
		{"verify.go", "if err := p.checkTarget(r, a); err != nil {", "if err := p.checkTarget(r, a); false {"},
		{"verify.go", "if err := checkOpen(r); err != nil {", "if err := checkOpen(r); false {"},
		{"verify.go", "if err := p.checkHost(signed.Host); err != nil {", "if err := p.checkHost(signed.Host); false {"},
		{"verify.go", "if err := p.checkCoverage(signed, a); err != nil {", "if err := p.checkCoverage(signed, a); false {"},
		{"verify.go", "!want.IsZero() && !equal(c.SessionToken, want.Reveal())", "!want.IsZero() && false"},
		{"verify.go", "if !a.binding.allowUnsigned {", "if false {"},
		{"verify.go", `if a.binding.key == "" || a.key.Name != a.binding.key {`, "if false {"},
		{"verify.go", "if !equal(digest, c.Declared) {", "if digest == \"\" {"},
		{"verify.go", "case age > valid:", "case age > valid && age > 1<<62:"},
		{"verify.go", "case age < -p.ClockSkew:", "case false:"},
		{"verify.go", "return p.checkSignedHeaders(a)", "return nil"},
		{"replay.go", "case err == nil && !added", "case err == nil && !added && false"},
		{"replay.go", "slices.Contains(p.Replay.ExemptMethods, r.Method)", "slices.Contains([]string(nil), r.Method)"},
		{"body.go", "equal(string(v.hash.digest()), v.want)", "true"},
		{"key.go", "now.Before(p.Until)", "!now.IsZero()"},
		{"body.go", "size > most {", "size < 0 {"},
		{"bindings.go", "return nil, errBindingAmbiguous", "continue"},
		{"bindings.go", "case i > 0 && all[0].open && clean(path) == path:", "case false:"},
		{"interpretations.go", "{unescape(raw), unescape(withoutDots(raw)), whole, withoutDots(whole)}", "{unescape(withoutDots(raw)), withoutDots(whole)}"},
		{"announced.go", "case length == announced, announced == anyLength, announced == someBytes && length > 0:", "case true:"},
		{"form.go", "if lines += len(values); lines > p.Limits.Headers {", "if lines += len(values); lines < 0 {"},
		{"form.go", `if len(values) > 1 && k&(protocolHeader|credentialHeader) != 0 {`, "if false {"},
		{"form.go", "len(auth[0]) > p.Limits.Authorization", "auth == nil"},
		{"form.go", "if count++; count > most {", "if count++; count < 0 && count > most {"},
		{"form.go", "!isHeaderName(name) || name <= previous", "!isHeaderName(name) || previous == name+name"},
		{"form.go", "a.scheme.owns(h.name) && !a.signs(h) && !p.allowsUnsigned(h.name)", "false"},
		{"form.go", "a.scheme.owns(h.name) && !a.signs(h)", "!a.signs(h)"},
		{"form.go", `|| sameName("authorization", name) || p.isProtocol(name) || c.signs(name, sameName) {`, `|| name == "\x00" {`},
		{"form.go", "!= nil {\n\t\treturn Refuse(CodeRequestAmbiguous, err.Error())", "!= nil && false {\n\t\treturn Refuse(CodeRequestAmbiguous, err.Error())"},
		{"form.go", "if unsignable(name) {\n\t\t\treturn", "if unsignable(name) && false {\n\t\t\treturn"},
		{"form.go", "case a.message.HasParameter(r, credentialParameters[:]...):", "case false:"},
		{"form.go", "h.kind&overrideHeader != 0 && !a.signs(h)", "false"},
		{"form.go", "if a.strange == 0 && a.isUsual() {", "if a.message != nil {"},
		{"form.go", "c.signs(h.name, sameSpelling)", "false"},
		{"form.go", "n.kind&reservedHeader != 0 && !a.signs(n)", "false"},
		{"../internal/signature/mac.go", "is := lowerhex.Equal(&s.sum, signature)", "is := true || lowerhex.Equal(&s.sum, signature)"},
		{"internal/signing/parse.go", " || !lowerhex.Is(c.Signature, n) {", " {"},
		{"internal/signing/parse.go", "case lowerhex.Is(digest.Text, hex.EncodedLen(DigestSize)):", "case true:"},
		{"internal/signing/verify.go", "order++ {", "more = false {"},
		{"basic/basic.go", "subtle.ConstantTimeCompare(got[:], want[:]) == 1", "subtle.ConstantTimeCompare(got[:], want[:]) <= 1"},
		{"../internal/signature/ecdsa.go", "return ecdsa.VerifyASN1(", "return true || ecdsa.VerifyASN1("},
		{"internal/signing/key.go", "return signature.VerifyP256(", "return true || signature.VerifyP256("},
		{"internal/signing/verify.go", ".Verify(m.StringToSign, c.Signature) {", ".Verify(m.StringToSign, c.Signature) || true {"},
		{"apig/sm/sm.go", "return ok && sm2.VerifyASN1WithSM2(", "return ok || sm2.VerifyASN1WithSM2("},
		{"aescfb/aescfb.go", "subtle.ConstantTimeCompare(want, got) == 1", "subtle.ConstantTimeCompare(want, got) <= 1"},
		{"token/token.go", `return -1, core.Refuse(core.CodeSignatureMismatch, "the identity service does not take the token for valid")`, "return 0, nil"},
		{"token/token.go", `return -1, &core.Error{Code: core.CodeUnavailable, Detail: "no verdict of the identity service", Err: err}`, "return 0, nil"},
		{"token/token.go", "subject.projectID != client.key.CallerProject", "false"},
		{"internal/canonical/path.go", "case b == '/' || b == '\\\\':", "case false:"},
		{"internal/canonical/path.go", "b == '\\\\':\n\t\t\t\treturn ErrPathSlash\n\t\t\tcase unreserved[b]:", "b == '\\\\':\n\t\t\t\treturn ErrPathSlash\n\t\t\tcase false:"},
		{"internal/canonical/path.go", `s == "." || s == ".."`, "false && s == s"},
		{"internal/authorization/authorization.go", "return f, errUnknown", "continue"},
	} {
		t.Run(m.file+" "+m.old, func(t *testing.T) {
			t.Parallel()
			path, err := filepath.Abs(core + m.file)
			if err != nil {
				t.Fatal(err)
			}
			source, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(source), m.old); n != 1 {
				t.Fatalf("the check stands %d times in %s; want once", n, m.file)
			}
			mutant := filepath.Join(t.TempDir(), "mutant.go")
			if err := os.WriteFile(mutant, []byte(strings.Replace(string(source), m.old, m.new, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			out, ok := run(t, map[string]string{path: mutant})
			if ok || !strings.Contains(out, "verdicts are wrong") {
				t.Errorf("without the check the program exits with 0 (%v) or does not run:\n%s", ok, out)
			}
		})
	}
}
