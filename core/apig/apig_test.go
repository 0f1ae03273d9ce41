package apig_test

import (
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/apig/sm"
)

// TestWorkedValues checks the signatures of the vendor's signing guide and SDK
// tests, the golden values P1, P2 and P3 (T001 to T003), and signatures that the
// vendor's Go SDK made. The guide's request carries and signs Content-Type: only
// with it do its two published hashes come out.
func TestWorkedValues(t *testing.T) {
	const (
		guide = "GET /v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs?limit=2&marker=13551d6b-755d-4757-b956-536f674975c0 HTTP/1.1\r\n" +
			"Host: service.region.example.com\r\nContent-Type: application/json\r\nX-Sdk-Date: 20191115T033655Z\r\n"
		goSDK = "GET /path?limit=1 HTTP/1.1\r\nHost: any\r\nX-Sdk-Date: 20060102T150405Z\r\n"
		p1    = "GET /v1/items HTTP/1.1\r\nHost: api.example.com\r\nX-Sdk-Date: 20260115T120000Z\r\n"
		p2    = "POST /v1/items?a=1&b= HTTP/1.1\r\nHost: api.example.com\r\nX-Sdk-Date: 20260115T120000Z\r\nContent-Length: 14\r\n"
		post  = "POST /v1/items HTTP/1.1\r\nHost: api.example.com\r\nX-Sdk-Date: 20260115T120000Z\r\nContent-Length: 14\r\n"
		body  = `{"amount":100}`
	)
	k1 := core.Key{ID: keyID, Secret: core.NewSecret(keySecret)}
	k1Scoped := core.Key{ID: keyID, Secret: core.NewSecret(keySecret), Region: region, Service: service}
	for _, tt := range []struct {
		name                      string
		scheme                    func(apig.Config) core.Scheme
		key                       core.Key
		request, credential, body string
	}{
		{"guide", apig.New, core.Key{ID: "AK", Secret: core.NewSecret("MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc")}, guide,
			"SDK-HMAC-SHA256 Access=AK, SignedHeaders=content-type;host;x-sdk-date, Signature=7be6668032f70418fcc22abc52071e57aff61b84a1d2381bb430d6870f4f6ebe", ""},
		{"Go SDK", apig.New, core.Key{ID: "AccessKey", Secret: core.NewSecret("SecretKey")}, goSDK,
			"SDK-HMAC-SHA256 Access=AccessKey, SignedHeaders=x-sdk-date, Signature=5a2ce64c865e0e6046321c6f3d5a77ba8413eeaf355c3166c03d58d02ac79624", ""},
		{"P1", apig.New, k1, p1,
			"SDK-HMAC-SHA256 Access=AKTESTAKTEST0001, SignedHeaders=host;x-sdk-date, Signature=cb3128d2ea5ec59f2d17b821e4d9f2b89ebab00480e3cdcef7a73963f66bf868", ""},
		{"P2", apig.New, k1, p2,
			"SDK-HMAC-SHA256 Access=AKTESTAKTEST0001, SignedHeaders=host;x-sdk-date, Signature=0498b4c814b625bfeb2064ba494f5e54b5f785b2792f25115a13fc559986f936", body},
		{"aksk", apig.NewScoped, k1Scoped, p1,
			"SDK-HMAC-SHA256 Credential=AKTESTAKTEST0001/20260115/cn-north-4/apig/sdk_request, SignedHeaders=host;x-sdk-date, Signature=9596d87a0031752c865248525f6ffc0cf2609f771f0189cf5c4d1f8e6e2e171b", ""},
		{"V11 of the Go SDK", apig.NewV11, core.Key{ID: "AccessKey", Secret: core.NewSecret("SecretKey"), Region: "test-region-1", Service: "demo"}, goSDK,
			"V11-HMAC-SHA256 Credential=AccessKey/20060102/test-region-1/demo, SignedHeaders=x-sdk-date, Signature=8fd3610508884bb19718317797c7378716a94bc740d97502e569322e366341cc", ""},
		{"T003 P3", apig.NewV11, k1Scoped, p1,
			"V11-HMAC-SHA256 Credential=AKTESTAKTEST0001/20260115/cn-north-4/apig, SignedHeaders=host;x-sdk-date, Signature=0b9a29bed88eb06b650a5b6156c0060f4707b4865255a794e64e6cfba5599013", ""},
		{"ECDSA by the Go SDK", apig.NewECDSA, k1, post,
			"SDK-ECDSA-P256-SHA256 Access=AKTESTAKTEST0001, SignedHeaders=host;x-sdk-date, Signature=304402205eb1dabdf594a9b8e8050fde756a47a8b4b7cefc63865b24a1442b57b3de37ab022057b19851a3d59eb3a575c4b4e6224543b69a45ada764ccafeaba2ff4f49ece70", body},
		{"SM3 by the Go SDK", sm.New, k1, post,
			"SDK-HMAC-SM3 Access=AKTESTAKTEST0001, SignedHeaders=host;x-sdk-date, Signature=fb15e31a228d81562aa0a8459d825029c9d6fba9c26ea870b48a480b880a0264", body},
		{"SM2 by the Go SDK", sm.NewSM2, k1, post,
			"SDK-SM2-SM3 Access=AKTESTAKTEST0001, SignedHeaders=host;x-sdk-date, Signature=3045022100a39a8debcd26813565b84fde29eabddd7d6ff30f455795e4cd946dc4ecd7790402204db9f0ec7383fa97064dd104485326e51ce20240e5a7bc21783afbb47cef6d34", body},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := received(t, tt.request+"Authorization: "+tt.credential+"\r\n\r\n"+tt.body)
			now := date(r.Header.Get("X-Sdk-Date"))
			tt.key.Name = "k"
			c := config(tt.scheme(apig.Config{Keys: core.Keys(tt.key)}))
			c.Now = func() time.Time { return now }
			if strings.Contains(tt.credential, "=x-sdk-date,") {
				c.RequireSigned = []string{} // host is not signed in the SDK's tests
			}
			defer core.Release(r)
			id, err := verifier(t, c).Verify(r)
			if err != nil || id.Key() != "k" || !id.Verified() {
				t.Fatalf("got identity %v, error %v; want it verified", id, err)
			}
			if algorithm, _, _ := strings.Cut(tt.credential, " "); id.Algorithm() != algorithm {
				t.Errorf("got algorithm %q", id.Algorithm())
			}
		})
	}
}
