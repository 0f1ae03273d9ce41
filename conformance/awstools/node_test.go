package awstools_test

import (
	"testing"

	"github.com/gatewayauth/gatewayauth/conformance/internal/wire"
)

// nodeCase is one request for node/sign.js.
type nodeCase struct {
	Name      string `json:"name"`
	Tool      string `json:"tool"`
	Presigned bool   `json:"presigned,omitempty"`
	Service   string `json:"service"`
	Region    string `json:"region"`
	Token     string `json:"token,omitempty"`
	nodeRequest

	expected expected
}

// nodeRequest is a request that an application passes to a signer. Header and query
// values are strings or lists. For aws4 and aws4fetch the path includes the query.
type nodeRequest struct {
	Method  string         `json:"method"`
	Path    string         `json:"path"`
	Query   map[string]any `json:"query,omitempty"`
	Headers map[string]any `json:"headers,omitempty"`
	Body    []byte         `json:"body,omitempty"`
	Options map[string]any `json:"options,omitempty"`
}

// TestNode tests requests that every signer on npm signs.
func TestNode(t *testing.T) {
	cases := nodeCases()
	raws := wire.SignWithNode(t, cases, "SIGN_ID="+keyID, "SIGN_SECRET="+secret)
	counts := map[string]*totals{}
	for _, c := range cases {
		if counts[c.Tool] == nil {
			counts[c.Tool] = count(t, c.Tool)
		}
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			counts[c.Tool].try(t, c.expected, raws[c.Name])
		})
	}
}
