package awstools_test

import (
	"bytes"
	"cmp"
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

// expected describes how a request is signed, and its verdict.
type expected struct {
	service    string // "" is execute-api; s3 has S3's path rule
	asymmetric bool   // SigV4a
	token      string // the key's session token
	wildcards  bool   // the policy takes * for a region

	presigned bool // the credential is in the query
	unsigned  bool // the body is not signed

	want core.Code // "" means accepted
	why  string    // for refusals
}

func (e *expected) scope() string { return cmp.Or(e.service, "execute-api") }

func (e *expected) paths() sigv4.Paths {
	if e.service == "s3" {
		return sigv4.S3
	}
	return sigv4.Normalized
}

// policy returns the strictest policy that can accept the request.
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

// totals counts the verdicts on a tool's requests.
type totals struct{ accepted, refused, changes atomic.Int64 }

// count returns totals, which are logged when the test and its subtests have ended.
func count(t *testing.T, tool string) *totals {
	n := new(totals)
	t.Cleanup(func() {
		t.Logf("%s: %d requests accepted and %d refused; of the accepted, %d with one byte changed refused",
			tool, n.accepted.Load(), n.refused.Load(), n.changes.Load())
	})
	return n
}

// try sends raw, and checks the verdict. An accepted request must be refused with a date
// one second later, with one byte changed, with a header or parameter added, and by a
// stricter policy.
func (n *totals) try(t *testing.T, e expected, raw []byte) {
	t.Helper()
	backend := wire.Start(t, e.policy())
	if e.want != "" {
		n.refused.Add(1)
		backend.Refuse(t, raw, e.want)
		if t.Failed() {
			t.Logf("want %q: %s", e.want, e.why)
		}
		return
	}
	id := backend.Accept(t, raw)
	n.accepted.Add(1)
	if covers := id.Covers(); !covers.Host || !covers.Target || covers.Body == e.unsigned {
		t.Errorf("got coverage %+v, payload %v", covers, id.Payload())
	}
	l := wire.Parse(t, raw)
	if l.Presigned() != e.presigned {
		t.Errorf("got presigned %t, want %t", l.Presigned(), e.presigned)
	}
	backend.Refuse(t, l.OneSecondLater(t), core.CodeSignatureMismatch)
	n.changes.Add(int64(tamper(t, backend, &e, l)))
	backend.Refuse(t, withParameter(l), core.CodeSignatureMismatch)
	backend.Refuse(t, bytes.Replace(raw, []byte("\r\n"), []byte("\r\nX-Amz-Added: 1\r\n"), 1), core.CodeHeaderNotSigned)

	if e.presigned {
		strict := e
		strict.presigned = false
		wire.Start(t, strict.policy()).Refuse(t, raw, core.CodeSchemeNotAccepted)
	}
	if e.unsigned {
		strict := e
		strict.unsigned = false
		wire.Start(t, strict.policy()).Refuse(t, raw, core.CodePayloadNotSigned)
	}
}

// changedCodes are the codes of changed AWS requests. If the name of a header is changed,
// the header is absent.
var changedCodes = wire.Codes{
	"name repeated":              {core.CodeSignatureMismatch},
	"name x-amz-date":            {core.CodeCredentialMalformed},
	"name x-amz-region-set":      {core.CodeCredentialMalformed},
	"value x-amz-date":           {core.CodeSignatureMismatch, core.CodeSignatureExpired, core.CodeSignatureNotYetValid, core.CodeCredentialMalformed},
	"value x-amz-content-sha256": {core.CodeSignatureMismatch, core.CodeCredentialMalformed},
}

// inQuery are the codes for every part of a target with the credential: a changed byte
// can belong to any parameter, or split the query differently.
var inQuery = []core.Code{
	core.CodeSignatureMismatch, core.CodeRequestAmbiguous, core.CodeCredentialMissing, core.CodeCredentialMalformed,
	core.CodeKeyUnknown, core.CodeHeaderNotSigned, core.CodeSignatureExpired, core.CodeSignatureNotYetValid, "",
}

// tamper changes bytes of each part that the signature covers, checks that each change is
// refused, and returns the number of refusals. Changes that the canonical form hides, and
// changes of an unsigned body, must be accepted and are not counted.
func tamper(t testing.TB, b *wire.Backend, e *expected, l wire.Layout) (refusals int) {
	t.Helper()
	return b.Tamper(t, l.Changes(wire.Seeded(t)), func(c wire.Change) []core.Code {
		detail := c.Header
		switch c.Part {
		case "path", "query":
			if wire.Collide(l.Raw, c.Raw, wire.SigV4Path(e.paths())) {
				return nil
			}
		case "name":
			if len(l.Values(c.Header)) > 1 {
				detail = "repeated"
			}
		case "body":
			if e.unsigned {
				return nil
			}
			if declares(&l) {
				detail = "declared"
			}
		}
		if e.presigned && slices.Contains([]string{"path", "query", "algorithm", "Credential", "SignedHeaders", "Signature"}, c.Part) {
			return inQuery
		}
		return changedCodes.Of(c.Part, detail)
	})
}

// declares reports whether the digest of the body is in a signed header or parameter.
func declares(l *wire.Layout) bool {
	return slices.Contains(l.SignedHeaders(), "x-amz-content-sha256") ||
		l.Presigned() && strings.Contains(strings.ToLower(l.Text(l.Query)), "x-amz-content-sha256=")
}

// withParameter adds a parameter to the query.
func withParameter(l wire.Layout) []byte {
	target, separator := l.Target(), "?"
	if strings.Contains(target, "?") {
		separator = "&"
	}
	return bytes.Replace(l.Raw, []byte(" "+target+" "), []byte(" "+target+separator+"added=1 "), 1)
}
