package huawei_test

import (
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/conformance/internal/wire"
	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
)

// TestDerivedScope (T086): requests that the SDK signs for another region or service than
// the key's, or with a key without them.
func TestDerivedScope(t *testing.T) {
	for _, tt := range []struct {
		name            string
		region, service string // of the SDK's credentials
		key             [2]string
		want            core.Code
	}{
		{"right", region, service, [2]string{region, service}, ""},
		{"right, with a space and equals signs", "r 1=", "=s", [2]string{"r 1=", "=s"}, ""},
		{"comma", "r,1", "s", [2]string{"r,1", "s"}, core.CodeCredentialMalformed},
		{"other region", "cn-north-1", service, [2]string{region, service}, core.CodeSignatureMismatch},
		{"other service", region, "ecs", [2]string{region, service}, core.CodeSignatureMismatch},
		{"swapped", service, region, [2]string{region, service}, core.CodeSignatureMismatch},
		{"upper case", "CN-NORTH-4", service, [2]string{region, service}, core.CodeSignatureMismatch},
		{"longer", region + "0", service, [2]string{region, service}, core.CodeSignatureMismatch},
		{"terminator of the scoped form", region, service + "/sdk_request", [2]string{region, service}, core.CodeCredentialMalformed},
		{"slash in the region", "cn/north-4", service, [2]string{"cn", "north-4/" + service}, core.CodeCredentialMalformed},
		{"slash in the key's service", "cn", "north-4/" + service, [2]string{"cn", "north-4/" + service}, core.CodeCredentialMalformed},
		{"key without region and service", region, service, [2]string{}, core.CodeSignatureMismatch},
		{"key without region", region, service, [2]string{"", service}, core.CodeSignatureMismatch},
		{"key without service", region, service, [2]string{region, ""}, core.CodeSignatureMismatch},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := request{path: "/v1/items", host: true}
			key := orders
			key.Region, key.Service = tt.key[0], tt.key[1]
			raw := r.signed(t, derived(tt.region, tt.service), keyID, secret)
			verdict(t, policy(&r, apig.NewV11(apig.Config{Keys: core.Keys(key)})), raw, nil, tt.want)
		})
	}
}

// TestDerivedDay (T087): a request that was signed yesterday is refused with today's date
// in the scope, in the header, and in both.
func TestDerivedDay(t *testing.T) {
	now := time.Now().UTC()
	today, yesterday := now.Format(dateFormat), now.Add(-24*time.Hour).Format(dateFormat)
	scopeOf := func(date string) string { return keyID + "/" + date[:len("20060102")] + "/" }
	headerOf := func(date string) string { return "X-Sdk-Date: " + date }
	r := request{path: "/v1/items", headers: [][2]string{{"X-Sdk-Date", yesterday}}, host: true}
	raw := r.signed(t, derived(region, service), keyID, secret)
	scope := wire.Splice(raw, scopeOf(yesterday), scopeOf(today))
	header := wire.Splice(raw, headerOf(yesterday), headerOf(today))
	both := wire.Splice(scope, headerOf(yesterday), headerOf(today))

	v11 := signing{newScheme: apig.NewV11, scoped: true}
	backend := wire.Start(t, policy(&r, v11.scheme(orders)))
	backend.Refuse(t, raw, core.CodeSignatureExpired)
	backend.Refuse(t, scope, core.CodeCredentialMalformed)
	backend.Refuse(t, header, core.CodeCredentialMalformed)
	backend.Refuse(t, both, core.CodeSignatureMismatch)
}
