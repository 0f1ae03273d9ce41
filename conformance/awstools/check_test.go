package awstools_test

import (
	"bufio"
	"bytes"
	"cmp"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gatewayauth/gatewayauth/conformance/internal/wire"
	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
)

const (
	keyID  = "AKIDTOOLS0001"
	secret = "wJalrXUtnFEMI+K7MDENG+bPxRfiCYEXAMPLEKEY"
	region = "eu-west-1"
)

// expected is what a request is signed for, and its verdict.
type expected struct {
	service    string // "" is execute-api; for s3 the paths are written as S3 has it
	asymmetric bool   // SigV4a
	token      string // the key's session token
	wildcards  bool   // the policy takes * for a region

	presigned bool // the credential is in the query
	unsigned  bool // the body is not signed

	want core.Code // "" is acceptance
	why  string    // for refusals
}

func (e *expected) scope() string { return cmp.Or(e.service, "execute-api") }

func (e *expected) paths() sigv4.Paths {
	if e.service == "s3" {
		return sigv4.S3
	}
	return sigv4.Normalized
}

// policy is the strictest configuration that can accept the request.
func (e *expected) policy() core.Config {
	keys := core.Keys(core.Key{
		Name: "orders", ID: keyID, Secret: core.NewSecret(secret), SessionToken: core.NewSecret(e.token),
		Region: region, Service: e.scope(),
	})
	scheme := sigv4.New(sigv4.Config{Keys: keys, Paths: e.paths()})
	if e.asymmetric {
		scheme = sigv4.NewA(sigv4.ConfigA{Keys: keys, Paths: e.paths(), AllowRegionWildcards: e.wildcards})
	}
	return core.Config{
		Environment: "prod", Schemes: []core.Scheme{scheme}, Default: "orders",
		AllowPresigned: e.presigned, AllowUnsignedPayload: e.unsigned,
	}
}

// totals count what a tool's requests came to.
type totals struct{ accepted, refused, changes atomic.Int64 }

// count starts totals, which are logged when the test and all below it end.
func count(t *testing.T, tool string) *totals {
	n := new(totals)
	t.Cleanup(func() {
		t.Logf("%s: %d requests accepted and %d refused; of the accepted, %d with one byte changed refused",
			tool, n.accepted.Load(), n.refused.Load(), n.changes.Load())
	})
	return n
}

// try sends raw, and demands the verdict. What is accepted must be refused a
// second later, with one byte changed, with anything added, and by a stricter
// policy.
func (n *totals) try(t *testing.T, e expected, raw []byte) {
	t.Helper()
	backend := wire.Start(t, e.policy())
	if e.want != "" {
		n.refused.Add(1)
		refused(t, backend, raw, e.want)
		if t.Failed() {
			t.Logf("want %q: %s", e.want, e.why)
		}
		return
	}
	id := accepted(t, backend, raw)
	n.accepted.Add(1)
	if covers := id.Covers(); !covers.Host || !covers.Target || covers.Body == e.unsigned {
		t.Errorf("got coverage %+v, payload %v", covers, id.Payload())
	}
	l := wire.Parse(t, raw)
	if l.Presigned() != e.presigned {
		t.Errorf("got presigned %t, want %t", l.Presigned(), e.presigned)
	}
	refused(t, backend, oneSecondLater(t, l), core.CodeSignatureMismatch)
	n.changes.Add(int64(tamper(t, backend, &e, l)))
	refused(t, backend, withParameter(l), core.CodeSignatureMismatch)
	refused(t, backend, bytes.Replace(raw, []byte("\r\n"), []byte("\r\nX-Amz-Added: 1\r\n"), 1), core.CodeHeaderNotSigned)

	if e.presigned {
		strict := e
		strict.presigned = false
		refused(t, wire.Start(t, strict.policy()), raw, core.CodeSchemeNotAccepted)
	}
	if e.unsigned {
		strict := e
		strict.unsigned = false
		refused(t, wire.Start(t, strict.policy()), raw, core.CodePayloadNotSigned)
	}
}

