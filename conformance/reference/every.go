package reference

import (
	"slices"
	"strings"
)

// docs/protocols.md, Target.

func (j *judgement) checkTarget() {
	j.refuse(PolicyOriginForm, !strings.HasPrefix(j.target, "/"))
	j.refuse(PolicyEscape, badEscape(j.path) || badEscape(j.query))
	j.refuse(PolicyPathControl, strings.ContainsAny(decodePath(j.path), "\x00\r\n"))
	j.refuse(PolicySemicolon, strings.Contains(j.query, ";"))
	j.refuse(PolicyEmptyName, j.has(""))
	plain := !strings.Contains(j.path, "%") && !strings.Contains(j.path, "//") && !strings.Contains(j.path, "/.") && (j.path == "/" || !strings.HasSuffix(j.path, "/"))
	slashes := strings.Count(strings.ReplaceAll(strings.ToLower(j.path), "%2f", "/"), "/")
	j.refuse(PolicyTargetSize, len(pairs(j.query)) > 1024 || len(j.path)+len(j.query) > 65536 || j.Patterns && !plain && (slashes > 128 || len(j.path) > 8192))
}

// docs/protocols.md, Header values.

// protocolHeader tells whether a name begins with x-sdk- or x-amz-, also with underscores.
func protocolHeader(name string) bool {
	return strings.HasPrefix(dashes(name), "x-sdk-") || strings.HasPrefix(dashes(name), "x-amz-")
}

func dashes(name string) string { return strings.ReplaceAll(name, "_", "-") }

func (j *judgement) checkHeaders() {
	for _, h := range j.headers {
		j.refuse(PolicyRepeated, (h.name == j.CredentialHeader || protocolHeader(h.name)) && len(j.values(h.name)) > 1)
		j.refuse(PolicyUnderscore, h.name != dashes(h.name) && (protocolHeader(h.name) || dashes(h.name) == j.CredentialHeader))
	}
	j.refuse(PolicyHeaderLines, j.lines > 256)
	names := j.connection()
	j.refuse(PolicyConnection, len(names) > 64 || slices.Contains(names, j.CredentialHeader) || slices.ContainsFunc(names, protocolHeader))
	odd := func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`/\@?#,`, r) }
	j.refuse(PolicyHost, j.host == "" || strings.ContainsFunc(j.host, odd))

	authorization, token := j.values(j.CredentialHeader) != nil, j.values("x-auth-token") != nil && j.hasType("token")
	sdk, aws := false, false
	for _, name := range []string{"Algorithm", "Credential", "Signature"} {
		sdk, aws = sdk || j.has("X-Sdk-"+name), aws || j.has("X-Amz-"+name)
	}
	j.refuse(PolicyTwoCredentials, (authorization || token) && (sdk || aws) || authorization && token || sdk && aws)
}

// connection are the entries of Connection, in lower case.
func (j *judgement) connection() (names []string) {
	for _, value := range j.values("connection") {
		for entry := range strings.SplitSeq(value, ",") {
			names = append(names, lower(trim(entry)))
		}
	}
	return names
}

// docs/protocols.md, SignedHeaders.

var hopByHop = []string{"connection", "keep-alive", "proxy-authorization", "proxy-connection", "te", "trailer",
	"transfer-encoding", "upgrade"}

var digestHeaders = []string{"x-sdk-content-sha256", "x-sdk-content-sm3", "x-amz-content-sha256"}

var overrides = []string{"x-http-method-override", "x-method-override", "x-http-method"}

func (j *judgement) checkSignedHeaders(c *credential) {
	prefix := "x-sdk-"
	if c.sigv4() {
		prefix = "x-amz-"
	}
	j.refuse(PolicyListForm, len(c.signed) > 64)
	for i, name := range c.signed {
		j.refuse(PolicyListForm, !isToken(name) || strings.ToLower(name) != name || i > 0 && c.signed[i-1] >= name)
		j.refuse(PolicyAbsent, j.values(name) == nil)
		j.refuse(PolicyHopByHop, name == j.CredentialHeader || slices.Contains(hopByHop, name))
		j.refuse(PolicyConnection, slices.Contains(j.connection(), name))
		for _, value := range j.values(name) {
			j.refuse(PolicySignedValue, value != trim(value) || strings.ContainsAny(value, "\x00\r\n"))
		}
	}
	j.refuse(PolicyDateSigned, c.dateHeader != "" && !c.signs(c.dateHeader))
	for _, name := range j.RequireSigned {
		j.refuse(PolicyRequireSigned, j.values(name) != nil && !c.signs(name))
		j.refuse(PolicyUnderscore, j.hasLookalike(name))
	}
	for _, name := range j.RequireSignedWithBody { // SigV4 credential
		j.refuse(PolicyWithBody, (j.chunked || j.announced > 0) && !c.signs(name))
	}
	for _, h := range j.headers {
		if c.signs(h.name) {
			continue
		}
		j.refuse(PolicyUnderscore, slices.ContainsFunc(c.signed, func(name string) bool { return lookalike(h.name, name) }))
		j.refuse(PolicyUnsigned, strings.HasPrefix(h.name, prefix) && !slices.Contains(append(digestHeaders, j.AllowUnsigned...), h.name))
		j.refuse(PolicyOverride, slices.Contains(overrides, dashes(h.name)))
	}
}

// lookalike tells whether the names differ in underscores and dashes alone.
func lookalike(other, name string) bool { return other != name && dashes(other) == dashes(name) }

func (j *judgement) hasLookalike(name string) bool {
	return slices.ContainsFunc(j.headers, func(h header) bool { return lookalike(h.name, name) })
}

// docs/protocols.md, Time.

const timestampForm = "20060102T150405Z"

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
	want, tokens := key.Options["session_token"], j.signedValues(c, "x-security-token", "")
	if c.sigv4() {
		tokens = j.signedValues(c, "x-amz-security-token", "X-Amz-Security-Token")
	}
	j.refuse(PolicySessionToken, c.sigv4() && want == "" && len(tokens) > 0)
	if want != "" && !slices.Equal(tokens, []string{want}) {
		j.invalid("the session token is not there, not signed or not that of the key")
	}
}

// signedValues are those of a signed header, or in the query form those of a parameter.
func (j *judgement) signedValues(c *credential, header, parameter string) []string {
	if parameter != "" && c.dateHeader == "" {
		return j.parameters(parameter)
	} else if c.signs(header) {
		return j.values(header)
	}
	return nil
}

// docs/protocols.md, Body.

const unsignedPayload = "UNSIGNED-PAYLOAD"

// checkBody is for every scheme, also where the body is not signed.
func (j *judgement) checkBody() {
	j.refuse(PolicyMaxBody, j.announced > j.MaxBody || int64(len(j.body)) > j.MaxBody)
	j.refuse(PolicyBodyLength, !j.whole)
}

func (j *judgement) checkPayload(c *credential, payload string) {
	j.refuse(PolicyUnsignedBody, payload == unsignedPayload && !j.AllowUnsignedPayload)
	j.refuse(PolicyStreaming, strings.HasPrefix(payload, "STREAMING-"))
	if payload == unsignedPayload || strings.HasPrefix(payload, "STREAMING-") {
		return
	}
	j.verdict.Body = true
	length := strings.Join(j.values("content-length"), "")
	j.refuse(PolicyBodyLength, j.chunked && len(j.body) == 0 || length != trim(length)) // a folded line
	if payload != c.sum(j.body) {
		j.invalid("the body does not have the declared digest")
	}
}
