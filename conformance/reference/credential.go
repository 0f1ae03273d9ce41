package reference

import (
	"encoding/hex"
	"hash"
	"slices"
	"strconv"
	"strings"
	"time"
)

// scheme is a row of docs/protocols.md, Schemes.
type scheme struct {
	token, keyType string
	scopeParts     []string // what the scope consists of; nil for Access=
	hash           func() hash.Hash
	digestHeader   string
	inQuery        bool // whether the query form exists
}

func (s scheme) sigv4() bool { return strings.HasPrefix(s.token, "AWS4-") }

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

// docs/protocols.md, Authorization header.

func (j *judgement) judgeAuthorization(value string) {
	token, rest := value, ""
	if i := strings.IndexAny(value, " \t"); i >= 0 {
		token, rest = value[:i], value[i:]
	}
	if lower(token) == "basic" {
		j.judgeBasic(strings.TrimPrefix(rest, " "))
		return
	}
	fields, ok := parseFields(trim(rest))
	id, scoped := fields["Credential"]
	i := findScheme(token, scoped)
	access, named := fields["Access"]
	if !ok || i < 0 || len(value) > 8192 || named && scoped || fields["SignedHeaders"] == "" {
		j.invalid("the Authorization header is malformed, or of no scheme")
		return
	}
	c := &credential{scheme: schemes[i], dateHeader: "x-sdk-date"}
	if !scoped {
		id = access
	}
	if c.keyType == "aes" && !named { // AES profile 1
		id = j.Bound
	}
	if c.sigv4() {
		c.dateHeader = "x-amz-date"
		if j.values("x-amz-date") == nil {
			c.dateHeader = "date"
		}
	}
	dates := append(j.values(c.dateHeader), "", "")
	if c.date, ok = parseDate(c.dateHeader, dates[0]); !ok || c.dateHeader == "date" && dates[1] != "" {
		j.invalid("the date is missing or malformed")
		return
	}
	j.judgeFields(c, id, fields["SignedHeaders"], fields["Signature"])
}

// parseFields reads name=value, name=value, ...
func parseFields(text string) (fields map[string]string, ok bool) {
	fields = map[string]string{}
	for piece := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(trim(piece), "=")
		_, repeated := fields[name]
		known := slices.Contains([]string{"Access", "Credential", "SignedHeaders", "Signature"}, name)
		if !ok || !known || repeated || value == "" {
			return nil, false
		}
		fields[name] = value
	}
	return fields, true
}

func findScheme(token string, scoped bool) int {
	return slices.IndexFunc(schemes, func(s scheme) bool { return s.token == token && (s.scopeParts != nil) == scoped })
}

// judgeFields reads what both forms have: the id with its scope, the list and the signature.
func (j *judgement) judgeFields(c *credential, id, list, signature string) {
	c.id, c.signed = id, strings.Split(list, ";")
	if c.scopeParts != nil {
		c.id, c.scope, _ = strings.Cut(id, "/")
		c.parts = strings.Split(c.scope, "/")
		if c.id == "" || len(c.parts) != len(c.scopeParts) || c.parts[0] != c.date.Format("20060102") {
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
	for i, part := range c.parts[min(1, len(c.parts)):] { // the day is that of the date
		want := c.scopeParts[i+1]
		if want == "region" || want == "service" {
			want = key.Options[want]
		}
		if part != want {
			j.invalid("the scope is not that of the key")
		}
	}
}

// docs/protocols.md, SigV4 date.

func parseDate(header, value string) (time.Time, bool) {
	forms := []string{timestampForm}
	if header == "date" {
		const form = "Mon, 02 Jan 2006 15:04:05 "
		forms = append(forms, form+"GMT", form+"+0000", form+"-0000")
	}
	for _, form := range forms {
		if t, err := time.Parse(form, value); err == nil && t.Format(form) == value {
			return t, true
		}
	}
	return time.Time{}, false
}

// docs/protocols.md, SDK query credential and SigV4 query credential.

// judgeQuery reads a credential in the query. Where there are parameters of two schemes,
// the one with the first key reads them.
func (j *judgement) judgeQuery() {
	for _, key := range j.Keys {
		i := slices.IndexFunc(schemes, func(s scheme) bool { return s.keyType == key.Type && s.inQuery })
		if i < 0 {
			continue
		}
		prefix := "X-Sdk-"
		if schemes[i].sigv4() {
			prefix = "X-Amz-"
		}
		algorithm := j.parameters(prefix + "Algorithm")
		partly := prefix == "X-Amz-" && algorithm == nil && (j.has("X-Amz-Credential") || j.has("X-Amz-Signature"))
		if partly || algorithm != nil && algorithm[0] == schemes[i].token {
			j.judgeParameters(prefix)
			return
		}
	}
	j.invalid("there is no credential")
}

// judgeParameters reads the parameters of a credential; prefix is X-Sdk- or X-Amz-.
func (j *judgement) judgeParameters(prefix string) {
	j.refuse(PolicyPresigned, !j.AllowPresigned)
	value := map[string]string{}
	for _, name := range required {
		value[name] = append(j.parameters(prefix+name), "")[0]
		if value[name] == "" {
			j.invalid("the query has no " + prefix + name)
			return
		}
	}
	i := findScheme(value["Algorithm"], strings.Contains(value["Credential"], "/"))
	seconds, err := strconv.Atoi(value["Expires"])
	date, ok := parseDate("", value["Date"])
	if i < 0 || !ok || err != nil || strconv.Itoa(seconds) != value["Expires"] || seconds < 1 || seconds > 604800 {
		j.invalid("a parameter of the credential is malformed")
		return
	}
	c := &credential{scheme: schemes[i], date: date, leftOut: prefix + "Signature", expires: time.Duration(seconds) * time.Second}
	j.judgeFields(c, value["Credential"], value["SignedHeaders"], value["Signature"])
	j.checkParameters(c, prefix)
}

var required = []string{"Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature"}

// checkParameters refuses parameters of the table that can be read in two ways.
func (j *judgement) checkParameters(c *credential, prefix string) {
	names := required
	if prefix == "X-Amz-" {
		names = append(slices.Clone(required), "Security-Token", "Region-Set", "Content-Sha256")
	}
	for _, name := range names {
		name = prefix + name
		lower, digest, spellings := strings.ToLower(name), name == "X-Amz-Content-Sha256", 0
		for _, p := range pairs(j.query) {
			if strings.EqualFold(p.name, name) {
				spellings++
				j.refuse(PolicyParameters, p.name != name && !digest)
			}
		}
		beside := j.values(lower) != nil && (prefix == "X-Amz-" || name == "X-Sdk-Date")
		j.refuse(PolicyParameters, spellings > 1 || spellings > 0 && beside && (!digest || c.signs(lower)))
	}
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
