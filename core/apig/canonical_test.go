package apig_test

import (
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
)

// TestCanonical compares canonical request and string to sign, as they are shown for
// diagnosis, with the forms in docs/protocols.md.
func TestCanonical(t *testing.T) {
	const signature = "0000000000000000000000000000000000000000000000000000000000000000"
	for _, tt := range []struct {
		name          string
		scheme        core.Scheme
		raw           string
		request, text string
	}{
		{"header", flatScheme(), "GET /v1?b&a=%2F HTTP/1.1\r\nHost: h\r\nX-Sdk-Date: 20260115T120000Z\r\nAuthorization: SDK-HMAC-SHA256 Access=k, SignedHeaders=host;x-sdk-date, Signature=" + signature + "\r\n\r\n",
			`GET
/v1/
a=%2F&b=
host:h
x-sdk-date:20260115T120000Z

host;x-sdk-date
PAYLOAD`, `SDK-HMAC-SHA256
20260115T120000Z
bc201d87fcbd0e64cb80193fb2a488d90bfc68c471e6f7c12e149311e2751998`},
		{"query with a scope", scopedScheme(), "GET /?X-Sdk-Signature=" + signature + "&X-Sdk-Expires=60&X-Sdk-Algorithm=SDK-HMAC-SHA256&X-Sdk-Date=20260115T120000Z&X-Sdk-SignedHeaders=host&X-Sdk-Credential=k/20260115/r/s/sdk_request HTTP/1.1\r\nHost: h\r\n\r\n",
			`GET
/
X-Sdk-Algorithm=SDK-HMAC-SHA256&X-Sdk-Credential=k%2F20260115%2Fr%2Fs%2Fsdk_request&X-Sdk-Date=20260115T120000Z&X-Sdk-Expires=60&X-Sdk-SignedHeaders=host
host:h

host
PAYLOAD`, `SDK-HMAC-SHA256
20260115T120000Z
20260115/r/s/sdk_request
16336a85f15ff24b75acc52192ebf063fa6d48437bb60ec0a80e44242ed213de`},
	} {
		var c core.Credential
		r := received(t, tt.raw)
		if err := tt.scheme.Parse(r, &c); err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		request, text, err := tt.scheme.(core.Canonicalizer).Canonical(r, &c, "PAYLOAD")
		if err != nil || request != tt.request || text != tt.text {
			t.Errorf("%s: got %q\n%q, %v\nwant %q\n%q", tt.name, request, text, err, tt.request, tt.text)
		}
	}
}
