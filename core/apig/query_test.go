package apig_test

import (
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// parameters are those of the flat query form, in canonical form and order.
const parameters = "X-Sdk-Algorithm=SDK-HMAC-SHA256&X-Sdk-Credential=" + keyID + "&X-Sdk-Date=" + today +
	"&X-Sdk-Expires=600&X-Sdk-SignedHeaders=host"

const scopeText = "20260115/cn-north-4/apig/sdk_request"

// presignable is an environment that accepts credentials in the query.
func presignable(t testing.TB, scheme core.Scheme) *core.Verifier {
	c := config(scheme)
	c.AllowPresigned = true
	return verifier(t, c)
}

func flatScheme() core.Scheme   { return apig.New(apig.Config{Keys: core.Keys(key(false))}) }
func scopedScheme() core.Scheme { return apig.NewScoped(apig.Config{Keys: core.Keys(key(true))}) }

// TestQueryForm_T160: every parameter once, as it is spelled, and a time of
// validity in the one form; every case is rightly signed.
func TestQueryForm_T160(t *testing.T) {
	v := presignable(t, flatScheme())
	for _, tt := range []struct {
		name, from, to string
		want           core.Code
	}{
		{"right", "", "", ""},
		{"T160 one second", "Expires=600", "Expires=1", ""},
		{"T160 a week", "Expires=600", "Expires=604800", ""},
		{"T160 0", "Expires=600", "Expires=0", core.CodeCredentialMalformed},
		{"T160 empty", "Expires=600", "Expires=", core.CodeCredentialMalformed},
		{"T160 absent", "X-Sdk-Expires=600&", "", core.CodeCredentialMalformed},
		{"T160 twice", "X-Sdk-Expires=600", "X-Sdk-Expires=600&X-Sdk-Expires=600", core.CodeRequestAmbiguous},
		{"T160 twice, first empty", "X-Sdk-Expires=600", "X-Sdk-Expires=&X-Sdk-Expires=600", core.CodeRequestAmbiguous},
		{"T054 case twin", "host", "host&x-sdk-expires=604800", core.CodeRequestAmbiguous},
		{"T054 case twin of the signature", "host", "host&x-sdk-signature=00", core.CodeRequestAmbiguous},
		{"other case alone", "X-Sdk-Expires", "X-Sdk-EXPIRES", core.CodeRequestAmbiguous},
		{"algorithm twice", "&X-Sdk-Cre", "&X-Sdk-Algorithm=V11-HMAC-SHA256&X-Sdk-Cre", core.CodeRequestAmbiguous},
		{"algorithm in another case", "X-Sdk-Algorithm", "X-Sdk-ALGORITHM", core.CodeCredentialMissing},
		{"algorithm of another scheme", "SDK-HMAC-SHA256", "V11-HMAC-SHA256", core.CodeCredentialMissing},
		{"scoped credential", keyID, keyID + "%2F20260115%2Fcn-north-4%2Fapig%2Fsdk_request", core.CodeCredentialMissing},
		{"no credential", keyID, "", core.CodeCredentialMalformed},
		{"unknown key", keyID, "NOPE", core.CodeKeyUnknown},
		{"no date", "X-Sdk-Date=" + today + "&", "", core.CodeCredentialMalformed},
		{"date malformed", today, "2026-01-15T12%3A00%3A00Z", core.CodeCredentialMalformed},
		{"no signed headers", "&X-Sdk-SignedHeaders=host", "", core.CodeCredentialMalformed},
		{"another parameter of the prefix", "host", "host&X-Sdk-Version=1", ""},
		{"an ordinary parameter", "X-Sdk-Algorithm", "A=%2F&X-Sdk-Algorithm", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			query := strings.Replace(parameters, tt.from, tt.to, 1)
			if got := verify(t, v, received(t, queryForm("", query, keySecret))); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestPresigned_T161: a link is good for what was signed, until it expires, and
// where links are accepted at all.
func TestPresigned_T161(t *testing.T) {
	link := queryForm("", parameters, keySecret)
	scopedParameters := strings.Replace(parameters, keyID, keyID+"%2F"+strings.ReplaceAll(scopeText, "/", "%2F"), 1)
	scopedLink := queryForm(scopeText, scopedParameters, chain("SDK", "20260115", region, service, "sdk_request"))
	replace := strings.NewReplacer
	for _, tt := range []struct {
		name   string
		change *strings.Replacer
		want   core.Code
	}{
		{"as it was signed", replace(), ""},
		{"host", replace("Host: api.", "Host: evil."), core.CodeSignatureMismatch},
		{"method", replace("GET ", "DELETE "), core.CodeSignatureMismatch},
		{"path", replace("/v1/items", "/v1/other"), core.CodeSignatureMismatch},
		{"parameter added", replace("&X-Sdk-Date", "&admin=1&X-Sdk-Date"), core.CodeSignatureMismatch},
		{"longer", replace("=600", "=6000"), core.CodeSignatureMismatch},
		{"other date", replace("T120000Z", "T120001Z"), core.CodeSignatureMismatch},
		{"signature in front", replace("/v1/items?", "/v1/items?&", "&X-Sdk-Expires", "&&X-Sdk-Expires"), ""},
		{"signature's name encoded", replace("X-Sdk-Signature", "X-Sdk-%53ignature"), ""},
		{"signature twice", replace("&X-Sdk-Signature=", "&X-Sdk-Signature=00&X-Sdk-Signature="), core.CodeRequestAmbiguous},
		{"signature cut", replace("&X-Sdk-Signature=", "&X-Sdk-Signature"), core.CodeCredentialMalformed},
		{"signature upper case", replace("&X-Sdk-Signature=", "&X-Sdk-Signature=A"), core.CodeCredentialMalformed},
		{"with an Authorization header", replace("Host:", "Authorization: SDK-HMAC-SHA256 Access=a\r\nHost:"), core.CodeRequestAmbiguous},
		{"with a date header", replace("Host:", "X-Sdk-Date: 20260115T120000Z\r\nHost:"), core.CodeRequestAmbiguous},
		{"with an unsigned protocol header", replace("Host:", "X-Sdk-Foo: 1\r\nHost:"), core.CodeHeaderNotSigned},
		{"with a body", replace("\r\n\r\n", "\r\nContent-Length: 1\r\n\r\nx"), core.CodeSignatureMismatch},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := verify(t, presignable(t, flatScheme()), received(t, tt.change.Replace(link))); got != tt.want {
				t.Errorf("flat: got %q, want %q", got, tt.want)
			}
			if got := verify(t, presignable(t, scopedScheme()), received(t, tt.change.Replace(scopedLink))); got != tt.want {
				t.Errorf("scoped: got %q, want %q", got, tt.want)
			}
		})
	}
	if got := verify(t, verifier(t, config(flatScheme())), received(t, link)); got != core.CodeSchemeNotAccepted {
		t.Errorf("where links are not accepted: got %q", got)
	}
	for _, tt := range []struct {
		now  time.Duration
		want core.Code
	}{{600 * time.Second, ""}, {601 * time.Second, core.CodeSignatureExpired}, {-15 * time.Minute, ""}, {-15*time.Minute - time.Second, core.CodeSignatureNotYetValid}} {
		for _, scheme := range []core.Scheme{flatScheme(), scopedScheme()} {
			c := config(scheme)
			c.AllowPresigned, c.Now = true, func() time.Time { return instant.Add(tt.now) }
			raw := link
			if scheme.Name() == "aksk" {
				raw = scopedLink
			}
			if got := verify(t, verifier(t, c), received(t, raw)); got != tt.want {
				t.Errorf("%s, %v after it was signed: got %q, want %q", scheme.Name(), tt.now, got, tt.want)
			}
		}
	}
}

// TestPresignedBody_T162: the body is signed as in the header form, and left
// unsigned only where that is allowed.
func TestPresignedBody_T162(t *testing.T) {
	for _, s := range schemes {
		if !s.presigned {
			continue
		}
		for _, allowed := range []bool{false, true} {
			c := config(s.scheme(apig.Config{Keys: core.Keys(key(s.scoped))}))
			c.AllowPresigned, c.AllowUnsignedPayload = true, allowed
			v := verifier(t, c)
			for payload, wants := range map[core.Payload][2]core.Code{ // the body as signed, and another
				core.PayloadHashed:   {"", core.CodeSignatureMismatch},
				core.PayloadDeclared: {"", core.CodeBodyMismatch},
				core.PayloadUnsigned: {core.CodePayloadNotSigned, core.CodePayloadNotSigned},
			} {
				if allowed && payload == core.PayloadUnsigned {
					wants = [2]core.Code{}
				}
				signer := s.signer(key(s.scoped), apig.SignOptions{Payload: payload, Expires: time.Minute})
				for i, body := range []string{"text", "TEXT"} {
					r := received(t, "PUT /v1/items HTTP/1.1\r\nHost: api.example.com\r\nContent-Length: 4\r\n\r\n"+body)
					testkit.Sign(signer, r, "text", instant)
					if got := verify(t, v, r); got != wants[i] {
						t.Errorf("%s, %v, %q: got %q, want %q", s.name, payload, body, got, wants[i])
					}
				}
			}
		}
	}
}

// TestPresignRefuses: what no verifier would accept is not signed.
func TestPresignRefuses(t *testing.T) {
	for _, s := range schemes {
		for target, all := range map[string]map[time.Duration]bool{
			"/v1/items?a=1":         {time.Second: true, 7 * 24 * time.Hour: true, 7*24*time.Hour + 1: false, 7*24*time.Hour + time.Second: false, -time.Second: false, 1500 * time.Millisecond: false, 1: false},
			"/?X-Sdk-Date=1":        {time.Second: false},
			"/?x-sdk-%73ignature=1": {time.Second: false},
			"/a/../b":               {time.Second: false},
		} {
			for expires, possible := range all {
				r, err := http.NewRequest("GET", "http://api.example.com"+target, nil)
				if err != nil {
					t.Fatal(err)
				}
				signer := s.signer(key(s.scoped), apig.SignOptions{Expires: expires})
				digest := hex.EncodeToString(signer.NewHash().Sum(nil))
				if err := signer.Sign(r, digest, instant); (err == nil) != (possible && s.presigned) {
					t.Errorf("%s, %s for %v: %v", s.name, target, expires, err)
				}
			}
		}
	}
}
