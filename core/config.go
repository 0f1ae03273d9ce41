package core

import (
	"cmp"
	"fmt"
	"log/slog"
	"time"
)

// Config is the policy of one environment. The zero value of every field is
// safe; [New] checks the whole and copies it.
type Config struct {
	// Environment names the environment in identities, events and logs.
	Environment string
	// Mode is Enforce unless set.
	Mode Mode
	// Schemes are tried in order until one finds its credential.
	Schemes []Scheme
	// APIs bind patterns to keys. The most specific pattern wins.
	APIs []API
	// Default is the name of the key bound to every other API. Empty: every
	// other API is refused.
	Default string

	// CredentialHeader is the header that holds the gateway's credential. Empty means
	// Authorization. With another header only that one is read: Authorization is an
	// ordinary header then, which clients may use for tokens of their own, and a
	// credential in the query is not accepted. Schemes that have a header of their own
	// (see [HeaderScheme]) keep it. The header must be one that proxies forward
	// unchanged, and it cannot be signed itself.
	CredentialHeader string

	// ClockSkew is how far the signed date may be from the clock, in either
	// direction, both ends included. 0 means 15 minutes; at most one hour.
	ClockSkew time.Duration
	// MaxBody is the largest body in bytes. 0 means 12 MiB.
	MaxBody int64
	// MaxBuffered bounds the bytes of bodies held in memory at once, over all
	// requests of this Verifier. 0 means 256 MiB; it must not be below MaxBody.
	MaxBuffered int64
	// RequireSigned are headers that must be signed where they are present.
	// nil means host; an empty list lifts that. The date must always be signed.
	RequireSigned []string
	// RequireSignedWithBody are headers that must be present and signed where there
	// is a body. Amazon API Gateway asks that of content-type, without which a
	// handler may take the body for something else. There is a body where the
	// announced length is above 0, and where none is announced (chunks, HTTP/2
	// without Content-Length, gRPC): also an empty one, since no body is read
	// before this is decided.
	RequireSignedWithBody []string
	// AllowUnsigned are protocol headers that need not be signed: a request must
	// sign the headers of its scheme's protocol that it has (see
	// [ProtocolScheme]), which something behind the signer may add, such as a CDN
	// its X-Amz-Cf-Id. Each is listed by its exact name, in any case. Such a header
	// may be anyone's. Headers that steer the verification itself cannot be listed:
	// the date, the digest of the body, the session token, the region set, and the
	// parts of a credential.
	AllowUnsigned []string
	// Hosts are the authorities that requests may be signed for, such as
	// api.example.com or *.svc.cluster.local:8443. A request that is rightly signed
	// for another one is refused with [CodeHostNotOurs]: it was meant for another
	// service that has the same key. nil accepts every host.
	//
	// Where Hosts is set the host must be signed, whatever RequireSigned says;
	// credentials that sign nothing, such as passwords, are compared by the host
	// that was received, which then proves nothing. With Rewrite.Host it is that
	// host which counts. Open APIs are not concerned.
	//
	// Names are compared in any case, and with or without a dot at their end.
	// *.name stands for every host below name, with one label more or with several,
	// and not for name itself. An entry with a port stands for that port. One
	// without stands for no port, and for 80 and 443, the default ports, which
	// senders may leave out; so an entry with one of these stands for no port as
	// well. IPv6 addresses stand in brackets, in any spelling, without a zone.
	Hosts []string
	// AllowUnsignedPayload accepts credentials that declare the body unsigned,
	// on every API. Such bodies can be changed by anyone on the way.
	AllowUnsignedPayload bool
	// AllowPresigned accepts credentials in the query. They are valid for as
	// long as they say, up to a week, for whoever has the link.
	AllowPresigned bool
	// AllowShortSecrets accepts keys whose secrets have fewer than 8 bytes. No gateway
	// issues such secrets, and whoever has one signed request can find them by trying.
	// The keys of a [KeySource] other than [Keys] are not checked.
	AllowShortSecrets bool
	// ExposeReason puts the code, the canonical request and the string to sign
	// into answers. For development only.
	ExposeReason bool
	// Rewrite undoes what a proxy between gateway and backend changed.
	Rewrite Rewrite
	// Replay finds requests that were accepted before. Without a store none are:
	// a captured request verifies again until its date is too old.
	Replay Replay
	// BodyTimeout is how long a body may take to arrive that is read before the
	// verdict; for one that the handler reads ([API].Stream), how long each Read
	// may. 0 means 30 seconds; at most one hour. It needs an adapter that passes the
	// ResponseWriter to [Verifier.Admit]; a shorter ReadTimeout of the server comes
	// first.
	BodyTimeout time.Duration
	// KeyTimeout is how long a [KeySource] other than [Keys] may take; 0 means 5
	// seconds, at most one minute.
	KeyTimeout time.Duration
	// Limits bound what is read before anything is verified.
	Limits Limits

	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Logger takes one record per verdict: refusals at warn level, acceptances
	// at debug level. nil means slog.Default().
	Logger *slog.Logger
	// LogLimit is how many refusals of one code are logged in a second; the others
	// are counted, see [Event]. 0 means 100.
	LogLimit int
	// Observers see every verdict.
	Observers []Observer
}

