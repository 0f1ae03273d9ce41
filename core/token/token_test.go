package token_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/token"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// TestOneCall_T100: a thousand requests with one token ask once, until the
// answer is 15 minutes old.
func TestOneCall_T100(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iam := newIAM()
		iam.projects["good"] = "p"
		s := scheme(t, iam)
		v := verifier(t, s)
		if codes := many(v, times(1000, "good")); codes[""] != 1000 {
			t.Errorf("got %v", codes)
		}
		iam.wantCalls(t, "at once", 1, 1)
		time.Sleep(15*time.Minute - time.Nanosecond)
		if codes := many(v, times(1000, "good")); codes[""] != 1000 {
			t.Errorf("got %v", codes)
		}
		iam.wantCalls(t, "within 15 minutes", 0, 0)
		time.Sleep(time.Nanosecond)
		if codes := many(v, times(1000, "good")); codes[""] != 1000 {
			t.Errorf("got %v", codes)
		}
		iam.wantCalls(t, "after 15 minutes", 0, 1)
	})
}

// TestIdentity: what is proven, and to whom the token belongs.
func TestIdentity(t *testing.T) {
	iam := newIAM()
	iam.projects["good"] = "p"
	s := scheme(t, iam)
	admission, err := verifier(t, s).Admit(nil, request("good"), core.BodyForHandler)
	r := admission.Request
	if err != nil {
		t.Fatal(err)
	}
	id, _ := core.FromContext(r.Context())
	if c := id.Covers(); id.Scheme() != "token" || id.Algorithm() != "X-Auth-Token" || id.Key() != "token_key" || c.Target || c.Host || c.Body || len(c.Headers) > 0 {
		t.Errorf("got %v, %+v", id, c)
	}
	for name, want := range map[string]string{token.UserID: "user-1", token.UserName: "alice", token.UserDomainID: "default",
		token.ProjectID: "p", token.ProjectName: "a project", token.Roles: "member reader", "admin": ""} {
		if got := strings.Join(id.Attribute(name), " "); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	end, err := time.Parse(time.RFC3339, strings.Join(id.Attribute(token.ExpiresAt), ""))
	if left := time.Until(end); err != nil || left < 23*time.Hour || left > 24*time.Hour {
		t.Errorf("it ends in %v, %v", left, err)
	}
	id.Attribute(token.Roles)[0] = "admin"
	if slices.Contains(id.Attribute(token.Roles), "admin") {
		t.Error("a returned slice is the identity's own")
	}
	iam.projects["unscoped"] = ""
	if id, err := verifier(t, s).Verify(request("unscoped")); err != nil || len(id.Attribute(token.ProjectID)) > 0 {
		t.Errorf("unscoped: got %v, %v", id.Attribute(token.ProjectID), err)
	}
}

// TestMalformed_T101: what cannot be a token is refused without asking.
func TestMalformed_T101(t *testing.T) {
	iam := newIAM()
	v := verifier(t, scheme(t, iam))
	for name, tt := range map[string]struct {
		tokens []string
		want   core.Code
	}{
		"none":          {nil, core.CodeCredentialMissing},
		"empty":         {[]string{""}, core.CodeCredentialMalformed},
		"blank":         {[]string{" "}, core.CodeCredentialMalformed},
		"8 KiB and one": {[]string{strings.Repeat("x", 8193)}, core.CodeCredentialMalformed},
		"100 KB":        {[]string{strings.Repeat("x", 100_000)}, core.CodeCredentialMalformed},
		"CR LF":         {[]string{"a\r\nX-Subject-Token: b"}, core.CodeCredentialMalformed},
		"LF":            {[]string{"a\n"}, core.CodeCredentialMalformed},
		"NUL":           {[]string{"a\x00"}, core.CodeCredentialMalformed},
		"blank inside":  {[]string{"a b"}, core.CodeCredentialMalformed},
		"not ASCII":     {[]string{"tökén"}, core.CodeCredentialMalformed},
		"invalid UTF-8": {[]string{"a\xff"}, core.CodeCredentialMalformed},
		"two":           {[]string{"a", "b"}, core.CodeRequestAmbiguous},
		"twice":         {[]string{"a", "a"}, core.CodeRequestAmbiguous},
	} {
		_, err := v.Verify(request(tt.tokens...))
		wantCode(t, name, err, tt.want)
	}
	iam.wantCalls(t, "malformed", 0, 0)
	wantCode(t, "unknown", verify(v, "unknown"), core.CodeSignatureMismatch)
	wantCode(t, "8 KiB", verify(v, strings.Repeat("x", 8192)), core.CodeSignatureMismatch)
	iam.wantCalls(t, "unknown", 1, 2)
	r := request("a")
	r.Header["X_auth_token"] = []string{"b"}
	_, err := v.Verify(r)
	wantCode(t, "with an underscore", err, core.CodeRequestAmbiguous)
}

// TestPrefix_T102: tokens are told apart by all of their characters.
func TestPrefix_T102(t *testing.T) {
	for _, length := range []int{20, 64, 255, 4095} {
		iam := newIAM()
		prefix := strings.Repeat("x", length)
		iam.projects[prefix+"1"] = "one"
		iam.projects[prefix+"2"] = "two"
		v := verifier(t, scheme(t, iam))
		for tail, project := range map[string]string{"1": "one", "2": "two"} {
			id, err := v.Verify(request(prefix + tail))
			if err != nil {
				t.Fatal(err)
			}
			if got := id.Attribute(token.ProjectID); !slices.Equal(got, []string{project}) {
				t.Errorf("%d: got project %v, want %s", length, got, project)
			}
		}
		wantCode(t, "the prefix alone", verify(v, prefix), core.CodeSignatureMismatch)
		iam.wantCalls(t, "after all", 1, 3)
	}
}

// TestOtherIAM_T103: what one identity service said counts for it alone.
func TestOtherIAM_T103(t *testing.T) {
	a, b := newIAM(), newIAM()
	a.projects["good"] = "p"
	va, vb := verifier(t, scheme(t, a)), verifier(t, scheme(t, b))
	wantCode(t, "its own", verify(va, "good"), "")
	wantCode(t, "the other", verify(vb, "good"), core.CodeSignatureMismatch)
	b.wantCalls(t, "the other", 1, 1)

	// Two keys of one environment.
	other := key("https://other.example.com")
	other.Name = "other_key"
	both := testkit.New(t, core.Config{Environment: "prod",
		Schemes: []core.Scheme{scheme(t, a, func(c *token.Config) {
			c.Keys = append(c.Keys, other)
			c.Transport = hosts{"iam.example.com": direct{a}, "other.example.com": direct{b}}
		}), apig.New(apig.Config{Keys: core.Keys(core.Key{Name: "hmac_key", ID: "AKTESTAKTEST0001", Secret: core.NewSecret("sktest-sktest")})})},
		APIs: []core.API{{Match: "/v1/items", Key: "token_key"}, {Match: "/other/", Key: "other_key"}, {Match: "/hmac/", Key: "hmac_key"}}})
	a.calls()
	b.calls()
	for path, want := range map[string]core.Code{"/v1/items": "", "/other/x": core.CodeSignatureMismatch, "/hmac/x": core.CodeKeyUnknown, "/x": core.CodeKeyUnknown} {
		r := request("good")
		r.RequestURI, r.URL.Path = path, path
		_, err := both.Verify(r)
		wantCode(t, path, err, want)
	}
	a.wantCalls(t, "bound to it", 1, 1)
	b.wantCalls(t, "bound to it", 1, 1)
}

// hosts sends requests where their host leads.
type hosts map[string]http.RoundTripper

func (h hosts) RoundTrip(r *http.Request) (*http.Response, error) { return h[r.URL.Host].RoundTrip(r) }

// TestKeyOfAnother_T103: a key that the scheme does not have verifies nothing.
func TestKeyOfAnother_T103(t *testing.T) {
	iam := newIAM()
	iam.projects["good"] = "p"
	c := core.Credential{Signature: "good"}
	_, err := scheme(t, iam).Verify(request("good"), &c, &core.Key{Name: "another"}, nil, "")
	wantCode(t, "another key", err, core.CodeUnavailable)
	iam.wantCalls(t, "another key", 0, 0)
}

// TestProject_T104: a token of another project is refused, also when its answer
// is remembered.
func TestProject_T104(t *testing.T) {
	iam := newIAM()
	iam.projects["of-p"], iam.projects["of-q"], iam.projects["unscoped"] = "p", "q", ""
	v := verifier(t, scheme(t, iam, func(c *token.Config) { c.Keys[0].CallerProject = "q" }))
	for range 2 {
		wantCode(t, "project p", verify(v, "of-p"), core.CodeSignatureMismatch)
		wantCode(t, "project q", verify(v, "of-q"), "")
		wantCode(t, "no project", verify(v, "unscoped"), core.CodeSignatureMismatch)
	}
	iam.wantCalls(t, "twice each", 1, 3)
	wantCode(t, "no project where none is asked for", verify(verifier(t, scheme(t, iam)), "unscoped"), "")
}

// TestMixed_T105: two credentials are no credential.
func TestMixed_T105(t *testing.T) {
	iam := newIAM()
	iam.projects["good"] = "p"
	hmac := apig.New(apig.Config{Keys: core.Keys(core.Key{Name: "hmac_key", ID: "AKTESTAKTEST0001", Secret: core.NewSecret("sktest-sktest")})})
	v := verifier(t, scheme(t, iam), hmac)
	for _, auth := range []string{"SDK-HMAC-SHA256 Access=AKTESTAKTEST0001, SignedHeaders=host;x-sdk-date, Signature=" + strings.Repeat("0", 64), "Bearer x", ""} {
		for _, token := range []string{"good", "bad"} {
			r := request(token)
			r.Header.Set("Authorization", auth)
			_, err := v.Verify(r)
			wantCode(t, auth+" with "+token, err, core.CodeRequestAmbiguous)
			if refusal, ok := errors.AsType[*core.Error](err); !ok || refusal.Header != "Authorization, X-Auth-Token" {
				t.Errorf("%s with %s: got %v, want both headers named", auth, token, err)
			}
		}
	}
	iam.wantCalls(t, "ambiguous", 0, 0)
}

// TestRevoked_T110: a revoked token is accepted while its answer is remembered,
// and no longer once it is flushed, or the configuration is replaced.
func TestRevoked_T110(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iam := newIAM()
		s := scheme(t, iam)
		v := verifier(t, s)
		for _, flush := range []func(){
			func() { s.Flush("good") },
			s.FlushAll,
			func() { time.Sleep(14 * time.Minute) },
		} {
			iam.set(func() { iam.projects["good"], iam.projects["other"] = "p", "p" })
			time.Sleep(time.Minute) // negative answers are forgotten
			wantCode(t, "valid", verify(v, "good"), "")
			wantCode(t, "valid", verify(v, "other"), "")
			iam.set(func() { delete(iam.projects, "good") })
			time.Sleep(time.Minute)
			wantCode(t, "revoked, remembered", verify(v, "good"), "")
			wantCode(t, "a new configuration", verify(verifier(t, scheme(t, iam)), "good"), core.CodeSignatureMismatch)
			flush()
			wantCode(t, "revoked, flushed", verify(v, "good"), core.CodeSignatureMismatch)
			wantCode(t, "another one", verify(v, "other"), "")
		}
	})
}

