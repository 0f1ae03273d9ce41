package core_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// TestRewrite verifies as the gateway sent it what a proxy changed: a prefix
// stripped, the host replaced. Bindings see what arrived.
func TestRewrite(t *testing.T) {
	v := verifier(t, func(c *core.Config) {
		c.Rewrite = core.Rewrite{AddPrefix: "/v1", Host: "api.example.com"}
		c.APIs, c.Default = []core.API{{Match: "/items", Key: "k1"}}, "k2"
	})
	raw := strings.NewReplacer("/v1/items", "/items", "Host: api.example.com", "Host: backend.internal").Replace(p1)
	r := request(t, raw)
	id, err := v.Verify(r)
	if err != nil {
		t.Fatal(err)
	}
	if id.Covers().Host {
		t.Error("the received host counts as covered, and nobody signed it")
	}
	if r.Host != "backend.internal" || r.RequestURI != "/items" {
		t.Errorf("the request was changed: %s %s", r.Host, r.RequestURI)
	}
	wantVerdict(t, v, request(t, p1), core.CodeSignatureMismatch)
	withQuery := signed(t, k2, "GET", "/v1/x?b=1&a=2", "", apig.SignOptions{})
	withQuery.RequestURI = "/x?b=1&a=2"
	if _, err := v.Verify(withQuery); err != nil {
		t.Errorf("with a query: %v", err)
	}
}

// TestRewriteOfOne: a proxy may change the path alone, or the host alone.
func TestRewriteOfOne(t *testing.T) {
	const prefix, host = "/v1", "api.example.com"
	for _, tt := range []struct {
		rewrite      core.Rewrite
		target, host string
		want         core.Code
	}{
		{core.Rewrite{AddPrefix: prefix}, "/items", host, ""},
		{core.Rewrite{AddPrefix: prefix}, "/v1/items", host, core.CodeSignatureMismatch},
		{core.Rewrite{AddPrefix: prefix}, "/items", "backend.internal", core.CodeSignatureMismatch},
		{core.Rewrite{Host: host}, "/v1/items", "backend.internal", ""},
		{core.Rewrite{Host: host}, "/v1/items", host, ""},
		{core.Rewrite{Host: host}, "/items", "backend.internal", core.CodeSignatureMismatch},
		{core.Rewrite{}, "/v1/items", host, ""},
	} {
		r := request(t, p1)
		r.RequestURI, r.Host = tt.target, tt.host
		id, err := verifier(t, func(c *core.Config) { c.Rewrite = tt.rewrite }).Verify(r)
		if core.CodeOf(err) != tt.want {
			t.Errorf("%+v, %s%s: got %v, want %q", tt.rewrite, tt.host, tt.target, err, tt.want)
		} else if err == nil && id.Covers().Host != (tt.rewrite.Host == "") {
			t.Errorf("%+v: the received host counts as covered: %v", tt.rewrite, id.Covers().Host)
		}
	}
}

// TestLinesInMethods: a method that would break the canonical request into other lines is
// refused before anything is computed from it.
func TestLinesInMethods(t *testing.T) {
	for _, method := range []string{"\n", "\r", "GET\n", "\nGET", "GET\r", "\rGET", "GE\rT", "\r\n"} {
		r := request(t, p1)
		r.Method = method
		_, err := verifier(t).Verify(r)
		if wantCode(t, err, core.CodeRequestAmbiguous); err != nil && !strings.Contains(err.Error(), "the method is not a token") {
			t.Errorf("%q: got %v", method, err)
		}
	}
}

// TestEmptyTarget_T036: net/http lets CONNECT through with an empty target, which looks
// like a request that no server has read. It is not the signed "/".
func TestEmptyTarget_T036(t *testing.T) {
	const connect = "CONNECT / HTTP/1.1\r\nHost: api.example.com\r\nX-Sdk-Date: 20260115T120000Z\r\n" +
		"Authorization: SDK-HMAC-SHA256 Access=AKTESTAKTEST0001, SignedHeaders=host;x-sdk-date, Signature=6f43270133e8535c188410e40f79f5073f7fe8746f43700a30c9b597c7225bed\r\n\r\n"
	v := verifier(t)
	wantVerdict(t, v, request(t, connect), "")
	wantVerdict(t, v, request(t, strings.Replace(connect, "/", "", 1)), core.CodeRequestAmbiguous)
}

