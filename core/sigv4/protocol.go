package sigv4

import (
	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
	"github.com/gatewayauth/gatewayauth/core/internal/signing"
)

// protocol is what both algorithms share (docs/protocols.md, SigV4).
var protocol = signing.Protocol{
	HeaderPrefix:    "x-amz-",
	DateHeader:      "x-amz-date",
	DateField:       "X-Amz-Date",
	OtherDate:       httpDate,
	OtherDateHeader: "date",
	TokenHeader:     "x-amz-security-token",
	TokenIsStrict:   true,
	RegionSetHeader: "x-amz-region-set",
	Parameters: []signing.Parameter{
		{Name: "X-Amz-Algorithm", Exclusive: true},
		{Name: "X-Amz-Credential", Exclusive: true},
		{Name: "X-Amz-Date", Exclusive: true},
		{Name: "X-Amz-Expires", Exclusive: true},
		{Name: "X-Amz-SignedHeaders", Exclusive: true},
		{Name: "X-Amz-Signature", Exclusive: true},
		{Name: "X-Amz-Security-Token", Exclusive: true},
		{Name: "X-Amz-Region-Set", Exclusive: true},
		// Some signers that move headers into the query write this in lower case.
		{Name: "X-Amz-Content-Sha256", AnyCase: true},
	},
	Markers:    []string{"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature"},
	Joined:     true,
	FirstOrder: canonical.ByEncoded,
	Details: signing.Details{
		Fields:       "the fields are not Credential, SignedHeaders and Signature",
		NoCredential: "Credential is absent",
		Signature:    "the signature is not of the algorithm's form in lower-case hexadecimal digits",
		Date:         "x-amz-date is not of the form 20260115T120000Z",
		NoDate:       "x-amz-date is absent, as is Date: the sender or a proxy has left it out",
		Scope:        "Credential is not of the form ID/20260115/REGION/SERVICE/aws4_request (SigV4a: without REGION)",
		ScopeDate:    "the credential's scope is of another day than the date",
		Digest:       "x-amz-content-sha256 is neither 64 lower-case hexadecimal digits nor UNSIGNED-PAYLOAD",
		Missing:      "a protocol parameter is missing in the query",
		Expires:      "X-Amz-Expires is not a number of seconds from 1 to 604800",
		Repeated:     "a protocol parameter stands twice in the query, or in another spelling",
		Exclusive:    "a protocol parameter stands in the query and in a header",
	},
}