// API binds the requests that match a pattern to a key. Exactly one of Key and
// Open is set.
type API struct {
	// Match is a pattern of [net/http.ServeMux]: "GET /orders/{id}",
	// "/payments.v1.Payments/" (a gRPC service). It is matched against the
	// path as it was received. A pattern that no clean request matches, or that is
	// written as another router writes its patterns ("/orders/:id", "/internal/*",
	// "GET,POST /orders"), is a [PatternError]. A character that has a meaning to
	// routers where it stands is written percent-encoded if it is meant literally:
	// "/v1/%3Areload".
	//
	// A path is bound to a key only if it is in every interpretation that a usual
	// router makes of it: as it stands, percent-decoded, without dot segments and
	// empty segments, and with empty segments as values of parameters. Where two
	// interpretations are bound to different keys, the request is refused as
	// ambiguous. A final slash counts as part of the path.
	//
	// A pattern for GET also matches HEAD to ServeMux, and to no other usual router. So
	// HEAD is refused as ambiguous unless it is bound in the same way without the patterns
	// for GET: by one for HEAD, or by one without a method.
	Match string
	// Key is the name of the one key that may sign for this API.
	Key string
	// Open lets every request through, without identity, also one without a Host or
	// with headers that would be refused elsewhere; but only if the path is open in
	// every interpretation, and no header overrides the method.
	Open bool
	// AllowUnsignedPayload is Config.AllowUnsignedPayload for this API.
	AllowUnsignedPayload bool
	// MaxBody is Config.MaxBody for this API; 0 means that one.
	MaxBody int64
	// Stream lets the handler read bodies as they arrive where their digest is
	// declared and signed, in place of holding them in memory: [Verifier.Admit]
	// then judges the rest, and the Read that meets the end of a body with
	// another digest fails with [CodeBodyMismatch] in place of io.EOF, and gives
	// none of the bytes that came with it. Until then nothing about the body is
	// proven: a handler of such an API does nothing that it could not undo before
	// it has read io.EOF, and does not rely on a decoder to read so far. Other
	// bodies are held as on any API.
	Stream bool
}

// Replay says how requests that were accepted before are found. Only schemes
// that sign the request take part: Basic credentials and tokens are meant to be
// sent again.
type Replay struct {
	// Store remembers them. It outlives the configuration: [Verifier.Reload] with
	// another store forgets.
	Store ReplayStore
	// ExemptMethods are not checked. Dates have a resolution of one second, so
	// two equal requests of one second are one to every store; GET and HEAD can
	// be left out where they change nothing.
	ExemptMethods []string
	// Retries permits a gateway to send some requests once more. The store must be a
	// [RetryStore], as replay.New and redis.New are, and the adapter must call
	// [Admission.Watch], as those of this module do.
	Retries Retries
	// AllowUnavailable accepts requests that the store could not judge; see
	// [Identity.ReplayChecked]. They may be replays.
	AllowUnavailable bool
}

// Rewrite says what a proxy between gateway and backend changed, so that the
// request can be verified as the gateway sent it. Bindings see the request as
// it was received.
type Rewrite struct {
	// AddPrefix is put in front of the received path: a prefix that the proxy
	// stripped, such as /v1.
	AddPrefix string
	// Host is the authority that the gateway addressed.
	Host string
}

