// Package sdk holds what the schemes of packages apig and sm share: the names of
// headers and parameters (docs/protocols.md, SDK schemes).
package sdk

import "github.com/gatewayauth/gatewayauth/core/internal/signing"

// Protocol is that of the SDK-* and V11 schemes.
var Protocol = signing.Protocol{
	HeaderPrefix: "x-sdk-",
	DateHeader:   "x-sdk-date",
	DateField:    "X-Sdk-Date",
	TokenHeader:  "x-security-token",
	Parameters: []signing.Parameter{
		{Name: "X-Sdk-Algorithm"}, {Name: "X-Sdk-Credential", NotEmpty: true}, {Name: "X-Sdk-Date", Exclusive: true},
		{Name: "X-Sdk-Expires"}, {Name: "X-Sdk-SignedHeaders", NotEmpty: true}, {Name: "X-Sdk-Signature", NotEmpty: true},
	},
	Markers:       []string{"X-Sdk-Algorithm"},
	FlatAndScoped: true,
	Details: signing.Details{
		Fields:       "the fields are not Access or Credential, SignedHeaders and Signature",
		NoCredential: "Access or Credential is absent",
		Signature:    "the signature is not lower-case hexadecimal digits, as many as the algorithm has",
		Date:         "x-sdk-date is not of the form 20260115T120000Z",
		NoDate:       "x-sdk-date is absent: the sender or a proxy has left it out",
		Scope:        "Credential is not of the form ID/20260115/REGION/SERVICE and the last part of its algorithm, such as sdk_request",
		ScopeDate:    "the date in the scope is not the day of x-sdk-date",
		Digest:       "the content digest is neither 64 lower-case hexadecimal digits nor UNSIGNED-PAYLOAD",
		Missing:      "X-Sdk-Credential, X-Sdk-Date, X-Sdk-Expires, X-Sdk-SignedHeaders or X-Sdk-Signature is absent or empty",
		Expires:      "X-Sdk-Expires is not a number of seconds from 1 to 604800",
		Repeated:     "a parameter of the credential occurs twice, or in another case",
		Exclusive:    "the date stands in the query and in a header",
	},
}
