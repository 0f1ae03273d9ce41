package capture

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// given reports whether -H sets or removes a header.
func (p *curl) given(name string) bool {
	for _, h := range p.headers {
		if len(h) > len(name) && strings.EqualFold(h[:len(name)], name) && (h[len(name)] == ':' || h[len(name)] == ';') {
			return true
		}
	}
	return false
}

// writeHeaders writes the headers in the order of curl, and the empty line.
func (p *curl) writeHeaders(head *bytes.Buffer, u *curlURL, body []byte) error {
	add := func(name string, value *string) {
		if value != nil && !p.given(name) {
			fmt.Fprintf(head, "%s: %s\r\n", name, *value)
		}
	}
	add("Host", &u.host)
	add("Authorization", p.authorization(u))
	if p.byteRange != nil {
		value := "bytes=" + *p.byteRange
		add("Range", &value)
	}
	all := "*/*"
	if p.agent != nil && *p.agent != "" {
		add("User-Agent", p.agent)
	}
	add("Accept", &all)
	if p.referer != nil && *p.referer != "" {
		add("Referer", p.referer)
	}
	if len(p.cookies) > 0 {
		value := strings.Join(p.cookies, ";")
		add("Cookie", &value)
	}
	own, err := p.ownHeaders()
	if err != nil {
		return err
	}
	for _, line := range own {
		head.WriteString(line + "\r\n")
	}
	if err := p.frameHeaders(add, own, body); err != nil {
		return err
	}
	p.nameUnsaid(percentDecoded(head.String()), u)
	head.WriteString("\r\n")
	if strings.Count(head.String(), "\n") != strings.Count(head.String(), "\r\n") || strings.Contains(strings.ReplaceAll(head.String(), "\r\n", ""), "\r") {
		return errors.New("a header contains a line break")
	}
	return nil
}

// authorization returns the Authorization header of --oauth2-bearer, --user or the URL; the
// first that is given.
func (p *curl) authorization(u *curlURL) *string {
	user := u.user
	if p.user != nil {
		user = p.user
	}
	var value string
	switch {
	case p.bearer != nil:
		value = "Bearer " + *p.bearer
	case user != nil:
		value = "Basic " + base64.StdEncoding.EncodeToString([]byte(*user))
	default:
		return nil
	}
	return &value
}

// ownHeaders returns the header lines that -H adds: "Name: value" unchanged, "Name;" with
// an empty value. "Name:" adds none; it removes the header that curl would send.
func (p *curl) ownHeaders() ([]string, error) {
	var lines []string
	hosts := 0
	for _, h := range p.headers {
		name, value, found := strings.Cut(h, ":")
		switch {
		case strings.ContainsAny(h, "\r\n\x00"):
			return nil, errors.New("a header contains a line break")
		case found && name == "" || !found && !strings.Contains(h, ";"):
			p.note("curl ignores a value of --header that is not a header")
			continue
		case found && strings.TrimSpace(value) == "":
			continue
		case !found && !(strings.HasSuffix(h, ";") && strings.Count(h, ";") == 1):
			p.note("curl ignores a value of --header that is not a header")
			continue
		case !found:
			name = strings.TrimSuffix(h, ";")
			h = name + ":"
		}
		if strings.TrimSpace(name) != name || name == "" {
			return nil, errors.New("the name of a header in --header has spaces before or after it, which servers refuse: remove them")
		}
		if strings.EqualFold(name, "host") {
			if hosts++; hosts > 1 {
				continue
			}
		}
		lines = append(lines, h)
	}
	return lines, nil
}

// frameHeaders adds the headers for the length and the type of the body.
func (p *curl) frameHeaders(add func(string, *string), own []string, body []byte) error {
	sends := p.hasData || p.upload != nil
	for _, line := range own {
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch strings.ToLower(name) {
		case "transfer-encoding":
			if !strings.EqualFold(value, "chunked") || !sends || p.http10 {
				return errors.New("the command sets the header Transfer-Encoding, and the body is not sent in chunks: remove the header")
			}
			p.chunked = true
		case "content-length":
			if value != strconv.Itoa(len(body)) {
				return errors.New("the command sets the header Content-Length, and the body has another length: remove the header")
			}
		}
	}
	length := strconv.Itoa(len(body))
	switch {
	case !sends:
		return nil
	case !p.chunked && p.given("Content-Length") && !hasHeader(own, "Content-Length"):
		return errors.New("the command removes the header Content-Length, so no server reads the body: keep the header")
	case !p.chunked:
		add("Content-Length", &length)
	}
	if p.hasData {
		form := "application/x-www-form-urlencoded"
		add("Content-Type", &form)
	}
	return nil
}

func hasHeader(lines []string, name string) bool {
	for _, line := range lines {
		if n, _, _ := strings.Cut(line, ":"); strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}

// nameUnsaid notes the headers that curl adds with a value that depends on its
// version, if the request names them: then they are signed.
func (p *curl) nameUnsaid(head string, u *curlURL) {
	var adds []string
	if p.agent == nil {
		adds = append(adds, "User-Agent")
	}
	if p.compressed {
		adds = append(adds, "Accept-Encoding")
	}
	if p.upload != nil || len(p.data) > 1<<20 {
		adds = append(adds, "Expect")
	}
	if p.teHeader {
		adds = append(adds, "TE", "Connection")
	}
	if p.http2 && u.scheme == "http" {
		adds = append(adds, "Connection", "Upgrade", "HTTP2-Settings")
	}
	for _, name := range adds {
		if !p.given(name) && signedName(name).MatchString(head) {
			p.note("curl adds the header %s, whose value depends on its version: if it is signed, give it with --header", name)
		}
	}
}

// signedName matches a name in a list of signed headers.
func signedName(name string) *regexp.Regexp {
	return regexp.MustCompile(`(?i)(^|[^a-z0-9-])` + name + `([^a-z0-9-]|$)`)
}
