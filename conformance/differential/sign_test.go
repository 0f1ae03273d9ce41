package differential_test

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
)

// A credential is how a message is to be signed. The signer of this file signs whatever
// is asked of it, also what no honest signer does: lists out of order, headers that are
// absent, wrong digests.
type credential struct {
	*key
	signWith string // the secret
	query    bool   // the credential stands in the query
	encoded  bool   // the SDK schemes' canonical query is in the order of the encoded names
	date     string // as the string to sign has it
	expires  string
	scope    string
	list     string
	payload  string // the payload line; "" is the hash of the body
	omitID   bool   // aes: without Access
}

// sign adds the credential to the message.
func (c *credential) sign(m *message) {
	id := c.id
	if c.scope != "" {
		id += "/" + c.scope
	}
	if c.typ == "basic" {
		m.add("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(c.id+":"+c.signWith)))
		return
	}
	if c.query {
		p := c.prefix()
		for _, parameter := range [][2]string{{"Algorithm", c.token()}, {"Credential", id}, {"Date", c.date}, {"Expires", c.expires}, {"SignedHeaders", c.list}} {
			m.addParameter(p+parameter[0], parameter[1])
		}
		m.addParameter(p+"Signature", c.signature(m))
		return
	}
	field := "Access=" + id + ", "
	switch {
	case c.omitID:
		field = ""
	case c.scope != "":
		field = "Credential=" + id + ", "
	}
	m.add("Authorization", c.token()+" "+field+"SignedHeaders="+c.list+", Signature="+c.signature(m))
}

// addParameter adds a parameter at the end of the query.
func (m *message) addParameter(name, value string) {
	if m.query != "" {
		m.query += "&"
	}
	m.query, m.mark = m.query+name+"="+strings.ReplaceAll(url.QueryEscape(value), "+", "%20"), true
}

// signature returns the signature of the message.
func (c *credential) signature(m *message) string {
	parts := []string{c.key.token(), c.date}
	if c.scope != "" {
		parts = append(parts, c.scope)
	}
	parts = append(parts, c.sum(c.canonicalRequest(m)))
	return c.key.sign(c.signWith, c.scope, strings.Join(parts, "\n"))
}

func (c *credential) canonicalRequest(m *message) string {
	return strings.Join([]string{
		m.method, c.canonicalPath(m.path), c.canonicalQuery(m.query), c.canonicalHeaders(m), c.list,
		cmp.Or(c.payload, c.sum(m.body)),
	}, "\n")
}

func (c *credential) canonicalPath(path string) string {
	switch {
	case !c.aws():
		path = encodeSegments(path)
		if !strings.HasSuffix(path, "/") {
			path += "/"
		}
		return path
	case c.paths == "s3":
		return encodeSegments(path)
	}
	var kept []string
	for _, segment := range strings.Split(path, "/") {
		switch segment {
		case "", ".":
		case "..":
			kept = kept[:max(0, len(kept)-1)]
		default:
			kept = append(kept, encode(segment))
		}
	}
	clean := "/" + strings.Join(kept, "/")
	if strings.HasSuffix(path, "/") && clean != "/" {
		clean += "/"
	}
	return clean
}

func encodeSegments(path string) string {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		segments[i] = encode(decode(segment, false))
	}
	return strings.Join(segments, "/")
}

func (c *credential) canonicalQuery(query string) string {
	type pair struct{ name, value, encodedName, encodedValue string }
	var pairs []pair
	for piece := range strings.SplitSeq(query, "&") {
		if piece == "" {
			continue
		}
		name, value, _ := strings.Cut(piece, "=")
		name, value = decode(name, true), decode(value, true)
		pairs = append(pairs, pair{name, value, encode(name), encode(value)})
	}
	slices.SortStableFunc(pairs, func(a, b pair) int {
		if c.aws() || c.encoded {
			return cmp.Or(cmp.Compare(a.encodedName, b.encodedName), cmp.Compare(a.encodedValue, b.encodedValue))
		}
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.value, b.value))
	})
	var encoded []string
	for _, p := range pairs {
		encoded = append(encoded, p.encodedName+"="+p.encodedValue)
	}
	return strings.Join(encoded, "&")
}

func (c *credential) canonicalHeaders(m *message) string {
	var b strings.Builder
	for name := range strings.SplitSeq(c.list, ";") {
		values := m.values(name)
		for i := range values {
			if c.aws() || c.typ == "aksk" {
				values[i] = strings.Join(strings.FieldsFunc(values[i], func(r rune) bool { return r == ' ' || r == '\t' }), " ")
			}
		}
		if c.aws() {
			values = []string{strings.Join(values, ",")}
		} else {
			slices.Sort(values)
		}
		if len(values) == 0 {
			values = []string{""}
		}
		for _, value := range values {
			b.WriteString(name + ":" + value + "\n")
		}
	}
	return b.String()
}

const digits = "0123456789ABCDEF"

func unreserved(b byte) bool {
	return 'A' <= b && b <= 'Z' || 'a' <= b && b <= 'z' || '0' <= b && b <= '9' || strings.IndexByte("-_.~", b) >= 0
}

func encode(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if unreserved(s[i]) {
			b.WriteByte(s[i])
		} else {
			b.WriteString(escape(s[i]))
		}
	}
	return b.String()
}

func escape(b byte) string { return string([]byte{'%', digits[b>>4], digits[b&15]}) }

// decode leaves alone what is no escape.
func decode(s string, plus bool) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if x, err := hex.DecodeString(s[i+1 : i+3]); err == nil {
				b.Write(x)
				i += 2
				continue
			}
		}
		if s[i] == '+' && plus {
			b.WriteByte(' ')
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