// TestFlushNegative_T110: a token that has become valid is accepted once it is flushed.
func TestFlushNegative_T110(t *testing.T) {
	for name, flush := range map[string]func(*token.Scheme){
		"Flush": func(s *token.Scheme) { s.Flush("late") }, "FlushAll": (*token.Scheme).FlushAll,
	} {
		iam := newIAM()
		s := scheme(t, iam)
		v := verifier(t, s)
		wantCode(t, name+": not yet valid", verify(v, "late"), core.CodeSignatureMismatch)
		iam.set(func() { iam.projects["late"] = "p" })
		flush(s)
		wantCode(t, name+": flushed", verify(v, "late"), "")
	}
}

// TestFlushDuringCall: an answer from before a flush is not kept.
func TestFlushDuringCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, all := range []bool{false, true} {
			iam := newIAM()
			iam.projects["good"] = "p"
			s := scheme(t, iam)
			v := verifier(t, s)
			iam.onCheck = func(w http.ResponseWriter, _ *http.Request) {
				time.Sleep(2 * time.Second)
				reply(w, http.StatusOK, document(time.Now().Add(time.Hour), "p"))
			}
			early := make(chan error)
			go func() { early <- verify(v, "good") }()
			synctest.Wait()
			iam.set(func() { iam.onCheck = nil; delete(iam.projects, "good") })
			if all {
				s.FlushAll()
			} else {
				s.Flush("good")
			}
			wantCode(t, "after the flush", verify(v, "good"), core.CodeSignatureMismatch)
			wantCode(t, "before the flush", <-early, "")
			wantCode(t, "after both", verify(v, "good"), core.CodeSignatureMismatch)
		}
	})
}

