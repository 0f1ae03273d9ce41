package guard

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// failures logs the requests that the service did not answer, or not whole. As for refusals,
// records over a number in a second are not written, but counted in one at its end.
type failures struct {
	logger   *slog.Logger
	verifier *core.Verifier

	mu            sync.Mutex
	second        time.Time // the begin of it
	written, held int
}

// mostFailures is how many records are written in a second: as many as of each code of
// refusals by default.
const mostFailures = 100

// runbook says what to do about these records.
const runbook = "https://github.com/gatewayauth/gatewayauth/blob/main/docs/runbook.md#gatewayauthguardfailures"

// log logs that the service failed with err: before it answered, or within its answer.
func (f *failures) log(r *http.Request, err error, within bool, to *url.URL) {
	if !f.mayLog() {
		return
	}
	hint := "Start the service, or correct --to."
	switch {
	case within && closed(err):
		err = errClosedWithin
	case within:
		err = fmt.Errorf("the answer of the service cannot be read to its end: %w", err)
	case closed(err):
		err = errClosed
	}
	if within || err == errClosed {
		hint = "See in the service's own log why it broke off this request: it ended, its handler failed, or a time limit of it ran out."
	}
	path, _, _ := strings.Cut(r.URL.RequestURI(), "?")
	f.logger.ErrorContext(r.Context(), "gatewayauth: the service failed", "error", err, "to", to.Redacted(),
		"environment", f.verifier.Status().Environment, "method", printable(r.Method), "host", printable(r.Host),
		"path", printable(path), "remote", r.RemoteAddr, "hint", hint, "doc", runbook)
}

var (
	errClosed       = errors.New("the service closed the connection before it answered")
	errClosedWithin = errors.New("the service closed the connection within its answer")
)

// closed reports whether err is that of a connection that the service has closed.
func closed(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// answer is the body of a response of the service. It calls broken where the service does not
// send it to its end.
type answer struct {
	io.ReadCloser
	broken func(error)
}

func (a answer) Read(p []byte) (int, error) {
	n, err := a.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		a.broken(err)
	}
	return n, err
}

func (f *failures) mayLog() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := time.Now(); now.Sub(f.second) >= time.Second {
		f.second, f.written = now, 0
	}
	if f.written < mostFailures {
		f.written++
		return true
	}
	if f.held++; f.held == 1 {
		time.AfterFunc(time.Second, f.summarize)
	}
	return false
}

func (f *failures) summarize() {
	f.mu.Lock()
	n := f.held
	f.held = 0
	f.mu.Unlock()
	f.logger.Error("gatewayauth: the service failed; its records were too many to write",
		"environment", f.verifier.Status().Environment, "suppressed", n)
}

// printable returns the caller's text as the records of refusals have it: in printable
// ASCII, and cut.
func printable(s string) string {
	const most = 128
	cut := s[:min(len(s), most)]
	quoted := strconv.QuoteToASCII(cut)
	if len(cut) < len(s) {
		return quoted[1:len(quoted)-1] + "..."
	}
	return quoted[1 : len(quoted)-1]
}
