package apig_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/apig/sm"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// schemes are all of the family, those of package sm included: they are one
// implementation, and are tested as one.
var schemes = []struct {
	name         string
	scheme       func(apig.Config) core.Scheme
	signer       func(core.Key, apig.SignOptions) *apig.Signer
	scoped       bool
	presigned    bool
	digestHeader string
}{
	{"hmac", apig.New, apig.NewSigner, false, true, "X-Sdk-Content-Sha256"},
	{"aksk", apig.NewScoped, apig.NewScopedSigner, true, true, "X-Sdk-Content-Sha256"},
	{"v11", apig.NewV11, apig.NewV11Signer, true, false, "X-Sdk-Content-Sha256"},
	{"ecdsa-p256", apig.NewECDSA, apig.NewECDSASigner, false, false, "X-Sdk-Content-Sha256"},
	{"hmac-sm3", sm.New, sm.NewSigner, false, false, "X-Sdk-Content-Sm3"},
	{"sm2", sm.NewSM2, sm.NewSM2Signer, false, false, "X-Sdk-Content-Sm3"},
}

const (
	keyID     = "AKTESTAKTEST0001"
	keySecret = "sktest-0123456789abcdef0123456789abcdef"
	region    = "cn-north-4"
	service   = "apig"
	today     = "20260115T120000Z"
)

var instant = date(today)

func date(s string) time.Time {
	t, err := time.Parse("20060102T150405Z", s)
	if err != nil {
		panic(err) // of constants
	}
	return t
}

// key returns the fixture's key, for a scheme with or without a scope.
func key(scoped bool) core.Key {
	k := core.Key{Name: "k", ID: keyID, Secret: core.NewSecret(keySecret)}
	if scoped {
		k.Region, k.Service = region, service
	}
	return k
}

// config is an environment with one scheme, bound to key k everywhere.
func config(all ...core.Scheme) core.Config {
	return core.Config{Environment: "prod", Schemes: all, Default: "k", Now: testkit.Now}
}

var (
	verifier = testkit.New
	received = testkit.Received
)

// verify returns the code of the verdict, "" for an acceptance.
func verify(t testing.TB, v *core.Verifier, r *http.Request) core.Code {
	t.Helper()
	id, err := v.Verify(r)
	if (err == nil) != (id != nil && id.Verified()) {
		t.Fatalf("got identity %v, error %v", id, err)
	}
	core.Release(r)
	if e, ok := errors.AsType[*core.Error](err); err != nil && (!ok || strings.Contains(e.Error(), keySecret)) {
		t.Fatalf("not a refusal, or one with a secret: %v", err)
	}
	return core.CodeOf(err)
}
