package huawei_test

import (
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/conformance/internal/wire"
	"github.com/gatewayauth/gatewayauth/core"
)

// options is the request that an application passes to the Node SDK.
type options struct {
	Method      string            `json:"method"`
	URL         string            `json:"url"`
	Query       map[string]any    `json:"queryParams,omitempty"`
	Headers     map[string]string `json:"headers,omitempty"`
	ContentType string            `json:"contentType,omitempty"`
	Data        any               `json:"data,omitempty"`
}

// nodeCase is one request for node/sign.js, and its verdict.
type nodeCase struct {
	Name    string  `json:"name"`
	Options options `json:"options"`
	Binary  []byte  `json:"dataBase64,omitempty"`
	Derived bool    `json:"derived,omitempty"`

	scheme func(...core.Key) core.Scheme
	want   core.Code // "" means accepted
	why    string    // for refusals
}

// unsigned reports whether the SDK declares the body unsigned, which it does for all
// content types except JSON. The client sends every JSON type as application/json.
func (c *nodeCase) unsigned() bool {
	return c.Options.ContentType != "" && !strings.Contains(c.Options.ContentType, typeJSON)
}

// TestNodeSDK is like TestGoSDK and TestGoSDKRefused, for the SDK on npm. That SDK signs
// the host, and the content type if the application sets one.
func TestNodeSDK(t *testing.T) {
	var cases []nodeCase
	for _, a := range algorithms {
		if !a.npm {
			continue
		}
		for _, c := range nodeCases() {
			c.Name, c.Derived, c.scheme = a.name+"/"+c.Name, a.scoped, a.scheme
			cases = append(cases, c)
		}
	}
	raws := wire.SignWithNode(t, cases, "SDK_AK="+keyID, "SDK_SK="+secret, "SDK_REGION="+region, "SDK_SERVICE="+service)
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			backend := wire.Start(t, core.Config{
				Environment: "prod", Schemes: []core.Scheme{c.scheme(orders)}, Default: "orders",
				AllowUnsignedPayload: c.unsigned(),
			})
			raw := raws[c.Name]
			if c.want != "" {
				backend.Refuse(t, raw, c.want)
				if t.Failed() {
					t.Logf("want %q: %s", c.want, c.why)
				}
				return
			}
			id := accepted(t, backend, raw, wire.Body(t, raw))
			if name, _, _ := strings.Cut(c.Name, "/"); id.Algorithm() != name {
				t.Errorf("got algorithm %q, want %q", id.Algorithm(), name)
			}
			if got := id.Covers(); !got.Host || !got.Target || got.Body == c.unsigned() {
				t.Errorf("got coverage %+v", got)
			}
			l := wire.Parse(t, raw)
			backend.Refuse(t, l.OneSecondLater(t), core.CodeSignatureMismatch)
			tamper(t, backend, l, l.Changes(wire.Seeded(t)))
		})
	}
}
