package sigv4_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// The key of the tests, and their instant.
const (
	keyID  = "AKTESTAKTEST0001"
	secret = "sktest-0123456789abcdef0123456789abcdef"
	date   = "20260115T120000Z"
	noBody = testkit.NoBody
)

var now = testkit.Now

func testKey() core.Key {
	return core.Key{Name: "k4", ID: keyID, Secret: core.NewSecret(secret), Region: "us-east-1", Service: "execute-api"}
}

// message is a request, and the canonical request that its signer writes: each
// can be made to say what it likes. It signs by the letter of the
// specification, with none of the package's code.
type message struct {
	method, target string
	headers        []string // as on the wire, without Authorization
	body           string

	canonicalURI, canonicalQuery, canonicalHeaders string
	signedHeaders, payload                         string

	id, token, scope, date, secret string
	// authorization is a format of token, id/scope, signed headers, signature.
	authorization string
}

// p4 is the worked value of SigV4.
func p4() message {
	return message{
		method: "GET", target: "/v1/items",
		headers:      []string{"Host: api.example.com", "X-Amz-Date: " + date},
		canonicalURI: "/v1/items", canonicalHeaders: "host:api.example.com\nx-amz-date:" + date + "\n",
		signedHeaders: "host;x-amz-date", payload: noBody,
		id: keyID, token: "AWS4-HMAC-SHA256", scope: "20260115/us-east-1/execute-api/aws4_request", date: date, secret: secret,
		authorization: "%s Credential=" + keyID + "/%s, SignedHeaders=%s, Signature=%s",
	}
}

// p5 is p4 for SigV4a.
func p5() message {
	m := p4()
	m.token, m.scope = "AWS4-ECDSA-P256-SHA256", "20260115/execute-api/aws4_request"
	return m.with("X-Amz-Region-Set", "us-east-1")
}

// with returns m with a header that is signed. Names come in sorted order.
func (m message) with(name, value string) message {
	m.headers = append(m.headers[:len(m.headers):len(m.headers)], name+": "+value)
	m.canonicalHeaders += strings.ToLower(name) + ":" + value + "\n"
	m.signedHeaders += ";" + strings.ToLower(name)
	return m
}

// withBody returns m with a body, by its hash.
func (m message) withBody(body string) message {
	m.method, m.body = "POST", body
	m.payload = fmt.Sprintf("%x", sha256.Sum256([]byte(body)))
	m.headers = append(m.headers[:len(m.headers):len(m.headers)], fmt.Sprint("Content-Length: ", len(body)))
	return m
}

// withDate returns m dated at another instant, its scope too.
func (m message) withDate(at string) message {
	for i := range m.headers {
		m.headers = append([]string(nil), m.headers...)
		m.headers[i] = strings.ReplaceAll(m.headers[i], m.date, at)
	}
	m.canonicalHeaders = strings.ReplaceAll(m.canonicalHeaders, m.date, at)
	if len(at) > 8 {
		m.scope = at[:8] + m.scope[8:]
	}
	m.date = at
	return m
}

// stringToSign follows docs/protocols.md, SigV4.
func (m message) stringToSign() string {
	canonical := strings.Join([]string{m.method, m.canonicalURI, m.canonicalQuery, m.canonicalHeaders, m.signedHeaders, m.payload}, "\n")
	return strings.Join([]string{m.token, m.date, m.scope, fmt.Sprintf("%x", sha256.Sum256([]byte(canonical)))}, "\n")
}

// signature follows docs/protocols.md, SigV4 signature and SigV4a.
func (m message) signature() string {
	if m.token != "AWS4-HMAC-SHA256" {
		digest := sha256.Sum256([]byte(m.stringToSign()))
		der, err := ecdsa.SignASN1(rand.Reader, private(m.id, m.secret), digest[:])
		if err != nil {
			panic(err)
		}
		return hex.EncodeToString(der)
	}
	key := []byte("AWS4" + m.secret)
	for part := range strings.SplitSeq(m.scope, "/") {
		key = mac(key, part)
	}
	return hex.EncodeToString(mac(key, m.stringToSign()))
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// private derives the key pair of SigV4a with big integers.
func private(id, secret string) *ecdsa.PrivateKey {
	bound := new(big.Int).Sub(elliptic.P256().Params().N, big.NewInt(2))
	for counter := 1; counter <= 254; counter++ {
		c := new(big.Int).SetBytes(mac([]byte("AWS4A"+secret),
			"\x00\x00\x00\x01AWS4-ECDSA-P256-SHA256\x00"+id+string([]byte{byte(counter)})+"\x00\x00\x01\x00"))
		if c.Cmp(bound) <= 0 {
			d, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), c.Add(c, big.NewInt(1)).FillBytes(make([]byte, 32)))
			if err != nil {
				panic(err)
			}
			return d
		}
	}
	panic("no private key")
}

// raw signs and writes the header form.
func (m message) raw() string { return m.rawWith(m.signature()) }

func (m message) rawWith(signature string) string {
	return m.unsigned("Authorization: " + fmt.Sprintf(m.authorization, m.token, m.scope, m.signedHeaders, signature))
}

func (m message) unsigned(headers ...string) string {
	return m.method + " " + m.target + " HTTP/1.1\r\n" + strings.Join(append(m.headers[:len(m.headers):len(m.headers)], headers...), "\r\n") + "\r\n\r\n" + m.body
}

// environment returns a verifier of one scheme; change may turn its policy
// into another one.
func environment(t testing.TB, scheme core.Scheme, change ...func(*core.Config)) *core.Verifier {
	t.Helper()
	c := core.Config{Environment: "prod", Default: "k4", Schemes: []core.Scheme{scheme}, Now: now}
	for _, f := range change {
		f(&c)
	}
	return testkit.New(t, c)
}

func v4(key core.Key) core.Scheme { return sigv4.New(sigv4.Config{Keys: core.Keys(key)}) }
func v4s3(key core.Key) core.Scheme {
	return sigv4.New(sigv4.Config{Keys: core.Keys(key), Paths: sigv4.S3})
}
func v4a(key core.Key) core.Scheme { return sigv4.NewA(sigv4.ConfigA{Keys: core.Keys(key)}) }

func allowUnsigned(c *core.Config)  { c.AllowUnsignedPayload = true }
func allowPresigned(c *core.Config) { c.AllowPresigned = true }

// verify reads raw as a server does and returns the verdict.
func verify(t testing.TB, v *core.Verifier, raw string) (*core.Identity, core.Code) {
	t.Helper()
	r := testkit.Received(t, raw)
	defer core.Release(r)
	id, err := v.Verify(r)
	if (err == nil) != id.Verified() {
		t.Fatalf("got identity %v and error %v", id, err)
	}
	return id, core.CodeOf(err)
}

// expect fails the test where the verdict is not want; "" is acceptance.
func expect(t testing.TB, v *core.Verifier, raw string, want core.Code) {
	t.Helper()
	if _, got := verify(t, v, raw); got != want {
		t.Errorf("got %q, want %q\n%q", got, want, raw)
	}
}

func hexOf(b []byte) string { return hex.EncodeToString(b) }
