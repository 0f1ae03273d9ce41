package sigv4_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
)

const (
	accepted  core.Code = ""
	malformed           = core.CodeCredentialMalformed
	ambiguous           = core.CodeRequestAmbiguous
	mismatch            = core.CodeSignatureMismatch
	notSigned           = core.CodeHeaderNotSigned
	foreign             = core.CodeSchemeNotAccepted
	chunked             = core.CodePayloadUnsupported
	unsigned            = core.CodePayloadNotSigned
	wrongBody           = core.CodeBodyMismatch
)

// TestWorkedValue checks a known signature, and what the identity says of it.
func TestWorkedValue(t *testing.T) {
	const signature = "8bebe40d96bd54623c6fe6da4ee1c541cf55b13eeb5b1d0c82dd5aa0b5d00013"
	id, code := verify(t, environment(t, v4(testKey())), p4().rawWith(signature))
	if code != "" || id.Scheme() != "sigv4" || id.Algorithm() != "AWS4-HMAC-SHA256" || id.KeyID() != keyID ||
		id.Payload() != core.PayloadHashed || !id.SignedAt().Equal(now()) || !id.Covers().Host || !id.Covers().Target {
		t.Errorf("got %q, %v", code, id)
	}
	if got := p4().signature(); got != signature {
		t.Errorf("the tests' own signer gives %s", got)
	}
}

// TestHeaderForm: what a holder of the secret may write, and what not.
func TestHeaderForm(t *testing.T) {
	v := environment(t, v4(testKey()))
	m := p4()
	good := m.raw()
	auth := func(format string) message { m := p4(); m.authorization = format; return m }
	const credential, list, signature = "Credential=" + keyID + "/%[2]s", "SignedHeaders=%[3]s", "Signature=%[4]s"
	for _, tt := range []struct {
		name string
		raw  string
		want core.Code
	}{
		{"as it is", good, accepted},
		{"T020 no spaces", auth("%[1]s " + credential + "," + list + "," + signature).raw(), accepted},
		{"T020 other order, tabs", auth("%[1]s \t" + signature + " ,\t" + list + " , " + credential).raw(), accepted},
		{"T020 semicolons", auth("%[1]s " + credential + "; " + list + "; " + signature).raw(), malformed},
		{"T020 quoted", auth(`%[1]s Credential="` + keyID + `/%[2]s", ` + list + ", " + signature).raw(), malformed},
		{"T013 no fields", auth("%[1]s ,,,%.0[2]s%.0[3]s%.0[4]s").raw(), malformed},
		{"T013 no fields at all", auth("%[1]s%.0[2]s%.0[3]s%.0[4]s").raw(), malformed},
		{"T015 lower-case token", strings.Replace(good, "AWS4-HMAC-SHA256", "aws4-hmac-sha256", 1), foreign},
		{"T015 another token", strings.Replace(good, "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA512", 1), foreign},
		{"T015 SigV4a, not configured", p5().raw(), foreign},
		{"T016 Credential twice", auth("%[1]s " + credential + ", " + credential + ", " + list + ", " + signature).raw(), malformed},
		{"T016 SignedHeaders twice", auth("%[1]s " + credential + ", " + list + ", " + list + ", " + signature).raw(), malformed},
		{"T016 Signature twice", auth("%[1]s " + credential + ", " + list + ", " + signature + ", " + signature).raw(), malformed},
		{"T017 unknown field", strings.Replace(good, "\r\n\r\n", ", Foo=bar\r\n\r\n", 1), malformed},
		{"no SignedHeaders", auth("%[1]s " + credential + ", %.0[3]s" + signature).raw(), malformed},
		{"no Signature", auth("%[1]s " + credential + ", " + list + "%.0[4]s").raw(), malformed},
		{"no Credential", auth("%[1]s %.0[2]s" + list + ", " + signature).raw(), malformed},
		{"Access in place of it", auth("%[1]s Access=" + keyID + "%.0[2]s, " + list + ", " + signature).raw(), malformed},
		{"Access beside it", auth("%[1]s Access=" + keyID + ", " + credential + ", " + list + ", " + signature).raw(), malformed},
		{"T018 63 digits", m.rawWith(m.signature()[:63]), malformed},
		{"T018 a byte too few", m.rawWith(m.signature()[:62]), malformed},
		{"T018 a byte too many", m.rawWith(m.signature() + "00"), malformed},
		{"T018 65 digits", m.rawWith(m.signature() + "0"), malformed},
		{"T018 none", m.rawWith(""), malformed},
		{"T018 upper case", m.rawWith(strings.ToUpper(m.signature())), malformed},
		{"T018 not hexadecimal", m.rawWith(strings.Repeat("g", 64)), malformed},
		{"T018 =", m.rawWith(m.signature()[:63] + "="), malformed},
		{"T019 prefix", m.rawWith(m.signature()[:32] + strings.Repeat("0", 32)), mismatch},
		{"T014 twice", strings.Replace(good, "\r\n\r\n", "\r\nAuthorization: x\r\n\r\n", 1), ambiguous},
		{"T012 beside a query form", strings.Replace(good, "/v1/items", "/v1/items?X-Amz-Credential=a&X-Amz-Signature=b", 1), ambiguous},
		{"T161 signature in the query", strings.Replace(good, "/v1/items", "/v1/items?X-Amz-Signature="+m.signature(), 1), ambiguous},
		{"T080 id in another case", strings.Replace(good, keyID, strings.ToLower(keyID), 1), core.CodeKeyUnknown},
		{"T034 host in another case", strings.Replace(good, "api.example.com", "API.example.com", 1), mismatch},
		{"T046 parameter added", strings.Replace(good, "/v1/items", "/v1/items?admin=1", 1), mismatch},
		{"T032 method", strings.Replace(good, "GET", "HEAD", 1), mismatch},
		{"T032 method in lower case", strings.Replace(good, "GET", "get", 1), mismatch},
	} {
		t.Run(tt.name, func(t *testing.T) { expect(t, v, tt.raw, tt.want) })
	}
}