// TestLongTargets cost nothing to refuse.
func TestLongTargets(t *testing.T) {
	r := httptest.NewRequest("GET", "/", nil)
	r.RequestURI = "/" + strings.Repeat("a/b%20", 100000)
	r.URL = &url.URL{Path: "/"}
	v := verifier(t, func(c *core.Config) { c.APIs = []core.API{{Match: "/v1/", Key: "k1"}} })
	if got := testing.AllocsPerRun(10, func() { v.Verify(r) }); got > 10 {
		t.Errorf("%v allocations", got)
	}
	wantVerdict(t, v, r, core.CodeRequestAmbiguous)
}

// TestOuterBlanks: a blank that the canonical form does not show must not reach
// the handler. Folded lines keep one through net/http; HTTP/2 lets any through.
func TestOuterBlanks(t *testing.T) {
	for _, value := range []string{"guest ", " guest", "guest\t", "\t"} {
		r := signed(t, k1, "GET", "/", "", apig.SignOptions{Headers: []string{"x-role"}}, "X-Role: guest")
		r.Header["X-Role"] = []string{value}
		wantVerdict(t, verifier(t), r, core.CodeRequestAmbiguous)
	}
}

// TestOddRequests_T142 and T143, T144: no panic, no verdict in favour.
func TestOddRequests_T142(t *testing.T) {
	v := verifier(t)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, tt := range map[string]struct {
		r    *http.Request
		want core.Code
	}{
		"nil":             {nil, core.CodeRequestAmbiguous},
		"empty":           {&http.Request{}, core.CodeRequestAmbiguous},
		"no header":       {&http.Request{Host: "h", URL: request(t, p1).URL}, core.CodeCredentialMissing},
		"T144 cancelled":  {request(t, p1).WithContext(cancelled), core.CodeUnavailable},
		"newline in it":   {&http.Request{Method: "GET\nx", Host: "h", URL: request(t, p1).URL, Header: request(t, p1).Header}, core.CodeRequestAmbiguous},
		"T143 as client":  {func() *http.Request { r := request(t, p1); r.RequestURI = ""; return r }(), ""},
		"T143 nil body":   {func() *http.Request { r := request(t, p1); r.Body = nil; return r }(), ""},
		"T143 no address": {func() *http.Request { r := request(t, p1); r.RemoteAddr = ""; return r }(), ""},
		"T143 moved URL":  {func() *http.Request { r := request(t, p1); r.URL.Path = "/elsewhere"; return r }(), ""},
	} {
		t.Run(name, func(t *testing.T) {
			id, err := v.Verify(tt.r)
			wantCode(t, err, tt.want)
			if (id == nil) == (err == nil) {
				t.Errorf("got identity %v and error %v", id, err)
			}
		})
	}
	_, err := v.Verify(request(t, p1).WithContext(cancelled))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the error does not wrap the context's: %v", err)
	}
	r := request(t, p1)
	for range 2 {
		if _, err := v.Verify(r); err != nil {
			t.Errorf("served twice: %v", err)
		}
	}
}

