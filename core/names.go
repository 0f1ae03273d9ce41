package core

import "strings"

func isOneOf(header string, names []string) bool {
	for _, name := range names {
		if sameSpelling(name, header) {
			return true
		}
	}
	return false
}

// signs reports whether a signed header is the given one, in the sense of same.
func (c *Credential) signs(header string, same func(name, header string) bool) bool {
	for list := c.SignedHeaders; header != "" && list != ""; {
		name := list
		if end := strings.IndexByte(list, ';'); end >= 0 {
			name, list = list[:end], list[end+1:]
		} else {
			list = ""
		}
		if len(name) == len(header) && same(name, header) {
			return true
		}
	}
	return false
}

// sameName reports whether header is name, which is in lower case. Header names
// are ASCII; other letters fold to nothing.
func sameName(name, header string) bool {
	if len(name) != len(header) {
		return false
	}
	for i := 0; i < len(header); i++ {
		if lower(header[i]) != name[i] {
			return false
		}
	}
	return true
}

// sameSpelling is sameName for readers that take underscores and dashes for the same, as
// CGI and its kin do.
func sameSpelling(name, header string) bool {
	if len(name) != len(header) {
		return false
	}
	for i := 0; i < len(header); i++ {
		if b := lower(header[i]); b != name[i] && !(isDash(b) && isDash(name[i])) {
			return false
		}
	}
	return true
}

func isDash(b byte) bool { return b == '-' || b == '_' }

func lower(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		b += 'a' - 'A'
	}
	return b
}

// isHost reports whether host can be an authority: HTTP/2 servers let through
// what HTTP/1 does not.
func isHost(host string) bool {
	for i := 0; i < len(host); i++ {
		if notInHost[host[i]] {
			return false
		}
	}
	return host != ""
}

// notInHost are the bytes that no authority has; inName those of a field name in
// lower case.
var notInHost, inName = func() (host, name [256]bool) {
	for i := range host {
		host[i] = i <= ' ' || i == 0x7f
	}
	for _, b := range []byte(`/\@?#,`) {
		host[b] = true
	}
	for _, b := range []byte("abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~") {
		name[b] = true
	}
	return host, name
}()

// isHeaderName reports whether name is a field name (RFC 9110 section 5.1) in
// lower case.
func isHeaderName(name string) bool {
	for i := 0; i < len(name); i++ {
		if !inName[name[i]] {
			return false
		}
	}
	return name != ""
}
