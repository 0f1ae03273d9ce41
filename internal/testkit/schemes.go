package testkit

import (
	"net/http"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/aescfb"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/apig/sm"
	"github.com/gatewayauth/gatewayauth/core/basic"
	"github.com/gatewayauth/gatewayauth/core/signer"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
)

// A Pair is a scheme of one key, whose name is that of [Orders], and a signer of
// that key.
type Pair struct {
	Name   string
	Scheme core.Scheme
	Signer signer.Signer
}

// Pairs are all schemes that sign without a service, in all their forms: payloads
// that are hashed, declared and unsigned, credentials in the header and in the
// query. The headers are signed as well.
func Pairs(headers ...string) []Pair {
	scoped := Orders
	scoped.Region, scoped.Service = "r1", "s1"
	aes := aescfb.Key{Name: Orders.Name, Algorithm: "aes-128-cfb", Key: core.NewSecret("aesKey-123456789"), Vector: core.NewSecret("vector-987654321")}
	sdk := apig.SignOptions{Headers: headers}
	declared := apig.SignOptions{Headers: headers, Payload: core.PayloadDeclared}
	unsigned := apig.SignOptions{Headers: headers, Payload: core.PayloadUnsigned}
	query := apig.SignOptions{Headers: headers, Expires: time.Minute}
	flat := apig.Config{Keys: core.Keys(Orders)}
	region := apig.Config{Keys: core.Keys(scoped)}
	normalized := sigv4.New(sigv4.Config{Keys: core.Keys(scoped)})
	s3 := sigv4.New(sigv4.Config{Keys: core.Keys(scoped), Paths: sigv4.S3})
	return []Pair{
		{"hmac", apig.New(flat), apig.NewSigner(Orders, sdk)},
		{"hmac declared", apig.New(flat), apig.NewSigner(Orders, declared)},
		{"hmac unsigned", apig.New(flat), apig.NewSigner(Orders, unsigned)},
		{"hmac query", apig.New(flat), apig.NewSigner(Orders, query)},
		{"aksk", apig.NewScoped(region), apig.NewScopedSigner(scoped, sdk)},
		{"aksk query", apig.NewScoped(region), apig.NewScopedSigner(scoped, query)},
		{"v11", apig.NewV11(region), apig.NewV11Signer(scoped, sdk)},
		{"ecdsa", apig.NewECDSA(flat), apig.NewECDSASigner(Orders, sdk)},
		{"sm3", sm.New(flat), sm.NewSigner(Orders, sdk)},
		{"sm2", sm.NewSM2(flat), sm.NewSM2Signer(Orders, sdk)},
		{"sigv4", normalized, sigv4.NewSigner(scoped, sigv4.SignOptions{Headers: headers})},
		{"sigv4 declared", normalized, sigv4.NewSigner(scoped, sigv4.SignOptions{Headers: headers, Payload: core.PayloadDeclared})},
		{"sigv4 unsigned", normalized, sigv4.NewSigner(scoped, sigv4.SignOptions{Headers: headers, Payload: core.PayloadUnsigned})},
		{"sigv4 query", normalized, Presigner{sigv4.NewSigner(scoped, sigv4.SignOptions{Headers: headers})}},
		{"sigv4 s3", s3, sigv4.NewSigner(scoped, sigv4.SignOptions{Headers: headers, Paths: sigv4.S3, Payload: core.PayloadDeclared})},
		{"sigv4 s3 query", s3, Presigner{sigv4.NewSigner(scoped, sigv4.SignOptions{Headers: headers, Paths: sigv4.S3})}},
		{"sigv4a", sigv4.NewA(sigv4.ConfigA{Keys: core.Keys(scoped)}), sigv4.NewSignerA(scoped, sigv4.SignOptions{Headers: headers})},
		{"aes", aescfb.New(aescfb.Config{Keys: []aescfb.Key{aes}}), aescfb.NewSigner(aes, aescfb.SignOptions{Headers: headers})},
		{"basic", basic.New(basic.Config{Keys: core.Keys(Orders)}), basic.NewSigner(Orders)},
	}
}

// A Presigner signs in the query, for a minute.
type Presigner struct{ *sigv4.Signer }

// Sign implements [signer.Signer].
func (p Presigner) Sign(r *http.Request, digest string, at time.Time) error {
	return p.Presign(r, digest, at, time.Minute)
}
