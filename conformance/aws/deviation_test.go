package aws_test

import (
	"path"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/conformance/internal/wire"
	"github.com/gatewayauth/gatewayauth/core"
)

// deviation is a request that a signer sends and the verifier must refuse.
type deviation struct {
	variants  string // patterns of package path, separated by spaces
	name, why string
	r         request
	want      core.Code
}

const (
	mismatch  = core.CodeSignatureMismatch
	ambiguous = core.CodeRequestAmbiguous
	malformed = core.CodeCredentialMalformed
	notSigned = core.CodeHeaderNotSigned
)

// deviations are requests with which a signer deviates from the published algorithm,
// ambiguous requests, and requests that exceed a limit.
var deviations = []deviation{
	// Queries.
	{"smithy*/*/* minio/*/*", "names in order", "sorted by the decoded names; the algorithm sorts after encoding, and %2F stands before -",
		request{target: "/?a%2Fb=1&a-b=2"}, mismatch},
	{"smithy*/query/* minio/query/*", "name that starts with an escape", "sorted by the decoded names: behind X-Amz-*, where %E4 stands before it",
		request{target: "/?%E4%B8%AD=1"}, mismatch},
	{"smithy*/*/* minio/*/*", "values in order", "smithy-go sorts the decoded values, minio-go none; x%2Fy stands before x-y",
		request{target: "/?k=x-y&k=x%2Fy"}, mismatch},
	{"minio/*/*", "repeated values", "left in the order in which they stand; the algorithm sorts them",
		request{target: "/?k=2&k=1"}, mismatch},
	{"smithy*/header/*", "semicolon", "left out of what is signed, as net/url does, but sent",
		request{target: "/?a=1;b=2"}, ambiguous},
	{"smithy*/header/*", "bad escape", "left out of what is signed, as net/url does, but sent",
		request{target: "/?a=%zz"}, ambiguous},
	{"*/*/*", "parameter without a name", "handlers differ on what it is",
		request{target: "/?=v"}, ambiguous},
	{"*/*/*", "too many parameters", "one over the verifier's limit",
		request{target: "/?" + many(1025)}, ambiguous},
	{"*/header/*", "parameter of a credential and the header", "two places for a credential",
		request{target: "/?X-Amz-Signature=x"}, ambiguous},
	{"*/query/*", "protocol parameter in another case", "a reader that folds case would take it for the date",
		request{target: "/?x-amz-date=20260115T120000Z"}, ambiguous},

	// Bodies.
	{"*/header/*", "empty body in chunks", "it cannot be distinguished from a body that middleware in front has read",
		request{method: "POST", target: "/", framing: chunked}, core.CodeBodyMismatch},

	// Paths.
	{"sdk/*/normalized smithy*/*/normalized", "double slash", "not normalised, as the algorithm wants; and routers tell it apart from the path that it is normalised to",
		request{target: "/a//b"}, ambiguous},
	{"sdk/*/normalized smithy*/*/normalized", "dot segment", "not normalised, as the algorithm wants; and routers tell it apart from the path that it is normalised to",
		request{target: "/a/./b"}, ambiguous},
	{"sdk/*/normalized smithy*/*/normalized", "double dot segment", "not normalised, as the algorithm wants; and routers tell it apart from the path that it is normalised to",
		request{target: "/a/../b"}, ambiguous},
	{"sdk/*/s3 smithy*/*/s3", "reserved characters raw", "signed as they stand; for S3 each is encoded once",
		request{target: "/a:b@c"}, mismatch},
	{"sdk/*/s3 smithy*/*/s3", "escape in lower case", "signed as it stands; the canonical form has upper case",
		request{target: "/caf%c3%a9"}, mismatch},
	{"*/*/s3", "encoded slash", "decoded and encoded it is another path, which routers tell apart",
		request{target: "/a%2Fb"}, ambiguous},
	{"*/*/s3", "encoded letter", "decoded and encoded it is another path, which some routers tell apart",
		request{target: "/%61"}, ambiguous},
	{"minio/*/*", "empty path", "signed as nothing; the algorithm has /, which is sent",
		request{target: ""}, mismatch},
	{"minio/*/*", "path that is not UTF-8", "signed with U+FFFD in place of the byte",
		request{target: "/%FF"}, mismatch},
	{"*/*/*", "NUL in the path", "no server agrees with another on what it means", request{target: "/a%00b"}, ambiguous},
	{"*/*/*", "line feed in the path", "would forge a line where it is logged or passed on", request{target: "/a%0Ab"}, ambiguous},

	// Headers.
	{"smithy*/*/*", "spaces in a value", "kept; the algorithm replaces several by one",
		request{target: "/", headers: [][2]string{{"X-Spaces", "a  b"}}}, mismatch},
	{"smithy*/*/*", "spaces in an x-amz-* header", "kept; the algorithm replaces several by one",
		request{target: "/", headers: [][2]string{{"X-Amz-Meta", "a  b"}}, narrow: true}, mismatch},
	{"sdk/*/* smithy*/*/*", "tab in a value (T008)", "kept; the other signers, and servers, read it as a space",
		request{target: "/", headers: [][2]string{{"X-Tab", "a\tb"}}}, mismatch},
	{"sdk/*/* smithy*/*/* minio/*/s3", "no-break space around a value", "trimmed as Unicode whitespace; HTTP trims spaces and tabs",
		request{target: "/", headers: [][2]string{{"X-Space", "\u00a0x"}}}, mismatch},
	{"minio/*/s3", "no-break space in a value", "replaced by a space, as Unicode whitespace",
		request{target: "/", headers: [][2]string{{"X-Space", "a\u00a0b"}}}, mismatch},
	{"smithy*/*/* minio/*/s3", "names that differ in case only", "listed twice; HTTP has one header with both values",
		request{target: "/", headers: [][2]string{{"X-Multi", "a"}, {"x-multi", "b"}}}, malformed},
	{"*/*/*", "repeated x-amz-* header", "correctly signed, but a protocol header must have one value",
		request{target: "/", headers: [][2]string{{"X-Amz-Meta-Tag", "a"}, {"X-Amz-Meta-Tag", "b"}}}, ambiguous},
	{"sdk/*/* smithy*/*/* minio/*/s3", "Connection", "belongs to one connection and cannot be signed",
		request{target: "/", headers: [][2]string{{"Connection", "keep-alive"}}}, notSigned},
	{"*/*/*", "underscore in a protocol header", "some servers fold it to x-amz-date",
		request{target: "/", headers: [][2]string{{"X_Amz_Date", "20260115T120000Z"}}}, ambiguous},
	{"smithy*/*/*", "method override", "not signed by the default rules, and some frameworks act on it",
		request{target: "/", headers: [][2]string{{"X-Http-Method-Override", "PUT"}}, narrow: true}, notSigned},
	{"sdk/*/* smithy*/*/* minio/*/s3", "too many headers", "over the verifier's limit of 64",
		request{target: "/", headers: append(fifty(), sixteen...)}, malformed},

	// Time, scope.
	{"sdk/header/* smithy*/header/*", "too old", "more than 15 minutes", request{target: "/", age: 16 * time.Minute}, core.CodeSignatureExpired},
	{"sdk/*/* smithy*/*/*", "too early", "more than 15 minutes", request{target: "/", age: -16 * time.Minute}, core.CodeSignatureNotYetValid},
	{"sdk/query/* smithy*/query/*", "expired", "after ten minutes", request{target: "/", age: 11 * time.Minute}, core.CodeSignatureExpired},
	{"sdk/query/* smithy*/query/*", "validity absent (T160)", "left to the application; without it a link would never expire",
		request{target: "/", expires: "none"}, malformed},
	{"*/query/*", "validity of more than a week (T160)", "signed without a check", request{target: "/", expires: "604801"}, malformed},
	{"*/query/*", "validity of 0 seconds (T160)", "signed without a check", request{target: "/", expires: "0"}, malformed},
	{"*/*/*", "another region", "the key's region comes from the configuration", request{target: "/", region: "us-east-1"}, mismatch},
	{"smithy-a/*/*", "region wildcard (T163)", "also valid in other regions; accepted only if the configuration allows it", request{target: "/", region: "*"}, mismatch},
	{"smithy-a/*/*", "region pattern (T163)", "also valid in other regions; accepted only if the configuration allows it", request{target: "/", region: "us-*,eu-*"}, mismatch},
	{"smithy-a/*/*", "region set without the key's (T163)", "signed for other regions", request{target: "/", region: "us-east-1,eu-west-2"}, mismatch},
}