// TestInjectedURL_T112: nothing of a request reaches the URL.
func TestInjectedURL_T112(t *testing.T) {
	iam := newIAM()
	v := verifier(t, scheme(t, iam))
	for token, want := range map[string]core.Code{"../../v3/users": core.CodeSignatureMismatch, "//evil.example": core.CodeSignatureMismatch,
		"%2e%2e": core.CodeCredentialMalformed, "?a=b": core.CodeCredentialMalformed, "#": core.CodeCredentialMalformed, "@evil.example/": core.CodeCredentialMalformed} {
		r := request(token)
		r.Header.Set("X-Iam-Endpoint", "https://evil.example")
		r.Header.Set("X-Subject-Token", "other")
		_, err := v.Verify(r)
		wantCode(t, token, err, want)
	}
	if len(iam.strange) > 0 {
		t.Errorf("it asked %v", iam.strange)
	}
}

// TestExpires: an answer is never remembered past the token's end.
func TestExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iam := newIAM()
		end := time.Now().Add(time.Minute)
		iam.onCheck = func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, document(end, "p")) }
		s := scheme(t, iam)
		v := verifier(t, s)
		wantCode(t, "at first", verify(v, "good"), "")
		time.Sleep(time.Minute - time.Nanosecond)
		wantCode(t, "just before", verify(v, "good"), "")
		iam.wantCalls(t, "before the end", 1, 1)
		time.Sleep(time.Nanosecond)
		wantCode(t, "at its end", verify(v, "good"), core.CodeSignatureMismatch)
		iam.wantCalls(t, "at the end", 0, 1)
		if valid, invalid := token.Remembered(s); valid != 0 || invalid != 1 {
			t.Errorf("it is still known as one that was valid")
		}
	})
}