// TestInstants: the bounds of a signed date belong to it, and a date of another century is
// neither near nor far by accident.
func TestInstants(t *testing.T) {
	const skew = 10 * time.Minute
	for _, tt := range []struct {
		now     time.Time
		expires time.Duration // of a link
		want    core.Code
	}{
		{instant.Add(skew), 0, ""}, {instant.Add(skew + 1), 0, core.CodeSignatureExpired},
		{instant.Add(-skew), 0, ""}, {instant.Add(-skew - 1), 0, core.CodeSignatureNotYetValid},
		{instant.Add(time.Hour), time.Hour, ""}, {instant.Add(time.Hour + 1), time.Hour, core.CodeSignatureExpired},
		{instant.Add(time.Second + 1), time.Second, core.CodeSignatureExpired},
		{instant.Add(-skew), time.Hour, ""}, {instant.Add(-skew - 1), time.Hour, core.CodeSignatureNotYetValid},
		{instant.AddDate(1, 0, 0), 0, core.CodeSignatureExpired}, {instant.AddDate(-1, 0, 0), 0, core.CodeSignatureNotYetValid},
		{instant.AddDate(101, 0, 0), 0, core.CodeSignatureExpired}, {instant.AddDate(-101, 0, 0), 0, core.CodeSignatureNotYetValid},
		{instant.AddDate(7000, 0, 0), 0, core.CodeSignatureExpired}, {time.Time{}, 0, core.CodeSignatureNotYetValid},
	} {
		v := verifier(t, func(c *core.Config) {
			c.ClockSkew, c.AllowPresigned, c.Now = skew, true, func() time.Time { return tt.now }
		})
		r := httptest.NewRequest("GET", "/v1/items", nil)
		r.Host, r.Body = "api.example.com", http.NoBody
		testkit.Sign(apig.NewSigner(k1, apig.SignOptions{Expires: tt.expires}), r, "", instant)
		r.RequestURI = r.URL.RequestURI()
		if _, err := v.Verify(r); core.CodeOf(err) != tt.want {
			t.Errorf("at %v, expires %v: got %v, want %q", tt.now, tt.expires, err, tt.want)
		}
	}
}