// accepted sends raw and demands that the handler ran exactly once and saw
// what was sent: target, headers and body byte for byte.
func accepted(t testing.TB, b *wire.Backend, raw []byte) *core.Identity {
	t.Helper()
	answer := b.Send(t, raw)
	if answer.Status != http.StatusOK || len(answer.Runs) != 1 || !slices.Equal(answer.Codes, []core.Code{""}) {
		t.Fatalf("got status %d, verdicts %q, handler run %d times; want it accepted once\n%.900q",
			answer.Status, answer.Codes, len(answer.Runs), raw)
	}
	got, sent := answer.Runs[0], wire.Parse(t, raw)
	if got.Method != sent.Text(sent.Method) || got.Target != sent.Target() {
		t.Errorf("got %s %.200q, want %s %.200q", got.Method, got.Target, sent.Text(sent.Method), sent.Target())
	}
	if body := bodyOf(t, raw); !bytes.Equal(got.Body, body) {
		t.Errorf("got a body of %d bytes, want the %d that were sent\n%.200q\n%.200q", len(got.Body), len(body), got.Body, body)
	}
	for _, f := range sent.Fields {
		if f.Name == "host" || f.Name == "transfer-encoding" { // not among r.Header
			continue
		}
		if values := got.Header.Values(f.Name); !slices.Equal(values, sent.Values(f.Name)) {
			t.Errorf("header %s: got %q, want %q", f.Name, values, sent.Values(f.Name))
		}
	}
	if got.Host != sent.Values("host")[0] {
		t.Errorf("got host %q, want %q", got.Host, sent.Values("host")[0])
	}
	id := got.Identity
	if !id.Verified() || id.Key() != "orders" || id.KeyID() != keyID {
		t.Fatalf("got identity %v, want key orders verified", id)
	}
	if !slices.Equal(id.SignedHeaders(), sent.SignedHeaders()) {
		t.Errorf("got signed headers %q, want %q", id.SignedHeaders(), sent.SignedHeaders())
	}
	return id
}

// refused sends raw and demands that the handler did not run and that the
// verdict is one of codes. The code "" stands for net/http's own 400, which
// comes before any verdict.
func refused(t testing.TB, b *wire.Backend, raw []byte, codes ...core.Code) {
	t.Helper()
	answer := b.Send(t, raw)
	if len(answer.Runs) != 0 {
		t.Fatalf("the handler ran, verdicts %q; want a refusal with one of %q\n%.900q", answer.Codes, codes, raw)
	}
	got, status := core.Code(""), http.StatusBadRequest
	if len(answer.Codes) == 1 {
		got = answer.Codes[0]
		status = core.StatusCode(&core.Error{Code: got})
	}
	if len(answer.Codes) > 1 || !slices.Contains(codes, got) || answer.Status != status {
		t.Errorf("got status %d, verdicts %q; want a refusal with one of %q\n%.900q", answer.Status, answer.Codes, codes, raw)
	}
}

// reasons gives for each part of a request the codes that a changed byte in it
// may be refused with.
var reasons = map[string][]core.Code{
	"method":        {core.CodeSignatureMismatch},
	"path":          {core.CodeSignatureMismatch, core.CodeRequestAmbiguous, ""},
	"query":         {core.CodeSignatureMismatch, core.CodeRequestAmbiguous},
	"body":          {core.CodeSignatureMismatch},
	"body declared": {core.CodeBodyMismatch}, // its digest is signed
	"algorithm":     {core.CodeSchemeNotAccepted},
	// A byte of the id, of the day or the form, of region or service.
	"Credential":    {core.CodeKeyUnknown, core.CodeCredentialMalformed, core.CodeSignatureMismatch},
	"SignedHeaders": {core.CodeHeaderNotSigned, core.CodeCredentialMalformed, core.CodeSignatureMismatch},
	"Signature":     {core.CodeSignatureMismatch},
	// Without its name a header is absent, and what it said is missing.
	"name":                       {core.CodeHeaderNotSigned},
	"name repeated":              {core.CodeSignatureMismatch},
	"name host":                  {""},
	"name x-amz-date":            {core.CodeCredentialMalformed},
	"name x-amz-region-set":      {core.CodeCredentialMalformed},
	"value":                      {core.CodeSignatureMismatch},
	"value x-amz-date":           {core.CodeSignatureMismatch, core.CodeSignatureExpired, core.CodeSignatureNotYetValid, core.CodeCredentialMalformed},
	"value x-amz-content-sha256": {core.CodeSignatureMismatch, core.CodeCredentialMalformed},
}

