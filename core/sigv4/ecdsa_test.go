package sigv4_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// TestRegionSet (T163).
func TestRegionSet(t *testing.T) {
	strict := environment(t, v4a(testKey()))
	wild := environment(t, sigv4.NewA(sigv4.ConfigA{Keys: core.Keys(testKey()), AllowRegionWildcards: true}))
	set := func(value string) message {
		m := p5()
		m.headers = append([]string(nil), m.headers...)
		m.headers[2] = "X-Amz-Region-Set: " + value
		m.canonicalHeaders = strings.Replace(m.canonicalHeaders, "set:us-east-1", "set:"+value, 1)
		return m
	}
	for _, tt := range []struct {
		set          string
		strict, wild core.Code
	}{
		{"us-east-1", accepted, accepted},
		{"eu-west-1,us-east-1", accepted, accepted},
		{"eu-west-1, us-east-1 ,x", accepted, accepted},
		{"us-east-1,", accepted, accepted},
		{"*,us-east-1", accepted, accepted}, // named as well
		{"*", mismatch, accepted},
		{"us-*", mismatch, accepted},
		{"*-1", mismatch, accepted},
		{"us-*-1", mismatch, accepted},
		{"u*s*t-1*", mismatch, accepted},
		{"eu-*,us-*", mismatch, accepted},
		{"cn-*", mismatch, mismatch},
		{"us-*-2", mismatch, mismatch},
		{"*us", mismatch, mismatch},
		{"us-east-1*-1", mismatch, mismatch},
		{"us-east-2", mismatch, mismatch},
		{"US-EAST-1", mismatch, mismatch},
		{"us-east-11", mismatch, mismatch},
		{"us-east", mismatch, mismatch},
		{"us-east-?", mismatch, mismatch},
		{"us-east-1;x", mismatch, mismatch},
		{"eu-west-1,us-west-2", mismatch, mismatch},
		{",", mismatch, mismatch},
		{"", malformed, malformed},
	} {
		t.Run(tt.set, func(t *testing.T) {
			expect(t, strict, set(tt.set).raw(), tt.strict)
			expect(t, wild, set(tt.set).raw(), tt.wild)
		})
	}
	absent := p5()
	absent.headers = absent.headers[:2]
	absent.signedHeaders, absent.canonicalHeaders = p4().signedHeaders, p4().canonicalHeaders
	expect(t, wild, absent.raw(), malformed)
	unsigned := absent
	unsigned.headers = p5().headers
	expect(t, wild, unsigned.raw(), notSigned)
	twice := p5()
	twice.headers = append(twice.headers, "X-Amz-Region-Set: us-east-1")
	expect(t, wild, twice.raw(), ambiguous)

	none := testKey() // a key without a region is for no region
	none.Region = ""
	for _, value := range []string{"*", "us-east-1", ",", "a,*"} {
		expect(t, environment(t, sigv4.NewA(sigv4.ConfigA{Keys: core.Keys(none), AllowRegionWildcards: true})), set(value).raw(), mismatch)
	}
	unknown := set("a,us-*")
	unknown.authorization = strings.Replace(unknown.authorization, keyID, "NOPE", 1)
	expect(t, wild, unknown.raw(), core.CodeKeyUnknown)
}

// TestFailingSource: a source of keys that fails is reported as such, also
// where the region set makes the scheme ask it.
func TestFailingSource(t *testing.T) {
	for name, source := range map[string]source{
		"panic":   func() (*core.Key, error) { panic("source") },
		"error":   func() (*core.Key, error) { return nil, context.DeadlineExceeded },
		"nothing": func() (*core.Key, error) { return nil, nil },
	} {
		v := environment(t, sigv4.NewA(sigv4.ConfigA{Keys: source, AllowRegionWildcards: true}))
		m := p5()
		for _, set := range []string{"us-east-1", "*"} {
			raw := strings.Replace(m.raw(), "Set: us-east-1", "Set: "+set, 1)
			if _, code := verify(t, v, raw); code != core.CodeUnavailable {
				t.Errorf("%s, %s: got %q", name, set, code)
			}
		}
	}
}

type source func() (*core.Key, error)

func (s source) Key(context.Context, string) (*core.Key, error) { return s() }

// TestRegionalScope: SigV4a's scope has four parts.
func TestRegionalScope(t *testing.T) {
	v := environment(t, v4a(testKey()))
	for _, tt := range []struct {
		scope string
		want  core.Code
	}{
		{"20260115/execute-api/aws4_request", accepted},
		{"20260115/us-east-1/execute-api/aws4_request", malformed},
		{"20260115/execute-apj/aws4_request", mismatch},
		{"20260115//aws4_request", malformed},
		{"20260115/aws4_request", malformed},
		{"20260115/execute-api/sdk_request", malformed},
		{"20260114/execute-api/aws4_request", malformed},
	} {
		m := p5()
		m.scope = tt.scope
		expect(t, v, m.raw(), tt.want)
	}
	expect(t, v, p4().raw(), foreign)
}

// TestRegionalQuery: the query form of SigV4a.
func TestRegionalQuery(t *testing.T) {
	v := environment(t, v4a(testKey()), allowPresigned)
	good := p5().presign("60", "X-Amz-Region-Set=us-east-1").link()
	expect(t, v, good, accepted)
	expect(t, v, strings.Replace(good, "Set=us-east-1", "Set=us-east-1%2Cx", 1), mismatch)
	expect(t, v, strings.Replace(good, "Set=us-east-1", "Set=us-east-1&X-Amz-Region-Set=us-east-1", 1), ambiguous)
	expect(t, v, strings.Replace(good, "Set=us-east-1", "Set=us-east-1&x-amz-region-set=*", 1), ambiguous)
	expect(t, v, p5().presign("60", "X-Amz-Region-Set=eu-west-1%2Cus-east-1").link(), accepted)
	expect(t, v, p5().presign("60", "X-Amz-Region-Set=%2A").link(), mismatch)
	expect(t, v, p5().presign("60").link(), malformed)
	expect(t, v, p5().presign("0", "X-Amz-Region-Set=us-east-1").link(), malformed)
}

