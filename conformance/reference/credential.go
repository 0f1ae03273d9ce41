package reference

import (
	"encoding/hex"
	"hash"
	"slices"
	"strconv"
	"strings"
	"time"
)

// credential holds the fields of a credential of a scheme that signs requests.
type credential struct {
	scheme
	id, scope  string
	parts      []string // of the scope
	signed     []string
	signature  []byte
	date       time.Time
	dateHeader string        // the header that holds the date; empty in the query form
	expires    time.Duration // in the query form
	leftOut    string        // the parameter that is not part of the canonical query
}

func (c *credential) signs(name string) bool { return slices.Contains(c.signed, name) }

func (c *credential) sum(text []byte) string {
	h := c.hash()
	h.Write(text)
	return hex.EncodeToString(h.Sum(nil))
}

// scheme is a row of docs/protocols.md, Schemes.
type scheme struct {
	token, keyType string
	scopeParts     []string // what the scope consists of; nil for Access=
	hash           func() hash.Hash
	digestHeader   string
	inQuery        bool // whether the query form exists
}

// prefix is what the scheme's own headers begin with.
func (s scheme) prefix() string {
	if strings.HasPrefix(s.token, "AWS4-") {
		return "x-amz-"
	}
	return "x-sdk-"
}

// findScheme finds the scheme of a token and a kind of id.
func findScheme(token string, scoped bool) (scheme, bool) {
	i := slices.IndexFunc(schemes, func(s scheme) bool { return s.token == token && (s.scopeParts != nil) == scoped })
	if i < 0 {
		return scheme{}, false
	}
	return schemes[i], true
}

// docs/protocols.md, Authorization header.

func (j *judgement) judgeAuthorization(value string) {
	token, rest := value, ""
	if i := strings.IndexAny(value, " \t"); i >= 0 {
		token, rest = value[:i], trim(value[i:])
	}
	if strings.EqualFold(token, "Basic") {
		j.judgeBasic(strings.TrimPrefix(value[len(token):], " "))
		return
	}
	fields, ok := parseFields(rest)
	_, scoped := fields["Credential"]
	s, known := findScheme(token, scoped)
	if !known || !ok || len(value) > 8192 {
		j.invalid("the Authorization header is malformed, or of no scheme")
		return
	}
	c := &credential{scheme: s, dateHeader: "x-sdk-date"}
	if c.prefix() == "x-amz-" {
		c.dateHeader = "x-amz-date"
		if j.values("x-amz-date") == nil {
			c.dateHeader = "date"
		}
	}
	id, named := fields["Access"]
	if scoped {
		id, named = fields["Credential"], !named
	}
	if !named && s.keyType == "aes" && !scoped { // AES profile 1: Access is optional
		id, named = j.Bound, true
	}
	_, listed := fields["SignedHeaders"]
	dates := j.values(c.dateHeader)
	if !named || !listed || fields["SignedHeaders"] == "" || len(dates) == 0 {
		j.invalid("a field of the credential is missing")
		return
	}
	if c.date, ok = parseDate(c.dateHeader, dates[0]); !ok || c.dateHeader == "date" && len(dates) > 1 {
		j.invalid("the date is malformed")
		return
	}
	j.judgeFields(c, id, fields["SignedHeaders"], fields["Signature"])
}

// parseFields reads name=value, name=value, ...
func parseFields(text string) (map[string]string, bool) {
	fields := map[string]string{}
	for piece := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(trim(piece), "=")
		_, repeated := fields[name]
		known := slices.Contains([]string{"Access", "Credential", "SignedHeaders", "Signature"}, name)
		if !ok || !known || repeated || value == "" && name != "SignedHeaders" {
			return nil, false
		}
		fields[name] = value
	}
	return fields, true
}

// judgeFields reads what both forms have: the id with its scope, the list and the signature.
func (j *judgement) judgeFields(c *credential, id, list, signature string) {
	c.id, c.signed = id, strings.Split(list, ";")
	if c.scopeParts != nil {
		c.id, c.scope, _ = strings.Cut(id, "/")
		c.parts = strings.Split(c.scope, "/")
		if c.id == "" || len(c.parts) != len(c.scopeParts) || slices.Contains(c.parts, "") || c.parts[0] != c.date.Format("20060102") {
			j.invalid("the scope is malformed, or of another day")
			return
		}
	}
	var err error
	c.signature, err = hex.DecodeString(signature)
	n := len(c.signature)
	if err != nil || strings.ToLower(signature) != signature || c.asymmetric() && (n < 8 || n > 72) || !c.asymmetric() && n != 32 {
		j.invalid("the signature is malformed")
		return
	}
	j.judgeSigned(c)
}

