package core

import (
	"context"
	"crypto/subtle"
	"errors"
	"math"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
)

// policy is a compiled Config: immutable, and swapped as a whole.
type policy struct {
	Config
	bindings         bindings
	algorithms       []string
	challenge        string
	headers          []string      // in which the schemes' credentials stand, beside Authorization
	inAuthorization  bool          // some stand there
	buffered         *atomic.Int64 // bytes of bodies in memory, of the Verifier
	lookups          *atomic.Int64 // calls to key sources that have not returned, of the Verifier
	attempts         sync.Pool     // of *attempt
	refusals         refusals      // those that were made complete
	required         []required    // RequireSigned
	requiredWithBody []required    // RequireSignedWithBody
	hosts            []authority   // Hosts; none where every host is accepted
	prefixes         []string      // of the schemes' headers, beside protocolPrefixes
	remembered       func(name string) uint8
	schemes          []*accepted // Schemes
	openOrigin       *origin     // of the identities of open APIs
	tally            tally       // what Status tells
}

// attempt is what is known about a request while it is judged. It is used for one
// request after the other.
type attempt struct {
	findings
	notable []notable
	mux     *muxRequest // nil without API patterns
	message *canonical.Message
	usual   usual
	places  *places // nil without API patterns
}

// usual is what holds for every request of one date header whose SignedHeaders is
// the list that is remembered.
type usual struct {
	date      string // the header's name; empty while nothing is known
	signsHost bool
}

// findings are what is forgotten with the request.
type findings struct {
	path, query string // as received
	// Headers that several checks read.
	authorization, connection []string
	kinds, strange            kind // of all notable headers; of those not in the list that is remembered
	hostHeader                bool
	asUsual                   bool // SignedHeaders is the list that is remembered

	binding    *binding
	asked      bool // the mux, for it
	scheme     *accepted
	credential Credential
	key        *Key
	use        *keyUse   // of the key, if it is of a fixed set
	secrets    [4]Secret // room for those of the key
	onward     reader    // who reads the body after the verdict
	held       bool      // the body was read here, into memory
	route      []Route   // that the router runs, where the adapter says so
	announced  int64     // the length of a body that is checked while the handler reads
	payload    string    // what stands for the body, once that is known

	replayUnchecked bool // the replay store could not tell, and that is allowed
	trail
}

// reader is who reads a body after the verdict.
type reader uint8

const (
	caller  reader = iota // of Verify, who may not know about Release
	handler               // for the first time, if it was not held
	nobody                // since it is there in another form
	stream                // while it arrives: it cannot be held
)

func (p *policy) newAttempt() *attempt {
	a, ok := p.attempts.Get().(*attempt)
	if !ok {
		a = p.makeAttempt()
	}
	a.credential.message, a.binding = a.message, unbound
	return a
}

func (p *policy) makeAttempt() *attempt {
	a := &attempt{message: canonical.NewMessage()}
	if p.bindings.mux != nil {
		a.mux, a.places = new(muxRequest), new(places)
	}
	return a
}

// end makes a ready for the next request.
func (p *policy) end(a *attempt) {
	clear(a.notable)
	a.notable = a.notable[:0]
	a.message.Reset()
	if a.mux != nil && a.mux.URL != nil {
		*a.mux = muxRequest{}
	}
	a.findings = findings{}
	p.attempts.Put(a)
}

// remember keeps what the next request from the same gateway has as well.
func (p *policy) remember(a *attempt) {
	if a.asked { // with what the mux was asked; a scheme of the user's may have changed r
		a.places.keep(a.mux.Method, a.mux.Host, a.path, a.binding)
	}
	c, credential := &a.credential, a.authorization
	if !c.SignsRequest || c.Presigned {
		credential = nil
	}
	a.message.Remember(c.SignedHeaders, credential, p.remembered)
	if !a.asUsual && c.SignedHeaders == a.message.Remembered() {
		a.usual = usual{}
		if p.coversAlways(c) {
			a.usual = usual{date: c.Date, signsHost: c.Signs("host")}
		}
	}
}

