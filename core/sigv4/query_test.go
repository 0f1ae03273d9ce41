package sigv4_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/replay"
)

// presign returns m in the query form with the canonical query that its signer
// writes, as it stands there, too.
func (m message) presign(expires string, more ...string) message {
	m.headers = []string{"Host: api.example.com"}
	m.canonicalHeaders, m.signedHeaders = "host:api.example.com\n", "host"
	// Sorted: the names between Date and SignedHeaders begin with E and R or S.
	parameters := []string{
		"X-Amz-Algorithm=" + m.token,
		"X-Amz-Credential=" + url.QueryEscape(keyID+"/"+m.scope),
		"X-Amz-Date=" + m.date, "X-Amz-Expires=" + expires,
	}
	parameters = append(parameters, more...)
	m.canonicalQuery = strings.Join(append(parameters, "X-Amz-SignedHeaders=host"), "&")
	return m
}

// link signs and writes the query form.
func (m message) link() string {
	m.target += "?" + m.canonicalQuery + "&X-Amz-Signature=" + m.signature()
	return m.unsigned()
}

// TestQueryForm: what a holder of the secret may write, and what not.
func TestQueryForm(t *testing.T) {
	v := environment(t, v4(testKey()), allowPresigned)
	good := p4().presign("60").link()
	id, code := verify(t, v, good)
	if code != "" || id.Payload() != core.PayloadHashed || !id.Covers().Host {
		t.Fatalf("got %q, %v", code, id.Covers())
	}
	expect(t, environment(t, v4(testKey())), good, foreign)
	replaced := func(old, replacement string) string {
		if strings.Count(good, old) != 1 {
			t.Fatalf("%q occurs %d times", old, strings.Count(good, old))
		}
		return strings.Replace(good, old, replacement, 1)
	}
	signature := good[strings.Index(good, "X-Amz-Signature=")+len("X-Amz-Signature=") : strings.Index(good, " HTTP/1.1")]
	for _, tt := range []struct {
		name string
		raw  string
		want core.Code
	}{
		{"slashes as they stand", strings.ReplaceAll(good, "%2F", "/"), accepted},
		{"signature first", strings.Replace(replaced("&X-Amz-Signature="+signature, ""), "?", "?X-Amz-Signature="+signature+"&", 1), accepted},
		{"signature's name encoded", replaced("X-Amz-Signature=", "X-Amz-%53ignature="), accepted},
		{"T161 other host", replaced("api.example.com", "api.example.org"), mismatch},
		{"T161 other method", replaced("GET ", "PUT "), mismatch},
		{"T161 another parameter", replaced("&X-Amz-Signature", "&a=1&X-Amz-Signature"), mismatch},
		{"T161 longer", replaced("X-Amz-Expires=60", "X-Amz-Expires=61"), mismatch},
		{"T161 signature in a header", strings.Replace(replaced("&X-Amz-Signature="+signature, ""), "\r\n\r\n", "\r\nX-Amz-Signature: "+signature+"\r\n\r\n", 1), malformed},
		{"T054 case twin", replaced("X-Amz-Expires=60", "X-Amz-Expires=60&x-amz-expires=604800"), ambiguous},
		{"T054 case twin first", replaced("X-Amz-Algorithm", "x-amz-expires=604800&X-Amz-Algorithm"), ambiguous},
		{"T054 another case alone", replaced("X-Amz-Expires", "x-amz-expires"), ambiguous},
		{"T054 another case of the date alone", replaced("X-Amz-Date", "X-Amz-DATE"), ambiguous},
		{"T054 case twin of the signature", replaced("&X-Amz-Signature=", "&x-amz-signature="+signature+"&X-Amz-Signature="), ambiguous},
		{"T054 case twin, encoded", replaced("X-Amz-Expires=60", "X-Amz-Expires=60&X-Amz-%65xpires=60"), ambiguous},
		{"algorithm twice", replaced("X-Amz-Algorithm", "X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256&X-Amz-Algorithm"), ambiguous},
		{"signature twice", replaced("&X-Amz-Signature=", "&X-Amz-Signature="+signature+"&X-Amz-Signature="), ambiguous},
		{"signature twice, encoded", replaced("&X-Amz-Signature=", "&X-Amz-%53ignature="+signature+"&X-Amz-Signature="), ambiguous},
		{"token twice", replaced("&X-Amz-Signature=", "&X-Amz-Security-Token=a&X-Amz-Security-Token=a&X-Amz-Signature="), ambiguous},
		{"digest twice, in two cases", replaced("&X-Amz-Signature=", "&X-Amz-Content-Sha256="+noBody+"&x-amz-content-sha256="+noBody+"&X-Amz-Signature="), ambiguous},
		{"date in a header as well", replaced("\r\n\r\n", "\r\nX-Amz-Date: "+date+"\r\n\r\n"), ambiguous},
		{"token in a header as well", strings.Replace(replaced("&X-Amz-Signature=", "&X-Amz-Security-Token=a&X-Amz-Signature="), "\r\n\r\n", "\r\nX-Amz-Security-Token: a\r\n\r\n", 1), ambiguous},
		{"token in a header alone", replaced("\r\n\r\n", "\r\nX-Amz-Security-Token: a\r\n\r\n"), notSigned},
		{"T166", replaced("\r\n\r\n", "\r\nX-Amz-Copy-Source: /b/k\r\n\r\n"), notSigned},
		{"T012", replaced("\r\n\r\n", "\r\nAuthorization: x\r\n\r\n"), ambiguous},
		{"no algorithm", replaced("X-Amz-Algorithm=AWS4-HMAC-SHA256&", ""), malformed},
		{"no credential", replaced("X-Amz-Credential=", "X-Amz-Credentials="), malformed},
		{"no date", replaced("X-Amz-Date=", "X-Amz-Dates="), malformed},
		{"no list", replaced("X-Amz-SignedHeaders=host&", ""), malformed},
		{"no signature", replaced("&X-Amz-Signature="+signature, ""), malformed},
		{"empty signature", replaced(signature, ""), malformed},
		{"nothing but the signature", "GET /?X-Amz-Signature=a HTTP/1.1\r\nHost: h\r\n\r\n", malformed},
		{"in lower case throughout", strings.ReplaceAll(good, "X-Amz-", "x-amz-"), core.CodeCredentialMissing},
		{"another algorithm", replaced("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), core.CodeCredentialMissing},
		{"T018", replaced(signature, signature[:63]), malformed},
		{"T018 encoded twice", replaced(signature, "%25"+signature[1:]), malformed},
		{"host is not signed", replaced("X-Amz-SignedHeaders=host", "X-Amz-SignedHeaders="), notSigned},
		{"another scope's day", replaced("20260115%2F", "20260114%2F"), malformed},
		{"T086", replaced("%2Faws4_request", "%2Fsdk_request"), malformed},
		{"T079", replaced(keyID, "NOPE"), core.CodeKeyUnknown},
	} {
		t.Run(tt.name, func(t *testing.T) { expect(t, v, tt.raw, tt.want) })
	}
	// T054: parameters that are not the protocol's are verified byte for byte.
	m := p4().presign("60")
	m.canonicalQuery = "Action=A&" + m.canonicalQuery + "&action=B"
	expect(t, v, m.link(), accepted)
	expect(t, v, strings.Replace(m.link(), "action=B", "action=A", 1), mismatch)
}

// TestExpires (T160).
func TestExpires(t *testing.T) {
	v := environment(t, v4(testKey()), allowPresigned)
	expect(t, v, p4().presign("0").link(), malformed)
	expect(t, v, p4().presign("604801").link(), malformed)
	m := p4().presign("60")
	m.canonicalQuery = strings.Replace(m.canonicalQuery, "X-Amz-Expires=60&", "", 1)
	expect(t, v, m.link(), malformed)
	expect(t, v, p4().presign("60", "X-Amz-Expires=60").link(), ambiguous)

	for _, tt := range []struct {
		date, expires string
		want          core.Code
	}{
		{"20260115T115900Z", "60", accepted}, {"20260115T115859Z", "60", core.CodeSignatureExpired},
		{"20260108T120000Z", "604800", accepted}, {"20260108T115959Z", "604800", core.CodeSignatureExpired},
		{"20260115T115959Z", "1", accepted}, {"20260115T115958Z", "1", core.CodeSignatureExpired},
		{"20260115T121500Z", "1", accepted}, {"20260115T121501Z", "604800", core.CodeSignatureNotYetValid},
		{"20260230T000000Z", "60", malformed}, {"2026-01-15T12:00:00Z", "60", malformed},
	} {
		m := p4()
		m.date, m.scope = tt.date, strings.Replace(tt.date, "-", "", -1)[:8]+m.scope[8:]
		expect(t, v, m.presign(tt.expires).link(), tt.want)
	}
}

// TestPresignedPayload (T162, T065 to T068 in the query).
func TestPresignedPayload(t *testing.T) {
	object := testKey()
	object.Service = "s3"
	onS3 := func(m message) message { m.scope = strings.Replace(m.scope, "execute-api", "s3", 1); return m }
	digest := func(m message, name, value string) message {
		m.payload = value
		m = m.presign("60")
		if name == "X-Amz-Content-Sha256" {
			m.canonicalQuery = strings.Replace(m.canonicalQuery, "&X-Amz-Credential", "&"+name+"="+value+"&X-Amz-Credential", 1)
		} else {
			m.canonicalQuery += "&" + name + "=" + value
		}
		return m
	}
	put := p4().withBody("PUT")
	sent := func(m message) string { // what presign takes away is not signed here
		m.headers = append(m.headers, "Content-Length: 3")
		return m.link()
	}
	hash := put.payload
	undeclared := put
	undeclared.payload = "UNSIGNED-PAYLOAD"
	normal := environment(t, v4(testKey()), allowPresigned)
	normalOpen := environment(t, v4(testKey()), allowPresigned, allowUnsigned)
	s3, s3Open := environment(t, v4s3(object), allowPresigned), environment(t, v4s3(object), allowPresigned, allowUnsigned)
	for _, tt := range []struct {
		name string
		v    *core.Verifier
		raw  string
		want core.Code
	}{
		{"hash", normal, sent(put.presign("60")), accepted},
		{"another body", normal, strings.Replace(sent(put.presign("60")), "\r\n\r\nPUT", "\r\n\r\nPUS", 1), mismatch},
		{"not said to be unsigned", normalOpen, sent(undeclared.presign("60")), mismatch},
		{"said to be unsigned", normal, sent(digest(put, "X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")), unsigned},
		{"said and allowed", normalOpen, sent(digest(put, "X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")), accepted},
		{"said in lower case", normalOpen, sent(digest(put, "x-amz-content-sha256", "UNSIGNED-PAYLOAD")), accepted},
		{"declared", normal, sent(digest(put, "X-Amz-Content-Sha256", hash)), accepted},
		{"declared in lower case", normal, sent(digest(put, "x-amz-content-sha256", hash)), accepted},
		{"declared, of another body", normal, sent(digest(put, "X-Amz-Content-Sha256", noBody)), wrongBody},
		{"a word", normalOpen, sent(digest(put, "X-Amz-Content-Sha256", "sausages")), malformed},
		{"with a space", normalOpen, sent(digest(put, "X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD%20")), malformed},
		{"T068", normalOpen, sent(digest(put, "X-Amz-Content-Sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")), chunked},
		{"S3, T162", s3, sent(onS3(undeclared).presign("60")), unsigned},
		{"S3, allowed", s3Open, sent(onS3(undeclared).presign("60")), accepted},
		{"S3, hash not declared", s3Open, sent(onS3(put).presign("60")), mismatch},
		{"S3, declared", s3, sent(digest(onS3(put), "X-Amz-Content-Sha256", hash)), accepted},
		{"S3 paths of another service", environment(t, v4s3(testKey()), allowPresigned), sent(put.presign("60")), accepted},
	} {
		t.Run(tt.name, func(t *testing.T) { expect(t, tt.v, tt.raw, tt.want) })
	}
	if id, _ := verify(t, s3Open, sent(onS3(undeclared).presign("60"))); id.Covers().Body {
		t.Error("T162: the identity says that the body is covered")
	}
	// A signed header declares as well; beside the parameter it leaves two.
	header := put.presign("60")
	header.headers = append(header.headers, "Content-Length: 3", "X-Amz-Content-Sha256: "+hash)
	header.canonicalHeaders, header.signedHeaders = header.canonicalHeaders+"x-amz-content-sha256:"+hash+"\n", "host;x-amz-content-sha256"
	header.canonicalQuery = strings.Replace(header.canonicalQuery, "=host", "=host%3Bx-amz-content-sha256", 1)
	expect(t, normal, header.link(), accepted)
	header.canonicalQuery = strings.Replace(header.canonicalQuery, "&X-Amz-Credential", "&X-Amz-Content-Sha256="+hash+"&X-Amz-Credential", 1)
	expect(t, normal, header.link(), ambiguous)
}

// TestPresignedToken (T161).
func TestPresignedToken(t *testing.T) {
	temporary := testKey()
	temporary.SessionToken = core.NewSecret("token//+=")
	v, lasting := environment(t, v4(temporary), allowPresigned), environment(t, v4(testKey()), allowPresigned)
	const parameter = "X-Amz-Security-Token=token%2F%2F%2B%3D"
	good := p4().presign("60", parameter).link()
	expect(t, v, good, accepted)
	expect(t, lasting, good, mismatch)
	expect(t, v, strings.Replace(good, "&"+parameter, "", 1), mismatch)
	expect(t, v, strings.Replace(good, parameter, "X-Amz-Security-Token=", 1), malformed)
	expect(t, v, strings.Replace(good, parameter, "X-Amz-Security-Token=token%2F%2F%2B", 1), mismatch)
	expect(t, v, p4().presign("60").link(), mismatch)
	unsigned := strings.Replace(p4().presign("60").link(), "&X-Amz-Signature", "&"+parameter+"&X-Amz-Signature", 1)
	expect(t, v, unsigned, mismatch)
}

// FuzzQueryForm: no query makes Parse panic, and what it takes for a credential
// says each thing once.
func FuzzQueryForm(f *testing.F) {
	_, good, _ := strings.Cut(p4().presign("60", "X-Amz-Security-Token=a").link(), "?")
	good, _, _ = strings.Cut(good, " ")
	_, regional, _ := strings.Cut(p5().presign("60", "X-Amz-Region-Set=us-east-1%2C%2A").link(), "?")
	regional, _, _ = strings.Cut(regional, " ")
	for _, seed := range []string{good, regional, "X-Amz-Signature", "X-Amz-Algorithm=AWS4-HMAC-SHA256", strings.ToLower(good),
		good + "&" + good, strings.ReplaceAll(good, "-", "%2d"), good + "&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD"} {
		f.Add(seed)
	}
	schemes := []core.Scheme{v4(testKey()), v4s3(testKey()), v4a(testKey())}
	f.Fuzz(func(t *testing.T, query string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.RequestURI = "/?" + query
		for _, s := range schemes {
			var c core.Credential
			if s.Parse(r, &c) != nil {
				continue
			}
			if !c.Presigned || !c.SignsRequest || c.Date != "" || c.Expires < time.Second || c.Expires > 7*24*time.Hour ||
				c.KeyID == "" || c.Region == "" || c.Service == "" || c.Signature == "" || c.Hash == nil ||
				c.Timestamp != c.Time.Format("20060102T150405Z") || !strings.HasPrefix(c.Scope, c.Timestamp[:8]+"/") {
				t.Errorf("%q: got %+v", query, c)
			}
			values, err := url.ParseQuery(query)
			if err != nil {
				continue // core refuses such a query before
			}
			for name, expected := range map[string]string{"X-Amz-Algorithm": c.Algorithm, "X-Amz-Credential": c.KeyID + "/" + c.Scope,
				"X-Amz-Date": c.Timestamp, "X-Amz-SignedHeaders": c.SignedHeaders, "X-Amz-Signature": c.Signature} {
				if got := values[name]; len(got) != 1 || got[0] != expected {
					t.Errorf("%q: %s is %q, and %q was read", query, name, got, expected)
				}
			}
			if _, _, err := s.(core.Canonicalizer).Canonical(r, &c, noBody); err != nil && c.SignedHeaders == "host" {
				t.Errorf("%q: %v", query, err)
			}
		}
	})
}

// FuzzAuthorization: no header makes Parse panic, and what it takes for a
// credential has all its parts.
func FuzzAuthorization(f *testing.F) {
	for _, m := range []message{p4(), p5()} {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(m.raw())))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(r.Header.Get("Authorization"))
	}
	f.Add("AWS4-HMAC-SHA256 Credential=a/20260115/b/c/aws4_request,SignedHeaders=x-amz-content-sha256,Signature=")
	schemes := []core.Scheme{v4(testKey()), v4a(testKey())}
	f.Fuzz(func(t *testing.T, value string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header = http.Header{"Authorization": {value}, "X-Amz-Date": {date}, "X-Amz-Region-Set": {"a,us-*"}, "X-Amz-Content-Sha256": {noBody}}
		for _, s := range schemes {
			var c core.Credential
			if s.Parse(r, &c) != nil {
				continue
			}
			if c.Presigned || c.KeyID == "" || c.Region == "" || c.Service == "" || c.Date != "x-amz-date" ||
				strings.ContainsAny(c.KeyID+c.Service, "/") || !strings.Contains(value, "="+c.KeyID+"/"+c.Scope) || !strings.Contains(value, c.Signature) {
				t.Errorf("%q: got %+v", value, c)
			}
		}
	})
}

