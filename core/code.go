package core

import (
	"cmp"
	"errors"
	"net/http"
)

// A Code says why a request was refused. Codes are stable: logs, metrics and
// clients may rely on them.
type Code string

// The codes, with the HTTP status that each is answered with. All answers with
// one status look alike to the caller, whatever the code.
const (
	// 401: the request holds no credential, one that cannot be read, or one
	// of a scheme that this environment (or the key) does not accept.
	CodeCredentialMissing   Code = "credential_missing"
	CodeCredentialMalformed Code = "credential_malformed"
	CodeSchemeNotAccepted   Code = "scheme_not_accepted"

	// 401: no such key in this environment; the signature, password or
	// session token does not fit the request as received.
	CodeKeyUnknown        Code = "key_unknown"
	CodeSignatureMismatch Code = "signature_mismatch"

	// 401: the date is further than the allowed skew from the clock.
	CodeSignatureExpired     Code = "signature_expired"
	CodeSignatureNotYetValid Code = "signature_not_yet_valid"

	// 401: a header that must be signed is not; the payload is declared
	// unsigned where that is not allowed, or in a form that is not supported;
	// the body is not the declared one or could not be read to its end; the
	// request was seen before.
	CodeHeaderNotSigned    Code = "header_not_signed"
	CodePayloadNotSigned   Code = "payload_not_signed"
	CodePayloadUnsupported Code = "payload_unsupported"
	CodeBodyMismatch       Code = "body_mismatch"
	CodeReplayed           Code = "replayed"

	// 401: too many wrong passwords from one address.
	CodeThrottled Code = "throttled"

	// 403: rightly signed, but with a key that is not bound to this API.
	CodeKeyNotBound Code = "key_not_bound"

	// 421: rightly signed, but for a host that is not among Config.Hosts.
	CodeHostNotOurs Code = "host_not_ours"

	// 400: a router and the verifier could read the request differently, or
	// it exceeds a limit of form.
	CodeRequestAmbiguous Code = "request_ambiguous"

	// 413: the body is larger than the environment allows.
	CodeBodyTooLarge Code = "body_too_large"

	// 503: the verdict could not be reached: a key source failed, the memory
	// budget for bodies is used up, the context ended, or the Verifier was not
	// made by [New].
	CodeUnavailable Code = "unavailable"
)

// answers maps each code to its HTTP status and its gRPC status code
// (google.golang.org/grpc/codes, by number: core links no gRPC).
var answers = map[Code]struct {
	http int
	grpc uint32
}{
	CodeCredentialMissing:    {http.StatusUnauthorized, 16},
	CodeCredentialMalformed:  {http.StatusUnauthorized, 16},
	CodeSchemeNotAccepted:    {http.StatusUnauthorized, 16},
	CodeKeyUnknown:           {http.StatusUnauthorized, 16},
	CodeSignatureMismatch:    {http.StatusUnauthorized, 16},
	CodeSignatureExpired:     {http.StatusUnauthorized, 16},
	CodeSignatureNotYetValid: {http.StatusUnauthorized, 16},
	CodeHeaderNotSigned:      {http.StatusUnauthorized, 16},
	CodePayloadNotSigned:     {http.StatusUnauthorized, 16},
	CodePayloadUnsupported:   {http.StatusUnauthorized, 16},
	CodeBodyMismatch:         {http.StatusUnauthorized, 16},
	CodeReplayed:             {http.StatusUnauthorized, 16},
	CodeThrottled:            {http.StatusUnauthorized, 16},
	CodeKeyNotBound:          {http.StatusForbidden, 7},
	CodeHostNotOurs:          {http.StatusMisdirectedRequest, 7},
	CodeRequestAmbiguous:     {http.StatusBadRequest, 3},
	CodeBodyTooLarge:         {http.StatusRequestEntityTooLarge, 8},
	CodeUnavailable:          {http.StatusServiceUnavailable, 14},
}

// CodeOf returns the code of a refusal, and "" for nil and for an error that is not of
// this package. A code that is not one of this package counts as [CodeUnavailable].
func CodeOf(err error) Code {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return ""
	}
	if _, known := answers[e.Code]; known {
		return e.Code
	}
	return CodeUnavailable
}

// StatusCode returns the HTTP status for a refusal: 200 for nil, 503 for an
// error that is not of this package.
func StatusCode(err error) int {
	if err == nil {
		return http.StatusOK
	}
	return answers[cmp.Or(CodeOf(err), CodeUnavailable)].http
}

// GRPCStatusCode returns the number of the gRPC status code for a refusal, as
// google.golang.org/grpc/codes numbers them: 0 for nil, 14 (Unavailable) for an error
// that is not of this package.
func GRPCStatusCode(err error) uint32 {
	if err == nil {
		return 0
	}
	return answers[cmp.Or(CodeOf(err), CodeUnavailable)].grpc
}
