package reference

import (
	"slices"
	"strings"
	"time"
)

// docs/protocols.md, Target.

func (j *judgement) checkTarget() {
	j.refuse(PolicyOriginForm, !strings.HasPrefix(j.received, "/"))
	j.refuse(PolicyEscape, badEscape(j.path) || badEscape(j.query))
	j.refuse(PolicyPathControl, strings.ContainsAny(decodePath(j.path), "\x00\r\n"))
	j.refuse(PolicySemicolon, strings.Contains(j.query, ";"))
	parameters := pairs(j.query)
	j.refuse(PolicyEmptyName, slices.ContainsFunc(parameters, func(p pair) bool { return p.name == "" }))
	j.refuse(PolicyTargetSize, len(parameters) > 1024 || len(j.path)+len(j.query) > 65536)
}

// docs/protocols.md, Header values.

// protocolHeader tells whether a name begins with x-sdk- or x-amz-.
func protocolHeader(name string) bool {
	return strings.HasPrefix(name, "x-sdk-") || strings.HasPrefix(name, "x-amz-")
}

func dashes(name string) string { return strings.ReplaceAll(name, "_", "-") }

func (j *judgement) checkHeaders() {
	for _, h := range j.headers {
		j.refuse(PolicyRepeated, (h.name == "authorization" || protocolHeader(h.name)) && len(j.values(h.name)) > 1)
		j.refuse(PolicyUnderscore, strings.Contains(h.name, "_") && protocolHeader(dashes(h.name)))
	}
	j.refuse(PolicyHeaderLines, len(j.headers) > 256)
	names := j.connection()
	j.refuse(PolicyConnection, len(names) > 64 || slices.Contains(names, "authorization") || slices.ContainsFunc(names, protocolHeader))
	odd := func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`/\@?#,`, r) }
	j.refuse(PolicyHost, j.receivedHost == "" || strings.ContainsFunc(j.receivedHost, odd))

	inHeader := j.values("authorization") != nil || j.values("x-auth-token") != nil
	inQuery := slices.ContainsFunc([]string{
		"X-Sdk-Algorithm", "X-Sdk-Credential", "X-Sdk-Signature", "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature",
	}, j.has)
	j.refuse(PolicyTwoCredentials, inHeader && inQuery ||
		j.values("authorization") != nil && j.values("x-auth-token") != nil)
}

// connection are the entries of Connection, in lower case.
func (j *judgement) connection() (names []string) {
	for _, value := range j.values("connection") {
		for entry := range strings.SplitSeq(value, ",") {
			names = append(names, strings.ToLower(trim(entry)))
		}
	}
	return names
}

// docs/protocols.md, SignedHeaders.

var hopByHop = []string{"authorization", "connection", "keep-alive", "proxy-authorization", "proxy-connection", "te", "trailer",
	"transfer-encoding", "upgrade"}

var digestHeaders = []string{"x-sdk-content-sha256", "x-sdk-content-sm3", "x-amz-content-sha256"}

