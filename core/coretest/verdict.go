package coretest

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
)

// A verdict is the expected result of one request.
type verdict struct {
	code core.Code // "": accepted
	or   core.Code // another code that is also right
	open bool      // accepted without identity
	// server has the statuses with which net/http may respond without calling a handler; 0
	// is a connection closed without a response. If the code is onlyServer, the response
	// must have one of them.
	server  []int
	key     signingKey // the key of the identity; k1 unless set
	scheme  string     // hmac unless set
	payload core.Payload
	headers string // signed headers; those of the request unless set
	unread  bool   // no byte of the body may be read
	closing bool   // the connection must be closed
	// hostReplaced is true if the policy has the signed host, so the received one is not
	// covered.
	hostReplaced bool
	reported     bool // accepted because of report mode, with the code in the event
}

// onlyServer stands for a refusal by net/http.
const onlyServer core.Code = "net/http"

var accepted = verdict{payload: core.PayloadHashed}

func refused(code core.Code) verdict { return verdict{code: code} }

// byServer returns the verdict that net/http refuses the request with one of the statuses.
func byServer(statuses ...int) verdict { return verdict{code: onlyServer, server: statuses} }

// orServer also allows net/http to refuse the request.
func (v verdict) orServer(statuses ...int) verdict {
	v.server = statuses
	return v
}

// bodyUnread requires that no byte of the body is read.
func (v verdict) bodyUnread() verdict {
	v.unread = true
	return v
}

var (
	ambiguous    = refused(core.CodeRequestAmbiguous)
	malformed    = refused(core.CodeCredentialMalformed)
	mismatch     = refused(core.CodeSignatureMismatch)
	notSigned    = refused(core.CodeHeaderNotSigned)
	otherScheme  = refused(core.CodeSchemeNotAccepted)
	missing      = refused(core.CodeCredentialMissing)
	unknownKey   = refused(core.CodeKeyUnknown)
	basicAllowed = verdict{key: k2, scheme: "basic"}
	letIn        = verdict{open: true}
)

// expect sends one request and checks the result.
func (b *bench) expect(m message, want verdict) answer {
	b.Helper()
	b.app.seen.take()
	b.events.take()
	a := b.exchange(m)
	b.settle()
	b.check(m, want, a)
	return a
}

// check compares the result with the expected verdict.
func (b *bench) check(m message, want verdict, a answer) {
	b.Helper()
	seen, events := b.app.seen.take(), b.events.take()
	if want.code == onlyServer || len(events) == 0 && slices.Contains(want.server, a.status) {
		if !slices.Contains(want.server, a.status) || len(seen) > 0 || len(events) > 0 {
			b.Errorf("got status %d, handler ran %d times, %d verdicts; want net/http to answer one of %d before any handler",
				a.status, len(seen), len(events), want.server)
		}
		return
	}
	if len(events) != 1 {
		b.Errorf("got %d verdicts (status %d), want 1: the adapter must ask the verifier once", len(events), a.status)
	}
	for _, e := range events {
		b.checkEvent(e, want)
	}
	if want.code != "" && !want.reported {
		b.checkRefusal(a, want, len(seen))
		return
	}
	if a.status != 200 || len(seen) != 1 {
		b.Errorf("got status %d, handler ran %d times; want 200 and once", a.status, len(seen))
	}
	for _, s := range seen {
		b.checkSight(s, m, want)
	}
}

func (b *bench) checkEvent(e event, want verdict) {
	b.Helper()
	if e.Code != want.code && (want.or == "" || e.Code != want.or) {
		b.Errorf("got code %q (%v), want %q", e.Code, e.Err, want.code)
	}
	if e.Code != "" && !errors.Is(e.Err, &core.Error{Code: e.Code}) {
		b.Errorf("errors.Is(%v, Error{Code: %s}) is false", e.Err, e.Code)
	}
	if e.Environment != environment || e.Open != want.open {
		b.Errorf("event of environment %q, open %v; want %q, %v", e.Environment, e.Open, environment, want.open)
	}
	if e.buffered > maxBody {
		b.Errorf("%d bytes of a body are in memory, want at most %d", e.buffered, maxBody)
	}
	if want.unread && e.buffered > 0 {
		b.Errorf("%d bytes of a body are in memory, and the verdict does not need the body", e.buffered)
	}
}

