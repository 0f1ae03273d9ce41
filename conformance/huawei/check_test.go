package huawei_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/conformance/internal/wire"
	"github.com/gatewayauth/gatewayauth/core"
)

// accepted sends raw and checks that it is accepted, and that its body is body.
func accepted(t testing.TB, b *wire.Backend, raw, body []byte) *core.Identity {
	t.Helper()
	if sent := wire.Body(t, raw); !bytes.Equal(sent, body) {
		t.Errorf("the SDK sends a body of %d bytes, want %d\n%.200q\n%.200q", len(sent), len(body), sent, body)
	}
	return b.Accept(t, raw)
}

// changedCodes are the codes of changed requests. If the name of a header is changed, the
// header is absent. The date is then missing, or an unknown x-sdk-* header is unsigned.
var changedCodes = wire.Codes{
	"Access":                     {core.CodeKeyUnknown},
	"name x-sdk-date":            {core.CodeCredentialMalformed},
	"value x-sdk-date":           {core.CodeSignatureMismatch, core.CodeSignatureExpired, core.CodeSignatureNotYetValid, core.CodeCredentialMalformed},
	"value x-sdk-content-sha256": {core.CodeSignatureMismatch, core.CodeCredentialMalformed},
	"value x-sdk-content-sm3":    {core.CodeSignatureMismatch, core.CodeCredentialMalformed},
}

// tamper checks that each change is refused, and returns the number of refusals. Changes
// that the canonical form hides, and changes of a body that the SDK declares unsigned,
// must be accepted and are not counted.
func tamper(t testing.TB, b *wire.Backend, l wire.Layout, changes []wire.Change) (refusals int) {
	t.Helper()
	// No request here has both.
	declared := strings.Join(append(l.Values("x-sdk-content-sha256"), l.Values("x-sdk-content-sm3")...), "")
	return b.Tamper(t, changes, func(c wire.Change) []core.Code {
		detail := c.Header
		switch c.Part {
		case "path", "query":
			if wire.Collide(l.Raw, c.Raw, path) {
				return nil
			}
		case "body":
			if declared == "UNSIGNED-PAYLOAD" {
				return nil
			}
			if declared != "" {
				detail = "declared"
			}
		}
		return changedCodes.Of(c.Part, detail)
	})
}
