package core

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
)

// Error is the one error type of a refusal. Its text is for operators: it
// holds no secret, no signature and no text that the caller chose. What the
// caller may see is written by [WriteProblem].
type Error struct {
	// Code is the stable reason.
	Code Code
	// Detail says in words what was wrong, for logs.
	Detail string
	// Err is the cause, if another error was it.
	Err error

	challenge string    // WWW-Authenticate, set by the Verifier
	exposed   *exposure // what expose_reason adds to the answer
}

// exposure is what the verifier computed, never what it expected.
type exposure struct {
	CanonicalRequest string `json:"canonical_request,omitempty"`
	StringToSign     string `json:"string_to_sign,omitempty"`
}

// Refuse returns an *Error for a scheme's or a key source's verdict. Detail
// must hold nothing secret and nothing that the caller chose.
func Refuse(code Code, detail string) error { return &Error{Code: code, Detail: detail} }

// Error returns code, detail and cause.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("gatewayauth: ")
	b.WriteString(string(e.Code))
	if e.Detail != "" {
		b.WriteString(": ")
		b.WriteString(e.Detail)
	}
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(e.Err.Error())
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is makes errors.Is(err, &Error{Code: c}) true for every *Error with that code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code && t.Detail == "" && t.Err == nil
}

// problem is an answer of RFC 9457. The first three members depend on the
// status alone.
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`

	Code   Code   `json:"code,omitempty"`
	Reason string `json:"reason,omitempty"`
	*exposure
}

var details = map[int]string{
	http.StatusUnauthorized:          "The request does not prove that it came through the gateway.",
	http.StatusForbidden:             "The request was not signed for this API.",
	http.StatusBadRequest:            "The request can be read in more than one way.",
	http.StatusRequestEntityTooLarge: "The request body is too large.",
	http.StatusServiceUnavailable:    "The request cannot be verified at the moment.",
}

// WriteProblem answers a refused request: status and body by [StatusCode],
// application/problem+json (RFC 9457), with WWW-Authenticate on 401. Every
// refusal with the same status gets the same bytes, so that the answer tells
// nothing about keys; only an environment with ExposeReason adds the code and
// what the verifier computed, and never a signature.
//
// Adapters call it; it reads nothing from r's body.
func WriteProblem(w http.ResponseWriter, r *http.Request, err error) {
	status := StatusCode(err)
	p := problem{Title: http.StatusText(status), Status: status, Detail: details[status]}
	header := w.Header()
	if e, ok := errors.AsType[*Error](err); ok {
		if status == http.StatusUnauthorized && e.challenge != "" {
			header.Set("WWW-Authenticate", e.challenge)
		}
		if e.exposed != nil {
			p.Code, p.Reason, p.exposure = CodeOf(e), e.Detail, e.exposed
		}
	}
	switch status {
	case http.StatusRequestEntityTooLarge:
		header.Set("Connection", "close") // the rest of the body is not read
	case http.StatusServiceUnavailable:
		header.Set("Retry-After", "1")
	}
	body, _ := json.Marshal(p) // strings and a number: cannot fail
	body = append(body, '\n')
	header.Set("Content-Type", "application/problem+json")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write(body)
}