// verify is the one path a request takes. It reads top to bottom; what comes
// first costs least, and no byte of the body is read for a request that can
// be refused without.
func (p *policy) verify(r *http.Request, a *attempt) (*Identity, error) {
	if r == nil || r.URL == nil {
		return nil, Refuse(CodeRequestAmbiguous, "not a request of a server")
	}
	ctx := r.Context()
	if err := ctx.Err(); err != nil {
		return nil, &Error{Code: CodeUnavailable, Detail: "the request ended", Err: err}
	}

	// The key bound to this API in this environment, or none, or open. Where
	// nothing is verified, only what leaves open which API it is is refused.
	a.path, a.query = a.message.Target(r)
	if err := p.checkTarget(r, a); err != nil {
		return nil, err
	}
	if err := p.bind(r, a); err != nil {
		return nil, err
	}
	if a.binding.open {
		if err := checkOpen(r); err != nil {
			return nil, err
		}
		if err := p.checkRoute(a); err != nil {
			return nil, err
		}
		return &Identity{origin: p.openOrigin}, nil
	}

	// Form and limits.
	if err := p.checkForm(r, a); err != nil {
		return nil, err
	}

	// The credential, and its key.
	signed := p.Rewrite.undo(r, a)
	c := &a.credential
	if err := p.parse(signed, a); err != nil {
		return nil, err
	}
	if err := p.checkTwins(a); err != nil {
		return nil, err
	}
	if r.ContentLength > a.binding.maxBody {
		return nil, Refuse(CodeBodyTooLarge, "the body is announced to exceed the limit")
	}
	if err := p.lookUp(ctx, a); err != nil {
		return nil, err
	}

	inRegion := c.Region == a.key.Region
	if c.InRegion != nil {
		inRegion = a.key.Region != "" && c.InRegion(a.key.Region)
	}
	if !inRegion || c.Service != a.key.Service {
		return nil, Refuse(CodeSignatureMismatch, "the credential's scope names another region or service than the key's")
	}

	// When it was signed, and what was.
	now := p.Now()
	if err := p.checkTime(c, now); err != nil {
		return nil, err
	}
	if err := p.checkCoverage(signed, a); err != nil {
		return nil, err
	}
	if want := a.key.SessionToken; !want.IsZero() && !equal(c.SessionToken, want.Reveal()) {
		return nil, Refuse(CodeSignatureMismatch, "the session token is absent, not signed, or not the key's")
	}

	// The body, as far as the signature needs it.
	a.payload = c.Declared
	switch c.Payload {
	case PayloadNone, PayloadDeclared:
	case PayloadUnsigned:
		if !a.binding.allowUnsigned {
			return nil, Refuse(CodePayloadNotSigned, "the payload is declared unsigned, which this API does not allow")
		}
	case PayloadHashed:
		if a.onward == stream {
			return nil, Refuse(CodePayloadUnsupported, "the hash of a stream is signed without being declared")
		}
		payload, err := p.digest(r, a)
		if err != nil {
			return nil, err
		}
		a.payload = payload
		if a.held { // the body may have taken long to arrive
			now = p.Now()
		}
	default:
		return nil, Refuse(CodePayloadUnsupported, "the scheme says nothing about the payload")
	}

	// The signature, the API, and the body against a declared digest.
	secrets := a.key.appendSecrets(a.secrets[:0], now)
	secret, err := a.scheme.Verify(signed, c, a.key, secrets, a.payload)
	if err != nil {
		return nil, err
	}
	if secret < 0 || secret >= len(secrets) {
		return nil, Refuse(CodeSignatureMismatch, "the scheme accepted with no secret of the key")
	}
	a.used, a.usedAt = secrets[secret], now
	if a.binding.key == "" || a.key.Name != a.binding.key {
		return nil, Refuse(CodeKeyNotBound, "rightly signed, with a key that is not bound to this API")
	}
	if err := p.checkHost(signed.Host); err != nil {
		return nil, err
	}
	if err := p.checkRoute(a); err != nil { // not before: which routes there are is nobody's business
		return nil, err
	}
	signsBody := c.Payload == PayloadHashed
	switch {
	case c.Payload != PayloadDeclared:
	case a.onward == stream: // checked while the handler reads
		if a.announced, err = announcedLength(r); err != nil {
			return nil, err
		}
		if a.announced == someBytes {
			a.announced = anyLength
		}
	case a.onward == handler && a.binding.stream: // as well
		if a.announced, err = checkUnread(r); err != nil {
			return nil, err
		}
	default:
		digest, err := p.digest(r, a)
		if err != nil {
			return nil, err
		}
		if !equal(digest, c.Declared) {
			return nil, errDigest
		}
		signsBody = true
	}
	if a.held {
		now = p.Now()
		if err := p.checkTime(c, now); err != nil {
			return nil, err
		}
	}
	replayChecked := false
	if p.Replay.Store != nil {
		if replayChecked, err = p.checkReplay(ctx, r, a, now); err != nil {
			return nil, err
		}
	}
	p.remember(a)
	id := &Identity{
		origin: a.scheme.origin(c.Algorithm), key: a.key, secret: uint16(min(secret, math.MaxUint16)),
		signedHeaders: c.SignedHeaders, signedAt: sinceZero(c.Time),
		payload: c.Payload, signsTarget: c.SignsRequest, verified: true,
		signsBody: signsBody,
		signsHost: p.Rewrite.Host == "" && a.signsHost(), attributes: c.Attributes,
		replayChecked: replayChecked,
	}
	if replayChecked {
		id.fingerprint = short(c.Fingerprint)
	}
	return id, nil
}

var errDigest = Refuse(CodeBodyMismatch, "the body does not have the digest that was declared and signed")

// bind finds the binding of a request.
func (p *policy) bind(r *http.Request, a *attempt) error {
	if p.bindings.mux == nil {
		a.binding = p.bindings.def
		return nil
	}
	if a.binding = a.places.find(r.Method, r.Host, a.path); a.binding != nil {
		return nil
	}
	bound, err := p.bindings.lookup(r, a.path, a.mux)
	if err != nil {
		a.binding = unbound
		return err
	}
	a.binding, a.asked = bound, true
	return nil
}