var sixteen = func() (list [][2]string) {
	for i := range 16 {
		list = append(list, [2]string{"X-More-" + string(rune('A'+i)), ""})
	}
	return list
}()

// on reports whether a pattern matches the variant.
func on(t *testing.T, patterns string, v *variant) bool {
	t.Helper()
	for pattern := range strings.FieldsSeq(patterns) {
		ok, err := path.Match(pattern, v.name)
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			return true
		}
	}
	return false
}

func TestDeviations(t *testing.T) {
	for _, tt := range deviations {
		t.Run(tt.name, func(t *testing.T) {
			tried := 0
			for _, v := range variants {
				if !on(t, tt.variants, &v) {
					continue
				}
				tried++
				t.Run(v.name, func(t *testing.T) {
					v.start(t, &tt.r).Refuse(t, v.signed(t, tt.r), tt.want)
					if t.Failed() {
						t.Logf("want %q: %s", tt.want, tt.why)
					}
				})
			}
			if tried == 0 {
				t.Errorf("no variant is named %s", tt.variants)
			}
		})
	}
}

// TestParametersDroppedBySigners: aws-sdk-go-v2, minio-go and, with the credential in the
// query, smithy-go remove parameters that net/url cannot parse before they send the
// request. The handler gets the signed request, without the parameter.
func TestParametersDroppedBySigners(t *testing.T) {
	for _, v := range variants {
		if on(t, "smithy*/header/*", &v) {
			continue
		}
		for _, q := range []string{"a=1&b=2;c=3", "a=1&b=%zz", "a=1&%=2"} {
			t.Run(v.name+"/"+q, func(t *testing.T) {
				r := request{target: "/?" + q}
				raw := v.signed(t, r)
				v.start(t, &r).Accept(t, raw)
				if l := wire.Parse(t, raw); strings.Contains(l.Target(), "b=") || strings.Contains(l.Target(), "%=") || !strings.Contains(l.Target(), "a=1") {
					t.Errorf("the signer sent the target %s", l.Target())
				}
			})
		}
	}
}

