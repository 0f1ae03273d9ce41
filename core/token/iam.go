package token

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

const subjectHeader = "X-Subject-Token"

var (
	errUnauthorized = errors.New("the verifier's own token, or the token to check, is not valid")
	errOwnToken     = errors.New("the answer to the log-in does not have exactly one token in X-Subject-Token")
	errTransport    = errors.New("the call failed")
)

// failure is the error of a call that gave no verdict.
type failure struct {
	doing string
	err   error
	pause time.Duration // for which the service asks not to be called
	token bool          // the token may have caused it, so it says nothing about the service
}

func (f *failure) Error() string { return f.doing + ": " + f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// pauseOf returns for how long not to call after an error.
func pauseOf(err error) time.Duration {
	if f, ok := errors.AsType[*failure](err); ok {
		return f.pause
	}
	return 0
}

// isOfToken reports whether the token may have caused an error.
func isOfToken(err error) bool {
	f, ok := errors.AsType[*failure](err)
	return ok && f.token
}

// iam makes the two calls. Everything about them is fixed but the tokens, which
// travel in headers.
type iam struct {
	url       string
	key       Key
	transport http.RoundTripper
	now       func() time.Time
}

// validate asks about a token: 200 with a token in the right form is the one
// positive answer, 404 in the service's form the negative one, and 401 says that
// one of the two tokens is not valid, without saying which. Other statuses of
// 4xx are failures of the token: a proxy refuses it, or our account may not check it.
// So is a 200 of the service with anything else: what it says depends on the token.
func (i *iam) validate(ctx context.Context, own core.Secret, token string) (*subject, error) {
	const doing = "checking a token"
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, i.url, nil)
	if err != nil {
		return nil, &failure{doing: doing, err: errTransport}
	}
	r.Header = http.Header{Header: {own.Reveal()}, subjectHeader: {token}, "Accept": {"application/json"}}
	status, header, body, err := i.do(r)
	switch {
	case err != nil:
		return nil, &failure{doing: doing, err: err}
	case status == http.StatusNotFound && isJSON(header):
		return nil, errInvalid
	case status == http.StatusNotFound:
		return nil, &failure{doing: doing, err: fmt.Errorf("the answer has status 404: %w", errContentType)}
	case status == http.StatusUnauthorized:
		return nil, errUnauthorized
	case status/100 == 4 && status != http.StatusTooManyRequests:
		return nil, &failure{doing: doing, err: fmt.Errorf("the call was rejected: the answer has status %d", status), token: true}
	case status != http.StatusOK:
		return nil, i.unexpected(doing, status, header)
	}
	subject, err := parseReply(header, body, i.now())
	switch {
	case err == errExpired: // its clock is behind ours, or the token ended just now
		return nil, errInvalid
	case err != nil: // in another type than the service's it is of something else, as with 404
		return nil, &failure{doing: doing, err: err, token: err != errContentType}
	}
	return subject, nil
}

// authenticate logs in and returns a token of our own, with its end.
func (i *iam) authenticate(ctx context.Context) (core.Secret, time.Time, error) {
	const doing = "logging in"
	fail := func(err error) (core.Secret, time.Time, error) {
		return core.Secret{}, time.Time{}, &failure{doing: doing, err: err}
	}
	type object map[string]any
	domain := object{"name": i.key.Domain}
	body, err := json.Marshal(object{"auth": object{
		"identity": object{"methods": []string{"password"}, "password": object{
			"user": object{"name": i.key.User, "domain": domain, "password": i.key.Password.Reveal()}}},
		"scope": object{"project": object{"name": i.key.Project, "domain": domain}},
	}})
	if err != nil {
		return fail(errTransport)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, i.url, bytes.NewReader(body))
	if err != nil {
		return fail(errTransport)
	}
	r.Header = http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}}
	status, header, body, err := i.do(r)
	if err != nil {
		return fail(err)
	}
	if status != http.StatusCreated {
		f := i.unexpected(doing, status, header)
		if status == http.StatusUnauthorized {
			// Our password is wrong: trying it every second could lock the account.
			f.pause = max(f.pause, 30*time.Second)
			f.err = fmt.Errorf("%w: check user, password, domain and project of the key", f.err)
		}
		return core.Secret{}, time.Time{}, f
	}
	self, err := parseReply(header, body, i.now())
	if err != nil {
		return fail(err)
	}
	values := header[subjectHeader]
	if len(values) != 1 || !wellFormed(values[0]) {
		return fail(errOwnToken)
	}
	return core.NewSecret(values[0]), self.expires, nil
}

// do makes one call, straight through the transport: a redirect is an answer
// like any other. The body is read where the status says that it holds a token, up to one
// byte more than [parseReply] takes.
func (i *iam) do(r *http.Request) (status int, header http.Header, body []byte, err error) {
	response, err := i.transport.RoundTrip(r)
	if err != nil {
		return 0, nil, nil, loggable(err)
	}
	defer response.Body.Close()
	if s := response.StatusCode; s != http.StatusOK && s != http.StatusCreated {
		io.CopyN(io.Discard, response.Body, 16<<10) // so that the connection can be used again
		return s, response.Header, nil, nil
	}
	body, err = io.ReadAll(io.LimitReader(response.Body, maxReply+1))
	if err != nil {
		return 0, nil, nil, loggable(err)
	}
	return response.StatusCode, response.Header, body, nil
}

// loggable returns what of a transport's error may be logged. Its texts can
// repeat what the other side sent, and that could be a token.
func loggable(err error) error {
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return e
	}
	for _, known := range []error{context.DeadlineExceeded, context.Canceled, io.ErrUnexpectedEOF} {
		if errors.Is(err, known) {
			return known
		}
	}
	return errTransport
}

// unexpected is the failure for a status that is no verdict.
func (i *iam) unexpected(doing string, status int, header http.Header) *failure {
	return &failure{doing: doing, err: fmt.Errorf("the answer has status %d", status), pause: retryAfter(header.Get("Retry-After"), i.now())}
}

// retryAfter reads the header: seconds or a date (RFC 9110 section 10.2.3).
func retryAfter(text string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return at.Sub(now)
	}
	return 0
}
