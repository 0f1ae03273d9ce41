package capture

import (
	"bytes"
	"errors"
	"regexp"
)

// headerLine is the second line of a request whose first one is damaged.
var headerLine = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]*:`)

// parseRaw reads a request as it is on the wire, or as tools show it, and leaves
// out what else they show. Lines of the head may end with LF alone.
func parseRaw(data []byte, entry int) (*Captured, error) {
	text := bytes.TrimLeft(data, "\r\n")
	line, after, _ := bytes.Cut(text, []byte("\n"))
	switch {
	case requestLine.Match(line):
		return read(split(data), entry)
	case findLine(data, "> ", sentRequest) >= 0:
		return read(withoutTunnels(verbose(data)), entry)
	case findLine(data, "=> Send header, ", traced) >= 0:
		return read(withoutTunnels(trace(data)), entry)
	case pseudoHeader.Match(line):
		return readPseudo(text, entry)
	case bytes.Contains(line, []byte(" HTTP/")):
		return read(split(data), entry) // a request line that is damaged
	}
	if start := findLine(data, " HTTP/", requestLine); start >= 0 {
		all := split(data[start:])
		for i := range all {
			all[i].note("what stands before the first request is left out")
		}
		return read(all, entry)
	}
	if start := findLine(data, ":", pseudoStart); start >= 0 {
		return readPseudo(data[start:], entry)
	}
	switch {
	case statusLine.Match(text):
		return nil, errors.New("the capture holds an answer, and no request")
	case headerLine.Match(after):
		return read(split(data), entry)
	}
	return nil, errors.New("the first line is not a request line such as: GET /orders/7 HTTP/1.1")
}

func readPseudo(data []byte, entry int) (*Captured, error) {
	m, err := pseudoHeaders(data)
	if err != nil {
		return nil, err
	}
	return read([]message{m}, entry)
}