// TestOtherKeys: correct signatures with another key, or another field of the key, are
// refused.
func TestOtherKeys(t *testing.T) {
	for _, v := range variants {
		r := request{target: "/"}
		raw := v.signed(t, r)
		for _, tt := range []struct {
			name   string
			change func(*core.Key)
			want   core.Code
		}{
			{"other id", func(k *core.Key) { k.ID += "2" }, core.CodeKeyUnknown},
			{"id in lower case", func(k *core.Key) { k.ID = strings.ToLower(k.ID) }, core.CodeKeyUnknown},
			{"other secret", func(k *core.Key) { k.Secret = core.NewSecret(secret + "0") }, mismatch},
			{"key of another API", func(k *core.Key) { k.Name = "payments" }, core.CodeKeyNotBound},
			{"other region", func(k *core.Key) { k.Region = "eu-west-2" }, mismatch},
			{"no region", func(k *core.Key) { k.Region = "" }, mismatch},
			{"other service", func(k *core.Key) { k.Service = "iam" }, mismatch},
			{"key with a session token", func(k *core.Key) { k.SessionToken = core.NewSecret("token") }, mismatch},
		} {
			t.Run(v.name+"/"+tt.name, func(t *testing.T) {
				key := v.key(&r)
				tt.change(&key)
				other := core.Key{Name: "orders", ID: "AKIDOTHER", Secret: core.NewSecret(secret)}
				if key.Name == "orders" {
					other.Name = "payments"
				}
				wire.Start(t, v.policy(&r, key, other)).Refuse(t, raw, tt.want)
			})
		}
		if v.service == "sts" { // this signer does not sign session tokens
			continue
		}
		t.Run(v.name+"/token of another key", func(t *testing.T) {
			r := request{target: "/", token: "token"}
			key := v.key(&r)
			key.SessionToken = core.NewSecret("token2")
			wire.Start(t, v.policy(&r, key)).Refuse(t, v.signed(t, r), mismatch)
		})
		t.Run(v.name+"/token for a key without", func(t *testing.T) {
			r := request{target: "/", token: "token"}
			key := v.key(&r)
			key.SessionToken = core.Secret{}
			wire.Start(t, v.policy(&r, key)).Refuse(t, v.signed(t, r), mismatch)
		})
	}
}
