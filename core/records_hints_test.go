package core_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/replay"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// TestRecordsAdvise_T199: where the hint of the code would be wrong, the record has
// another one, which docs/troubleshooting.md has in the section of the code. The error names
// what differs; answers do not.
func TestRecordsAdvise_T199(t *testing.T) {
	sections := troubleshooting(t)
	plain := func(key core.Key, target string) func() *http.Request {
		return func() *http.Request { return signed(t, key, "GET", target, "", apig.SignOptions{}) }
	}
	to := func(target string) func() *http.Request {
		return func() *http.Request {
			r := request(t, p1)
			r.RequestURI = target
			return r
		}
	}
	with := func(lines ...string) func() *http.Request {
		return func() *http.Request {
			r := request(t, p1)
			for _, line := range lines {
				name, value, _ := strings.Cut(line, ": ")
				r.Header[name] = []string{value}
			}
			return r
		}
	}
	listed := func(lines, names string) func() *http.Request {
		return with("Authorization: " + signedText("GET\n/v1/items/\n\n"+lines+"\n"+names+"\n"+noBody))
	}
	apis := func(apis ...core.API) func(*core.Config) {
		return func(c *core.Config) { c.APIs, c.Default = apis, "" }
	}
	admin := core.API{Match: "/admin/", Key: "k2"}
	scoped := core.Key{Name: "aws", ID: "AKIDEXAMPLE", Secret: core.NewSecret("wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLEKEY"), Region: "eu-de", Service: "orders"}
	aws := func(c *core.Config) {
		c.Schemes, c.Default = []core.Scheme{sigv4.New(sigv4.Config{Keys: core.Keys(scoped)})}, scoped.Name
	}
	startedNow := func(c *core.Config) {
		store, err := replay.New(replay.Config{RefuseBefore: instant})
		if err != nil {
			t.Fatal(err)
		}
		c.Replay.Store = store
	}
	elsewhere := scoped
	elsewhere.Region = "eu-nl"
	for _, tt := range []struct {
		name    string
		config  func(*core.Config)
		request func() *http.Request
		code    core.Code
		hint    string // its beginning
		names   []string
	}{
		{"an API with a slash at its end", func(c *core.Config) { c.APIs = []core.API{admin} }, plain(k2, "/admin"), core.CodeRequestAmbiguous,
			"List both APIs", []string{`"/admin/" (key k2)`, "default (key k1)"}},
		{"and no default", apis(admin), plain(k2, "/admin"), core.CodeRequestAmbiguous, "List both APIs", []string{`"/admin/" (key k2)`, "no API of the file (default is not set)"}},
		{"dot segments", apis(admin, core.API{Match: "/orders/", Key: "k1"}), to("/orders/../admin/x"), core.CodeRequestAmbiguous,
			"List both APIs", []string{`"/admin/" (key k2)`, `"/orders/" (key k1)`}},
		{"a slash that is encoded", apis(core.API{Match: "/orders/{id}", Key: "k1"}), to("/orders%2F7"), core.CodeRequestAmbiguous,
			"List both APIs", []string{`"/orders/{id}" (key k1)`, "no API of the file"}},
		{"an open API", apis(core.API{Match: "/{x}", Open: true}, core.API{Match: "/a/{x}", Key: "k2"}), to("/a%2Fb"), core.CodeRequestAmbiguous,
			"", []string{`"/a/{x}" (key k2)`, `"/{x}" (open)`}},
		{"HEAD and GET", func(c *core.Config) { c.APIs = []core.API{{Match: "GET /admin/", Key: "k2"}} },
			func() *http.Request { return signed(t, k2, "HEAD", "/admin/x", "", apig.SignOptions{}) }, core.CodeRequestAmbiguous,
			"Bind HEAD and GET alike: ", []string{`"GET /admin/" (key k2)`, "default (key k1)"}},
		{"a bearer token", nil, with("Authorization: Bearer eyJhbGciOiJub25lIn0"), core.CodeSchemeNotAccepted, "The request holds the client's own token and no signature: ", nil},
		{"a bearer token in another header", func(c *core.Config) { c.CredentialHeader = "X-Backend-Sign" }, with("X-Backend-Sign: Bearer eyJhbGciOiJub25lIn0"),
			core.CodeSchemeNotAccepted, "The request holds the client's own token and no signature: ", nil},
		{"a scheme that is not accepted", nil, with("Authorization: SDK-HMAC-SM3 a=b"), core.CodeSchemeNotAccepted, "", nil},
		{"signed before the start", startedNow, with(), core.CodeUnavailable, "Nothing needs repair: it ends within clock_skew of the start. Take refuse_before_start out of replay ", nil},
		{"presigned before the start", func(c *core.Config) { aws(c); startedNow(c); c.AllowPresigned = true }, func() *http.Request {
			return testkit.Sign(testkit.Presigner{Signer: sigv4.NewSigner(scoped, sigv4.SignOptions{})}, testkit.Unsigned("GET", "/"), "", instant)
		}, core.CodeUnavailable, "Nothing needs repair: a presigned request ", nil},
		{"no API", apis(admin), plain(k1, "/reports/7"), core.CodeKeyNotBound, "Add the API to apis, or set default; ", []string{"default is not set"}},
		{"another key", apis(admin), plain(k1, "/admin/"), core.CodeKeyNotBound, "", []string{"a key that is not bound to this API"}},
		{"a wrong password", nil, func() *http.Request { r := request(t, p1); r.SetBasicAuth(user.ID, "wrong"); return r }, core.CodeSignatureMismatch, "Compare the password ", nil},
		{"another region", aws, func() *http.Request {
			return testkit.Sign(sigv4.NewSigner(elsewhere, sigv4.SignOptions{}), testkit.Unsigned("GET", "/"), "", instant)
		}, core.CodeSignatureMismatch, "Correct region or service ", []string{`"eu-nl"`, `"eu-de"`, `"orders"`}},
		{"a session token that nobody has", func(c *core.Config) {
			k := k1
			k.SessionToken = core.NewSecret("a-session-token")
			c.Schemes = []core.Scheme{hmacScheme(k)}
		}, with(), core.CodeSignatureMismatch, "Compare session_token ", nil},
		{"another secret", nil, plain(core.Key{ID: k1.ID, Secret: k2.Secret}, "/"), core.CodeSignatureMismatch, "", nil},
		{"a header of the protocol", nil, with("X-Sdk-A: 1"), core.CodeHeaderNotSigned, "", nil},
		{"one that cannot be in allow_unsigned", nil, with("X-Sdk-Security-Token: 1"), core.CodeHeaderNotSigned, "The sender must sign the header that is named, or not send it.", nil},
		{"a method override", nil, with("X-Http-Method-Override: PUT"), core.CodeHeaderNotSigned, "The sender must sign the header that is named, or not send it.", nil},
		{"a method override on an open API", apis(core.API{Match: "/v1/items", Open: true}), with("X-Http-Method-Override: PUT"), core.CodeHeaderNotSigned, "The sender must not send ", nil},
		{"a required header", func(c *core.Config) { c.RequireSigned = []string{"host", "x-role"} }, with("X-Role: 1"), core.CodeHeaderNotSigned, "Sign the header that is named, or take it out of require_signed.", nil},
		{"an underscore", func(c *core.Config) { c.RequireSigned = []string{"host", "x-role"} }, with("X_role: 1"), core.CodeHeaderNotSigned, "The sender must write ", nil},
		{"a required header with a body", func(c *core.Config) { c.RequireSignedWithBody = []string{"content-type"} },
			func() *http.Request { return signed(t, k1, "POST", "/", "x", apig.SignOptions{}) }, core.CodeHeaderNotSigned, "Sign the header that is named, or take it out of require_signed_with_body.", nil},
		{"hosts", func(c *core.Config) { c.RequireSigned, c.Hosts = []string{}, []string{"api.example.com"} },
			listed("x-sdk-date:20260115T120000Z\n", "x-sdk-date"), core.CodeHeaderNotSigned, "Sign host: ", nil},
		{"the date", nil, listed("host:api.example.com\n", "host"), core.CodeHeaderNotSigned, "The sender must sign the date ", nil},
		{"a header that did not arrive", nil, listed("host:api.example.com\nx-role:1\nx-sdk-date:20260115T120000Z\n", "host;x-role;x-sdk-date"), core.CodeHeaderNotSigned, "Find what removes ", nil},
		{"a header that cannot be signed", nil, listed("connection:close\nhost:api.example.com\nx-sdk-date:20260115T120000Z\n", "connection;host;x-sdk-date"), core.CodeHeaderNotSigned, "The sender must not sign ", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var log bytes.Buffer
			v := verifier(t, func(c *core.Config) {
				c.Logger, c.ExposeReason = jsonLogger(&log), true
				if tt.config != nil {
					tt.config(c)
				}
			})
			r := tt.request()
			_, err := v.Verify(r)
			core.Release(r)
			wantCode(t, err, tt.code)
			var record struct{ Error, Hint string }
			if err := json.Unmarshal(log.Bytes()[bytes.LastIndexByte(bytes.TrimSpace(log.Bytes()), '\n')+1:], &record); err != nil {
				t.Fatal(err)
			}
			if tt.hint == "" && record.Hint != tt.code.Hint() || tt.hint != "" && record.Hint == tt.code.Hint() || !strings.HasPrefix(record.Hint, tt.hint) {
				t.Errorf("got the hint %q of %q, want %q", record.Hint, record.Error, tt.hint)
			}
			if !slices.Contains(sections[tt.code], record.Hint) {
				t.Errorf("docs/troubleshooting.md has no paragraph %q in the section %s", record.Hint, tt.code)
			}
			for _, name := range tt.names {
				if !strings.Contains(record.Error, name) {
					t.Errorf("the error does not have %s: %s", name, record.Error)
				}
				if p := core.ProblemOf(err); tt.code != core.CodeKeyNotBound && strings.Contains(p.Reason, name) {
					t.Errorf("the answer has %s: %s", name, p.Reason)
				}
			}
		})
	}
}