// parse finds the one scheme that recognises a credential in r.
func (p *policy) parse(r *http.Request, a *attempt) error {
	for _, s := range p.schemes {
		switch err := s.Parse(r, &a.credential); {
		case err == nil:
			a.scheme, a.credential.message = s, a.message
			if a.credential.Presigned && !p.AllowPresigned {
				return Refuse(CodeSchemeNotAccepted, "a credential in the query, which this environment does not accept")
			}
			return p.checkSignedHeaders(a)
		case !errors.Is(err, ErrNoCredential):
			return err
		}
		a.credential = Credential{message: a.message}
	}
	auth := a.authorization
	switch {
	case len(auth) == 0:
		return Refuse(CodeCredentialMissing, "no credential of an accepted scheme")
	case !looksLikeCredential(auth[0]):
		return Refuse(CodeCredentialMalformed, "the Authorization header holds no credential")
	}
	return Refuse(CodeSchemeNotAccepted, "the Authorization header is of a scheme or form that is not accepted here")
}

// lookUp finds the key in the scheme's source.
func (p *policy) lookUp(ctx context.Context, a *attempt) error {
	id := a.credential.KeyID
	if id == "" { // the key's name is its id then
		id = a.binding.key
	}
	source := a.scheme.Keys()
	if set, fixed := source.(*KeySet); fixed && set == a.scheme.set {
		known := a.scheme.keys[id]
		if known == nil {
			return p.unknown(a)
		}
		a.key, a.use = known.key, known.use
		return nil
	}
	return p.lookFurther(ctx, a, source, id)
}

// lookFurther is lookUp in a source that may be the user's code.
func (p *policy) lookFurther(ctx context.Context, a *attempt, source KeySource, id string) error {
	key, err := p.ask(ctx, source, id)
	switch {
	case err == nil && key != nil && key.usable(id):
		a.key = key
		return nil
	case err == nil && key == nil:
		return Refuse(CodeUnavailable, "the key source returned nothing")
	case errors.Is(err, ErrKeyUnknown):
		return p.unknown(a)
	case err != nil:
		return &Error{Code: CodeUnavailable, Detail: "the key source failed", Err: err}
	}
	return Refuse(CodeUnavailable, "the key source returned another key than the one asked for, or one without name or secret")
}

// unknown tells a key that does not exist from one of another scheme. The key
// decides which scheme may use it, never the request.
func (p *policy) unknown(a *attempt) error {
	for _, s := range p.schemes {
		if set, fixed := s.Keys().(*KeySet); fixed && s != a.scheme && set.byID[a.credential.KeyID] != nil {
			return Refuse(CodeSchemeNotAccepted, "the key belongs to another scheme")
		}
	}
	return Refuse(CodeKeyUnknown, "no such key in this environment")
}

func (p *policy) checkTime(c *Credential, now time.Time) error {
	if !c.SignsRequest {
		return nil
	}
	valid := p.ClockSkew
	if c.Presigned {
		valid = c.Expires
	}
	switch age := sinceThen(now, c.Time); {
	case age > valid:
		return errExpired
	case age < -p.ClockSkew:
		return errNotYetValid
	}
	return nil
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

// digest hashes the body, to lower-case hex.
func (p *policy) digest(r *http.Request, a *attempt) (string, error) {
	announced, err := checkUnread(r)
	if err != nil {
		return "", err
	}
	if r.Body == nil || r.Body == http.NoBody {
		return a.credential.Hash.empty, nil
	}
	return p.hashed(r, a, announced)
}

// hashed is digest for a body that there is.
func (p *policy) hashed(r *http.Request, a *attempt, announced int64) (string, error) {
	h := a.credential.Hash.get()
	defer a.credential.Hash.put(h)
	a.held = true
	if err := p.hashBody(r, h, a, announced); err != nil {
		return "", err
	}
	return string(h.digest()), nil
}

// undo returns r as the gateway sent it.
func (w *Rewrite) undo(r *http.Request, a *attempt) *http.Request {
	if w.AddPrefix == "" && w.Host == "" {
		return r
	}
	return w.undone(r, a)
}

func (w *Rewrite) undone(r *http.Request, a *attempt) *http.Request {
	signed := *r
	signed.RequestURI = w.AddPrefix + a.path
	if a.query != "" {
		signed.RequestURI += "?" + a.query
	}
	if w.Host != "" {
		signed.Host = w.Host
	}
	return &signed
}

// looksLikeCredential reports whether an Authorization value has the shape of
// a token followed by parameters with a '=', or by base64 that ends in one. It
// decides between two codes of one answer.
func looksLikeCredential(auth string) bool {
	for i := 0; i < len(auth); i++ {
		if auth[i] == ' ' {
			for ; i < len(auth); i++ {
				if auth[i] == '=' {
					return true
				}
			}
		}
	}
	return false
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