// TestScope (T086, T087, T077).
func TestScope(t *testing.T) {
	v := environment(t, v4(testKey()))
	for _, tt := range []struct {
		scope string
		want  core.Code
	}{
		{"20260115/us-east-1/execute-api/aws4_request", accepted},
		{"20260115/us-east-2/execute-api/aws4_request", mismatch},
		{"20260115/us-east-1/execute-apj/aws4_request", mismatch},
		{"20260115/US-EAST-1/execute-api/aws4_request", mismatch},
		{"20260115/us-east-1/execute-api/sdk_request", malformed},
		{"20260115/us-east-1/execute-api/AWS4_REQUEST", malformed},
		{"20260115/us-east-1/execute-api", malformed},
		{"20260115/us-east-1/x/execute-api/aws4_request", malformed},
		{"20260114/us-east-1/execute-api/aws4_request", malformed}, // T087
		{"20260116/us-east-1/execute-api/aws4_request", malformed},
		{"2026011/us-east-1/execute-api/aws4_request", malformed},
		{"/us-east-1/execute-api/aws4_request", malformed},
	} {
		m := p4()
		m.scope = tt.scope
		expect(t, v, m.raw(), tt.want)
	}
	m := p4()
	expect(t, v, strings.Replace(m.raw(), keyID+"/", "/", 1), malformed)

	t.Run("T086 slash in the configuration", func(t *testing.T) {
		key := testKey()
		key.Region, key.Service = "us-east-1/execute-api", ""
		expect(t, environment(t, v4(key)), p4().raw(), mismatch)
		key.Region, key.Service = "", "" // a key without a region is for no region
		m := p4()
		m.scope = "20260115///aws4_request"
		expect(t, environment(t, v4(key)), m.raw(), malformed)
	})
	t.Run("T087 yesterday's signing key", func(t *testing.T) {
		m := p4()
		m.scope = "20260114/us-east-1/execute-api/aws4_request"
		key := []byte("AWS4" + secret)
		for part := range strings.SplitSeq(m.scope, "/") {
			key = mac(key, part)
		}
		today := p4()
		expect(t, v, today.rawWith(hexOf(mac(key, today.stringToSign()))), mismatch)
	})
}

