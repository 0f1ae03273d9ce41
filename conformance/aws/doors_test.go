package aws_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/gatewayauth/gatewayauth/conformance/internal/wire"
	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
)

type sign func(testing.TB, *door, *request) *http.Request

// door is one way into the verifier: a signer in one of its forms.
type door struct {
	name       string
	sign       sign
	service    string
	asymmetric bool // SigV4a
	presigned  bool
	values     *values // what it signs as published
}

// doors are all of them: a row for each.
var doors = []door{
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

// unsigned reports whether the body is not signed where d signs r. For S3 the
// body of a credential in the query is not, unless it is declared.
func (d *door) unsigned(r *request) bool {
	return r.payload == unsigned || d.presigned && d.service == "s3" && r.payload != declared
}

// paths is the rule of the service.
func (d *door) paths() sigv4.Paths {
	if d.service == "execute-api" {
		return sigv4.Normalized
	}
	return sigv4.S3
}

// key is the one that d signs r with.
func (d *door) key(r *request) core.Key {
	return core.Key{Name: "orders", ID: keyID, Secret: core.NewSecret(secret), SessionToken: core.NewSecret(r.token), Region: region, Service: d.service}
}

// policy is the strictest configuration that can accept r, with keys.
func (d *door) policy(r *request, keys ...core.Key) core.Config {
	return core.Config{
		Environment: "prod", Schemes: []core.Scheme{d.scheme(false, keys...)}, Default: "orders",
		AllowPresigned: d.presigned, AllowUnsignedPayload: d.unsigned(r),
	}
}

func (d *door) scheme(wildcards bool, keys ...core.Key) core.Scheme {
	if d.asymmetric {
		return sigv4.NewA(sigv4.ConfigA{Keys: core.Keys(keys...), Paths: d.paths(), AllowRegionWildcards: wildcards})
	}
	return sigv4.New(sigv4.Config{Keys: core.Keys(keys...), Paths: d.paths()})
}

// signed returns the bytes that are sent for r.
func (d *door) signed(t testing.TB, r request) []byte {
	t.Helper()
	return written(t, d.sign(t, d, &r))
}

// start returns a backend that can accept r.
func (d *door) start(t testing.TB, r *request) *wire.Backend {
	t.Helper()
	return wire.Start(t, d.policy(r, d.key(r)))
}

// values are the axes of the grid: what a signer signs as published.
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
	// SignV4STS knows neither session tokens nor other payloads.
	stsValues = values{
		paths: []string{"/"}, queries: queries,
		headers: headerSets[:1], tokens: tokens[:1], payloads: allPayloads[:1],
	}
)
