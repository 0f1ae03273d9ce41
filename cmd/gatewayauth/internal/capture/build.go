package capture

import (
	"errors"
	"fmt"
	"strings"
)

// build returns the request that a server would receive: it writes the parts as HTTP/1.1
// and lets a server read that. A Content-Length or Transfer-Encoding in the headers
// applies to the body; otherwise build adds the Content-Length of the body.
func build(method, target, host string, headers [][2]string, body []byte) (*Captured, error) {
	if strings.ContainsAny(method+target, " \t\r\n") {
		return nil, errors.New("the method or the URL contains whitespace: percent-encode it")
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", method, target)
	given := map[string]bool{}
	for _, h := range headers {
		given[strings.ToLower(h[0])] = true
	}
	if !given["host"] {
		fmt.Fprintf(&b, "Host: %s\r\n", host)
	}
	chunked := false
	for _, h := range headers {
		if strings.ContainsAny(h[0], "\r\n:") || strings.ContainsAny(h[1], "\r\n") {
			return nil, errors.New("a header contains a line break")
		}
		chunked = chunked || strings.EqualFold(h[0], "transfer-encoding") && strings.EqualFold(strings.TrimSpace(h[1]), "chunked")
		fmt.Fprintf(&b, "%s: %s\r\n", h[0], h[1])
	}
	if len(body) > 0 && !given["content-length"] && !given["transfer-encoding"] {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n")
	switch {
	case chunked && len(body) > 0:
		fmt.Fprintf(&b, "%x\r\n%s\r\n0\r\n\r\n", len(body), body)
	case chunked:
		b.WriteString("0\r\n\r\n")
	default:
		b.Write(body)
	}
	return read([]message{cut([]byte(b.String()))}, 0)
}

// splitURL returns the host and the target of a URL, with path and query unchanged.
func splitURL(url string) (host, target string, err error) {
	scheme, rest, found := strings.Cut(url, "://")
	if !found {
		scheme, rest = "http", url // as curl does
	}
	if scheme = strings.ToLower(scheme); scheme != "http" && scheme != "https" {
		return "", "", errors.New("the URL is neither http nor https")
	}
	rest, _, _ = strings.Cut(rest, "#")
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	host, target = rest[:end], rest[end:]
	if at := strings.LastIndexByte(host, '@'); at >= 0 {
		host = host[at+1:]
	}
	if host == "" {
		return "", "", errors.New("the URL has no host")
	}
	if target == "" || target[0] == '?' {
		target = "/" + target
	}
	if port := map[string]string{"http": ":80", "https": ":443"}[scheme]; strings.HasSuffix(host, port) {
		host = strings.TrimSuffix(host, port)
	}
	return host, target, nil
}
