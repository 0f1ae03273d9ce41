package aescfb_test

import (
	"bufio"
	"crypto/aes"
	"crypto/cipher"
	"encoding/hex"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/aescfb"
	"github.com/gatewayauth/gatewayauth/core/replay"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

var (
	noon   = time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
	vector = core.NewSecret("vector-987654321")
	key128 = aescfb.Key{Name: "aes_key", Algorithm: "aes-128-cfb", Key: core.NewSecret("aesKey-123456789"), Vector: vector}
	key256 = aescfb.Key{Name: "aes_key_256", Key: core.NewSecret("aesKey-123456789-0123456789abcde"), Vector: vector}
)

// The worked values of the request items below, computed with OpenSSL.
const (
	signature128 = "a7e312e16904567213978263c418d75feadf6918d18c478b5b15e90e9609ff8b"
	digest128    = "187ca058f52d824532637de5d9b86bbf432aedda67fbd6074b822aa27c0703dc"
	signature256 = "e8c12aba7807f7ad929bdec92ad11174ce4963825aec2c1e15e92d9b8749ee1b"
)

// signed is an Authorization value over the usual headers.
func signed(token, access, signature string) string {
	if access != "" {
		access = "Access=" + access + ", "
	}
	return token + " " + access + "SignedHeaders=host;x-sdk-date, Signature=" + signature
}

// items is the request of the worked values, with a credential.
func items(t *testing.T, authorization string) *http.Request {
	t.Helper()
	return read(t, "GET /v1/items HTTP/1.1\r\nHost: api.example.com\r\nX-Sdk-Date: 20260115T120000Z\r\nAuthorization: "+authorization+"\r\n\r\n")
}

func read(t *testing.T, request string) *http.Request {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(request)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func verifier(t *testing.T, bound string, schemes ...core.Scheme) *core.Verifier {
	t.Helper()
	v, err := core.New(core.Config{Environment: "prod", Schemes: schemes, Default: bound,
		Now: testkit.Now, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func both() *aescfb.Scheme { return aescfb.New(aescfb.Config{Keys: []aescfb.Key{key128, key256}}) }

// TestWorkedValues: the values that OpenSSL's enc -aes-*-cfb gives, with the
// key named by the request.
func TestWorkedValues(t *testing.T) {
	for _, tt := range []struct{ bound, token, signature string }{
		{"aes_key", "SDK-AES-128-CFB", signature128},
		{"aes_key_256", "SDK-AES-256-CFB", signature256},
	} {
		t.Run(tt.token, func(t *testing.T) {
			id, err := verifier(t, tt.bound, both()).Verify(items(t, signed(tt.token, tt.bound, tt.signature)))
			if err != nil {
				t.Fatal(err)
			}
			if id.Scheme() != "aes" || id.Algorithm() != tt.token || id.Key() != tt.bound || id.KeyID() != tt.bound {
				t.Errorf("got scheme %s, algorithm %s, key %s, id %s", id.Scheme(), id.Algorithm(), id.Key(), id.KeyID())
			}
			if c := id.Covers(); !c.Target || !c.Host || !c.Body || id.Payload() != core.PayloadHashed {
				t.Errorf("got coverage %+v, payload %v", c, id.Payload())
			}
		})
	}
}

// TestWithoutAccess: the key of the API is the one that must fit.
func TestWithoutAccess(t *testing.T) {
	for name, want := range map[string]core.Code{"aes_key": "", "aes_key_256": core.CodeSchemeNotAccepted} {
		v := verifier(t, name, both())
		_, err := v.Verify(items(t, signed("SDK-AES-128-CFB", "", signature128)))
		if core.CodeOf(err) != want {
			t.Errorf("bound to %s: got %v, want %q", name, err, want)
		}
	}
}

// TestCanonical compares with the form of AES profile 1.
func TestCanonical(t *testing.T) {
	r := items(t, signed("SDK-AES-128-CFB", "", signature128))
	var c core.Credential
	s := both()
	if err := s.Parse(r, &c); err != nil {
		t.Fatal(err)
	}
	const wantRequest = `GET
/v1/items/

host:api.example.com
x-sdk-date:20260115T120000Z

host;x-sdk-date
` + hexOfNothing
	const wantString = `SDK-AES-128-CFB
20260115T120000Z
d6b67001044f85822fea15b8cefcc0f06aaa56e84cef583b0e9be65d648d6bb0`
	request, text, err := s.Canonical(r, &c, hexOfNothing)
	if err != nil || request != wantRequest || text != wantString {
		t.Errorf("got %q\n%q\n%v", request, text, err)
	}
	if got := hex.EncodeToString(aescfb.Profile1().Plaintext([]byte(text))); got != digest128 {
		t.Errorf("digest: got %s, want %s", got, digest128)
	}
}

// TestPayload: the body counts as it does for hmac: by its hash, or by a
// declared digest that it must have.
func TestPayload(t *testing.T) {
	const digest = "b5bd0a71c1d5d2a1c57e1bc5d0e7ed1f29a43ae1a3b3d9a1b7c6b5a4a39281f0"
	sign := func(payload core.Payload, body string) *http.Request {
		r := read(t, "POST /v1/items HTTP/1.1\r\nHost: api.example.com\r\nContent-Length: 4\r\n\r\nbody")
		return testkit.Sign(aescfb.NewSigner(key128, aescfb.SignOptions{Payload: payload}), r, body, noon)
	}
	for _, tt := range []struct {
		name string
		r    *http.Request
		want core.Code
	}{
		{"hashed", sign(core.PayloadHashed, "body"), ""},
		{"hashed, other body", sign(core.PayloadHashed, "bodY"), core.CodeSignatureMismatch},
		{"declared", sign(core.PayloadDeclared, "body"), ""},
		{"declared, other body", sign(core.PayloadDeclared, "bodY"), core.CodeBodyMismatch},
		{"unsigned", sign(core.PayloadUnsigned, ""), core.CodePayloadNotSigned},
		{"digest beside the list", func() *http.Request {
			r := sign(core.PayloadHashed, "body")
			r.Header.Set("X-Sdk-Content-Sha256", digest)
			return r
		}(), ""},
		// The signature was made over the hash of the body.
		{"empty digest, signed", read(t, "POST /v1/items HTTP/1.1\r\nHost: api.example.com\r\nX-Sdk-Date: 20260115T120000Z\r\nX-Sdk-Content-Sha256:\r\n"+
			"Authorization: SDK-AES-128-CFB SignedHeaders=host;x-sdk-content-sha256;x-sdk-date, Signature=edaca99e638ced64f59a6a957b2e952205720b30d2be3c70da2d6b2401c3429f\r\n"+
			"Content-Length: 4\r\n\r\nbody"), core.CodeCredentialMalformed},
	} {
		if _, err := verifier(t, "aes_key", both()).Verify(tt.r); core.CodeOf(err) != tt.want {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}

// TestRotation: earlier keys and vectors are accepted until they end.
func TestRotation(t *testing.T) {
	key := aescfb.Key{Name: "aes_key", Key: core.NewSecret("new-key-23456789"), Vector: core.NewSecret("new-vector-54321"),
		Previous: []aescfb.Previous{
			{Key: core.NewSecret("old-key-23456789")},
			{Key: key128.Key, Vector: vector, Until: noon.Add(time.Second)},
		}}
	second := aescfb.Key{Name: "aes_key", Key: core.NewSecret("old-key-23456789"), Vector: key.Vector}
	for index, signer := range []aescfb.Key{key, second, key128} {
		r := items(t, "")
		if err := aescfb.NewSigner(signer, aescfb.SignOptions{}).Sign(r, hexOfNothing, noon); err != nil {
			t.Fatal(err)
		}
		id, err := verifier(t, "aes_key", aescfb.New(aescfb.Config{Keys: []aescfb.Key{key}})).Verify(r)
		if err != nil || id.Secret() != index {
			t.Errorf("secret %d: got %v, %v", index, id, err)
		}
	}
	// A vector can be replaced alone, too.
	vectors := aescfb.Key{Name: "aes_key", Key: key128.Key, Vector: core.NewSecret("new-vector-54321"), Previous: []aescfb.Previous{{Vector: vector}}}
	if id, err := verifier(t, "aes_key", aescfb.New(aescfb.Config{Keys: []aescfb.Key{vectors}})).Verify(items(t, signed("SDK-AES-128-CFB", "aes_key", signature128))); err != nil || id.Secret() != 1 {
		t.Errorf("an earlier vector: got %v, %v", id, err)
	}
	key.Previous[1].Until = noon
	_, err := verifier(t, "aes_key", aescfb.New(aescfb.Config{Keys: []aescfb.Key{key}})).Verify(items(t, signed("SDK-AES-128-CFB", "aes_key", signature128)))
	if core.CodeOf(err) != core.CodeSignatureMismatch {
		t.Errorf("after its end: got %v", err)
	}
}

// TestReplay_T088 is that the second of two equal requests, and only that, is a replay.
func TestReplay_T088(t *testing.T) {
	store, err := replay.New(replay.Config{})
	if err != nil {
		t.Fatal(err)
	}
	v := testkit.New(t, core.Config{Environment: "prod", Schemes: []core.Scheme{both()}, Default: "aes_key", Now: testkit.Now, Replay: core.Replay{Store: store}})
	for _, path := range []string{"/v1/items", "/v1/orders"} {
		for _, want := range []core.Code{"", core.CodeReplayed} {
			r := items(t, "")
			r.RequestURI = path
			if err := aescfb.NewSigner(key128, aescfb.SignOptions{}).Sign(r, hexOfNothing, noon); err != nil {
				t.Fatal(err)
			}
			if _, err := v.Verify(r); core.CodeOf(err) != want {
				t.Errorf("%s: got %v, want %q", path, err, want)
			}
		}
	}
}

// TestQueryOrder is that the signer signs what Canonical shows, where the two orders of the
// query differ, and that Verify takes both.
func TestQueryOrder(t *testing.T) {
	const decoded, encoded = "a-=0&a%2F=0", "a%2F=0&a-=0" // '-' is before '/', and after '%'
	s := both()
	r := items(t, "")
	r.RequestURI = "/v1/items?" + encoded
	if err := aescfb.NewSigner(key128, aescfb.SignOptions{}).Sign(r, hexOfNothing, noon); err != nil {
		t.Fatal(err)
	}
	var c core.Credential
	if err := s.Parse(r, &c); err != nil {
		t.Fatal(err)
	}
	request, text, err := s.Canonical(r, &c, hexOfNothing)
	if err != nil || strings.Split(request, "\n")[2] != decoded {
		t.Errorf("got %q, %v", request, err)
	}
	for _, query := range []string{decoded, encoded} {
		shown := strings.Replace(request, decoded, query, 1)
		other := string(aescfb.Profile1().StringToSign(nil, "SDK-AES-128-CFB", c.Timestamp, []byte(shown)))
		if query == decoded && other != text {
			t.Errorf("got the string to sign %q, want %q", text, other)
		}
		signature := hex.EncodeToString(encrypted(t, aescfb.Profile1().Plaintext([]byte(other))))
		if query == decoded && signature != c.Signature {
			t.Errorf("the signer signs %s, want %s", c.Signature, signature)
		}
		r.Header.Set("Authorization", signed("SDK-AES-128-CFB", "aes_key", signature))
		if _, err := verifier(t, "aes_key", s).Verify(r); err != nil {
			t.Errorf("%s: %v", query, err)
		}
	}
}

// encrypted is AES-CFB by crypto/cipher, with key128.
func encrypted(t *testing.T, plaintext []byte) []byte {
	t.Helper()
	block, err := aes.NewCipher([]byte(key128.Key.Reveal()))
	if err != nil {
		t.Fatal(err)
	}
	out := make([]byte, len(plaintext))
	//lint:ignore SA1019 as another implementation
	cipher.NewCFBEncrypter(block, []byte(vector.Reveal())).XORKeyStream(out, plaintext)
	return out
}

const hexOfNothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