// TestDate (T072 to T076).
func TestDate(t *testing.T) {
	v := environment(t, v4(testKey()))
	for _, date := range []string{
		"", "Bad Date", "Thu, 15 Jan 2026 12:00:00 GMT", "1768478400", "2026-01-15T12:00:00Z", "20260115T120000+0000",
		"20260115T120000", "20260115t120000Z", "20260115T120000z", strings.Repeat("2", 10000),
		"20260230T120000Z", "20260115T240000Z", "20260115T120060Z",
	} {
		m := p4().withDate(date)
		m.scope = p4().scope
		expect(t, v, m.raw(), malformed)
	}
	for _, date := range []string{"00000101T000000Z", "19500101T000000Z", "19690101T000000Z", "20260114T120000Z", "20260115T114459Z"} {
		expect(t, v, p4().withDate(date).raw(), core.CodeSignatureExpired) // T076, T071
	}
	for _, date := range []string{"20260115T114500Z", "20260115T121500Z"} {
		expect(t, v, p4().withDate(date).raw(), accepted)
	}
	expect(t, v, p4().withDate("20260115T121501Z").raw(), core.CodeSignatureNotYetValid)

	m := p4().withDate("20260114T120000Z")
	m.headers = append(m.headers, "Date: Thu, 15 Jan 2026 12:00:00 GMT")
	expect(t, v, m.raw(), core.CodeSignatureExpired)

	m = p4() // T074
	m.canonicalHeaders, m.signedHeaders = "host:api.example.com\n", "host"
	expect(t, v, m.raw(), notSigned)
	m = p4()
	m.headers = append(m.headers, "X-Amz-Date: "+date)
	expect(t, v, m.raw(), ambiguous)
}

// TestHeaderValues (T008, T026).
func TestHeaderValues(t *testing.T) {
	v := environment(t, v4(testKey()))
	m := p4().with("X-Note", "two  blanks \t and\ttabs")
	m.canonicalHeaders = strings.Replace(m.canonicalHeaders, "two  blanks \t and\ttabs", "two blanks and tabs", 1)
	expect(t, v, m.raw(), accepted)
	expect(t, v, p4().with("X-Note", "two  blanks").raw(), mismatch) // signed uncollapsed

	m = p4().with("X-Tag", "a,b")
	for _, tt := range []struct {
		lines string
		want  core.Code
	}{
		{"X-Tag: a\r\nX-Tag: b", accepted}, {"X-Tag: b\r\nX-Tag: a", mismatch}, {"X-Tag: a, b", mismatch},
		{"X-Tag: a", mismatch}, {"X-Tag: a,b\r\nX-Tag: c", mismatch}, {"X-Tag: a,b\r\nX-Tag:", mismatch},
		{"x-tag:a,b", accepted},
	} {
		expect(t, v, strings.Replace(m.raw(), "X-Tag: a,b", tt.lines, 1), tt.want)
	}
}

