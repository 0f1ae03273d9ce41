// Package capture parses saved requests: raw HTTP, a curl command, an entry of a HAR
// file, or a record of the verifier's log.
package capture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// MaxSize is the largest input, and the largest body, in bytes.
const MaxSize = 16 << 20

// Formats are the formats that Parse reads, besides auto.
var Formats = []string{"raw", "curl", "har", "event"}

// Captured is a saved request.
type Captured struct {
	Format string
	// Request is the request header as a server would have received it. It is nil if
	// Event is set, because a record of the log does not hold the request.
	Request *http.Request
	Event   *Event
	// Body is the body of Request, as far as it was saved. Broken is the error after
	// reading it if it is incomplete, or nil.
	Body   []byte
	Broken error
	// Unframed is the data after a request header that announces no body, or that
	// announces chunks that are missing. It is the body only if the capture lost a
	// header, or if a tool has joined the chunks.
	Unframed []byte
	// At is when the request was sent or received, or zero if the input does not say.
	At time.Time
	// Recorded is set for a file that a verifier wrote.
	Recorded *Recorded
	// Notes say what was assumed or is missing.
	Notes []string
}

// Options configure [Parse].
type Options struct {
	// Format is one of Formats, or auto.
	Format string
	// Entry is the index of the request in a HAR file, or in raw text that holds
	// several; the first one is 0.
	Entry int
	// Open opens the files that a curl command names. If Open is nil, such a command is
	// an error.
	Open func(name string) (io.ReadCloser, error)
}

// Parse parses a saved request. The error is a [*Refused] if a net/http server would
// answer the request without calling a handler.
func Parse(data []byte, o Options) (*Captured, error) {
	if len(data) > MaxSize {
		return nil, fmt.Errorf("the input is larger than %d MiB", MaxSize>>20)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	format := o.Format
	kept, notes, data := recorded(data)
	switch {
	case format != "" && format != "auto":
	case kept != nil:
		format = "raw"
	default:
		format = detect(data)
	}
	var c *Captured
	var err error
	switch format {
	case "raw":
		c, err = parseRaw(data, o.Entry)
	case "curl":
		c, err = parseCurl(string(data), o.Open)
	case "har":
		c, err = parseHAR(data, o.Entry)
	case "event":
		c, err = parseEvent(data)
	case "":
		return nil, errors.New("the input has no request")
	default:
		return nil, fmt.Errorf("the format %q is unknown: use one of auto, %s", format, strings.Join(Formats, ", "))
	}
	if refused, ok := errors.AsType[*Refused](err); ok {
		refused.Format = format
		return nil, refused
	}
	if err != nil {
		return nil, fmt.Errorf("read as %s: %w", format, err)
	}
	c.Format = format
	if kept != nil {
		c.Recorded, c.At = kept, kept.At
		c.Notes = append(notes, c.Notes...)
	}
	return c, nil
}

// detect returns the format of the input, recognized by its start.
func detect(data []byte) string {
	text := bytes.TrimSpace(data[:min(len(data), 4096)])
	switch {
	case len(text) == 0:
		return ""
	case text[0] == '{':
		if bytes.Contains(data, []byte(`"entries"`)) {
			return "har"
		}
		return "event"
	}
	if findLine(data, "> ", sentRequest) >= 0 {
		return "raw" // the output of the command has the request as sent
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	switch {
	case hasEvent(line):
		return "event"
	case startOfRaw.Match(line):
		return "raw"
	case !curlWord.Match(line) && hasEvent(data): // a log, whose first lines are no records
		return "event"
	case curlWord.Match(text):
		return "curl" // a curl command, or one of PowerShell's, for which the error names the alternative
	}
	return "raw"
}

var (
	startOfRaw = regexp.MustCompile(`^(?:[*<] |>? ?[A-Z]+ +(?:/|\*|https?://)\S*(?: +HTTP/[\d.]+)?\s*$)`)
	curlWord   = regexp.MustCompile(`(?im)(?:^|[\s;|&(>$%#@/\\'"]|\$\()(?:curl(?:\.exe)?|invoke-webrequest|invoke-restmethod|iwr|irm)["']?(?:\s|$)`)
)

func (c *Captured) note(format string, args ...any) {
	c.Notes = append(c.Notes, fmt.Sprintf(format, args...))
}

// Fresh returns the request with an unread body.
func (c *Captured) Fresh(ctx context.Context) *http.Request {
	r := c.Request.Clone(ctx)
	if r.Body != http.NoBody {
		r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(c.Body), ending{c.Broken}))
	}
	return r
}

// WithBody returns the request with another body and its Content-Length.
func (c *Captured) WithBody(ctx context.Context, body []byte) *http.Request {
	r := c.Request.Clone(ctx)
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return r
}

// ending is a reader that returns io.EOF or the error after an incomplete body.
type ending struct{ err error }

func (e ending) Read([]byte) (int, error) {
	if e.err != nil {
		return 0, e.err
	}
	return 0, io.EOF
}