// checkScope compares the scope with the key (SDK credential, SigV4 credential).
func (j *judgement) checkScope(c *credential, key Key) {
	for i, part := range c.parts {
		want := c.scopeParts[i]
		switch want {
		case "day":
			continue // compared with the date before
		case "region", "service":
			want = key.Options[want]
		}
		if part != want {
			j.invalid("the scope is not that of the key")
		}
	}
}

// docs/protocols.md, SigV4 date.

func parseDate(header, value string) (time.Time, bool) {
	if t, ok := parseTimestamp(value); ok || header != "date" {
		return t, ok
	}
	const form = "Mon, 02 Jan 2006 15:04:05"
	for _, zone := range []string{" GMT", " +0000", " -0000"} {
		text, found := strings.CutSuffix(value, zone)
		if t, err := time.Parse(form, text); found && err == nil && t.Format(form) == text {
			return t, true
		}
	}
	return time.Time{}, false
}

// docs/protocols.md, SDK query credential and SigV4 query credential.

// judgeQuery reads a credential in the query; prefix is X-Sdk- or X-Amz-.
func (j *judgement) judgeQuery(prefix string, tokens ...string) {
	j.refuse(PolicyPresigned, !j.AllowPresigned)
	value := map[string]string{}
	for _, name := range []string{"Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature"} {
		values := j.parameters(prefix + name)
		if len(values) == 0 || values[0] == "" {
			j.invalid("the query has no " + prefix + name)
			return
		}
		value[name] = values[0]
	}
	j.checkParameters(prefix)
	scoped := strings.Contains(value["Credential"], "/")
	s, known := findScheme(value["Algorithm"], scoped)
	seconds, err := strconv.Atoi(value["Expires"])
	c := &credential{scheme: s, leftOut: prefix + "Signature", expires: time.Duration(seconds) * time.Second}
	var ok bool
	c.date, ok = parseTimestamp(value["Date"])
	if !known || !slices.Contains(tokens, s.token) || !ok || err != nil || strconv.Itoa(seconds) != value["Expires"] ||
		seconds < 1 || seconds > 604800 {
		j.invalid("a parameter of the credential is malformed")
		return
	}
	j.judgeFields(c, value["Credential"], value["SignedHeaders"], value["Signature"])
}

// checkParameters refuses parameters of the table that can be read in two ways.
func (j *judgement) checkParameters(prefix string) {
	table := []string{"Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature"}
	if prefix == "X-Amz-" {
		table = append(table, "Security-Token", "Region-Set", "Content-Sha256")
	}
	for _, name := range table {
		name = prefix + name
		spellings := 0
		for _, p := range pairs(j.query) {
			if strings.EqualFold(p.name, name) {
				spellings++
				j.refuse(PolicyParameters, p.name != name && name != "X-Amz-Content-Sha256")
			}
		}
		j.refuse(PolicyParameters, spellings > 1)
		beside := prefix == "X-Amz-" || name == "X-Sdk-Date"
		signed := slices.Contains(strings.Split(j.parameters(prefix + "SignedHeaders")[0], ";"), strings.ToLower(name))
		j.refuse(PolicyParameters, beside && spellings > 0 && j.values(strings.ToLower(name)) != nil &&
			(name != "X-Amz-Content-Sha256" || signed))
	}
}

// pair is a parameter, decoded.
type pair struct{ name, value string }

// pairs are the parameters of a query (steps 1 to 3 of the canonical queries).
func pairs(query string) (all []pair) {
	for piece := range strings.SplitSeq(query, "&") {
		if piece != "" {
			name, value, _ := strings.Cut(piece, "=")
			all = append(all, pair{decodeQuery(name), decodeQuery(value)})
		}
	}
	return all
}

// parameters are the values of a parameter; the digest's name may be in any case.
func (j *judgement) parameters(name string) (values []string) {
	for _, p := range pairs(j.query) {
		if p.name == name || name == "X-Amz-Content-Sha256" && strings.EqualFold(p.name, name) {
			values = append(values, p.value)
		}
	}
	return values
}

func (j *judgement) has(name string) bool { return j.parameters(name) != nil }
