package main

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// wireTarget returns the request target, including the parameters of a credential in the
// query.
func (d *draft) wireTarget(signature bool) string {
	target := d.target
	for _, p := range d.parameters {
		if !signature && p.name == d.algorithm.prefix+"Signature" {
			continue
		}
		separator := "?"
		if strings.Contains(target, "?") {
			separator = "&"
		}
		target += separator + p.name + "=" + p.value
	}
	return target
}

// wire returns the bytes that are sent.
func (d *draft) wire() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", d.method, d.wireTarget(true))
	lines := slices.Clone(d.lines)
	body := d.body
	switch {
	case d.chunk > 0:
		lines = append(lines, "Transfer-Encoding: chunked")
		body = chunked(d.body, d.chunk)
	case d.length != "":
		lines = append(lines, "Content-Length: "+d.length)
	case d.body != "" || d.method == "POST":
		lines = append(lines, "Content-Length: "+strconv.Itoa(len(d.body)))
	}
	if d.authorization != "" {
		lines = append(lines, "Authorization: "+d.authorization)
	}
	for _, line := range lines {
		b.WriteString(line + "\r\n")
	}
	b.WriteString("\r\n" + body)
	return []byte(b.String())
}

func chunked(body string, size int) string {
	var b strings.Builder
	for body != "" {
		n := min(size, len(body))
		fmt.Fprintf(&b, "%x\r\n%s\r\n", n, body[:n])
		body = body[n:]
	}
	return b.String() + "0\r\n\r\n"
}

// values returns the values of a header in their order, trimmed.
func (d *draft) values(name string) (values []string) {
	if strings.EqualFold(name, "Content-Length") {
		return []string{strconv.Itoa(len(d.body))}
	}
	for _, line := range d.lines {
		if is(line, name) {
			values = append(values, strings.Trim(line[len(name)+1:], " \t"))
		}
	}
	return values
}

func (d *draft) value(name string) string {
	if values := d.values(name); len(values) > 0 {
		return values[0]
	}
	return ""
}

func is(line, name string) bool {
	return name != "" && len(line) > len(name) && line[len(name)] == ':' && strings.EqualFold(line[:len(name)], name)
}

func basicAuthorization(text string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(text))
}
