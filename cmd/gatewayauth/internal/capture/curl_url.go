package capture

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// curlURL is a URL as curl reads it.
type curlURL struct {
	scheme, host string
	user         *string // user:password, decoded
	path, query  string  // query includes its question mark
}

var (
	schemed   = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]*)://`)
	badSlash  = regexp.MustCompile(`^(?i)https?:(/[^/]|//$|///|[^/0-9]|$)`)
	hostNames = regexp.MustCompile(`^[A-Za-z0-9._~-]+$`)
	numeric   = regexp.MustCompile(`^(?i)(0x[0-9a-f]*|[0-9]+)(\.(0x[0-9a-f]*|[0-9]+)){0,3}$`)
	otherKind = regexp.MustCompile(`^(?i)(ftp|dict|ldap|imap|smtp|pop3)\.`)
)

// splitCurlURL splits a URL. The bytes after the host are unchanged.
func splitCurlURL(text, scheme string) (*curlURL, error) {
	for i := range len(text) {
		if c := text[i]; c <= ' ' || c == 0x7f {
			return nil, errors.New("the URL contains whitespace or a control character: percent-encode it")
		} else if c > 0x7f {
			return nil, errors.New("the URL contains a character that is not ASCII, which versions of curl encode differently: write it percent-encoded, or the host as xn--")
		}
	}
	u, rest := &curlURL{scheme: strings.ToLower(scheme)}, text
	if m := schemed.FindStringSubmatch(text); m != nil {
		u.scheme, rest = strings.ToLower(m[1]), text[len(m[0]):]
	} else if badSlash.MatchString(text) {
		return nil, errors.New("the URL does not have two slashes after its scheme: write it as http://host/path")
	} else if u.scheme == "" && otherKind.MatchString(text) {
		return nil, errors.New("the URL has no scheme, and curl derives a protocol other than http from this host name: add http:// or https://")
	} else if u.scheme == "" {
		u.scheme = "http"
	}
	if u.scheme != "http" && u.scheme != "https" {
		return nil, errors.New("the URL is neither http nor https")
	}
	rest, _, _ = strings.Cut(rest, "#")
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	authority := rest[:end]
	if at := strings.IndexByte(authority, '@'); at >= 0 {
		user, password, _ := strings.Cut(authority[:at], ":")
		both := percentDecoded(user) + ":" + percentDecoded(password)
		u.user, authority = &both, authority[at+1:]
	}
	var err error
	if u.host, err = hostHeader(authority, u.scheme); err != nil {
		return nil, err
	}
	u.path, u.query = rest[end:], ""
	if q := strings.IndexByte(u.path, '?'); q >= 0 {
		u.path, u.query = u.path[:q], u.path[q:]
	}
	if u.path == "" {
		u.path = "/"
	}
	return u, nil
}

// hostHeader returns the Host header that curl sends for the authority of a URL.
func hostHeader(authority, scheme string) (string, error) {
	host, port := authority, ""
	if i := strings.LastIndexByte(authority, ':'); i > strings.LastIndexByte(authority, ']') {
		host, port = authority[:i], authority[i+1:]
	}
	if inner, ok := strings.CutPrefix(host, "["); ok {
		address, _, _ := strings.Cut(strings.TrimSuffix(inner, "]"), "%")
		ip, err := netip.ParseAddr(address)
		if err != nil || !ip.Is6() || !strings.HasSuffix(host, "]") {
			return "", errors.New("the host of the URL is in brackets and not an IPv6 address")
		}
		if len(ip.String()) < len(address) {
			address = ip.String()
		}
		host = "[" + address + "]"
	} else {
		switch ip, err := netip.ParseAddr(host); {
		case host == "":
			return "", errors.New("the URL has no host")
		case !hostNames.MatchString(host):
			return "", errors.New("the host of the URL contains a character that host names cannot have")
		case numeric.MatchString(host) && (err != nil || ip.String() != host):
			return "", errors.New("the host is a number, which curl rewrites: give the address as four decimal numbers")
		}
	}
	if port == "" {
		return host, nil
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return "", errors.New("the port of the URL is not a number up to 65535")
	}
	if n == map[string]uint64{"http": 80, "https": 443}[scheme] {
		return host, nil
	}
	return host + ":" + strconv.FormatUint(n, 10), nil
}

// percentDecoded decodes a text. It leaves invalid percent-encodings unchanged.
func percentDecoded(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if i+2 < len(text) && text[i] == '%' {
			if n, err := strconv.ParseUint(text[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(n))
				i += 2
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// unglobbed resolves a pattern that curl expands to several URLs, if it expands to one.
func unglobbed(text string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '\\' && i+1 < len(text) && strings.IndexByte("{}[]", text[i+1]) >= 0:
			i++
			b.WriteByte(text[i])
		case c == '[':
			end := strings.IndexByte(text[i:], ']')
			if end < 0 || end > 1 && !isIPv6(text[i+1:i+end]) {
				return "", globbed(c)
			}
			b.WriteString(text[i : i+end+1])
			i += end
		case c == '{':
			end := strings.IndexByte(text[i:], '}')
			if end < 2 || strings.ContainsAny(text[i+1:i+end], `,{[]\<`) {
				return "", globbed(c)
			}
			b.WriteString(text[i+1 : i+end])
			i += end
		case c == '}' || c == ']':
			return "", globbed(c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), nil
}

func globbed(c byte) error {
	return fmt.Errorf("curl reads the %c in the URL as a pattern of many URLs: give one URL, or add --globoff if the character is part of it", c)
}

func isIPv6(text string) bool {
	address, _, _ := strings.Cut(text, "%")
	ip, err := netip.ParseAddr(address)
	return err == nil && ip.Is6()
}

// dotless resolves . and .. as in RFC 3986, and changes nothing else.
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

// appendQuery adds the data of -G or --url-query to a query.
func (p *curl) appendQuery(query, more string) (string, error) {
	for i := range len(more) {
		if c := more[i]; c <= ' ' || c >= 0x7f || c == '#' {
			return "", errors.New("the data for the query contains whitespace, a # or a character that is not ASCII: encode it, for example with --data-urlencode")
		}
	}
	lower := encodedByte.ReplaceAllStringFunc(more, strings.ToLower)
	if lower != more {
		p.note("curl writes the percent-encoding that it adds to the query in lower case")
	}
	switch {
	case len(query) > 1 && strings.HasSuffix(query, "&"):
		return query + lower, nil
	case len(query) > 1:
		return query + "&" + lower, nil
	case lower == "":
		return "", nil
	}
	return "?" + lower, nil
}

var encodedByte = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)

// hasEncodedDots reports whether the path has a segment that is . or .. when decoded.
func hasEncodedDots(path string) bool {
	for s := range strings.SplitSeq(path, "/") {
		if d, err := url.PathUnescape(s); err == nil && d != s && (d == "." || d == "..") {
			return true
		}
	}
	return false
}
