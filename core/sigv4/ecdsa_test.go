package sigv4_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"math/big"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
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

// TestSignatureEncoding (T163): DER in its one form, r and s from 1 to n-1.
func TestSignatureEncoding(t *testing.T) {
	v := environment(t, v4a(testKey()))
	m := p5()
	digest := sha256.Sum256([]byte(m.stringToSign()))
	r, s, err := ecdsa.Sign(rand.Reader, private(keyID, secret), digest[:])
	if err != nil {
		t.Fatal(err)
	}
	n := elliptic.P256().Params().N
	der := func(r, s *big.Int) string {
		b, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
		if err != nil {
			t.Fatal(err)
		}
		return hexOf(b)
	}
	good := der(r, s)
	content := good[4:] // after the tag and length of the sequence
	rBytes := content[:2*(2+len(r.Bytes())+int(r.Bytes()[0]>>7))]
	sBytes := content[len(rBytes):]
	sequence := func(content string) string { return hexOf([]byte{0x30, byte(len(content) / 2)}) + content }
	padded := func(integer string) string { // one leading zero more than there need be
		length := []byte{0}
		length[0] = byte(len(integer)/2 - 2 + 1)
		return "02" + hexOf(length) + "00" + integer[4:]
	}
	p1363 := hexOf(r.FillBytes(make([]byte, 32))) + hexOf(s.FillBytes(make([]byte, 32)))
	for _, tt := range []struct {
		name, signature string
		want            core.Code
	}{
		{"as it is", good, accepted},
		{"put together again", sequence(rBytes + sBytes), accepted},
		{"n-s, the other valid one", der(r, new(big.Int).Sub(n, s)), accepted},
		{"P1363", p1363, mismatch},
		{"trailing byte", good + "00", mismatch},
		{"trailing byte inside", sequence(content + "00"), mismatch},
		{"BER: long length", "3081" + good[2:], mismatch},
		{"BER: indefinite length", "3080" + content + "0000", mismatch},
		{"BER: padded r", sequence(padded(rBytes) + sBytes), mismatch},
		{"BER: padded s", sequence(rBytes + padded(sBytes)), mismatch},
		{"length too large", "30" + hexOf([]byte{byte(len(content)/2 + 1)}) + content, mismatch},
		{"length too small", "30" + hexOf([]byte{byte(len(content)/2 - 1)}) + content, mismatch},
		{"not a sequence", "31" + good[2:], mismatch},
		{"s missing", sequence(rBytes), mismatch},
		{"third integer", sequence("020101" + "020101" + "020101"), mismatch},
		{"r = 0", der(new(big.Int), s), mismatch},
		{"s = 0", der(r, new(big.Int)), mismatch},
		{"both 0", der(new(big.Int), new(big.Int)), mismatch},
		{"both 1", der(big.NewInt(1), big.NewInt(1)), mismatch},
		{"r = n", der(n, s), mismatch},
		{"s = n", der(r, n), mismatch},
		{"r + n", der(new(big.Int).Add(r, n), s), mismatch},
		{"s + n", der(r, new(big.Int).Add(s, n)), mismatch},
		{"-r", der(new(big.Int).Neg(r), s), mismatch},
		{"-s", der(r, new(big.Int).Neg(s)), mismatch},
		{"swapped", der(s, r), mismatch},
		{"upper case", strings.ToUpper(good), malformed},
		{"odd", good[1:], malformed},
		{"empty", "", malformed},
		{"too long", strings.Repeat("30", 73), malformed},
		{"too short", "3004020102", malformed},
		{"not hexadecimal", strings.Repeat("xy", 70), malformed},
		{"padding of chunk signatures", good + "**", malformed},
		{"a MAC", p4().signature(), mismatch},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := tt.want
			if want == mismatch && len(tt.signature) > 144 {
				want = malformed // longer than any signature of the curve
			}
			expect(t, v, m.rawWith(tt.signature), want)
		})
	}
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
