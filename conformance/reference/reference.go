// Package reference judges signed requests as docs/protocols.md describes them. It is
// written from that document alone and shares no code with package core, so that the two
// can disagree. It is slow, keeps nothing between messages, and follows the document
// section by section:
//
//	reference.go   what is configured, what the verdict is, and the order of the rules
//	message.go     a message of HTTP/1.1 as bytes
//	every.go       Every scheme: target, header values, SignedHeaders, time, body
//	credential.go  where the credential is, and its fields
//	canonical.go   the canonical requests of the SDK schemes and of SigV4
//	signature.go   the signature of each scheme; Basic and X-Auth-Token
//
// It knows one request at a time: replays, the throttling of passwords, deadlines and
// budgets of memory are not part of it. Nor are bindings of single APIs and what routers make
// of a path: every API is bound to one key.
package reference

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Key is a key that the verifier has.
type Key struct {
	// ID is what requests carry: the field key of the environments file; with the types aes
	// and token the name of the key.
	ID string
	// Type is the type of the key in the environments file.
	Type string
	// Secrets are those accepted now, the current one and previous ones. With type aes each is
	// the AES key and the initialization vector, one behind the other. With type
	// token they are the tokens that the identity service calls valid.
	Secrets []string
	// Options are other fields of the key, by their names in the environments file:
	// region, service, paths, session_token, allow_region_wildcards.
	Options map[string]string
}

// Settings is what a verifier is configured with. The comments name the fields of core.Config.
type Settings struct {
	Keys     []Key  // at least one
	Patterns bool   // APIs are bound by patterns
	Bound    string // the ID of the key that every API is bound to; empty: that of Keys[0]. Default
	Now      time.Time
	Skew     time.Duration // ClockSkew; 0: 15 minutes
	MaxBody  int64         // MaxBody; 0: 12 MiB

	RequireSigned         []string // RequireSigned; nil: host
	RequireSignedWithBody []string // RequireSignedWithBody
	AllowUnsigned         []string // AllowUnsigned
	AllowUnsignedPayload  bool     // AllowUnsignedPayload
	AllowPresigned        bool     // AllowPresigned
	AddPrefix, Host       string   // Rewrite.AddPrefix, Rewrite.Host
	CredentialHeader      string   // CredentialHeader, in lower case; empty: authorization
}

// Verdict is what the document says of a message. A verifier must accept it if it is Valid
// and there are no Policies, and refuse it otherwise.
type Verdict struct {
	// Valid tells that the protocol accepts the message: its credential can be read, is dated
	// within the window, and its signature is right for the message as sent.
	Valid bool
	Why   string // the first rule that refuses it, if it is not Valid
	// Policies are the rules of this library that refuse it whether or not it is Valid.
	Policies []Policy
	Scheme   string   // the token of the credential
	KeyID    string   // the ID of the key
	Signed   []string // the names in SignedHeaders
	Body     bool     // whether the signature covers the body

	CanonicalRequest, StringToSign string // those that the signature was compared with last
}

// Policy names a rule of this library that goes beyond the protocol.
type Policy string

// The policies, with the heading of docs/protocols.md that has them.
const (
	PolicyOriginForm     Policy = "origin form"               // Target: not in origin form
	PolicyEscape         Policy = "escape"                    // Target: a % without two digits
	PolicyPathControl    Policy = "control in path"           // Target: NUL, CR or LF in the path
	PolicySemicolon      Policy = "semicolon"                 // Target: ; in the query
	PolicyEmptyName      Policy = "parameter without name"    // Target
	PolicyTargetSize     Policy = "size of the target"        // Target: 1024 parameters, 65536 bytes
	PolicyHiddenPath     Policy = "hidden path"               // SDK canonical path, SigV4 canonical path
	PolicyRepeated       Policy = "repeated protocol header"  // Header values
	PolicyUnderscore     Policy = "underscore"                // Header values: names with _ for -
	PolicyConnection     Policy = "connection"                // Header values: what Connection names
	PolicyHost           Policy = "host"                      // Header values: empty, or odd bytes
	PolicySignedValue    Policy = "signed value"              // Header values: blanks around it, NUL, CR, LF
	PolicyHeaderLines    Policy = "header lines"              // Header values: more than 256
	PolicyTwoCredentials Policy = "two credentials"           // Header values
	PolicyListForm       Policy = "form of the list"          // SignedHeaders: lower case, order, number
	PolicyAbsent         Policy = "absent header listed"      // SignedHeaders
	PolicyDateSigned     Policy = "date not signed"           // SignedHeaders
	PolicyRequireSigned  Policy = "require_signed"            // SignedHeaders
	PolicyWithBody       Policy = "require_signed_with_body"  // SigV4 credential
	PolicyHopByHop       Policy = "hop-by-hop header listed"  // SignedHeaders
	PolicyUnsigned       Policy = "protocol header unsigned"  // SignedHeaders
	PolicyOverride       Policy = "method override unsigned"  // SignedHeaders
	PolicyUnsignedBody   Policy = "unsigned payload"          // Body: allow_unsigned_payload
	PolicyStreaming      Policy = "payload signed in chunks"  // Body: STREAMING-
	PolicyBodyLength     Policy = "length of the body"        // Body: not as long as announced
	PolicyMaxBody        Policy = "max_body"                  // Body
	PolicyPresigned      Policy = "allow_presigned"           // SDK query credential, SigV4 query credential
	PolicyParameters     Policy = "parameters twice"          // the same: twice, in another case, beside a header
	PolicySessionToken   Policy = "session token without use" // Session token: the key has none
	PolicyWildcard       Policy = "region wildcard"           // SigV4a: allow_region_wildcards
	PolicyBinding        Policy = "binding"                   // core/doc.go: the key is not that of the API
)

