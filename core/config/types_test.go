package config_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/aescfb"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/apig/sm"
	"github.com/gatewayauth/gatewayauth/core/config"
	"github.com/gatewayauth/gatewayauth/core/signer"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
)

// TestEveryType: what each type's own signer signs verifies with a key of that
// type from the file, and with no other key of the file.
func TestEveryType(t *testing.T) {
	const fields = "key: ACCESSKEY0001, secret: a-secret-of-some-length"
	key := core.Key{Name: "the_key", ID: "ACCESSKEY0001", Secret: core.NewSecret("a-secret-of-some-length"),
		Region: "cn-north-4", Service: "apig"}
	const scope = ", region: cn-north-4, service: apig"
	for name, tt := range map[string]struct {
		fields string
		sign   signer.Signer
	}{
		"hmac":       {fields, apig.NewSigner(key, apig.SignOptions{})},
		"aksk":       {fields + scope, apig.NewScopedSigner(key, apig.SignOptions{})},
		"v11":        {fields + scope, apig.NewV11Signer(key, apig.SignOptions{})},
		"ecdsa-p256": {fields, apig.NewECDSASigner(key, apig.SignOptions{})},
		"hmac-sm3":   {fields, sm.NewSigner(key, apig.SignOptions{})},
		"sm2":        {fields, sm.NewSM2Signer(key, apig.SignOptions{})},
		"sigv4":      {fields + scope + ", paths: normalized", sigv4.NewSigner(key, sigv4.SignOptions{})},
		"sigv4a":     {fields + scope, sigv4.NewSignerA(key, sigv4.SignOptions{})},
		"aes": {"key: aesKey-123456789, secret: vector-987654321, algorithm: aes-128-cfb", aescfb.NewSigner(
			aescfb.Key{Name: "the_key", Key: core.NewSecret("aesKey-123456789"), Vector: core.NewSecret("vector-987654321")}, aescfb.SignOptions{})},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, t.TempDir(), "environments.yaml", "environments:\n  RELEASE:\n    keys:\n"+
				"      - {name: the_key, type: "+name+", "+tt.fields+"}\n"+
				"      - {name: other, type: basic, key: other, secret: other-password}\n    default: the_key\n")
			f, err := config.Load(path)
			if err != nil {
				t.Fatal(err)
			}
			v, err := f.Verifier("RELEASE", quiet)
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequest("GET", "/v1/items%20x?b=2&a=1", nil)
			h := tt.sign.NewHash()
			if err := tt.sign.Sign(r, hex.EncodeToString(h.Sum(nil)), time.Now()); err != nil {
				t.Fatal(err)
			}
			id, err := v.Verify(r)
			if err != nil || id.Scheme() != name || id.Key() != "the_key" {
				t.Fatalf("got %v, %v", id, err)
			}
			r.RequestURI = "/v1/items%20y?b=2&a=1"
			if _, err := v.Verify(r); core.CodeOf(err) != core.CodeSignatureMismatch {
				t.Errorf("another path: got %v", err)
			}
		})
	}
}

// TestAESKeys: the gateway's two algorithms, by name or by the key's length, and
// what was rotated, as far as it was.
func TestAESKeys(t *testing.T) {
	const (
		key128, key256 = "aesKey-123456789", "aesKey-123456789-0123456789abcde"
		vector         = "vector-987654321"
	)
	t.Setenv("AES_KEY_OF_THIS_TEST", key256)
	for _, tt := range []struct {
		fields      string
		key, vector string
		want        string
	}{
		{"key: " + key128, key128, vector, "k"},
		{"key: {env: AES_KEY_OF_THIS_TEST}", key256, vector, "k"},
		{"algorithm: aes-256-cfb, key: " + key256, key256, vector, "k"},
		{"key: " + key256, key128, vector, "scheme_not_accepted"},
		{"key: " + key128, key128, "vector-987654322", "signature_mismatch"},
		{"key: " + key128 + ", previous: [{key: " + key256 + "}]", key256, vector, "k"},
		{"key: " + key128 + ", previous: [{key: " + key256 + ", until: 2020-01-01T00:00:00Z}]", key256, vector, "scheme_not_accepted"},
		{"key: " + key128 + ", previous: [{secret: vector-987654322, until: 2999-01-01T00:00:00Z}]", key128, "vector-987654322", "k"},
		{"key: " + key128 + ", previous: [{key: aesKey-000000000, secret: vector-987654322}]", "aesKey-000000000", "vector-987654322", "k"},
		{"key: " + key128 + ", previous: [{key: aesKey-000000000, secret: vector-987654322}]", key128, "vector-987654322", "signature_mismatch"},
	} {
		f, err := config.Load(write(t, t.TempDir(), "f.yaml", head, "    keys: [{name: k, type: aes, secret: ", vector, ", ", tt.fields, "}]\n    default: k\n"))
		if err != nil {
			t.Errorf("%s: %v", tt.fields, err)
			continue
		}
		v, err := f.Verifier("R", quiet)
		must(t, err)
		s := aescfb.NewSigner(aescfb.Key{Name: "k", Key: core.NewSecret(tt.key), Vector: core.NewSecret(tt.vector)}, aescfb.SignOptions{})
		if got := verdict(v, signedWith(t, s, "GET", "/a")); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.fields, got, tt.want)
		}
	}
}