// recorded is a replay store that keeps the last entry.
type recorded struct{ core.ReplayEntry }

func (s *recorded) Add(_ context.Context, e core.ReplayEntry) (bool, error) {
	s.ReplayEntry = e
	return true, nil
}

// TestPresignedIsKeptUntilItExpires_T088: the replay store is told how long a link
// lives, not how long a request without such a time would. A link that was used is
// refused until it has expired.
func TestPresignedIsKeptUntilItExpires_T088(t *testing.T) {
	for _, expires := range []time.Duration{time.Minute, time.Hour, 7 * 24 * time.Hour} {
		link := p4().presign(strconv.Itoa(int(expires / time.Second))).link()
		told := &recorded{}
		expect(t, environment(t, v4(testKey()), allowPresigned, func(c *core.Config) { c.Replay.Store = told }), link, accepted)
		if !told.Presigned || !told.SignedAt.Equal(now()) || !told.Until.Equal(now().Add(expires)) {
			t.Errorf("%v: the store was told %+v", expires, told.ReplayEntry)
		}
		store, err := replay.New(replay.Config{})
		if err != nil {
			t.Fatal(err)
		}
		clock := now()
		v := environment(t, v4(testKey()), allowPresigned, func(c *core.Config) {
			c.Replay.Store, c.Now = store, func() time.Time { return clock }
		})
		expect(t, v, link, accepted)
		for _, after := range []time.Duration{0, expires / 2, expires} {
			clock = now().Add(after)
			expect(t, v, link, core.CodeReplayed)
		}
	}
}

