package main

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/gatewayauth/gatewayauth/internal/vectors"
)

// The parts of the canonical requests, written from docs/protocols.md, "SDK canonical
// request" and "SigV4 canonical request".

// sdkPath decodes and encodes every segment, and adds a final slash.
func sdkPath(path string, _ vectors.Key) string {
	path = eachSegment(path, func(segment string) string { return encode(decode(segment)) })
	if !strings.HasSuffix(path, "/") {
		path += "/"
	}
	return path
}

// awsPath resolves dot segments and empty segments, and encodes the path as it was sent.
// For S3 it decodes and encodes the path, and resolves nothing.
func awsPath(path string, key vectors.Key) string {
	if key.Paths == "s3" {
		return eachSegment(path, func(segment string) string { return encode(decode(segment)) })
	}
	var kept []string
	for segment := range strings.SplitSeq(path, "/") {
		switch segment {
		case "", ".":
		case "..":
			kept = kept[:max(0, len(kept)-1)]
		default:
			kept = append(kept, segment)
		}
	}
	normal := "/" + strings.Join(kept, "/")
	if len(kept) > 0 && strings.HasSuffix(path, "/") {
		normal += "/"
	}
	return eachSegment(normal, encode)
}

func eachSegment(path string, f func(string) string) string {
	segments := strings.Split(path, "/")
	for i := range segments {
		segments[i] = f(segments[i])
	}
	return strings.Join(segments, "/")
}

// sdkQuery sorts the decoded names and values, or the encoded ones, as the Java SDK does.
func sdkQuery(query string, byEncoded bool) string {
	type pair struct{ name, value string }
	var pairs []pair
	for piece := range strings.SplitSeq(query, "&") {
		if piece == "" {
			continue
		}
		name, value, _ := strings.Cut(strings.ReplaceAll(piece, "+", "%20"), "=")
		pairs = append(pairs, pair{decode(name), decode(value)})
	}
	key := func(s string) string { return s }
	if byEncoded {
		key = encode
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		return cmp.Or(strings.Compare(key(a.name), key(b.name)), strings.Compare(key(a.value), key(b.value)))
	})
	encoded := make([]string, len(pairs))
	for i, p := range pairs {
		encoded[i] = encode(p.name) + "=" + encode(p.value)
	}
	return strings.Join(encoded, "&")
}

func awsQuery(query string, _ bool) string { return sdkQuery(query, true) }

// sortedLines returns a function that writes one line for every value, sorted within a
// header.
func sortedLines(collapsed bool) func(*draft) string {
	return func(d *draft) string {
		var b strings.Builder
		for name := range strings.SplitSeq(d.list, ";") {
			values := d.values(name)
			for i, value := range values {
				if collapsed {
					values[i] = collapse(value)
				}
			}
			slices.Sort(values)
			for _, value := range values {
				b.WriteString(strings.ToLower(name) + ":" + value + "\n")
			}
		}
		return b.String()
	}
}

// joinedLines writes one line for every header, with the values in the received order.
func joinedLines(d *draft) string {
	var b strings.Builder
	for name := range strings.SplitSeq(d.list, ";") {
		values := d.values(name)
		if len(values) == 0 {
			continue
		}
		for i, value := range values {
			values[i] = collapse(value)
		}
		b.WriteString(strings.ToLower(name) + ":" + strings.Join(values, ",") + "\n")
	}
	return b.String()
}

// collapse replaces every run of whitespace by one space.
func collapse(value string) string {
	return strings.Join(strings.FieldsFunc(value, func(r rune) bool { return r == ' ' || r == '\t' }), " ")
}

// decode decodes percent-encodings, and keeps invalid ones.
func decode(s string) string {
	if decoded, err := url.PathUnescape(s); err == nil {
		return decoded
	}
	return s
}

// encode encodes all bytes except the unreserved characters of RFC 3986.
func encode(s string) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-_.~", c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
