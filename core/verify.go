package core

import (
	"crypto/subtle"
	"errors"
	"math"
	"strings"
	"time"
)

// A check looks at one thing, and refuses by an error.
type check struct {
	name string
	run  func(*verification) error
}

// checks are made in this order, and the first that fails gives the refusal. What
// comes first costs least, and no byte of the body is read for a request that can be
// refused without.
//
// Their names stand in the documents and in the tests.
var checks = []check{
	{"target", checkTarget},
	{"binding", findBinding},
	{"open API", checkOpen},
	{"headers", checkHeaders},
	{"credential", parseCredential},
	{"signed headers", checkList},
	{"lookalikes", checkLookalikes},
	{"announced size", checkSize},
	{"key", findKey},
	{"scope", checkScope},
	{"date", checkDate},
	{"coverage", checkCoverage},
	{"session token", checkSessionToken},
	{"payload", checkPayload},
	{"signature", checkSignature},
	{"key bound to the API", checkBound},
	{"host", checkHost},
	{"route", checkRoute},
	{"body", checkBody},
	{"date after the body", checkDateAgain},
	{"replay", checkReplay},
}

// verify makes the checks. Open APIs need no more than the first ones.
func (v *verification) verify() (*Identity, error) {
	r := v.request
	if r == nil || r.URL == nil {
		return nil, Refuse(CodeRequestAmbiguous, "not a request of a server")
	}
	if err := r.Context().Err(); err != nil {
		return nil, &Error{Code: CodeUnavailable, Detail: "the request ended", Err: err}
	}
	v.path, v.query = v.message.Target(r)
	for i := range checks {
		if err := checks[i].run(v); err != nil {
			return nil, err
		}
		if v.open {
			return &Identity{origin: v.policy.openOrigin}, nil
		}
	}
	v.remember()
	return v.identity(), nil
}

// parseCredential finds the one scheme that recognises a credential in the request.
func parseCredential(v *verification) error {
	c := &v.credential
	v.signed = v.asSigned()
	var form *OtherForm
	for _, s := range v.policy.schemes {
		err := s.Parse(v.signed, c)
		switch {
		case err == nil:
			v.scheme, c.scratch = s, v.message
			if c.Presigned && !v.policy.AllowPresigned {
				return Refuse(CodeSchemeNotAccepted, "a credential in the query, which this environment does not accept")
			}
			return nil
		case !errors.Is(err, ErrNoCredential):
			return err
		}
		if other, ok := errors.AsType[*OtherForm](err); ok {
			form = other
		}
		*c = v.noCredential()
	}
	switch {
	case len(v.authorization) == 0:
		return v.policy.refusalsOf.missing
	case isBearer(v.authorization[0]):
		return v.policy.refusalsOf.bearer
	case !looksLikeCredential(v.authorization[0]):
		return v.policy.refusalsOf.malformed
	}
	return v.policy.refusalsOf.otherScheme(v.authorization[0], form, v.policy.schemes)
}

// noCredential is what a scheme reads a credential into.
func (v *verification) noCredential() Credential {
	return Credential{scratch: v.message, header: v.policy.CredentialHeader}
}

// isBearer reports whether the value of an Authorization header is a bearer token
// (RFC 6750), which clients send for themselves.
func isBearer(auth string) bool {
	scheme, _, _ := strings.Cut(auth, " ")
	return sameName("bearer", scheme)
}

// looksLikeCredential reports whether the value of an Authorization header has the shape of
// a token followed by parameters with a '=', or by base64 that ends in one. It
// decides between two codes of one answer.
func looksLikeCredential(auth string) bool {
	_, rest, _ := strings.Cut(auth, " ")
	return strings.Contains(rest, "=")
}

func checkSize(v *verification) error {
	if v.request.ContentLength > v.binding.maxBody {
		return Refuse(CodeBodyTooLarge, "the body is announced to exceed the limit")
	}
	return nil
}

// checkScope compares the credential's scope with that of the key.
func checkScope(v *verification) error {
	c, key := &v.credential, v.key
	inRegion := c.Region == key.Region
	if c.InRegion != nil {
		inRegion = key.Region != "" && c.InRegion(key.Region)
	}
	if !inRegion || c.Service != key.Service {
		return &Error{Code: CodeSignatureMismatch, Detail: "the credential's scope names another region or service than the key's",
			Err: &otherScope{c.Region, c.Service, key.Region, key.Service}, Hint: "Correct region or service of the key in the file, or the sender: error names both."}
	}
	return nil
}

// otherScope names the two scopes, where somebody reads it. No answer has it.
type otherScope struct{ region, service, keyRegion, keyService string }

func (o *otherScope) Error() string {
	return "signed for region " + shown(o.region) + " and service " + shown(o.service) +
		", the key is for region " + shown(o.keyRegion) + " and service " + shown(o.keyService)
}

// shown quotes the text of a caller, or of the file.
func shown(s string) string { return `"` + printable(s) + `"` }