// TestParameterAndHeader_T054: what stands in the query and in a header of the same name
// is ambiguous, whichever parameter it is.
func TestParameterAndHeader_T054(t *testing.T) {
	temporary := testKey()
	temporary.SessionToken = core.NewSecret("token")
	v, regional := environment(t, v4(temporary), allowPresigned), environment(t, v4a(testKey()), allowPresigned)
	const token, set = "X-Amz-Security-Token=token", "X-Amz-Region-Set=us-east-1"
	expect(t, v, p4().presign("60", token).link(), accepted)
	expect(t, regional, p5().presign("60", set).link(), accepted)
	for _, name := range []string{"Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature", "Security-Token"} {
		expect(t, v, strings.Replace(p4().presign("60", token).link(), "\r\n", "\r\nX-Amz-"+name+": a\r\n", 1), ambiguous)
	}
	expect(t, regional, strings.Replace(p5().presign("60", set).link(), "\r\n", "\r\nX-Amz-Region-Set: us-east-1\r\n", 1), ambiguous)
}

// TestServicesOfS3_T162: for which services a link leaves the body unsigned where it says
// nothing about it.
func TestServicesOfS3_T162(t *testing.T) {
	for service, want := range map[string]core.Code{
		"s3": accepted, "s3-object-lambda": accepted, "s3-": accepted, "s": mismatch, "s3x": mismatch, "as3-x": mismatch, "execute-api": mismatch,
	} {
		key := testKey()
		key.Service = service
		m := p4()
		m.scope, m.payload = strings.Replace(m.scope, "execute-api", service, 1), "UNSIGNED-PAYLOAD"
		expect(t, environment(t, v4s3(key), allowPresigned, allowUnsigned), m.presign("60").link(), want)
	}
}
