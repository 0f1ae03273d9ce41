package explain_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/explain"
)

// TestHeaderNames_T186: a refusal because of headers names exactly these, also if the
// signature does not match.
func TestHeaderNames_T186(t *testing.T) {
	set := func(lines ...string) func(*http.Request) {
		return func(r *http.Request) {
			for _, line := range lines {
				name, value, _ := strings.Cut(line, ": ")
				r.Header[name] = append(r.Header[name], value)
			}
		}
	}
	list := func(from, to string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), from, to, 1))
		}
	}
	open := func(c *core.Config) { c.APIs = []core.API{{Match: "/v1/", Open: true}} }
	role := func(c *core.Config) { c.RequireSigned = []string{"host", "x-role"} }
	for _, tt := range []struct {
		name   string
		config func(*core.Config)
		change func(*http.Request)
		code   core.Code
		want   string
	}{
		{"protocol headers", nil, set("X-Sdk-Nonce: 1", "X-Sdk-Other: 2", "X-Harmless: 3"), core.CodeHeaderNotSigned, ": X-Sdk-Nonce, X-Sdk-Other"},
		{"in another spelling", nil, set("x-sdk-nonce: 1"), core.CodeHeaderNotSigned, ": x-sdk-nonce"},
		{"method override", nil, set("X-Http-Method-Override: PUT", "X-Other: 1"), core.CodeHeaderNotSigned, ": X-Http-Method-Override"},
		{"method override on an open API", open, set("X-Method-Override: PUT", "X-Other: 1"), core.CodeHeaderNotSigned, ": X-Method-Override"},
		{"required", role, set("X-Role: a", "X-Rolle: b"), core.CodeHeaderNotSigned, "required_signed: x-role"},
		{"required, with an underscore", role, set("X_Role: a"), core.CodeHeaderNotSigned, ": X_Role"},
		{"listed and absent", nil, func(r *http.Request) { r.Header.Del("X-Note"); r.Header.Set("X-Other", "1") }, core.CodeHeaderNotSigned, ": x-note"},
		{"listed and not to be signed", nil, list("host;", "connection;host;te;"), core.CodeHeaderNotSigned, ": connection, te"},
		{"the date", nil, list(";x-sdk-date", ""), core.CodeHeaderNotSigned, ": x-sdk-date"},
		{"the host", nil, list("host;", ""), core.CodeHeaderNotSigned, ": host"},
		{"twice", nil, set("X-Sdk-Date: 20260115T120001Z"), core.CodeRequestAmbiguous, ": X-Sdk-Date"},
		{"signed, also with an underscore", nil, set("X_Note: b"), core.CodeRequestAmbiguous, ": X_Note"},
		{"a space at the end", nil, func(r *http.Request) { r.Header.Set("X-Note", "one ") }, core.CodeRequestAmbiguous, ": x-note"},
		{"named by Connection", nil, set("Connection: keep-alive, x-note"), core.CodeRequestAmbiguous, ": x-note"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, key := range []core.Key{k1, secret(k1, "a-secret-that-nobody-knows")} {
				r := signed(t, key, "GET", "/v1/items", "", apig.SignOptions{Headers: []string{"x-note"}}, "X-Note: one")
				tt.change(r)
				var more []func(*core.Config)
				if tt.config != nil {
					more = append(more, tt.config)
				}
				setting := func(field string) string { return map[string]string{"RequireSigned": "required_signed"}[field] }
				x := why(t, r, config(more...), explain.Hints{Setting: setting})
				if x.Code != tt.code || !strings.HasSuffix(strings.Replace(x.Detail, "requires it to be signed", "required_signed", 1), tt.want) {
					t.Errorf("got %s: %s, want the end %q", x.Code, x.Detail, tt.want)
				}
			}
		})
	}
}
