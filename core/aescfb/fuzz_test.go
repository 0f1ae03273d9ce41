package aescfb_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
)

// FuzzParse: no header makes Parse panic, and what it takes for a credential
// stands in the header, with a signature of two blocks.
func FuzzParse(f *testing.F) {
	for _, access := range []string{"", "aes_key"} {
		f.Add(signed("SDK-AES-128-CFB", access, signature128), "20260115T120000Z", "")
		f.Add(signed("SDK-AES-256-CFB", access, signature256), "20260115T120000Z", "UNSIGNED-PAYLOAD")
	}
	f.Add("SDK-AES-128-CFB ,,,", "x", "STREAMING-")
	f.Add(strings.Replace(signed("SDK-AES-128-CFB", "a", signature128), "host;", "host;x-sdk-content-sha256;", 1), "20260115T120000Z", hexOfNothing)
	s := both()
	f.Fuzz(func(t *testing.T, value, date, digest string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header = http.Header{"Authorization": {value}, "X-Sdk-Date": {date}, "X-Sdk-Content-Sha256": {digest}}
		var c core.Credential
		if s.Parse(r, &c) != nil {
			return
		}
		if len(c.Signature) != 64 || strings.Trim(c.Signature, "0123456789abcdef") != "" || !c.SignsRequest || c.Presigned ||
			c.Timestamp != date || c.Time.Format("20060102T150405Z") != date || !strings.HasPrefix(value, c.Algorithm+" ") ||
			!strings.Contains(value, "Signature="+c.Signature) || !strings.Contains(value, "SignedHeaders="+c.SignedHeaders) ||
			(c.KeyID != "") != strings.Contains(value, "Access=") || c.Declared != "" && c.Declared != digest {
			t.Errorf("%q is read as %+v", value, c)
		}
	})
}
