package aws_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/gatewayauth/gatewayauth/conformance/internal/wire"
	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
)

type sign func(testing.TB, *variant, *request) *http.Request

// variant is a signer with one place of the credential, header or query, and one rule for
// paths.
type variant struct {
	name       string
	sign       sign
	service    string
	asymmetric bool // SigV4a
	presigned  bool
	values     *values // what it signs according to the published algorithm
}

// variants are the variants that the tests use.
var variants = []variant{
	{"sdk/header/normalized", sdkSign(), "execute-api", false, false, &sdkValues},
	{"sdk/header/s3", sdkSign(), "s3", false, false, sdkValues.on(objectPaths)},
	{"sdk/query/normalized", sdkSign(), "execute-api", false, true, &sdkValues},
	{"sdk/query/s3", sdkSign(), "s3", false, true, sdkValues.on(objectPaths)},

	{"smithy/header/normalized", smithySign(), "execute-api", false, false, &smithyValues},
	{"smithy/header/s3", smithySign(), "s3", false, false, smithyValues.on(objectPaths)},
	{"smithy/query/normalized", smithySign(), "execute-api", false, true, &smithyValues},
	{"smithy/query/s3", smithySign(), "s3", false, true, smithyValues.on(objectPaths)},

	{"smithy-a/header/normalized", smithySign(), "execute-api", true, false, &smithyValues},
	{"smithy-a/header/s3", smithySign(), "s3", true, false, smithyValues.on(objectPaths)},
	{"smithy-a/query/normalized", smithySign(), "execute-api", true, true, &smithyValues},
	{"smithy-a/query/s3", smithySign(), "s3", true, true, smithyValues.on(objectPaths)},

	{"minio/header/s3", minioSign, "s3", false, false, &minioValues},
	{"minio/query/s3", minioSign, "s3", false, true, &minioValues},
	{"minio/header/sts", minioSTS, "sts", false, false, &stsValues},
}

// unsigned reports whether the body is unsigned if v signs r. For S3 with a credential in
// the query it is unsigned, unless it is declared.
func (v *variant) unsigned(r *request) bool {
	return r.payload == unsigned || v.presigned && v.service == "s3" && r.payload != declared
}

// paths returns the path rule of the service.
func (v *variant) paths() sigv4.Paths {
	if v.service == "execute-api" {
		return sigv4.Normalized
	}
	return sigv4.S3
}

// key returns the key with which v signs r.
func (v *variant) key(r *request) core.Key {
	return core.Key{Name: "orders", ID: keyID, Secret: core.NewSecret(secret), SessionToken: core.NewSecret(r.token), Region: region, Service: v.service}
}

// policy returns the strictest policy that can accept r, with these keys.
func (v *variant) policy(r *request, keys ...core.Key) core.Config {
	return core.Config{
		Environment: "prod", Schemes: []core.Scheme{v.scheme(false, keys...)}, Default: "orders",
		AllowPresigned: v.presigned, AllowUnsignedPayload: v.unsigned(r),
	}
}

func (v *variant) scheme(wildcards bool, keys ...core.Key) core.Scheme {
	if v.asymmetric {
		return sigv4.NewA(sigv4.ConfigA{Keys: core.Keys(keys...), Paths: v.paths(), AllowRegionWildcards: wildcards})
	}
	return sigv4.New(sigv4.Config{Keys: core.Keys(keys...), Paths: v.paths()})
}

// signed returns the bytes of the signed request that is sent for r.
func (v *variant) signed(t testing.TB, r request) []byte {
	t.Helper()
	return written(t, v.sign(t, v, &r))
}

// start returns a backend that can accept r.
func (v *variant) start(t testing.TB, r *request) *wire.Backend {
	t.Helper()
	return wire.Start(t, v.policy(r, v.key(r)))
}

// values are the axes of the grid: what a signer signs according to the published
// algorithm.
type values struct {
	paths, queries []string
	headers        [][][2]string
	tokens         []string
	payloads       []payload
}

// on returns v with other paths.
func (v *values) on(paths []string) *values {
	changed := *v
	changed.paths = paths
	return &changed
}

var (
	allPayloads = []payload{hashed, declared, unsigned}

	sdkValues = values{
		paths: verbatimPaths, queries: slices.Concat(queries, unsortedQueries, encodedOrderQueries, escapedNames),
		headers: slices.Concat(headerSets, steering, blankHeaders), tokens: tokens, payloads: allPayloads,
	}
	smithyValues = values{
		paths: verbatimPaths, queries: slices.Concat(queries, unsortedQueries),
		headers: headerSets, tokens: tokens, payloads: allPayloads,
	}
	minioValues = values{
		paths: slices.Concat(objectPaths[1:], decodedPaths), queries: queries,
		headers: slices.Concat(headerSets, steering, blankHeaders, tabHeaders), tokens: tokens, payloads: allPayloads,
	}
	// SignV4STS supports neither session tokens nor other payloads.
	stsValues = values{
		paths: []string{"/"}, queries: queries,
		headers: headerSets[:1], tokens: tokens[:1], payloads: allPayloads[:1],
	}
)