func (j *judgement) checkSignedHeaders(c *credential, key Key) {
	j.refuse(PolicyListForm, len(c.signed) > 64)
	for i, name := range c.signed {
		j.refuse(PolicyListForm, !isToken(name) || strings.ToLower(name) != name || i > 0 && c.signed[i-1] >= name)
		j.refuse(PolicyAbsent, j.values(name) == nil)
		j.refuse(PolicyHopByHop, slices.Contains(hopByHop, name))
		j.refuse(PolicyConnection, slices.Contains(j.connection(), name))
		for _, value := range j.values(name) {
			j.refuse(PolicySignedValue, value != trim(value) || strings.ContainsAny(value, "\x00\r\n"))
		}
		for _, h := range j.headers {
			j.refuse(PolicyUnderscore, !c.signs(h.name) && strings.Contains(h.name, "_") && dashes(h.name) == dashes(name))
		}
	}
	j.refuse(PolicyDateSigned, c.dateHeader != "" && !c.signs(c.dateHeader))
	for _, name := range j.RequireSigned {
		j.refuse(PolicyRequireSigned, j.values(name) != nil && !c.signs(name))
		for _, h := range j.headers {
			j.refuse(PolicyUnderscore, h.name != name && strings.Contains(h.name, "_") && dashes(h.name) == dashes(name))
		}
	}
	for _, name := range j.RequireSignedWithBody {
		j.refuse(PolicyWithBody, (j.chunked || j.announced > 0) && !c.signs(name))
	}
	for _, h := range j.headers {
		j.refuse(PolicyUnsigned, strings.HasPrefix(h.name, c.prefix()) && !c.signs(h.name) &&
			!slices.Contains(digestHeaders, h.name) && !slices.Contains(j.AllowUnsigned, h.name))
	}
	j.checkOverride(c)
}

// checkOverride is for every scheme; c is nil for those that sign no request.
func (j *judgement) checkOverride(c *credential) {
	for _, name := range []string{"x-http-method-override", "x-method-override", "x-http-method"} {
		for _, h := range j.headers {
			j.refuse(PolicyOverride, dashes(h.name) == name && (c == nil || !c.signs(h.name)))
		}
	}
}

// docs/protocols.md, Time.

const timestampForm = "20060102T150405Z"

// parseTimestamp takes exactly a timestamp of a date and a time that exist.
func parseTimestamp(text string) (time.Time, bool) {
	t, err := time.Parse(timestampForm, text)
	return t, err == nil && t.Format(timestampForm) == text
}

func (j *judgement) checkTime(c *credential) {
	end := c.date.Add(j.Skew)
	if c.dateHeader == "" {
		end = c.date.Add(c.expires)
	}
	if j.Now.Before(c.date.Add(-j.Skew)) || j.Now.After(end) {
		j.invalid("the date is not within the window")
	}
}

// docs/protocols.md, Session token.

func (j *judgement) checkSessionToken(c *credential, key Key) {
	want, header, sigv4 := key.Options["session_token"], "x-security-token", c.prefix() == "x-amz-"
	if sigv4 {
		header = "x-amz-security-token"
	}
	var tokens []string
	if c.signs(header) {
		tokens = j.values(header)
	}
	if sigv4 && c.dateHeader == "" { // in the query form the parameter takes the header's place
		tokens = j.parameters("X-Amz-Security-Token")
	}
	switch {
	case c.keyType == "aes": // AES profile 1: the header has no meaning
	case want == "":
		j.refuse(PolicySessionToken, sigv4 && len(tokens) > 0)
	case !slices.Equal(tokens, []string{want}):
		j.invalid("the session token is not there, not signed or not that of the key")
	}
}

// docs/protocols.md, Body.

const unsignedPayload = "UNSIGNED-PAYLOAD"

// checkBody is for every scheme, also where nothing is signed about the body.
func (j *judgement) checkBody() {
	j.refuse(PolicyMaxBody, j.announced > j.MaxBody || int64(len(j.body)) > j.MaxBody)
	j.refuse(PolicyBodyLength, !j.whole)
}

// checkPayload compares the payload line with the body.
func (j *judgement) checkPayload(c *credential, payload string) {
	switch {
	case payload == unsignedPayload:
		j.refuse(PolicyUnsignedBody, !j.AllowUnsignedPayload)
		return
	case strings.HasPrefix(payload, "STREAMING-"):
		j.refuse(PolicyStreaming, true)
		return
	case payload != c.sum(j.body):
		j.invalid("the body does not have the declared digest")
	}
	j.verdict.Body = true
	j.refuse(PolicyBodyLength, j.chunked && len(j.body) == 0)
	for _, length := range j.values("content-length") {
		j.refuse(PolicyBodyLength, length != trim(length)) // a folded line
	}
}