// Limits bound the work done for a request that nothing is known about yet.
type Limits struct {
	// Target is the longest path and query together in bytes; 0 means 65536.
	Target int
	// Authorization is the longest header with a credential in bytes; 0 means 8192.
	Authorization int
	// SignedHeaders is the largest number of signed headers; 0 means 64.
	SignedHeaders int
	// Headers is the largest number of header lines; 0 means 256.
	Headers int
	// QueryParameters is the largest number of query parameters; 0 means 1024.
	QueryParameters int
	// KeyLookups is the largest number of concurrent calls to a [KeySource] other
	// than [Keys], those included that do not return; 0 means 1024.
	KeyLookups int
}

// Mode says what [Verifier.Admit] does with a verdict.
type Mode uint8

const (
	// Enforce refuses what is not verified. It is the zero value.
	Enforce Mode = iota
	// Report verifies and reports, and lets everything through.
	Report
	// Off lets everything through unverified.
	Off
)

// String returns enforce, report or off.
func (m Mode) String() string {
	switch m {
	case Enforce:
		return "enforce"
	case Report:
		return "report"
	case Off:
		return "off"
	}
	return fmt.Sprintf("Mode(%d)", uint8(m))
}

// ParseMode reads enforce, report or off.
func ParseMode(s string) (Mode, error) {
	for _, m := range []Mode{Enforce, Report, Off} {
		if s == m.String() {
			return m, nil
		}
	}
	return Enforce, fmt.Errorf("mode %q is none of enforce, report, off", s)
}

const (
	defaultClockSkew   = 15 * time.Minute
	defaultMaxBody     = 12 << 20
	defaultMaxBuffered = 256 << 20
	defaultBodyTimeout = 30 * time.Second
	defaultKeyTimeout  = 5 * time.Second
	defaultLogLimit    = 100
)

// WithDefaults returns c with the defaults in place of the zero fields that have
// one. [New] does this itself: it is for programs that show or explain a policy.
func (c Config) WithDefaults() Config {
	c.ClockSkew = cmp.Or(c.ClockSkew, defaultClockSkew)
	c.MaxBody = cmp.Or(c.MaxBody, defaultMaxBody)
	c.MaxBuffered = cmp.Or(c.MaxBuffered, max(defaultMaxBuffered, c.MaxBody))
	c.BodyTimeout = cmp.Or(c.BodyTimeout, defaultBodyTimeout)
	c.KeyTimeout = cmp.Or(c.KeyTimeout, defaultKeyTimeout)
	c.LogLimit = cmp.Or(c.LogLimit, defaultLogLimit)
	c.Limits.Target = cmp.Or(c.Limits.Target, 64<<10)
	c.Limits.Authorization = cmp.Or(c.Limits.Authorization, 8192)
	c.Limits.SignedHeaders = cmp.Or(c.Limits.SignedHeaders, 64)
	c.Limits.Headers = cmp.Or(c.Limits.Headers, 256)
	c.Limits.QueryParameters = cmp.Or(c.Limits.QueryParameters, 1024)
	c.Limits.KeyLookups = cmp.Or(c.Limits.KeyLookups, 1024)
	c.CredentialHeader = cmp.Or(c.CredentialHeader, authorization)
	if c.RequireSigned == nil {
		c.RequireSigned = []string{"host"}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

// A ConfigError is one thing that is wrong with a configuration. [New] and
// [Verifier.Reload] return all of them at once, joined: errors.AsType finds the
// first, and Unwrap() []error gives each. Schemes report the problems of their own
// configuration the same way, see [Validator]. It holds no secret.
type ConfigError struct {
	// Key is the name of the key that Field belongs to. It is empty where Field
	// belongs to the configuration itself.
	Key string
	// Field is the path of the field, such as Limits.Target, APIs[2].Match or, with
	// Key, Previous[0].Secret. It is empty where no one field is meant.
	Field string
	// Value is what the field holds, quoted as by strconv.Quote. It is empty where Rule
	// does without.
	Value string
	// Rule says what is wrong, without Field and Value.
	Rule string
	// Err is the cause, such as a [PatternError]; nil where Rule says everything.
	Err error
}

// Error returns the field, its value and the rule, behind the key where there is one.
func (e *ConfigError) Error() string {
	text := e.Field
	if e.Value != "" {
		text += " " + e.Value
	}
	if text != "" {
		text += ": "
	}
	text += e.Rule
	if e.Key != "" {
		text = fmt.Sprintf("key %q: %s", e.Key, text)
	}
	return text
}

// Unwrap returns Err.
func (e *ConfigError) Unwrap() error { return e.Err }

// item is the path of an item of a list.
func item(field string, i int) string { return fmt.Sprintf("%s[%d]", field, i) }