// TestRegionWildcards_T181: each key of type sigv4a says whether a region set may
// have wildcards.
func TestRegionWildcards_T181(t *testing.T) {
	f, err := config.Load(write(t, t.TempDir(), "f.yaml", head, `    keys:
    - {name: wild, type: sigv4a, key: WILDKEY000000001, secret: a-secret-of-some-length, region: us-east-1, service: s, allow_region_wildcards: true}
    - {name: plain, type: sigv4a, key: PLAINKEY00000001, secret: a-secret-of-some-length, region: us-east-1, service: s}
    - {name: strict, type: sigv4a, key: STRICTKEY0000001, secret: a-secret-of-some-length, region: us-east-1, service: s, allow_region_wildcards: false}
    apis: [{match: /wild, key: wild}, {match: /plain, key: plain}, {match: /strict, key: strict}]
`))
	must(t, err)
	v, err := f.Verifier("R", quiet)
	must(t, err)
	for _, key := range []struct{ path, id string }{{"/wild", "WILDKEY000000001"}, {"/plain", "PLAINKEY00000001"}, {"/strict", "STRICTKEY0000001"}} {
		for _, tt := range []struct {
			set  string
			wild bool
		}{{"us-east-1", false}, {"eu-west-1,us-east-1", false}, {"*", true}, {"us-*", true}, {"eu-*,us-*", true}, {"eu-*", true}} {
			want := key.path[1:]
			if tt.wild && key.path != "/wild" || tt.set == "eu-*" {
				want = "signature_mismatch"
			}
			s := sigv4.NewSignerA(core.Key{ID: key.id, Secret: core.NewSecret("a-secret-of-some-length"), Region: "us-east-1", Service: "s"},
				sigv4.SignOptions{RegionSet: tt.set})
			if got := verdict(v, signedWith(t, s, "GET", key.path)); got != want {
				t.Errorf("%s, %s: got %s, want %s", key.path, tt.set, got, want)
			}
		}
	}
}

// TestS3Paths: a key says how its paths are signed.
func TestS3Paths(t *testing.T) {
	path := write(t, t.TempDir(), "environments.yaml", `environments:
  RELEASE:
    keys: [{name: the_key, type: sigv4, key: ACCESSKEY0001, secret: a-secret-of-some-length, region: us-east-1, service: s3, paths: s3}]
    default: the_key
`)
	f, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	v, err := f.Verifier("RELEASE", quiet)
	if err != nil {
		t.Fatal(err)
	}
	key := core.Key{ID: "ACCESSKEY0001", Secret: core.NewSecret("a-secret-of-some-length"), Region: "us-east-1", Service: "s3"}
	empty := sha256.Sum256(nil)
	for paths, want := range map[sigv4.Paths]core.Code{sigv4.S3: "", sigv4.Normalized: core.CodeSignatureMismatch} {
		r := httptest.NewRequest("GET", "/bucket/a%20b", nil)
		if err := sigv4.NewSigner(key, sigv4.SignOptions{Paths: paths}).Sign(r, hex.EncodeToString(empty[:]), time.Now()); err != nil {
			t.Fatal(err)
		}
		if _, err := v.Verify(r); core.CodeOf(err) != want {
			t.Errorf("%v: got %v, want %q", paths, err, want)
		}
	}
}