// checkRefusal checks the response to a refused request, and that the handler did not run.
func (b *bench) checkRefusal(a answer, want verdict, runs int) {
	b.Helper()
	if runs != 0 {
		b.Errorf("the handler ran %d times after a refusal", runs)
	}
	status := core.StatusCode(core.Refuse(want.code, ""))
	if want.or != "" && a.status != status {
		status = core.StatusCode(core.Refuse(want.or, ""))
	}
	if a.status != status {
		b.Errorf("got status %d, want %d", a.status, status)
		return
	}
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		b.Errorf("got Content-Type %q, want application/problem+json", got)
	}
	if challenge := a.header.Get("WWW-Authenticate"); status == 401 && !strings.Contains(challenge, "SDK-HMAC-SHA256") {
		b.Errorf("got WWW-Authenticate %q, want the accepted algorithms", challenge)
	}
	if want.closing && !a.closed {
		b.Errorf("the connection is open, want it closed")
	}
	if a.body == "" { // HEAD
		return
	}
	var problem struct {
		Title, Detail string
		Status        int
	}
	decoder := json.NewDecoder(strings.NewReader(a.body))
	decoder.DisallowUnknownFields() // no code, no reason, nothing computed
	if err := decoder.Decode(&problem); err != nil || problem.Status != status || problem.Title == "" {
		b.Errorf("got body %q (%v), want a problem of status %d and nothing else", a.body, err, status)
	}
	b.suite.keepAnswer(a)
}

// checkSight checks what the handler received.
func (b *bench) checkSight(s sight, m message, want verdict) {
	b.Helper()
	if s.bodyErr != nil || s.bodySize != int64(len(m.body)) || s.bodyHash != bodyHash(m.body) {
		b.Errorf("the handler read %d bytes (error %v), want the %d that were sent", s.bodySize, s.bodyErr, len(m.body))
	}
	length := int64(len(m.body))
	if m.framed != "" {
		length = -1
	}
	if s.contentLength != length {
		b.Errorf("got ContentLength %d, want %d", s.contentLength, length)
	}
	if want.open || want.reported {
		if s.identified || s.identity != nil {
			b.Errorf("got identity %v for a request that was not verified", s.identity)
		}
		return
	}
	if !s.identified || s.identity == nil {
		b.Errorf("core.FromContext finds no identity")
		return
	}
	if len(s.trailer) > 0 {
		b.Errorf("the handler got trailers %v, which are not verified", s.trailer)
	}
	b.checkIdentity(s.identity, m, want)
}

func (b *bench) checkIdentity(id *core.Identity, m message, want verdict) {
	b.Helper()
	key, scheme, headers := k1, "hmac", want.headers
	if want.key.id != "" {
		key = want.key
	}
	if want.scheme != "" {
		scheme = want.scheme
	}
	if headers == "" && scheme == "hmac" {
		_, rest, _ := strings.Cut(m.credential(), "SignedHeaders=")
		headers, _, _ = strings.Cut(rest, ",")
	}
	if !id.Verified() || id.Environment() != environment || id.Scheme() != scheme || id.Key() != key.name || id.KeyID() != key.id {
		b.Errorf("got verified %v, %s, %s, key %s %s; want true, %s, %s, key %s %s", id.Verified(), id.Environment(), id.Scheme(),
			id.Key(), id.KeyID(), environment, scheme, key.name, key.id)
	}
	covers := id.Covers()
	signs := scheme == "hmac"
	hasBody := want.payload == core.PayloadHashed || want.payload == core.PayloadDeclared
	hasHost := slices.Contains(strings.Split(headers, ";"), "host") && !want.hostReplaced
	if strings.Join(covers.Headers, ";") != strings.TrimSpace(headers) || covers.Target != signs || covers.Host != hasHost || covers.Body != hasBody || id.Payload() != want.payload {
		b.Errorf("got coverage %+v, payload %v; want target %v, host %v, body %v, headers %s, payload %v",
			covers, id.Payload(), signs, hasHost, hasBody, headers, want.payload)
	}
}
