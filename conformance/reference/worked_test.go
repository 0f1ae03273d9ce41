package reference_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/conformance/reference"
)

// worked is a worked or published value of docs/protocols.md.
type worked struct {
	name    string
	key     reference.Key
	message string // its lines end with LF
	body    string
	at      string
	texts   []string // what the document shows of it, besides the signature
}

const (
	workedID     = "AKTESTAKTEST0001"
	workedSecret = "sktest-0123456789abcdef0123456789abcdef"
	get          = "GET /v1/items HTTP/1.1\nHost: api.example.com\nX-Sdk-Date: 20260115T120000Z\nAuthorization: "
	post         = "POST /v1/items HTTP/1.1\nHost: api.example.com\nX-Sdk-Date: 20260115T120000Z\nContent-Length: 14\nAuthorization: "
	payment      = `{"amount":100}`
	list         = ", SignedHeaders=host;x-sdk-date, Signature="
	inQuery      = "GET /v1/items?X-Sdk-Algorithm=SDK-HMAC-SHA256&X-Sdk-Credential=AKTESTAKTEST0001{scope}&X-Sdk-Date=20260115T120000Z&X-Sdk-Expires=300&X-Sdk-SignedHeaders=host&X-Sdk-Signature={signature} HTTP/1.1\nHost: api.example.com\n"
	path         = "GET /path?limit=1 HTTP/1.1\nHost: api.example.com\nX-Sdk-Date: 20060102T150405Z\nAuthorization: "
)

func workedKey(keyType string, options ...string) reference.Key {
	k := reference.Key{ID: workedID, Type: keyType, Secrets: []string{workedSecret}, Options: map[string]string{}}
	for i := 0; i < len(options); i += 2 {
		k.Options[options[i]] = options[i+1]
	}
	return k
}

func withSecret(k reference.Key, id, secret string) reference.Key {
	k.ID, k.Secrets = id, []string{secret}
	return k
}