// TestRemembered: a positive answer is used for CacheFor, and a negative one for half a minute.
func TestRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iam := newIAM()
		iam.projects["good"] = "p"
		v := verifier(t, scheme(t, iam, func(c *token.Config) { c.CacheFor = time.Minute }))
		ask := func(when string, checks int) {
			t.Helper()
			wantCode(t, when, verify(v, "good"), "")
			wantCode(t, when, verify(v, "bad"), core.CodeSignatureMismatch)
			logins := 0
			if when == "at first" {
				logins = 1
			}
			iam.wantCalls(t, when, logins, checks)
		}
		ask("at first", 2)
		time.Sleep(30*time.Second - 1)
		ask("just before half a minute", 0)
		time.Sleep(time.Nanosecond)
		ask("after half a minute", 1)
		time.Sleep(30*time.Second - 1)
		ask("just before a minute", 0)
		time.Sleep(time.Nanosecond)
		ask("after a minute", 2)
	})
}

// TestUnderscores_T101: the header in any spelling that readers take for it, beside it, is
// ambiguous; other headers are not.
func TestUnderscores_T101(t *testing.T) {
	iam := newIAM()
	iam.projects["good"] = "p"
	v := verifier(t, scheme(t, iam))
	for name, want := range map[string]core.Code{
		"X_auth_token": core.CodeRequestAmbiguous, "X_AUTH-token": core.CodeRequestAmbiguous, "x-auth_token": core.CodeRequestAmbiguous,
		"X_auth_tokens": "", "X_auth_taken": "", "X_auth_toke": "", "X-Other-Name": "", "_": "",
	} {
		r := request("good")
		r.Header[name] = []string{"b"}
		_, err := v.Verify(r)
		wantCode(t, name, err, want)
		signed := request()
		signed.Header = http.Header{name: {"b"}}
		if err := token.NewSigner(core.NewSecret("good")).Sign(signed, "", time.Time{}); (err != nil) != (want != "") {
			t.Errorf("signing beside %s: got %v", name, err)
		}
	}
}

