package core

import (
	"net/http"
	"strconv"
)

// Values of an announced length that are not a number of bytes.
const (
	// someBytes is that of a body that is said to follow, but not how long it is: one
	// in chunks, or of an HTTP/2 request whose HEADERS do not end the stream.
	someBytes = -1
	// anyLength is that of a stream, from which nobody but the caller of Admit
	// has read.
	anyLength = -2
)

// announcedLength returns the length of the body that the message announces.
//
// Middleware that has read a body may leave an empty one, and set ContentLength to
// fit. The header field and the transfer coding are then still what was received,
// as net/http's server leaves them in the request.
func announcedLength(r *http.Request) (int64, error) {
	length := max(r.ContentLength, someBytes)
	for _, value := range r.Header["Content-Length"] {
		field, err := strconv.ParseUint(value, 10, 63)
		if err != nil || length != someBytes && length != int64(field) {
			return 0, errBodyRead
		}
		length = int64(field)
	}
	if length == 0 && len(r.TransferEncoding) > 0 {
		length = someBytes
	}
	return length, nil
}

// checkLength refuses a body of another length than the one announced. Empty ones
// are refused where any length would do: no empty body can be told from one that
// something in front has read.
func checkLength(length, announced int64) error {
	switch {
	case length == announced, announced == anyLength, announced == someBytes && length > 0:
		return nil
	case announced == someBytes:
		return errBodyAbsent
	}
	return errBodyRead
}

// checkUnread refuses a request whose body something in front of the verifier has
// read, as far as that shows before the body is read, and returns its announced length.
func checkUnread(r *http.Request) (announced int64, err error) {
	if len(r.PostForm) > 0 || r.MultipartForm != nil {
		return 0, errBodyRead
	}
	announced, err = announcedLength(r)
	if err == nil && (r.Body == nil || r.Body == http.NoBody) {
		err = checkLength(0, announced)
	}
	return announced, err
}

var (
	errBodyRead   = Refuse(CodeBodyMismatch, "something in front of the verifier has read the body")
	errBodyAbsent = Refuse(CodeBodyMismatch, "no byte of the body arrived: something in front of the verifier has read it, "+
		"or an empty body was sent without its length (in chunks, or over HTTP/2 without END_STREAM); send Content-Length: 0")
)