// inQuery are the codes for every part of a target that holds the credential: a
// byte there can be one of any of its parts, or part them in another way.
var inQuery = []core.Code{
	core.CodeSignatureMismatch, core.CodeRequestAmbiguous, core.CodeCredentialMissing, core.CodeCredentialMalformed,
	core.CodeKeyUnknown, core.CodeHeaderNotSigned, core.CodeSignatureExpired, core.CodeSignatureNotYetValid, "",
}

// tamper changes bytes of each part that the signature covers, demands that
// each change is refused, and counts them. Accepted, and not counted, are only
// the changes that the canonical form hides, and those of an unsigned body.
func tamper(t testing.TB, b *wire.Backend, e *expected, l wire.Layout) (refusals int) {
	t.Helper()
	for _, change := range l.Changes(seeded(t)) {
		detail := change.Header
		switch change.Part {
		case "path", "query":
			if collide(e.paths(), l.Raw, change.Raw) {
				accepted(t, b, change.Raw)
				continue
			}
		case "name":
			if len(l.Values(change.Header)) > 1 {
				detail = "repeated"
			}
		case "body":
			if e.unsigned {
				accepted(t, b, change.Raw)
				continue
			}
			if declares(&l) {
				detail = "declared"
			}
		}
		codes, ok := reasons[change.Part+" "+detail]
		if !ok {
			codes = reasons[change.Part]
		}
		if e.presigned && slices.Contains([]string{"path", "query", "algorithm", "Credential", "SignedHeaders", "Signature"}, change.Part) {
			codes = inQuery
		}
		refused(t, b, change.Raw, codes...)
		refusals++
	}
	return refusals
}

// declares reports whether the digest of the body is in a signed place.
func declares(l *wire.Layout) bool {
	return slices.Contains(l.SignedHeaders(), "x-amz-content-sha256") ||
		l.Presigned() && strings.Contains(strings.ToLower(l.Text(l.Query)), "x-amz-content-sha256=")
}

// bodyOf returns the body of a raw request as a server reads it.
func bodyOf(t testing.TB, raw []byte) []byte {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// oneSecondLater changes the last digit of the date, which stays within the
// window: only the signature can tell.
func oneSecondLater(t testing.TB, l wire.Layout) []byte {
	t.Helper()
	date := l.Parameters["Date"]
	for _, f := range l.Fields {
		if f.Name == "x-amz-date" {
			date = f.Value
		}
	}
	if date.End == 0 {
		t.Fatal("no x-amz-date")
	}
	at := date.End - len("0Z")
	return wire.Replace(l.Raw, at, '0'+(l.Raw[at]-'0'+1)%10)
}

// withParameter adds a parameter to the query.
func withParameter(l wire.Layout) []byte {
	target, separator := l.Target(), "?"
	if strings.Contains(target, "?") {
		separator = "&"
	}
	return bytes.Replace(l.Raw, []byte(" "+target+" "), []byte(" "+target+separator+"added=1 "), 1)
}

// seeded returns randomness that depends on the test's name alone, so that a
// case is the same in any order and beside any other.
func seeded(t testing.TB) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(t.Name()))
	return rand.New(rand.NewPCG(h.Sum64(), 1))
}
