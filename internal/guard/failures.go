package guard

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// failures logs the requests that the service did not answer. As for refusals, records over
// a number in a second are not written, but counted in one at its end.
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

func (f *failures) log(r *http.Request, err error, to *url.URL) {
	if !f.mayLog() {
		return
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errClosed
	}
	f.logger.ErrorContext(r.Context(), "gatewayauth: the service failed", "error", err, "to", to.Redacted(),
		"environment", f.verifier.Status().Environment, "method", printable(r.Method), "host", printable(r.Host),
		"path", printable(r.URL.EscapedPath()), "remote", r.RemoteAddr)
}

var errClosed = errors.New("the service closed the connection before it answered")

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