var workedValues = []worked{
	{name: "Flat key, no body", key: workedKey("hmac"),
		message: get + "SDK-HMAC-SHA256 Access=AKTESTAKTEST0001" + list + "cb3128d2ea5ec59f2d17b821e4d9f2b89ebab00480e3cdcef7a73963f66bf868\n",
		texts:   []string{"d6b67001044f85822fea15b8cefcc0f06aaa56e84cef583b0e9be65d648d6bb0"}},
	{name: "Flat key, a query and a body", key: workedKey("hmac"), body: payment,
		message: strings.Replace(post, "/items", "/items?a=1&b=", 1) + "SDK-HMAC-SHA256 Access=AKTESTAKTEST0001" + list + "0498b4c814b625bfeb2064ba494f5e54b5f785b2792f25115a13fc559986f936\n",
		texts:   []string{"1224b293a190f43dbf90cb4d5b980b6038cb45ad3d9bcd57a5c889212ddbc1d5", "4d4bbe59c6aad22442cde199a6a8a5f034405fcd78fb5a81c24ef249de1c45f1"}},
	{name: "Flat key, query form", key: workedKey("hmac"),
		message: strings.NewReplacer("{scope}", "", "{signature}", "9541489b115940cf31159f26726df674acc354ff48c684ab25df669dd5f496e9").Replace(inQuery),
		texts:   []string{"c14377a26cb6551d0d8a4820b87bfe26a780d66485d9cecec95cb7898efb0e63"}},
	{name: "Flat key, published value 1", key: withSecret(workedKey("hmac"), "any", "MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc"), at: "20191115T033655Z",
		message: "GET /v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs?limit=2&marker=13551d6b-755d-4757-b956-536f674975c0 HTTP/1.1\nHost: service.region.example.com\nContent-Type: application/json\nX-Sdk-Date: 20191115T033655Z\nAuthorization: SDK-HMAC-SHA256 Access=any, SignedHeaders=content-type;host;x-sdk-date, Signature=7be6668032f70418fcc22abc52071e57aff61b84a1d2381bb430d6870f4f6ebe\n",
		texts:   []string{"b25362e603ee30f4f25e7858e8a7160fd36e803bb2dfe206278659d71a9bcd7a"}},
	{name: "Flat key, published value 2", key: withSecret(workedKey("hmac"), "AccessKey", "SecretKey"), at: "20060102T150405Z",
		message: path + "SDK-HMAC-SHA256 Access=AccessKey, SignedHeaders=x-sdk-date, Signature=5a2ce64c865e0e6046321c6f3d5a77ba8413eeaf355c3166c03d58d02ac79624\n",
		texts:   []string{"85c3b7730f308aee452b16138a42a914397e43a8f0d732dfa521c0ef2afa98a4"}},
	{name: "Scoped key", key: workedKey("aksk", "region", "cn-north-4", "service", "apig"),
		message: get + "SDK-HMAC-SHA256 Credential=AKTESTAKTEST0001/20260115/cn-north-4/apig/sdk_request" + list + "9596d87a0031752c865248525f6ffc0cf2609f771f0189cf5c4d1f8e6e2e171b\n",
		texts:   []string{"20260115/cn-north-4/apig/sdk_request"}},
	{name: "Scoped key, query form", key: workedKey("aksk", "region", "cn-north-4", "service", "apig"),
		message: strings.NewReplacer("{scope}", "%2F20260115%2Fcn-north-4%2Fapig%2Fsdk_request", "{signature}", "b74080baba38da5525ee7eca068a03720577e4fab4e5c1b14c8f20c08c176ec0").Replace(inQuery),
		texts:   []string{"7e8da673723d05a138735eb4f69b387ddfb491ce2b63d55864ed9245ff1d1b48"}},
	{name: "V11", key: workedKey("v11", "region", "cn-north-4", "service", "apig"),
		message: get + "V11-HMAC-SHA256 Credential=AKTESTAKTEST0001/20260115/cn-north-4/apig" + list + "0b9a29bed88eb06b650a5b6156c0060f4707b4865255a794e64e6cfba5599013\n"},
	{name: "V11, published value", key: withSecret(workedKey("v11", "region", "test-region-1", "service", "demo"), "AccessKey", "SecretKey"), at: "20060102T150405Z",
		message: path + "V11-HMAC-SHA256 Credential=AccessKey/20060102/test-region-1/demo, SignedHeaders=x-sdk-date, Signature=8fd3610508884bb19718317797c7378716a94bc740d97502e569322e366341cc\n"},
	{name: "SM3", key: workedKey("hmac-sm3"), body: payment,
		message: post + "SDK-HMAC-SM3 Access=AKTESTAKTEST0001" + list + "fb15e31a228d81562aa0a8459d825029c9d6fba9c26ea870b48a480b880a0264\n",
		texts:   []string{"2367513125e892e0d1402f1109d63c33c091090f87390075abc53f006d0959ea", "f6464bafc2cfc130ef7c86fe6ef4d8dcdac960f14335feb1f594df26cb236235"}},
	{name: "ECDSA", key: workedKey("ecdsa-p256"), body: payment,
		message: post + "SDK-ECDSA-P256-SHA256 Access=AKTESTAKTEST0001" + list + "304402205eb1dabdf594a9b8e8050fde756a47a8b4b7cefc63865b24a1442b57b3de37ab022057b19851a3d59eb3a575c4b4e6224543b69a45ada764ccafeaba2ff4f49ece70\n",
		texts:   []string{"373141b105c1bb840f364ab34403cc7be2b3ac55d5d4e0e0373e8810bc8e97c0"}},
	{name: "SM2", key: workedKey("sm2"), body: payment,
		message: post + "SDK-SM2-SM3 Access=AKTESTAKTEST0001" + list + "3045022100a39a8debcd26813565b84fde29eabddd7d6ff30f455795e4cd946dc4ecd7790402204db9f0ec7383fa97064dd104485326e51ce20240e5a7bc21783afbb47cef6d34\n"},
	{name: "AES, 128 bits", key: withSecret(workedKey("aes"), "any", "aesKey-123456789vector-987654321"),
		message: get + "SDK-AES-128-CFB" + list[1:] + "a7e312e16904567213978263c418d75feadf6918d18c478b5b15e90e9609ff8b\n"},
	{name: "AES, 256 bits", key: withSecret(workedKey("aes"), "any", "aesKey-123456789-0123456789abcdevector-987654321"),
		message: get + "SDK-AES-256-CFB Access=any" + list + "e8c12aba7807f7ad929bdec92ad11174ce4963825aec2c1e15e92d9b8749ee1b\n"},
	{name: "SigV4", key: workedKey("sigv4", "region", "us-east-1", "service", "execute-api"),
		message: strings.Replace(get, "X-Sdk", "X-Amz", 1) + "AWS4-HMAC-SHA256 Credential=AKTESTAKTEST0001/20260115/us-east-1/execute-api/aws4_request, SignedHeaders=host;x-amz-date, Signature=8bebe40d96bd54623c6fe6da4ee1c541cf55b13eeb5b1d0c82dd5aa0b5d00013\n",
		texts:   []string{"cb98a9cae5051ceaae0809d1c20be35bbc98516555e9a674b29f58bbc1b6dc5f"}},
	{name: "SigV4, published value of S3", at: "20130524T000000Z",
		key:     withSecret(workedKey("sigv4", "region", "us-east-1", "service", "s3", "paths", "s3"), "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
		message: "GET /test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404 HTTP/1.1\nHost: examplebucket.s3.amazonaws.com\n",
		texts:   []string{"3bfa292879f6447bbcda7001decf97f4a54dc650c8942174ae0a9121cf58ad04", "UNSIGNED-PAYLOAD"}},
	{name: "SigV4a, published value", at: "20150830T123600Z",
		key:     withSecret(workedKey("sigv4a", "region", "us-east-1", "service", "service"), "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
		message: "GET / HTTP/1.1\nHost: example.amazonaws.com\nX-Amz-Date: 20150830T123600Z\nX-Amz-Region-Set: us-east-1\nAuthorization: AWS4-ECDSA-P256-SHA256 Credential=AKIDEXAMPLE/20150830/service/aws4_request, SignedHeaders=host;x-amz-date;x-amz-region-set, Signature=3046022100fddaaf816a31e30d04973875b13bc27b98da10907a3a1872fd5819a221334abc022100de2ee81d83b54f31efc82834de07e6cd4d5c6f25bfa08e0f29a15bb0977c343e\n",
		texts:   []string{"cf59db423e841c8b7e3444158185aa261b724a5c27cbe762676f3eed19f4dc02"}},
	{name: "Basic", key: withSecret(workedKey("basic"), "basicuser", "basic-pass-123"),
		message: "GET / HTTP/1.1\nHost: api.example.com\nAuthorization: Basic YmFzaWN1c2VyOmJhc2ljLXBhc3MtMTIz\n"},
}

// signatureOf finds the signature of a message, or the credential of Basic.
var signatureOf = regexp.MustCompile(`[0-9a-f]{64,}|YmFz\w+`)

// TestWorkedValues judges the worked and the published values of docs/protocols.md, which has to
// have them still.
func TestWorkedValues(t *testing.T) {
	document, err := os.ReadFile("../../docs/protocols.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range workedValues {
		t.Run(w.name, func(t *testing.T) {
			if w.at == "" {
				w.at = "20260115T120000Z"
			}
			now, err := time.Parse("20060102T150405Z", w.at)
			if err != nil {
				t.Fatal(err)
			}
			raw := strings.ReplaceAll(w.message+"\n", "\n", "\r\n") + w.body
			s := reference.Settings{Keys: []reference.Key{w.key}, Now: now, AllowPresigned: true, AllowUnsignedPayload: true, RequireSigned: []string{}}
			got := reference.Judge([]byte(raw), s)
			if !got.Valid || len(got.Policies) > 0 {
				t.Errorf("%q, policies %q; want it accepted", got.Why, got.Policies)
			}
			for _, text := range w.texts {
				if !strings.Contains(got.CanonicalRequest+"\n"+got.StringToSign, text) {
					t.Errorf("%s is not in\n%s\n\n%s", text, got.CanonicalRequest, got.StringToSign)
				}
			}
			signature := signatureOf.FindString(w.message)
			for _, text := range append(w.texts, signature) {
				if text == "" || !strings.Contains(string(document), text) {
					t.Errorf("docs/protocols.md does not have %q", text)
				}
			}
			changed := strings.Replace(raw, signature, flip(signature), 1)
			if got := reference.Judge([]byte(changed), s); got.Valid {
				t.Error("accepted with another last digit")
			}
		})
	}
}

// TestBasicIsASCII has a token that is Basic only by the case folding of Unicode.
func TestBasicIsASCII(t *testing.T) {
	key := withSecret(workedKey("basic"), "basicuser", "basic-pass-123")
	for token, valid := range map[string]bool{"bASIC": true, "Ba\u017fic": false} {
		raw := "GET / HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: " + token + " YmFzaWN1c2VyOmJhc2ljLXBhc3MtMTIz\r\n\r\n"
		if got := reference.Judge([]byte(raw), reference.Settings{Keys: []reference.Key{key}}); got.Valid != valid {
			t.Errorf("%s: valid=%t, want %t", token, got.Valid, valid)
		}
	}
}

// flip changes the last digit.
func flip(text string) string {
	if last := len(text) - 1; text[last] != '0' {
		return text[:last] + "0"
	}
	return text[:len(text)-1] + "1"
}
