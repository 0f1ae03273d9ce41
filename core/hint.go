package core

import "errors"

// troubleshooting is the address of the page that has a section for each code, with
// its usual causes and what to do.
const troubleshooting = "https://github.com/gatewayauth/gatewayauth/blob/main/docs/troubleshooting.md#"

// hints are one sentence for each code. docs/troubleshooting.md has them with the usual
// causes, and those of single refusals ([Error].Hint) in the section of their code. They use
// the names of the environments file and of the fields of a record.
var hints = map[Code]string{
	CodeCredentialMissing: "If remote is the gateway, bind the signature key to this API there and let the proxies in between " +
		"forward the header of the credential; otherwise the request went around the gateway.",
	CodeCredentialMalformed: "Correct in the sender what error names, or sign with the vendor's SDK.",
	CodeSchemeNotAccepted: "Compare the type of the key in the file with that of the gateway's key, and set allow_presigned " +
		"if presigned requests (links) are to be accepted.",
	CodeKeyUnknown: "Compare key_id with the keys of this environment in the file: the key may belong to another environment, " +
		"or be new at the gateway.",
	CodeSignatureMismatch: "Explain the captured request with gatewayauth explain: most often a proxy has changed the host or the path, " +
		"or the secret is not the gateway's.",
	CodeSignatureExpired: "Compare the clocks of the gateway and this machine, and look for queues and repeated requests: " +
		"skew says how long ago the request was signed.",
	CodeSignatureNotYetValid: "Compare the clocks of the gateway and this machine: skew says by how much the gateway's is ahead.",
	CodeHeaderNotSigned: "Sign the header that is named; if a proxy adds or removes it, correct the proxy, " +
		"or list the name in allow_unsigned if the header may be added unsigned.",
	CodePayloadNotSigned: "Configure the sender to sign the payload, or set allow_unsigned_payload on this API if its bodies need no protection.",
	CodePayloadUnsupported: "Configure the sender to declare one digest of the whole body (x-sdk-content-sha256, x-amz-content-sha256), " +
		"not of chunks.",
	CodeBodyMismatch: "Put the verifier in front of middleware that reads bodies, and look for a proxy that changes or cuts them.",
	CodeReplayed:     "Turn off retries at the gateway or permit them (replay.retries), and list the methods of polling clients in exempt_methods.",
	CodeThrottled:    "Find the client that sends wrong passwords (remote); the throttle ends after a second without them.",
	CodeKeyNotBound: "The request is signed with key, and the file binds this API to api_key: correct the file, " +
		"or the binding at the gateway.",
	CodeHostNotOurs:      "Add host to hosts in the file if this service has that name; otherwise the request was meant for another service.",
	CodeRequestAmbiguous: "Send the plain form of what error names: a router and the verifier could read this one differently.",
	CodeBodyTooLarge:     "Raise max_body of this API, or set stream, if bodies of this size are to be accepted.",
	CodeUnavailable:      "Look after what error names: a key source, the replay store, the identity service, or the memory for bodies (max_buffered).",
}

// Hints of refusals with header_not_signed that are not about a header of a protocol which
// something adds behind the signer.
const (
	hintRequired         = "Sign the header that is named, or take it out of require_signed."
	hintRequiredWithBody = "Sign the header that is named, or take it out of require_signed_with_body."
	hintRequiredByHosts  = "Sign host: where hosts is set, it must be signed."
	hintSignOrLeaveOut   = "The sender must sign the header that is named, or not send it."
	hintLeaveOut         = "The sender must not send the header that is named to an open API."
	hintDashes           = "The sender must write the name of the header with dashes, and sign it."
	hintSignDate         = "The sender must sign the date header."
	hintUnsignable       = "The sender must not sign the header that is named: it belongs to one connection, or holds the credential."
	hintRemoved          = "Find what removes the header that is named on the way from the sender, or take it out of what the sender signs."
)

// Hints of refusals by refuse_before_start. Nothing has failed.
const (
	hintBeforeStart          = "Nothing needs repair: it ends within clock_skew of the start. Take refuse_before_start out of replay to accept these requests."
	hintPresignedBeforeStart = "Nothing needs repair: a presigned request (link) of before the start is refused until it expires. " +
		"Presign it again, or take refuse_before_start out of replay."
)

// hintBearer is for tokens of clients, which no scheme takes.
const hintBearer = "The request holds the client's own token and no signature: bind the signature key at the gateway, " +
	"or set credential_header to the header that the gateway uses."

// Hints of refusals that depend on the file's list of APIs. They are the same for all requests:
// the record has method and path.
const (
	hintNoAPI = "Add the API to apis, or set default; gatewayauth check --route shows what matches a method and path."
	hintAPIs  = "List both APIs that error names with one key in apis, with and without the slash at the end, or send the plain path: " +
		"with the slash that the pattern has, and without //, dot segments and encoded slashes."
	hintMethodCase = "Send the method in capital letters."
	hintHead       = "Bind HEAD and GET alike: list the pattern in apis for HEAD as well, or without a method."
)

// Hint returns one sentence that says what to do about refusals with the code, for
// operators; "" for other texts. It names fields of the environments file and of
// records (see [Event]).
func (c Code) Hint() string { return hints[c] }

// HintOf returns what to do about a refusal: its own hint, or that of its code; "" for nil
// and for an error that is not of this package.
func HintOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok && e.Hint != "" {
		return e.Hint
	}
	return CodeOf(err).Hint()
}

// doc returns the address of the code's section.
func (c Code) doc() string { return troubleshooting + string(c) }
