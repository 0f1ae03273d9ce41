package explain

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"
)

// largestParsed is the size in bytes up to which a body is decompressed and parsed as JSON.
const largestParsed = 1 << 20

// emptyBodies yields the empty body.
func (s *search) emptyBodies() []edit {
	empty := s.hash(nil)
	if len(s.body) == 0 {
		return nil
	}
	return []edit{newEdit("body", CauseEmptyBody, "an empty body instead of "+size(len(s.body)),
		"the sender sent a body, and signed the hash of an empty body: it signs before it has the body, or after the body was read. Make the sender hash the body that it sends",
		func(h *hypothesis) { h.digest = empty })}
}

// unsigned yields UNSIGNED-PAYLOAD in place of the hash of the body.
func (s *search) unsigned() []edit {
	return []edit{newEdit("body", CauseUnsignedPayload, "payload UNSIGNED-PAYLOAD instead of the hash of the body",
		"the sender signed UNSIGNED-PAYLOAD, and no signed header of the request declares it: make the sender send and sign the header for the body's digest, and the proxy forward it",
		func(h *hypothesis) { h.payload = unsignedPayload })}
}

// bodies yields the body as it may have been before a proxy rewrote it.
func (s *search) bodies() (edits []edit) {
	seen := map[string]bool{s.base.digest: true, s.hash(nil): len(s.body) > 0}
	add := func(what string, body []byte, err error) {
		if err != nil || s.exhausted() {
			return
		}
		digest := s.hash(body)
		if seen[digest] {
			return
		}
		seen[digest] = true
		cause, detail := CauseBodyRewritten, "the body was signed as "+what+", and was rewritten before it arrived: make proxies and middleware forward it byte for byte"
		if len(s.body) == 0 {
			cause, detail = CauseBodyConsumed, "the verifier found no body, and the signature matches the form that other middleware has read: put the verifier in front of that middleware, or make it restore the body"
		}
		c := newEdit("body", cause, what+" ("+size(len(body))+" instead of "+size(len(s.body))+")", detail,
			func(h *hypothesis) { h.digest = digest })
		c.id = digest
		edits = append(edits, c)
	}
	if len(s.received.PostForm) > 0 {
		encoded := s.received.PostForm.Encode()
		add("the form that was parsed", []byte(encoded), nil)
		add("the form that was parsed", []byte(strings.ReplaceAll(encoded, "+", "%20")), nil)
	}
	if len(s.body) == 0 || !s.whole {
		return edits
	}
	body := s.body
	add("the text with a line break at the end", append(bytes.Clone(body), '\n'), nil)
	add("the text without spaces at its start and end", bytes.TrimSpace(body), nil)
	add("the text with LF line breaks", bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n")), nil)
	add("the text with CR LF line breaks", bytes.ReplaceAll(bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n")), nil)
	add("the text without a byte order mark", bytes.TrimPrefix(body, []byte("\ufeff")), nil)
	add("the text with a byte order mark", append([]byte("\ufeff"), body...), nil)
	if len(body) <= largestParsed {
		compressed(body, s.policy.MaxBody, add)
		rewrittenJSON(body, s.exhausted, add)
	}
	if strings.HasPrefix(http.Header.Get(s.received.Header, "Content-Type"), "application/x-www-form-urlencoded") {
		form := string(body)
		if values, err := url.ParseQuery(form); err == nil {
			add("a form, sorted", []byte(values.Encode()), nil)
			add("a form, sorted, with %20 for spaces", []byte(strings.ReplaceAll(values.Encode(), "+", "%20")), nil)
		}
		add("a form with %20 for spaces", []byte(strings.ReplaceAll(form, "+", "%20")), nil)
		add("a form with + for spaces", []byte(strings.ReplaceAll(form, "%20", "+")), nil)
		add("a form that was percent-encoded differently", []byte(each(form, func(text string) string { return url.QueryEscape(decoded(text)) })), nil)
		add("a form that was percent-encoded differently", []byte(each(form, func(text string) string { return escape(decoded(text), "") })), nil)
	}
	return edits
}

// compressed adds the decompressed body or, if the body is not compressed, the body
// compressed as Go's compress/gzip does.
func compressed(body []byte, most int64, add func(string, []byte, error)) {
	var in io.Reader
	var err error
	if in, err = gzip.NewReader(bytes.NewReader(body)); err != nil {
		in, err = zlib.NewReader(bytes.NewReader(body))
	}
	if err == nil {
		plain, err := io.ReadAll(io.LimitReader(in, most))
		add("the text before it was compressed", plain, err)
		return
	}
	for _, level := range []int{gzip.DefaultCompression, gzip.BestSpeed, gzip.BestCompression} {
		var out bytes.Buffer
		w, _ := gzip.NewWriterLevel(&out, level) // no error for these levels
		w.Write(body)
		add("the text compressed with gzip", out.Bytes(), w.Close())
		add("the text compressed with gzip", out.Bytes(), nil)
	}
}

// rewrittenJSON adds the same JSON value as common libraries write it.
func rewrittenJSON(body []byte, over func() bool, add func(string, []byte, error)) {
	var compact, out bytes.Buffer
	if json.Compact(&compact, body) != nil {
		return
	}
	both := func(what string, text []byte) {
		add(what, text, nil)
		add(what+" and a line break", append(bytes.Clone(text), '\n'), nil)
	}
	both("JSON without spaces", compact.Bytes())
	both("JSON with a space after commas and colons", spaced(compact.Bytes()))
	for _, indent := range []string{"  ", "    ", "\t"} {
		out.Reset()
		if !over() && json.Indent(&out, compact.Bytes(), "", indent) == nil {
			both("indented JSON", out.Bytes())
		}
	}
	if over() {
		return
	}
	both("JSON in ASCII", ascii(compact.Bytes()))
	both("JSON in ASCII with a space after commas and colons", spaced(ascii(compact.Bytes())))
	add(`JSON with \/ for /`, bytes.ReplaceAll(compact.Bytes(), []byte("/"), []byte(`\/`)), nil)
	var value any
	d := json.NewDecoder(&compact)
	d.UseNumber()
	if d.Decode(&value) != nil {
		return
	}
	for _, html := range []bool{false, true} {
		for _, indent := range []string{"", "  ", "    "} {
			out.Reset()
			e := json.NewEncoder(&out)
			e.SetEscapeHTML(html)
			e.SetIndent("", indent)
			if !over() && e.Encode(value) == nil {
				both("JSON with sorted names", bytes.TrimSuffix(out.Bytes(), []byte("\n")))
				both("JSON with sorted names", spaced(bytes.TrimSuffix(out.Bytes(), []byte("\n"))))
			}
		}
	}
}

// spaced puts a space after the commas and colons of compact JSON.
func spaced(compact []byte) []byte {
	out := make([]byte, 0, len(compact)+len(compact)/8)
	inside := false
	for i := 0; i < len(compact); i++ {
		c := compact[i]
		out = append(out, c)
		switch {
		case c == '\\' && inside && i+1 < len(compact):
			i++
			out = append(out, compact[i])
		case c == '"':
			inside = !inside
		case (c == ',' || c == ':') && !inside:
			out = append(out, ' ')
		}
	}
	return out
}

// ascii replaces the characters of JSON that are not ASCII by escapes.
func ascii(text []byte) []byte {
	const hex = "0123456789abcdef"
	out := make([]byte, 0, len(text))
	unit := func(r rune) {
		out = append(out, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
	}
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		i += n
		switch {
		case r < utf8.RuneSelf:
			out = append(out, byte(r))
		case r > 0xffff:
			unit(0xd800 + (r-0x10000)>>10)
			unit(0xdc00 + (r-0x10000)&0x3ff)
		default:
			unit(r)
		}
	}
	return out
}

func size(n int) string { return strconv.Itoa(n) + " bytes" }