// judgement is the state of one call of Judge.
type judgement struct {
	Settings
	message
	verdict Verdict
}

// Judge judges raw, one message of HTTP/1.1: request line, header lines, blank line and body.
func Judge(raw []byte, s Settings) Verdict {
	j := &judgement{Settings: s}
	j.Bound, j.Skew, j.MaxBody = cmp.Or(s.Bound, s.Keys[0].ID), cmp.Or(s.Skew, 15*time.Minute), cmp.Or(s.MaxBody, 12<<20)
	if j.RequireSigned == nil {
		j.RequireSigned = []string{"host"}
	}
	j.CredentialHeader = cmp.Or(s.CredentialHeader, "authorization")
	if j.message, j.verdict.Why = parse(raw); j.verdict.Why != "" {
		return j.verdict
	}
	j.path, j.query, _ = strings.Cut(s.AddPrefix+j.target, "?")

	j.checkTarget()
	j.checkHeaders()
	j.checkBody()
	j.host = cmp.Or(s.Host, j.host)
	switch authorization, token := j.values(j.CredentialHeader), j.values("x-auth-token"); {
	case len(authorization) > 0:
		j.judgeAuthorization(authorization[0])
	case len(token) > 0 && j.hasType("token"):
		j.judgeToken(token[0])
	default:
		j.judgeQuery()
	}
	j.verdict.Valid = j.verdict.Why == ""
	return j.verdict
}

// judgeSigned applies the rules to a credential of a scheme that signs requests, once its
// fields are known.
func (j *judgement) judgeSigned(c *credential) {
	j.verdict.Scheme, j.verdict.Signed = c.token, c.signed
	key, ok := j.key(c.id, c.keyType)
	if !ok {
		j.invalid("the key is not known, for this scheme")
		return
	}
	j.verdict.KeyID = key.ID
	j.checkSignedHeaders(c)
	j.checkTime(c)
	j.checkScope(c, key)
	j.checkSessionToken(c, key)
	j.checkRegionSet(c, key)
	payload := j.payloadLine(c, key)
	j.checkPayload(c, payload)
	j.checkHiddenPath(c, key)

	for _, canonical := range j.canonicalRequests(c, key, payload) {
		j.verdict.CanonicalRequest, j.verdict.StringToSign = canonical, c.stringToSign(canonical)
		for _, secret := range key.Secrets {
			if c.signedBy(secret, j.verdict.StringToSign) {
				return
			}
		}
	}
	j.invalid("the signature is not that of the message")
}

// key finds a key and checks that it is the one that the API is bound to.
func (j *judgement) key(id, keyType string) (Key, bool) {
	i := slices.IndexFunc(j.Keys, func(k Key) bool { return k.ID == id && k.Type == keyType })
	if i < 0 {
		return Key{}, false
	}
	j.refuse(PolicyBinding, id != j.Bound)
	return j.Keys[i], true
}

// hasType tells whether the environment has a key of a type.
func (j *judgement) hasType(keyType string) bool {
	return slices.ContainsFunc(j.Keys, func(k Key) bool { return k.Type == keyType })
}

// invalid notes that the protocol refuses the message.
func (j *judgement) invalid(why string) {
	if j.verdict.Why == "" {
		j.verdict.Why = why
	}
}

// refuse notes that a policy refuses the message, if broken.
func (j *judgement) refuse(p Policy, broken bool) {
	if broken && !slices.Contains(j.verdict.Policies, p) {
		j.verdict.Policies = append(j.verdict.Policies, p)
	}
}
