package capture

import (
	"bytes"
	"errors"
	"regexp"
)

// headerLine matches the second line of a request whose first line is damaged.
var headerLine = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]*:`)

// parseRaw parses a request as it was sent, or as tools print it with other text, which it
// ignores. Header lines may end with LF alone.
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
		return read(split(data), entry) // the request line is damaged
	}
	if start := findLine(data, " HTTP/", requestLine); start >= 0 {
		all := split(data[start:])
		for i := range all {
			all[i].note("the text before the first request is ignored")
		}
		return read(all, entry)
	}
	if start := findLine(data, ":", pseudoStart); start >= 0 {
		return readPseudo(data[start:], entry)
	}
	switch {
	case statusLine.Match(text):
		return nil, errors.New("the capture has a response and no request")
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