// TestClockSetBack: an answer from the future is none.
func TestClockSetBack(t *testing.T) {
	iam := newIAM()
	iam.projects["good"] = "p"
	now := time.Now()
	v := verifier(t, scheme(t, iam, func(c *token.Config) { c.Now = func() time.Time { return now } }))
	wantCode(t, "at first", verify(v, "good"), "")
	now = now.Add(-time.Hour)
	wantCode(t, "an hour before", verify(v, "good"), "")
	iam.wantCalls(t, "both", 2, 2)
	now = now.Add(2 * time.Hour)
	iam.set(func() { delete(iam.projects, "good") })
	wantCode(t, "an hour after", verify(v, "good"), core.CodeSignatureMismatch)
}

// TestClockSetBackBeforeAnswer: a negative answer that a later positive one has replaced
// does not come back when the clock reaches its time again.
func TestClockSetBackBeforeAnswer(t *testing.T) {
	iam := newIAM()
	now := time.Now()
	v := verifier(t, scheme(t, iam, func(c *token.Config) {
		c.Now, c.CacheFor = func() time.Time { return now }, time.Minute
	}))
	wantCode(t, "at first", verify(v, "good"), core.CodeSignatureMismatch)
	now = now.Add(-time.Hour)
	iam.set(func() { iam.projects["good"] = "p" })
	wantCode(t, "an hour before", verify(v, "good"), "")
	now = now.Add(time.Hour)
	wantCode(t, "the same time again", verify(v, "good"), "")
	iam.wantCalls(t, "all", 2, 3)
}

func TestSigner(t *testing.T) {
	r := request()
	r.Header.Set("Authorization", "x")
	s := token.NewSigner(core.NewSecret("good"))
	if err := s.Sign(r, "", time.Time{}); err != nil || s.NewHash() != nil || r.Header.Get("X-Auth-Token") != "good" || r.Header.Get("Authorization") != "" {
		t.Errorf("got %v, %v", err, r.Header)
	}
	if err := token.NewSigner(core.NewSecret("a\r\nb")).Sign(r, "", time.Time{}); err == nil {
		t.Error("a token with a line break was taken")
	}
	r.Header.Set("X-Http-Method-Override", "DELETE")
	if err := s.Sign(r, "", time.Time{}); err == nil {
		t.Error("a header that changes the method was taken, and nothing of the request is signed")
	}
}
