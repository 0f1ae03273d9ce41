package capture

import (
	"errors"
	"regexp"
	"strings"
)

// newerProtocol matches the request line that tools print for HTTP/2 and HTTP/3, which have
// none on the wire. It does not match "PRI * HTTP/2.0", which is sent.
var newerProtocol = regexp.MustCompile(`^(\S+) (\S+) HTTP/[23](?:\.0)?\r?\n`)

// fromHTTP2 rewrites the header section of an HTTP/2 or HTTP/3 request as HTTP/1.1, such
// that a handler gets the same headers. It returns other header sections unchanged.
func fromHTTP2(head string) (string, bool) {
	line := newerProtocol.FindStringSubmatch(head)
	if line == nil || line[1] == "PRI" {
		return head, false
	}
	fields := strings.SplitAfter(head[len(line[0]):], "\n")
	return headOf(line[1], line[2], "", fields), true
}

// headOf returns the header section of an HTTP/2 request as HTTP/1.1. The fields are lines
// with their line breaks, and may be pseudo-headers.
func headOf(method, target, authority string, fields []string) string {
	var b, cookies strings.Builder
	host := ""
	for _, line := range fields {
		name, value, _ := strings.Cut(line, ":")
		if name == "" { // a pseudo-header
			if name, value, _ = strings.Cut(value, ":"); name == "authority" {
				authority = strings.TrimSpace(value)
			}
			continue
		}
		switch strings.ToLower(name) {
		case "host":
			host += line
		case "cookie": // net/http joins them
			if cookies.Len() > 0 {
				cookies.WriteString("; ")
			}
			cookies.WriteString(strings.TrimSpace(value))
		default:
			b.WriteString(line)
		}
	}
	if authority != "" {
		host = "Host: " + authority + "\r\n"
	}
	if cookies.Len() > 0 {
		host += "Cookie: " + cookies.String() + "\r\n"
	}
	return method + " " + target + " HTTP/1.1\r\n" + host + b.String()
}

// pseudoHeader matches the line of a pseudo-header as browsers show it: with or without a
// colon in front, and with its value on the same line or the next one.
var pseudoHeader = regexp.MustCompile(`^(:?)(?:authority|method|path|scheme)(?::?\r?$|: )`)

// pseudoStart matches the first such header after other text.
var pseudoStart = regexp.MustCompile(`^:(?:authority|method|path|scheme)(?::?\r?$|: )`)

// pseudoHeaders parses the headers of an HTTP/2 request as browsers show them. The first
// line is a pseudo-header.
func pseudoHeaders(data []byte) (message, error) {
	head, body, _ := splitHead(data)
	lines := strings.Split(strings.TrimRight(head, "\r\n"), "\n")
	first := strings.TrimSpace(lines[0])
	colon := pseudoHeader.FindStringSubmatch(first)[1]
	twoLines := strings.HasSuffix(first, ":") || !strings.Contains(first[1:], ":")
	values := map[string]string{}
	var fields []string
	for i := 0; i < len(lines); i++ {
		line := strings.TrimSuffix(lines[i], "\r")
		if twoLines {
			i++
			if i == len(lines) {
				return message{}, errors.New("the last header has no value: add it on the line after the name")
			}
			line = strings.TrimSuffix(line, ":") + ": " + strings.TrimSuffix(lines[i], "\r")
		}
		if pseudo := pseudoHeader.FindStringSubmatch(line); pseudo != nil && pseudo[1] == colon {
			name, value, _ := strings.Cut(line[len(colon):], ":")
			values[name] = strings.TrimSpace(value)
			continue
		}
		fields = append(fields, line+"\r\n")
	}
	if values["method"] == "" || values["path"] == "" {
		return message{}, errors.New("the pseudo-header :method or :path is missing: copy all headers")
	}
	m := cut(append([]byte(headOf(values["method"], values["path"], values["authority"], fields)+"\r\n"), body...))
	m.note("read as the headers of an HTTP/2 request, as a browser shows them")
	return m, nil
}