// TestWhatIsNoCredential: a header that holds no credential has another code than one of
// another scheme. Both are answered alike.
func TestWhatIsNoCredential(t *testing.T) {
	for text, want := range map[string]core.Code{
		"abc def": core.CodeCredentialMalformed, "Digest": core.CodeCredentialMalformed, "": core.CodeCredentialMalformed, "a=b": core.CodeCredentialMalformed,
		"Bearer abc=": core.CodeSchemeNotAccepted, "bearer abc": core.CodeSchemeNotAccepted, "Bearer": core.CodeSchemeNotAccepted, `Digest username="a"`: core.CodeSchemeNotAccepted,
	} {
		r := request(t, p1)
		r.Header["Authorization"] = []string{text}
		if _, err := verifier(t).Verify(r); core.CodeOf(err) != want {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
	r := request(t, p1)
	r.Header["Authorization"] = nil
	wantVerdict(t, verifier(t), r, core.CodeCredentialMissing)
}

// says is a scheme that says something of its own about a credential.
type says struct {
	core.Scheme
	change func(*core.Credential)
}

func (s says) Parse(r *http.Request, c *core.Credential) error {
	err := s.Scheme.Parse(r, c)
	if err == nil {
		s.change(c)
	}
	return err
}

// TestWhatSchemesSay: what a scheme says about a credential counts, and what it does not
// say is not made up.
func TestWhatSchemesSay(t *testing.T) {
	temporary := core.Key{Name: "k1", ID: k1.ID, Secret: k1.Secret, SessionToken: core.NewSecret("the-token")}
	regional := core.Key{Name: "k1", ID: k1.ID, Secret: k1.Secret, Region: "r1", Service: "s1"}
	for _, tt := range []struct {
		name   string
		key    core.Key
		change func(*core.Credential)
		want   core.Code
	}{
		{"nothing", k1, func(c *core.Credential) {}, ""},
		{"a session token, and the key has none", k1, func(c *core.Credential) { c.SessionToken = "the-token" }, ""},
		{"the key's session token", temporary, func(c *core.Credential) { c.SessionToken = "the-token" }, ""},
		{"another session token", temporary, func(c *core.Credential) { c.SessionToken = "the-taken" }, core.CodeSignatureMismatch},
		{"no session token", temporary, func(c *core.Credential) {}, core.CodeSignatureMismatch},
		{"a fraction of a second, in time", k1, func(c *core.Credential) { c.Time = c.Time.Add(-15*time.Minute + time.Millisecond) }, ""},
		{"a fraction of a second, too late", k1, func(c *core.Credential) { c.Time = c.Time.Add(-15*time.Minute - time.Millisecond) }, core.CodeSignatureExpired},
		{"a fraction of a second, too early", k1, func(c *core.Credential) { c.Time = c.Time.Add(15*time.Minute + time.Millisecond) }, core.CodeSignatureNotYetValid},
		{"another payload", k1, func(c *core.Credential) { c.Payload = 99 }, core.CodePayloadUnsupported},
		{"region and service", regional, func(c *core.Credential) { c.Region, c.Service = "r1", "s1" }, ""},
		{"neither", regional, func(c *core.Credential) {}, core.CodeSignatureMismatch},
		{"another region", regional, func(c *core.Credential) { c.Region, c.Service = "r2", "s1" }, core.CodeSignatureMismatch},
		{"another service", regional, func(c *core.Credential) { c.Region, c.Service = "r1", "s2" }, core.CodeSignatureMismatch},
		{"a region, and the key has none", k1, func(c *core.Credential) { c.Region = "r1" }, core.CodeSignatureMismatch},
		{"a set of regions with the key's", regional, func(c *core.Credential) {
			c.Service, c.InRegion = "s1", func(region string) bool { return region == "r1" }
		}, ""},
		{"a set of regions without the key's", regional, func(c *core.Credential) {
			c.Region, c.Service, c.InRegion = "r1", "s1", func(string) bool { return false }
		}, core.CodeSignatureMismatch},
		{"a set of all regions, and the key has none", k1, func(c *core.Credential) { c.InRegion = func(string) bool { return true } }, core.CodeSignatureMismatch},
	} {
		v := verifier(t, func(c *core.Config) {
			c.Schemes = []core.Scheme{says{hmacScheme(tt.key), tt.change}}
			c.RequireSigned = []string{}
		})
		_, err := v.Verify(request(t, p1))
		if core.CodeOf(err) != tt.want {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}

// TestLinkOfNoHeader: a link that signs no header is refused for that, also where none is
// required.
func TestLinkOfNoHeader(t *testing.T) {
	v := verifier(t, func(c *core.Config) {
		c.Schemes = []core.Scheme{says{hmacScheme(k1), func(c *core.Credential) { c.SignedHeaders = "" }}}
		c.AllowPresigned, c.RequireSigned = true, []string{}
	})
	r := httptest.NewRequest("GET", "/v1/items", nil)
	r.Host, r.Body = "api.example.com", http.NoBody
	testkit.Sign(apig.NewSigner(k1, apig.SignOptions{Expires: time.Minute}), r, "", instant)
	r.RequestURI = r.URL.RequestURI()
	wantVerdict(t, v, r, core.CodeHeaderNotSigned)
}

// notMine is a scheme that finds out late that a credential is not its own.
type notMine struct{ core.Scheme }

func (s notMine) Parse(_ *http.Request, c *core.Credential) error {
	c.Region, c.SignedHeaders, c.Presigned, c.Payload = "r1", "cookie", true, core.PayloadUnsigned
	return fmt.Errorf("not mine: %w", core.ErrNoCredential)
}

// TestNotMine: what a scheme has read before it finds that a credential is none of its own is
// forgotten, and the next scheme is asked.
func TestNotMine(t *testing.T) {
	v := verifier(t, func(c *core.Config) { c.Schemes = []core.Scheme{notMine{hmacScheme(k2)}, hmacScheme(k1)} })
	wantVerdict(t, v, request(t, p1), "")
}

// wild is a scheme that misbehaves.
type wild struct{ secret int }

func (wild) Name() string { return "wild" }

func (wild) Algorithms() []string { return []string{"WILD"} }

func (wild) Keys() core.KeySource { return core.Keys(k1) }

func (wild) Parse(_ *http.Request, c *core.Credential) error {
	c.KeyID = k1.ID
	return nil
}

func (w wild) Verify(*http.Request, *core.Credential, *core.Key, []core.Secret, string) (int, error) {
	return w.secret, nil
}

// TestSchemeMustNameASecret: a scheme that returns no error and no secret has
// not accepted.
func TestSchemeMustNameASecret(t *testing.T) {
	for _, n := range []int{-1, 1, 99} {
		v := verifier(t, func(c *core.Config) { c.Schemes = []core.Scheme{wild{n}} })
		wantVerdict(t, v, request(t, p1), core.CodeSignatureMismatch)
	}
}