// TestSignatureLength: what has not the length of (r, s) in DER is not even tried.
// (Encodings are tested with signature.VerifyP256.)
func TestSignatureLength(t *testing.T) {
	v, m := environment(t, v4a(testKey())), p5()
	expect(t, v, m.rawWith("3004020102"), malformed)
	expect(t, v, m.rawWith("3006020101020101"), mismatch) // the shortest that there is
	expect(t, v, m.rawWith(strings.Repeat("30", 73)), malformed)
	expect(t, v, m.rawWith(m.signature()+"0"), malformed)
	expect(t, v, m.rawWith(m.signature()+"**"), malformed) // the padding of chunk signatures
	expect(t, v, m.rawWith(p4().signature()), mismatch)
}

// TestOtherKeyPair: a signature with the key pair of another secret, or id.
func TestOtherKeyPair(t *testing.T) {
	m := p5()
	m.secret += "x"
	expect(t, environment(t, v4a(testKey())), m.raw(), mismatch)
	other := testKey()
	other.ID = "AKOTHER"
	expect(t, environment(t, v4a(other)), strings.Replace(p5().raw(), keyID, "AKOTHER", 1), mismatch)
}

// TestWildcardsByKey_T181: wildcards count for single keys, whatever counts for the
// others.
func TestWildcardsByKey_T181(t *testing.T) {
	for _, tt := range []struct {
		all  bool
		byID map[string]bool
		want core.Code
	}{
		{false, nil, mismatch}, {true, nil, accepted},
		{false, map[string]bool{keyID: true}, accepted}, {true, map[string]bool{keyID: false}, mismatch},
		{false, map[string]bool{"AKOTHER": true}, mismatch}, {true, map[string]bool{"AKOTHER": false}, accepted},
	} {
		scheme := sigv4.NewA(sigv4.ConfigA{Keys: core.Keys(testKey()), AllowRegionWildcards: tt.all, AllowRegionWildcardsByID: tt.byID})
		m := p5()
		m.headers[2] = "X-Amz-Region-Set: us-*"
		m.canonicalHeaders = strings.Replace(m.canonicalHeaders, "set:us-east-1", "set:us-*", 1)
		expect(t, environment(t, scheme), m.raw(), tt.want)
		expect(t, environment(t, scheme), p5().raw(), accepted)
	}
}

// TestRegionalHeaderValues: white space is collapsed as in SigV4.
func TestRegionalHeaderValues(t *testing.T) {
	m := p5()
	m.headers = append(m.headers, "X-Note: two  blanks")
	m.canonicalHeaders += "x-note:two blanks\n"
	m.signedHeaders += ";x-note"
	expect(t, environment(t, v4a(testKey())), m.raw(), accepted)
}

// TestRegionalPaths_T181: a key whose wildcards are a matter of its own has the paths of
// all keys.
func TestRegionalPaths_T181(t *testing.T) {
	for _, paths := range []sigv4.Paths{sigv4.Normalized, sigv4.S3} {
		m := p5()
		m.target, m.canonicalURI = "/a%20b", map[sigv4.Paths]string{sigv4.Normalized: "/a%2520b", sigv4.S3: "/a%20b"}[paths]
		scheme := sigv4.NewA(sigv4.ConfigA{Keys: core.Keys(testKey()), Paths: paths, AllowRegionWildcardsByID: map[string]bool{keyID: true}})
		expect(t, environment(t, scheme), m.raw(), accepted)
	}
}

// TestSignedRegionSet: the option in place of the key's region, which the key needs all
// the same.
func TestSignedRegionSet(t *testing.T) {
	key := testKey()
	r := testkit.Unsigned("GET", "/")
	if err := sigv4.NewSignerA(key, sigv4.SignOptions{RegionSet: "us-*"}).Sign(r, noBody, now()); err != nil || r.Header.Get("X-Amz-Region-Set") != "us-*" {
		t.Errorf("got %q, %v", r.Header.Get("X-Amz-Region-Set"), err)
	}
	key.Region = ""
	if err := sigv4.NewSignerA(key, sigv4.SignOptions{RegionSet: "us-*"}).Sign(testkit.Unsigned("GET", "/"), noBody, now()); err == nil {
		t.Error("signed without a region in the key")
	}
}

// TestEarlierSignature: a signer removes what an earlier signature has left, in headers
// that it sets and in others.
func TestEarlierSignature(t *testing.T) {
	key := testKey()
	for _, presigned := range []bool{false, true} {
		r := testkit.Unsigned("GET", "/v1/items")
		for _, name := range []string{"Authorization", "X-Amz-Date", "X-Amz-Content-Sha256", "X-Amz-Security-Token", "X-Amz-Region-Set"} {
			r.Header.Set(name, "earlier")
		}
		signer := sigv4.NewSignerA(key, sigv4.SignOptions{})
		err := signer.Sign(r, noBody, now())
		if presigned {
			r.Header.Set("Authorization", "earlier")
			err = signer.Presign(r, noBody, now(), time.Minute)
		}
		if err != nil {
			t.Fatal(err)
		}
		for name, values := range r.Header {
			if strings.Contains(strings.Join(values, ""), "earlier") || presigned && strings.HasPrefix(name, "X-Amz-") {
				t.Errorf("presigned %v: %s: %q", presigned, name, values)
			}
		}
	}
}