func checkDate(v *verification) error {
	c, skew := &v.credential, v.policy.ClockSkew
	v.now = v.policy.Now()
	if !c.SignsRequest {
		return nil
	}
	valid := skew
	if c.Presigned {
		valid = c.Expires
	}
	switch age := sinceThen(v.now, c.Time); {
	case age > valid:
		return errExpired
	case age < -skew:
		return errNotYetValid
	}
	return nil
}

// checkDateAgain is for bodies that may have taken long to arrive.
func checkDateAgain(v *verification) error {
	if !v.held {
		return nil
	}
	return checkDate(v)
}

var (
	errExpired     = Refuse(CodeSignatureExpired, "the signed date is too far in the past")
	errNotYetValid = Refuse(CodeSignatureNotYetValid, "the signed date is too far in the future")
)

// sinceThen is [time.Time.Sub], but for durations of more than a century, which
// are made one: no policy tells those apart.
func sinceThen(now, then time.Time) time.Duration {
	const century = 100 * 366 * 24 * 60 * 60
	seconds := min(max(now.Unix()-then.Unix(), -century), century)
	return time.Duration(seconds)*time.Second + time.Duration(now.Nanosecond()-then.Nanosecond())
}

func checkSessionToken(v *verification) error {
	if want := v.key.SessionToken; !want.IsZero() && !equal(v.credential.SessionToken, want.Reveal()) {
		return RefuseWithHint(CodeSignatureMismatch, "the session token is absent, not signed, or not the key's",
			"Compare session_token of the key in the file with the sender's: a temporary key and its token change together.")
	}
	return nil
}

// checkPayload finds what stands for the body in the canonical request. It reads the
// body where that is its hash.
func checkPayload(v *verification) (err error) {
	c := &v.credential
	v.payload = c.Declared
	switch c.Payload {
	case PayloadNone, PayloadDeclared:
	case PayloadUnsigned:
		if !v.binding.allowUnsigned {
			return Refuse(CodePayloadNotSigned, "the payload is declared unsigned, which this API does not allow")
		}
	case PayloadHashed:
		if v.use == BodyUnbuffered {
			return Refuse(CodePayloadUnsupported, "the hash of a stream is signed without being declared")
		}
		v.payload, err = v.hashBody()
		v.digested = true
	default:
		return Refuse(CodePayloadUnsupported, "the scheme says nothing about the payload")
	}
	return err
}

// checkSignature asks the scheme, with the secrets that are accepted now.
func checkSignature(v *verification) (err error) {
	if v.held { // the body may have taken long to arrive
		v.now = v.policy.Now()
	}
	secrets := v.key.appendSecrets(v.secrets[:0], v.now)
	v.secret, err = v.scheme.Verify(v.signed, &v.credential, v.key, secrets, v.payload)
	switch {
	case err != nil:
		return err
	case v.secret < 0 || v.secret >= len(secrets):
		return Refuse(CodeSignatureMismatch, "the scheme accepted with no secret of the key")
	}
	v.used = secrets[v.secret]
	return nil
}

// checkBound refuses the key of another API. It comes after the signature, as do the
// checks of host and route, so that only holders of a key learn from them.
func checkBound(v *verification) error {
	switch v.binding.key {
	case "":
		return errNoAPI
	case v.key.Name:
		return nil
	}
	return errOtherKey
}

var (
	errOtherKey = Refuse(CodeKeyNotBound, "rightly signed, with a key that is not bound to this API")
	errNoAPI    = RefuseWithHint(CodeKeyNotBound, "rightly signed, but no API of the file matches method and path, and default is not set", hintNoAPI)
)

// checkBody compares the body with a declared digest, unless that is done while the
// handler reads it.
func checkBody(v *verification) (err error) {
	switch {
	case v.credential.Payload != PayloadDeclared:
		return nil
	case v.use == BodyUnbuffered:
		v.announced, err = announcedLength(v.request)
		if v.announced == someBytes {
			v.announced = anyLength
		}
		return err
	case v.use == BodyForHandler && v.binding.stream:
		v.announced, err = checkUnread(v.request)
		return err
	}
	digest, err := v.hashBody()
	switch {
	case err != nil:
		return err
	case !equal(digest, v.credential.Declared):
		return errDigest
	}
	v.digested = true
	return nil
}

var errDigest = Refuse(CodeBodyMismatch, "the body does not have the digest that was declared and signed")

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// identity is the result of a verification in which no check failed.
func (v *verification) identity() *Identity {
	c := &v.credential
	id := &Identity{
		origin: v.scheme.origin(c.Algorithm), key: v.key, secret: uint16(min(v.secret, math.MaxUint16)),
		signedHeaders: c.SignedHeaders, signedAt: sinceZero(c.Time), payload: c.Payload, attributes: c.Attributes,
		signsTarget: c.SignsRequest, signsHost: v.policy.Rewrite.Host == "" && v.list.has("host"), signsBody: v.digested,
		verified: true, replayChecked: v.replayChecked, retry: v.retry,
	}
	if id.replayChecked {
		id.fingerprint = short(c.Fingerprint)
	}
	return id
}

// remember keeps what accepted requests have in common with those that follow. Refused
// ones leave nothing behind.
func (v *verification) remember() {
	v.rememberBinding()
	v.rememberList()
}