// TestPaths (T038 to T045 as far as they differ from the SDK-* schemes).
func TestPaths(t *testing.T) {
	normal, s3 := environment(t, v4(testKey())), environment(t, v4s3(testKey()))
	for _, tt := range []struct {
		target, twice, once string
		normal, s3          core.Code
	}{
		{"/v1/items", "/v1/items", "/v1/items", accepted, accepted},
		{"/v1/items/", "/v1/items/", "/v1/items/", accepted, accepted},
		{"/a%2Fb", "/a%252Fb", "/a%2Fb", accepted, ambiguous},
		{"/item%73", "/item%2573", "/items", accepted, ambiguous},
		{"/%2e%2e/a", "/%252e%252e/a", "/../a", accepted, ambiguous},
		{"/a%5Cb", "/a%255Cb", "/a%5Cb", accepted, accepted},
		{"/a\\b", "/a%5Cb", "/a%5Cb", accepted, ambiguous},
		{"/a:b@c", "/a%3Ab%40c", "/a%3Ab%40c", accepted, accepted},
		{"/%C3%A4", "/%25C3%25A4", "/%C3%A4", accepted, accepted},
		{"/\xe1\x88\xb4", "/%E1%88%B4", "/%E1%88%B4", accepted, accepted},
		{"//", "/", "//", ambiguous, accepted},
		{"/a//b", "/a/b", "/a//b", ambiguous, accepted},
		{"/a/./b", "/a/b", "/a/./b", ambiguous, accepted},
		{"/a/../b", "/b", "/a/../b", ambiguous, accepted},
		{"/a/..", "/", "/a/..", ambiguous, accepted},
	} {
		m := p4()
		m.target, m.canonicalURI = tt.target, tt.twice
		expect(t, normal, m.raw(), tt.normal)
		m.canonicalURI = tt.once
		expect(t, s3, m.raw(), tt.s3)
	}
	// Refused while it is parsed, before a byte of the body is read.
	r := httptest.NewRequest("GET", "//", nil)
	r.Header.Set("X-Amz-Date", date)
	r.Header.Set("Authorization", fmt.Sprintf(p4().authorization, p4().token, p4().scope, p4().signedHeaders, p4().signature()))
	if err := v4(testKey()).Parse(r, new(core.Credential)); core.CodeOf(err) != ambiguous {
		t.Errorf("got %v", err)
	}
	// T038 to T042: another path than the signed one.
	good := p4().raw()
	for _, path := range []string{"/v1/items/", "/v1/items2", "/V1/items", "/v1/item%73", "/v1/items;a=b", "/v1/items%3Fx=1", "/v1/items%23f", "/v1%2Fitems"} {
		expect(t, normal, strings.Replace(good, "/v1/items", path, 1), mismatch)
	}
	for _, path := range []string{"/v1//items", "//v1/items", "/v1/./items", "/x/../v1/items", "/v1/items/."} {
		expect(t, normal, strings.Replace(good, "/v1/items", path, 1), ambiguous)
		expect(t, s3, strings.Replace(good, "/v1/items", path, 1), mismatch)
	}
}

// TestPathsByID: one environment may hold keys of several services.
func TestPathsByID(t *testing.T) {
	object := testKey()
	object.Name, object.ID = "s3", "AKOBJECTS"
	keys := core.Keys(testKey(), object)
	byID := map[string]sigv4.Paths{object.ID: sigv4.S3}
	for _, scheme := range []core.Scheme{
		sigv4.New(sigv4.Config{Keys: keys, PathsByID: byID}),
		sigv4.NewA(sigv4.ConfigA{Keys: core.Keys(object), PathsByID: byID}),
	} {
		v := environment(t, scheme, func(c *core.Config) { c.Default = "s3" })
		m := p4()
		if scheme.Name() == "sigv4a" {
			m = p5()
		}
		m.id, m.authorization = object.ID, strings.Replace(m.authorization, keyID, object.ID, 1)
		m.target, m.canonicalURI = "/a//b%20c", "/a//b%20c"
		expect(t, v, m.raw(), accepted)
	}
	expect(t, environment(t, sigv4.New(sigv4.Config{Keys: keys, PathsByID: map[string]sigv4.Paths{object.ID: sigv4.S3}})), p4().raw(), accepted)
}

