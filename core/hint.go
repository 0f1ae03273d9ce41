package core

// troubleshooting is the address of the page that has a section for each code, with
// its usual causes and what to do.
const troubleshooting = "https://github.com/gatewayauth/gatewayauth/blob/main/docs/troubleshooting.md#"

// hints are one sentence for each code. docs/troubleshooting.md has them with the usual
// causes. They use the names of the environments file and of the fields of a record.
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

// Hint returns one sentence that says what to do about refusals with the code, for
// operators; "" for other texts. It names fields of the environments file and of
// records (see [Event]).
func (c Code) Hint() string { return hints[c] }

// doc returns the address of the code's section.
func (c Code) doc() string { return troubleshooting + string(c) }
