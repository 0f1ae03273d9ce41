package apig_test

import (
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
)

const (
	hmacToken = "SDK-HMAC-SHA256"
	v11Token  = "V11-HMAC-SHA256"
)

// TestScope: the scope names the day of the date and the key's region and
// service, and ends as the scheme ends it; every case is rightly signed. (What its
// parts may be is tested with authorization.ParseScope.)
func TestScope(t *testing.T) {
	const day = "20260115"
	scoped := verifier(t, config(apig.NewScoped(apig.Config{Keys: core.Keys(key(true))})))
	v11 := verifier(t, config(apig.NewV11(apig.Config{Keys: core.Keys(key(true))})))
	right := chain("SDK", day, region, service, "sdk_request")
	for _, tt := range []struct {
		name, scope string
		key         string // "" is right
		want        core.Code
	}{
		{"right", "20260115/cn-north-4/apig/sdk_request", "", ""},
		{"T086 region", "20260115/cn-north-1/apig/sdk_request", chain("SDK", day, "cn-north-1", service, "sdk_request"), core.CodeSignatureMismatch},
		{"T086 service", "20260115/cn-north-4/ecs/sdk_request", chain("SDK", day, region, "ecs", "sdk_request"), core.CodeSignatureMismatch},
		{"T086 terminator of AWS", "20260115/cn-north-4/apig/aws4_request", chain("SDK", day, region, service, "aws4_request"), core.CodeCredentialMalformed},
		{"T086 terminator upper case", "20260115/cn-north-4/apig/SDK_REQUEST", chain("SDK", day, region, service, "SDK_REQUEST"), core.CodeCredentialMalformed},
		{"T086 no terminator", "20260115/cn-north-4/apig", mac(mac(mac("SDK"+keySecret, day), region), service), core.CodeCredentialMalformed},
		{"T077 day before", "20260114/cn-north-4/apig/sdk_request", chain("SDK", "20260114", region, service, "sdk_request"), core.CodeCredentialMalformed},
		{"T077 the whole date", today + "/cn-north-4/apig/sdk_request", chain("SDK", today, region, service, "sdk_request"), core.CodeCredentialMalformed},
		{"T077 a date too long for any", strings.Repeat("2", 99) + "/cn-north-4/apig/sdk_request", "", core.CodeCredentialMalformed},
		{"T087 yesterday's key", "20260115/cn-north-4/apig/sdk_request", chain("SDK", "20260114", region, service, "sdk_request"), core.CodeSignatureMismatch},
		{"key of AWS", "20260115/cn-north-4/apig/sdk_request", chain("AWS4", day, region, service, "sdk_request"), core.CodeSignatureMismatch},
		{"the secret itself", "20260115/cn-north-4/apig/sdk_request", keySecret, core.CodeSignatureMismatch},
		{"key of V11", "20260115/cn-north-4/apig/sdk_request", v11Key("20260115/cn-north-4/apig"), core.CodeSignatureMismatch},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.key == "" {
				tt.key = right
			}
			raw := headerForm(hmacToken, "Credential", keyID+"/"+tt.scope, tt.scope, today, tt.key)
			if got := verify(t, scoped, received(t, raw)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	for _, tt := range []struct {
		name, scope string
		want        core.Code
	}{
		{"right", "20260115/cn-north-4/apig", ""},
		{"T086 region", "20260115/cn-north-1/apig", core.CodeSignatureMismatch},
		{"T086 service", "20260115/cn-north-4/ecs", core.CodeSignatureMismatch},
		{"T086 terminator", "20260115/cn-north-4/apig/sdk_request", core.CodeCredentialMalformed},
		{"T077 day before", "20260114/cn-north-4/apig", core.CodeCredentialMalformed},
	} {
		t.Run("V11 "+tt.name, func(t *testing.T) {
			raw := headerForm(v11Token, "Credential", keyID+"/"+tt.scope, tt.scope, today, v11Key(tt.scope))
			if got := verify(t, v11, received(t, raw)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	raw := headerForm(v11Token, "Credential", keyID+"/20260115/cn-north-4/apig", "20260115/cn-north-4/apig", today, v11Key("20260114/cn-north-4/apig"))
	if got := verify(t, v11, received(t, raw)); got != core.CodeSignatureMismatch {
		t.Errorf("T087 V11 with yesterday's key: got %q", got)
	}
}

// TestMidnight_T077: around midnight the scope's day is the date's, not the
// clock's.
func TestMidnight_T077(t *testing.T) {
	c := config(apig.NewScoped(apig.Config{Keys: core.Keys(key(true))}))
	c.Now = func() time.Time { return date("20260115T000200Z") }
	v := verifier(t, c)
	for _, tt := range []struct {
		date, day string
		want      core.Code
	}{
		{"20260115T000100Z", "20260115", ""},
		{"20260115T000100Z", "20260114", core.CodeCredentialMalformed},
		{"20260114T235900Z", "20260114", ""},
		{"20260114T235900Z", "20260115", core.CodeCredentialMalformed},
	} {
		scope := tt.day + "/cn-north-4/apig/sdk_request"
		raw := headerForm(hmacToken, "Credential", keyID+"/"+scope, scope, tt.date, chain("SDK", tt.day, region, service, "sdk_request"))
		if got := verify(t, v, received(t, raw)); got != tt.want {
			t.Errorf("dated %s, scope of %s: got %q, want %q", tt.date, tt.day, got, tt.want)
		}
	}
}

// TestScopeWithoutRegion: a key without region and service verifies nothing,
// also where the credential names none.
func TestScopeWithoutRegion(t *testing.T) {
	v := verifier(t, config(apig.NewScoped(apig.Config{Keys: core.Keys(key(false))})))
	for scope, want := range map[string]core.Code{
		"20260115///sdk_request":               core.CodeCredentialMalformed,
		"20260115/cn-north-4/apig/sdk_request": core.CodeSignatureMismatch,
	} {
		parts := strings.Split(scope, "/")
		raw := headerForm(hmacToken, "Credential", keyID+"/"+scope, scope, today, chain("SDK", parts[0], parts[1], parts[2], parts[3]))
		if got := verify(t, v, received(t, raw)); got != want {
			t.Errorf("%q: got %q, want %q", scope, got, want)
		}
	}
	for _, s := range schemes {
		r := received(t, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		if err := s.signer(key(false), apig.SignOptions{}).Sign(r, "", instant); (err != nil) != s.scoped {
			t.Errorf("%s: signing without a region: %v", s.name, err)
		}
	}
}

// TestCrossScheme_T085: a key signs in the form of its scheme, whichever forms
// the environment knows.
func TestCrossScheme_T085(t *testing.T) {
	const aws = "20260115/cn-north-4/apig/aws4_request"
	forms := map[string]string{
		"hmac":  headerForm(hmacToken, "Access", keyID, "", today, keySecret),
		"aksk":  headerForm(hmacToken, "Credential", keyID+"/20260115/cn-north-4/apig/sdk_request", "20260115/cn-north-4/apig/sdk_request", today, chain("SDK", "20260115", region, service, "sdk_request")),
		"v11":   headerForm(v11Token, "Credential", keyID+"/20260115/cn-north-4/apig", "20260115/cn-north-4/apig", today, v11Key("20260115/cn-north-4/apig")),
		"sigv4": headerForm("AWS4-HMAC-SHA256", "Credential", keyID+"/"+aws, aws, today, chain("AWS4", "20260115", region, service, "aws4_request")),
	}
	for _, own := range schemes {
		var alone, among []core.Scheme
		for _, s := range schemes {
			other := core.Key{Name: s.name, ID: "other-" + s.name, Secret: core.NewSecret(keySecret)}
			if s.name == own.name {
				other = key(s.scoped)
				alone = []core.Scheme{s.scheme(apig.Config{Keys: core.Keys(other)})}
			}
			among = append(among, s.scheme(apig.Config{Keys: core.Keys(other)}))
		}
		for form, raw := range forms {
			want := core.CodeSchemeNotAccepted
			if form == own.name {
				want = ""
			}
			for _, all := range [][]core.Scheme{alone, among} {
				if got := verify(t, verifier(t, config(all...)), received(t, raw)); got != want {
					t.Errorf("a key of %s, in the form of %s, among %d schemes: got %q, want %q", own.name, form, len(all), got, want)
				}
			}
		}
	}
}

// TestForms: a credential of one's own that cannot be read is final, and both
// forms at once are none.
func TestForms(t *testing.T) {
	flat, scoped := apig.New(apig.Config{Keys: core.Keys(key(false))}), apig.NewScoped(apig.Config{Keys: core.Keys()})
	list := ", SignedHeaders=host;x-sdk-date, Signature=" + strings.Repeat("0", 64)
	for value, want := range map[string]core.Code{
		hmacToken + " Access=" + keyID + list:                                      core.CodeSignatureMismatch,
		hmacToken + " Access=" + keyID + ", Credential=" + keyID + "/a/b/c" + list: core.CodeCredentialMalformed,
		hmacToken + " SignedHeaders=host, Signature=00":                            core.CodeCredentialMalformed,
		hmacToken + " Credential=a/b" + list:                                       core.CodeCredentialMalformed,
		hmacToken + " Credential=a/20260115/r/s/sdk_request" + list:                core.CodeKeyUnknown,
		hmacToken + " Access=a, Access=a" + list:                                   core.CodeCredentialMalformed,
	} {
		for _, all := range [][]core.Scheme{{flat, scoped}, {scoped, flat}} {
			raw := "GET / HTTP/1.1\r\nHost: h\r\nX-Sdk-Date: " + today + "\r\nAuthorization: " + value + "\r\n\r\n"
			if got := verify(t, verifier(t, config(all...)), received(t, raw)); got != want {
				t.Errorf("%q, %s first: got %q, want %q", value, all[0].Name(), got, want)
			}
		}
	}
}
