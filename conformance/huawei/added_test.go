package huawei_test

import (
	"testing"

	"github.com/gatewayauth/gatewayauth/conformance/internal/wire"
	"github.com/gatewayauth/gatewayauth/core"
)

// TestAddedLines adds header lines to a signed request. The SDK signs one line for each
// header, so a second line is never its own.
func TestAddedLines(t *testing.T) {
	r := request{method: "POST", path: "/v1/items", headers: [][2]string{{"X-Role", "user"}}, body: `{"amount":100}`, contentType: typeJSON, host: true}
	const accept = core.Code("")
	for _, a := range algorithms {
		raw := r.signed(t, a.sign, keyID, secret)
		l := wire.Parse(t, raw)
		own := func(name string) string { return name + ": " + l.Values(name)[0] }
		for _, tt := range []struct {
			name, line string
			want       core.Code
		}{
			{"second value of a signed header", "X-Role: admin", core.CodeSignatureMismatch},
			{"the same value again", "X-Role: user", core.CodeSignatureMismatch},
			{"underscore twin", "X_Role: admin", core.CodeRequestAmbiguous},
			{"second date", own("x-sdk-date"), core.CodeRequestAmbiguous},
			{"underscore date", "X_Sdk_Date: 20200101T000000Z", core.CodeRequestAmbiguous},
			{"second credential", own("authorization"), core.CodeRequestAmbiguous},
			{"unsigned protocol header", "X-Sdk-Anything: 1", core.CodeHeaderNotSigned},
			{"method override", "X-Http-Method-Override: DELETE", core.CodeHeaderNotSigned},
			{"signed header for this connection only", "Connection: close, X-Role", core.CodeRequestAmbiguous},
			// An unsigned digest is ignored, right or wrong.
			{"unsigned digest", a.digest + ": none", accept},
			{"unsigned UNSIGNED-PAYLOAD", a.digest + ": UNSIGNED-PAYLOAD", accept},
			{"unsigned UNSIGNED-PAYLOAD for SHA-256", contentSHA256 + ": UNSIGNED-PAYLOAD", accept},
			{"unsigned UNSIGNED-PAYLOAD for SM3", contentSM3 + ": UNSIGNED-PAYLOAD", accept},
			{"unsigned header", "X-Request-Id: 7", accept},
		} {
			t.Run(a.name+"/"+tt.name, func(t *testing.T) {
				backend := wire.Start(t, policy(&r, a.scheme(orders)))
				// Before the header with the same name, and after all headers.
				for _, added := range [][]byte{
					wire.Splice(raw, "\r\nHost: ", "\r\n"+tt.line+"\r\nHost: "),
					wire.Splice(raw, "\r\n\r\n", "\r\n"+tt.line+"\r\n\r\n"),
				} {
					if tt.want != accept {
						backend.Refuse(t, added, tt.want)
						continue
					}
					accepted(t, backend, added, r.sent(t))
					changed := wire.Splice(added, `":100}`, `":900}`)
					backend.Refuse(t, changed, core.CodeSignatureMismatch)
				}
			})
		}
	}
}
