package aws_test

import (
	"slices"
	"testing"

	"github.com/gatewayauth/gatewayauth/conformance/internal/wire"
	"github.com/gatewayauth/gatewayauth/core"
)

// changedCodes are the codes of changed AWS requests. If the name of a header is changed,
// the header is absent; of several lines, only one is. A date or region set is then
// missing.
var changedCodes = wire.Codes{
	"name":                       {core.CodeHeaderNotSigned, core.CodeSignatureMismatch},
	"name x-amz-date":            {core.CodeCredentialMalformed},
	"name x-amz-region-set":      {core.CodeCredentialMalformed},
	"value host":                 {core.CodeSignatureMismatch, core.CodeRequestAmbiguous, ""},
	"value x-amz-date":           {core.CodeSignatureMismatch, core.CodeSignatureExpired, core.CodeSignatureNotYetValid, core.CodeCredentialMalformed},
	"value x-amz-content-sha256": {core.CodeSignatureMismatch, core.CodeCredentialMalformed},
}

// presignedCodes are the codes that differ for a credential in the query. The changed
// byte may be part of a parameter's name, or end it. A query with another algorithm has
// no known credential. If the list of signed headers ends early, the digest of the body
// may not be in it.
var presignedCodes = wire.Codes{
	"algorithm": {core.CodeCredentialMissing},
	"path":      {core.CodeSignatureMismatch, core.CodeRequestAmbiguous, core.CodeCredentialMalformed, ""},
	"query": {core.CodeSignatureMismatch, core.CodeRequestAmbiguous, core.CodeCredentialMalformed, core.CodeKeyUnknown,
		core.CodeHeaderNotSigned, core.CodeSignatureExpired, core.CodeSignatureNotYetValid, core.CodeCredentialMissing, core.CodePayloadNotSigned},
	"Credential":    {core.CodeKeyUnknown, core.CodeCredentialMalformed, core.CodeSignatureMismatch, core.CodeRequestAmbiguous},
	"SignedHeaders": {core.CodeHeaderNotSigned, core.CodeCredentialMalformed, core.CodeSignatureMismatch, core.CodeRequestAmbiguous, core.CodePayloadNotSigned},
}

// tamper checks that each change is refused, and returns the number of refusals. Changes
// that the canonical form hides, and changes of an unsigned body, must be accepted and
// are not counted.
func tamper(t testing.TB, b *wire.Backend, v *variant, r *request, l wire.Layout, changes []wire.Change) (refusals int) {
	t.Helper()
	return b.Tamper(t, changes, func(c wire.Change) []core.Code {
		detail := c.Header
		switch c.Part {
		case "path", "query", "Credential", "SignedHeaders":
			inTarget := v.presigned || c.Part == "path" || c.Part == "query"
			if inTarget && wire.Collide(l.Raw, c.Raw, wire.SigV4Path(v.paths())) {
				return nil
			}
		case "body":
			if v.unsigned(r) {
				return nil
			}
			if slices.Contains(l.SignedHeaders(), "x-amz-content-sha256") {
				detail = "declared"
			}
		}
		if codes, ok := presignedCodes[c.Part]; ok && v.presigned {
			return codes
		}
		return changedCodes.Of(c.Part, detail)
	})
}