// TestPayload (T055, T059 to T061, T065 to T068).
func TestPayload(t *testing.T) {
	strict, open := environment(t, v4(testKey())), environment(t, v4(testKey()), allowUnsigned)
	const body = `{"amount":100}`
	declared := func(value string) message {
		m := p4().withBody(body)
		hash := m.payload
		value = strings.Replace(value, "HASH", hash, 1)
		m.payload = value
		m.headers = append([]string{"X-Amz-Content-Sha256: " + value}, m.headers...)
		m.canonicalHeaders = "host:api.example.com\nx-amz-content-sha256:" + value + "\nx-amz-date:" + date + "\n"
		m.signedHeaders = "host;x-amz-content-sha256;x-amz-date"
		return m
	}
	for _, tt := range []struct {
		name, value  string
		strict, open core.Code
	}{
		{"declared", "HASH", accepted, accepted},
		{"T059 hash of another", noBody, wrongBody, wrongBody},
		{"T060 empty", "", malformed, malformed},
		{"T060 63 digits", noBody[1:], malformed, malformed},
		{"T060 upper case", strings.ToUpper(noBody), malformed, malformed},
		{"T060 prefix", "sha256:" + noBody, malformed, malformed},
		{"T065, T066", "UNSIGNED-PAYLOAD", unsigned, accepted},
		{"T067 lower case", "unsigned-payload", malformed, malformed},
		{"T067 more", "UNSIGNED-PAYLOAD-X", malformed, malformed},
		{"any word", "sausages", malformed, malformed},
		{"T068", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", chunked, chunked},
		{"T068", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", chunked, chunked},
		{"T068", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", chunked, chunked},
		{"T068", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", chunked, chunked},
	} {
		t.Run(tt.name+" "+tt.value, func(t *testing.T) {
			m := declared(tt.value)
			expect(t, strict, m.raw(), tt.strict)
			expect(t, open, m.raw(), tt.open)
			if tt.strict == chunked { // T068 with a fabricated signature
				expect(t, open, m.rawWith(strings.Repeat("0", 64)), tt.strict)
			}
		})
	}
	for _, other := range []string{`{"amount":900}`, `{"amount":101}`} { // T055
		expect(t, strict, strings.Replace(p4().withBody(body).raw(), body, other, 1), mismatch)
		expect(t, strict, strings.Replace(declared("HASH").raw(), body, other, 1), wrongBody)
		expect(t, open, strings.Replace(declared("UNSIGNED-PAYLOAD").raw(), body, other, 1), accepted) // T066
	}
	if id, _ := verify(t, open, declared("UNSIGNED-PAYLOAD").raw()); id.Covers().Body || id.Payload() != core.PayloadUnsigned {
		t.Errorf("T066: got %v", id.Covers())
	}
	// T060, T067: unsigned, it is ignored, and the hash of the body counts.
	hidden := func(value, body string) string {
		m := p4().withBody(`{"amount":100}`)
		m.headers = append(m.headers, "X-Amz-Content-Sha256: "+value)
		return strings.Replace(m.raw(), m.body, body, 1)
	}
	for _, value := range []string{"UNSIGNED-PAYLOAD", p4().withBody(body).payload, noBody, "", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"} {
		expect(t, open, hidden(value, body), accepted)
		expect(t, open, hidden(value, `{"amount":900}`), mismatch)
	}
	m := declared("UNSIGNED-PAYLOAD")
	m.headers = append(m.headers, "X-Amz-Content-Sha256: UNSIGNED-PAYLOAD")
	expect(t, open, m.raw(), ambiguous) // T067
	m = p4()
	m.headers, m.body = append(m.headers, "Content-Length: 3"), "abc"
	expect(t, strict, m.raw(), mismatch) // T061
}

// TestCoverage (T022, T023, T025, T028, T166, T167).
func TestCoverage(t *testing.T) {
	v := environment(t, v4(testKey()))
	extra := func(lines ...string) string { m := p4(); m.headers = append(m.headers, lines...); return m.raw() }
	expect(t, v, extra("X-Amz-Copy-Source: /b/k"), notSigned)
	expect(t, v, extra("x-amz-foo: 1"), notSigned)
	expect(t, v, extra("X-Amz-Security-Token: t"), notSigned)
	expect(t, v, extra("X-Amzn-Trace-Id: 1", "User-Agent: x", "Accept: */*"), accepted) // T007
	expect(t, v, p4().with("X-Amz-Foo", "1").raw(), accepted)
	m := p4()
	m.canonicalHeaders, m.signedHeaders = "x-amz-date:"+date+"\n", "x-amz-date"
	expect(t, v, m.raw(), notSigned)
	expect(t, environment(t, v4(testKey()), func(c *core.Config) { c.RequireSigned = []string{} }), m.raw(), accepted)
	m.canonicalHeaders, m.signedHeaders = "", ""
	expect(t, v, m.raw(), notSigned)
	m = p4()
	m.signedHeaders, m.canonicalHeaders = m.signedHeaders+";x-role", m.canonicalHeaders+"x-role:\n"
	expect(t, v, m.raw(), notSigned) // T028: absent is not empty
	good := p4().with("X-Role", "user").raw()
	expect(t, v, strings.Replace(good, "X-Role: user", "X-Role: user\r\nX-Role: admin", 1), mismatch)
	expect(t, v, strings.Replace(good, "X-Role: user", "X-Role: admin\r\nX-Role: user", 1), mismatch)
	for _, list := range []string{"x-amz-date;host", "Host;X-Amz-Date", "host;host;x-amz-date", "host;;x-amz-date", ";host;x-amz-date", "host;x-amz-date;"} {
		m := p4()
		m.signedHeaders = list
		expect(t, v, m.raw(), malformed) // T027
	}
}

// TestSessionToken: temporary keys.
func TestSessionToken(t *testing.T) {
	temporary := testKey()
	temporary.SessionToken = core.NewSecret("token//+=")
	v, lasting := environment(t, v4(temporary)), environment(t, v4(testKey()))
	good := p4().with("X-Amz-Security-Token", "token//+=")
	expect(t, v, good.raw(), accepted)
	expect(t, lasting, good.raw(), mismatch)
	expect(t, v, p4().with("X-Amz-Security-Token", "tokem//+=").raw(), mismatch)
	expect(t, v, p4().with("X-Amz-Security-Token", "").raw(), malformed)
	expect(t, lasting, p4().with("X-Amz-Security-Token", "").raw(), malformed)
	expect(t, v, p4().raw(), mismatch)
	m := p4()
	m.headers = append(m.headers, "X-Amz-Security-Token: token//+=")
	expect(t, v, m.raw(), notSigned)
}

// TestCrossScheme (T085): the key decides which scheme may use it.
func TestCrossScheme(t *testing.T) {
	other := core.Key{Name: "k1", ID: keyID, Secret: core.NewSecret(secret), Region: "us-east-1", Service: "execute-api"}
	key := testKey()
	key.ID = "AKOTHER"
	v := environment(t, v4(key), func(c *core.Config) {
		c.Schemes = append(c.Schemes, v4a(core.Key{Name: "k5", ID: "AKA", Secret: core.NewSecret(secret), Region: "us-east-1", Service: "execute-api"}),
			apig.New(apig.Config{Keys: core.Keys(other)}))
		c.Default = "k1"
	})
	expect(t, v, p4().raw(), foreign)
	expect(t, v, p5().raw(), foreign)
	expect(t, v, strings.Replace(p4().raw(), keyID, "AKA", 1), foreign)
	expect(t, v, strings.Replace(p4().raw(), keyID, "AKOTHER", 1), core.CodeKeyNotBound)
	expect(t, v, strings.Replace(p4().raw(), keyID, "NOPE", 1), core.CodeKeyUnknown)
}
