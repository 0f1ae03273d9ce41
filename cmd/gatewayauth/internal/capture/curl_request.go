package capture

import (
	"errors"
	"strings"
)

// request is what curl would send.
func (p *curl) request() (*Captured, error) {
	if p.url == "" {
		return nil, errors.New("the command has no URL")
	}
	host, target, err := splitURL(p.url)
	if err != nil {
		return nil, err
	}
	path, query, _ := strings.Cut(target, "?")
	if !p.asIs {
		if clean := dotless(path); clean != path {
			p.notes = append(p.notes, "curl resolves the dot segments of the path before it sends it")
			target = clean + strings.TrimPrefix(target, path)
		}
	}
	method, body := "GET", p.String()
	switch {
	case p.get && p.hasData:
		if query != "" {
			body = "&" + body
		} else if !strings.Contains(target, "?") {
			body = "?" + body
		}
		target, body, p.hasData = target+body, "", false
	case p.hasData:
		method = "POST"
	}
	if p.head {
		method = "HEAD"
	}
	if p.method != "" {
		method = p.method
	}
	if p.hasData && !p.has("Content-Type") {
		p.headers = append(p.headers, [2]string{"Content-Type", "application/x-www-form-urlencoded"})
	}
	if !p.has("Accept") {
		p.headers = append(p.headers, [2]string{"Accept", "*/*"})
	}
	c, err := build(method, target, host, p.headers, []byte(body))
	if err != nil {
		return nil, err
	}
	c.Notes = append(c.Notes, p.notes...)
	return c, nil
}

// dotless resolves . and .. as RFC 3986 has it, and leaves everything else.
func dotless(path string) string {
	var out []string
	segments := strings.Split(path, "/")
	for i, s := range segments {
		last := i == len(segments)-1
		switch s {
		case ".":
			if last {
				out = append(out, "")
			}
		case "..":
			if len(out) > 1 {
				out = out[:len(out)-1]
			}
			if last {
				out = append(out, "")
			}
		default:
			out = append(out, s)
		}
	}
	return strings.Join(out, "/")
}
