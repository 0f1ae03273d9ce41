package core

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gatewayauth/gatewayauth/core/internal/memo"
)

// Error is the one error type of a refusal. Its text is for operators: it
// holds no secret and no signature, and of the caller's text the names of headers and
// the scope of a credential alone, escaped and cut. What the caller may see is written by [WriteProblem].
type Error struct {
	// Code is the stable reason.
	Code Code
	// Detail says in words what was wrong, for logs.
	Detail string
	// Header is the name of the header that is wrong, or several in order, with commas.
	// The caller may have chosen it.
	Header string
	// Err is the cause, if another error was it.
	Err error
	// Hint is one sentence that says what to do, where [Code.Hint] does not fit.
	Hint string

	challenge string    // WWW-Authenticate, set by the Verifier
	exposed   *exposure // what expose_reason adds to the answer
	known     bool      // one of those that Refuse returns again and again
}

// exposure is what the verifier computed, never what it expected.
type exposure struct {
	canonicalRequest, stringToSign string
}

// Error returns code, detail, header and cause.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("gatewayauth: ")
	b.WriteString(string(e.Code))
	if reason := e.reason(); reason != "" {
		b.WriteString(": ")
		b.WriteString(reason)
	}
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(e.Err.Error())
	}
	return b.String()
}

// reason is the detail, with the header.
func (e *Error) reason() string {
	if e.Header == "" {
		return e.Detail
	}
	return e.Detail + ": " + e.Header
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is makes errors.Is(err, &Error{Code: c}) true for every *Error with that code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code && t.Detail == "" && t.Header == "" && t.Err == nil
}

// Problem is what the caller of a refused request may see: an answer of RFC 9457.
// Title, Status and Detail depend on the status alone, so that an answer tells
// nothing about keys; only an environment with ExposeReason fills the rest, and
// never with a signature. Adapters hand it to their framework's road for errors.
type Problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`

	// With ExposeReason: the code, what was wrong, and what the verifier computed.
	Code             Code   `json:"code,omitempty"`
	Reason           string `json:"reason,omitempty"`
	CanonicalRequest string `json:"canonical_request,omitempty"`
	StringToSign     string `json:"string_to_sign,omitempty"`

	challenge string
}

var details = map[int]string{
	http.StatusUnauthorized:          "The request does not prove that it came through the gateway.",
	http.StatusForbidden:             notForThis,
	http.StatusMisdirectedRequest:    notForThis,
	http.StatusBadRequest:            "The request can be read in more than one way.",
	http.StatusRequestEntityTooLarge: "The request body is too large.",
	http.StatusServiceUnavailable:    "The request cannot be verified at the moment.",
}

// notForThis is one text for two statuses of HTTP, which are one of gRPC.
const notForThis = "The request was not signed for this API."

// ProblemOf returns the answer to a refusal, with the status of [StatusCode].
func ProblemOf(err error) *Problem {
	status := StatusCode(err)
	p := &Problem{Title: http.StatusText(status), Status: status, Detail: details[status]}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return p
	}
	p.challenge = e.challenge
	if x := e.exposed; x != nil {
		p.Code, p.Reason = CodeOf(e), e.reason()
		p.CanonicalRequest, p.StringToSign = x.canonicalRequest, x.stringToSign
	}
	return p
}

// SetHeader sets the header fields of the answer to r but Content-Length:
// Content-Type (application/problem+json), Cache-Control, WWW-Authenticate with
// 401, Retry-After with 503, and Connection where a large body may be left
// unread: how much of it was read shall not show in the answer.
func (p *Problem) SetHeader(h http.Header, r *http.Request) {
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	switch p.Status {
	case http.StatusUnauthorized:
		if p.challenge != "" {
			h.Set("WWW-Authenticate", p.challenge)
		}
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", "1")
	}
	const small = 4 << 10 // far below what net/http reads to keep a connection
	large := r != nil && r.ProtoMajor == 1 && (r.ContentLength < 0 || r.ContentLength > small)
	if large || p.Status == http.StatusRequestEntityTooLarge {
		h.Set("Connection", "close")
	}
}

// WriteProblem answers a refused request with [ProblemOf] err. Every refusal
// with the same status gets the same bytes. It reads nothing from r's body.
func WriteProblem(w http.ResponseWriter, r *http.Request, err error) {
	p := ProblemOf(err)
	body, _ := json.Marshal(p) // strings and a number: cannot fail
	body = append(body, '\n')
	p.SetHeader(w.Header(), r)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(p.Status)
	w.Write(body)
}

// Refuse returns an *Error for a scheme's or a key source's verdict. Detail must
// hold nothing secret and nothing that the caller chose: it is one of a few
// texts, each of which is one and the same error every time, so that a flood of
// refusals costs no memory.
func Refuse(code Code, detail string) error { return RefuseWithHint(code, detail, "") }

// RefuseWithHint is [Refuse] where the hint of the code does not fit: see [Error].Hint.
func RefuseWithHint(code Code, detail, hint string) error {
	key := refusal{code, detail, hint}
	e, ok := refusals.Get(key)
	if !ok {
		e = &Error{Code: code, Detail: detail, Hint: hint, known: true}
		refusals.Put(key, e)
	}
	return e
}

// refuseHeaders is [Refuse] for a refusal that is about headers.
func refuseHeaders(code Code, detail string, names ...string) error {
	return refuseHeadersWithHint(code, detail, "", names...)
}

func refuseHeadersWithHint(code Code, detail, hint string, names ...string) error {
	slices.Sort(names)
	return &Error{Code: code, Detail: detail, Header: printable(strings.Join(names, ", ")), Hint: hint}
}

type refusal struct {
	code         Code
	detail, hint string
}

var refusals memo.Memo[refusal, *Error]

// complete makes an *Error that can answer a request of any error.
func (p *policy) complete(err error) *Error {
	e, ok := err.(*Error)
	if !ok {
		if e, ok = errors.AsType[*Error](err); !ok {
			e = &Error{Code: CodeUnavailable, Detail: "the scheme failed", Err: err}
		}
	}
	if answer, ok := p.refusals.Get(e); ok {
		return answer
	}
	answer := *e
	answer.challenge, answer.known = p.challenge, false
	if e.known && !p.ExposeReason { // what is exposed is of one request
		p.refusals.Put(e, &answer)
	}
	return &answer
}

// exposure is what the verifier computed, for the answer in development.
func (v *verification) exposure() *exposure {
	x := new(exposure)
	if s, ok := v.scheme.canonicalizer(); ok && v.payload != "" {
		x.canonicalRequest, x.stringToSign, _ = s.Canonical(v.signed, &v.credential, v.payload)
	}
	return x
}
