package token_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/token"
)

// about answers as f does to checks of tokens with a prefix, and as ever to others.
func (f *fakeIAM) about(prefix string, fault func(http.ResponseWriter, *http.Request)) {
	f.set(func() {
		f.onCheck = func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.Header.Get("X-Subject-Token"), prefix) {
				fault(w, r)
				return
			}
			f.answer(w, r)
		}
	})
}

// TestOddTokens_F20: a token that something in front of the service takes offence
// at is refused, and nobody else is.
func TestOddTokens_F20(t *testing.T) {
	for _, code := range []int{400, 403, 414, 431} {
		synctest.Test(t, func(t *testing.T) {
			iam := newIAM()
			iam.about("odd", status(code))
			v := verifier(t, scheme(t, iam))
			for i := range 100 {
				wantCode(t, "odd", verify(v, fmt.Sprint("odd-", i)), core.CodeUnavailable)
				good := fmt.Sprint("good-", i)
				iam.set(func() { iam.projects[good] = "p" })
				wantCode(t, "good", verify(v, good), "")
				time.Sleep(100 * time.Millisecond)
			}
			iam.wantCalls(t, "all", 1, 200)
			for range 10 {
				wantCode(t, "one odd token", verify(v, "odd"), core.CodeUnavailable)
			}
			iam.wantCalls(t, "one odd token", 0, 1)
			time.Sleep(30 * time.Second)
			wantCode(t, "the odd token later", verify(v, "odd"), core.CodeUnavailable)
			iam.wantCalls(t, "the odd token later", 0, 1)
		})
	}
}

// TestOddAnswers_T297: a token whose answer cannot be taken is refused, as often as it is
// sent, with what is wrong; nobody else is. The service is not asked again for half a minute.
func TestOddAnswers_T297(t *testing.T) {
	for _, tt := range []struct{ name, from, to, says string }{
		{"a role without name", `"name": "reader"`, `"x": 1`, "checking a token: the answer lacks a member of the token, or has one of another type: name of a role"},
		{"project null", `"project": {`, `"project": null, "x": {`, "checking a token: the answer lacks a member of the token, or has one of another type: project"},
		{"no user id", `"id": "user-1", `, ``, "checking a token: the answer lacks a member of the token, or has one of another type: user_id"},
		{"in a hundred years", "", "", "checking a token: expires_at in the answer is not a date of RFC 3339, or is more than 31 days ahead"},
		{"300 KiB", `{`, strings.Repeat(" ", 300<<10) + `{`, "checking a token: the answer is larger than 256 KiB"},
		{"cut", `}`, ``, "checking a token: the answer is not one JSON object in UTF-8"},
	} {
		synctest.Test(t, func(t *testing.T) {
			iam := newIAM()
			iam.about("odd", func(w http.ResponseWriter, _ *http.Request) {
				end := time.Now().Add(time.Hour)
				if tt.from == "" {
					end = end.AddDate(100, 0, 0)
				}
				reply(w, http.StatusOK, strings.Replace(document(end, "p"), tt.from, tt.to, 1))
			})
			v := verifier(t, scheme(t, iam))
			for i := range 120 {
				for range 10 {
					err := verify(v, "odd")
					wantCode(t, tt.name, err, core.CodeUnavailable)
					if cause := errors.Unwrap(err); cause == nil || cause.Error() != tt.says {
						t.Fatalf("%s: got %v, want %q", tt.name, cause, tt.says)
					}
				}
				good := fmt.Sprint("good-", i)
				iam.set(func() { iam.projects[good] = "p" })
				wantCode(t, tt.name+", a good token", verify(v, good), "")
				time.Sleep(time.Second)
			}
			iam.wantCalls(t, tt.name+", in two minutes", 1, 120+4)
			for i := range 20 { // in one second
				wantCode(t, "other odd tokens", verify(v, fmt.Sprint("odd-", i)), core.CodeUnavailable)
			}
			iam.set(func() { iam.projects["last"] = "p" })
			wantCode(t, tt.name+", after other odd tokens", verify(v, "last"), "")
		})
	}
}

// TestOddLogin_T297: an answer to the log-in that cannot be taken is a failure of the
// service, and no token is to blame.
func TestOddLogin_T297(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iam := newIAM()
		iam.projects["good"] = "p"
		iam.onLogin = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Subject-Token", "own")
			reply(w, http.StatusCreated, `{"token": {}}`)
		}
		s := scheme(t, iam)
		v := verifier(t, s)
		err := verify(v, "good")
		wantCode(t, "at first", err, core.CodeUnavailable)
		if err == nil || !strings.Contains(err.Error(), "logging in: expires_at") {
			t.Errorf("got %v", err)
		}
		many(v, []string{"a", "b", "c", "d"})
		err = verify(v, "e")
		if err == nil || !strings.Contains(err.Error(), "is not called again before") {
			t.Errorf("after five failures: got %v", err)
		}
		if _, invalid := token.Remembered(s); invalid != 0 {
			t.Errorf("%d tokens are remembered", invalid)
		}
		iam.set(func() { iam.onLogin = nil })
		time.Sleep(time.Second)
		wantCode(t, "recovered", verify(v, "good"), "")
	})
}

// TestOddProbe_F20: during an outage an odd token tells nothing, neither that the
// service works nor that it fails.
func TestOddProbe_F20(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iam := newIAM()
		iam.projects["good"] = "p"
		iam.onCheck = status(500)
		v := verifier(t, scheme(t, iam))
		many(v, []string{"a", "b", "c", "d", "e"})
		iam.about("odd", status(400))
		iam.calls()
		for i := range 10 {
			time.Sleep(time.Second)
			wantCode(t, "odd", verify(v, fmt.Sprint("odd-", i)), core.CodeUnavailable)
			wantCode(t, "good, in the same second", verify(v, "good"), core.CodeUnavailable)
			iam.wantCalls(t, "one second", 0, 1)
		}
		time.Sleep(time.Second)
		wantCode(t, "good, in the next second", verify(v, "good"), "")
	})
}

// TestFewFailures_F20: the breaker opens after five failures with no verdict in
// between, and the first verdict closes it.
func TestFewFailures_F20(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iam := newIAM()
		iam.projects["good"] = "p"
		iam.about("bad", status(500))
		s := scheme(t, iam)
		v := verifier(t, s)
		n := 0
		fail := func(times int) {
			for range times {
				n++
				wantCode(t, "a failure", verify(v, fmt.Sprint("bad-", n)), core.CodeUnavailable)
			}
		}
		good := func(want core.Code) {
			t.Helper()
			s.Flush("good")
			wantCode(t, "good", verify(v, "good"), want)
		}
		for range 10 {
			fail(4)
			good("")
		}
		iam.wantCalls(t, "four in a row", 1, 50)
		fail(5)
		good(core.CodeUnavailable)
		iam.wantCalls(t, "five in a row", 0, 5)
		time.Sleep(time.Second)
		fail(3)
		iam.wantCalls(t, "a second later", 0, 1)
		time.Sleep(time.Second)
		good("")
		good("")
		fail(4)
		good("")
		iam.wantCalls(t, "closed", 0, 7)
	})
}

// TestRenewal_T106: junk does not use up what tokens known to be good need, be it
// calls per second or calls at once.
func TestRenewal_T106(t *testing.T) {
	for _, slow := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			iam := newIAM()
			iam.projects["good"], iam.projects["new"] = "p", "p"
			v := verifier(t, scheme(t, iam))
			wantCode(t, "at first", verify(v, "good"), "")
			time.Sleep(15 * time.Minute)
			if slow {
				iam.about("junk", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
			}
			for i := range 100 {
				junk := fmt.Sprint("junk-", i)
				if !slow {
					wantCode(t, junk, verify(v, junk), core.CodeSignatureMismatch)
					continue
				}
				go verify(v, junk)
				synctest.Wait()
			}
			wantCode(t, "a new one", verify(v, "new"), core.CodeUnavailable)
			wantCode(t, "the renewal", verify(v, "good"), "")
		})
	}
}

// TestForcedLogins_F20: a service that says 401 about the token to check makes us
// log in for nobody, and a log-in that fails is nobody's concern while our token
// is good.
func TestForcedLogins_F20(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iam := newIAM()
		iam.says401 = true
		v := verifier(t, scheme(t, iam))
		wantCode(t, "at first", verify(v, "bad"), core.CodeSignatureMismatch)
		iam.calls()
		iam.set(func() { iam.onLogin = status(500) })
		for i := range 360 {
			time.Sleep(10 * time.Second)
			wantCode(t, "bad", verify(v, fmt.Sprint("bad-", i)), core.CodeSignatureMismatch)
			good := fmt.Sprint("good-", i)
			iam.set(func() { iam.projects[good] = "p" })
			wantCode(t, "good", verify(v, good), "")
		}
		if logins, _ := iam.calls(); logins > 0 {
			t.Errorf("%d log-ins in an hour", logins)
		}

		// What our token is worth is not known: that is no reason to log in.
		iam.about("own-token", status(500))
		wantCode(t, "no word about our token", verify(v, "worse"), core.CodeUnavailable)
		iam.wantCalls(t, "no word about our token", 0, 2)

		// Our token is revoked in fact: it is replaced at once.
		iam.set(func() { iam.onLogin, iam.onCheck = nil, nil; clear(iam.own); iam.projects["late"] = "p" })
		wantCode(t, "our token revoked", verify(v, "late"), "")
		if logins, _ := iam.calls(); logins != 1 {
			t.Errorf("%d log-ins after our token was revoked", logins)
		}

		// A service that says 401 to everything.
		iam.set(func() { iam.onCheck = status(401) })
		for i := range 600 {
			time.Sleep(time.Second)
			verify(v, fmt.Sprint("any-", i))
		}
		if logins, _ := iam.calls(); logins > 30 {
			t.Errorf("%d log-ins in ten minutes", logins)
		}
	})
}

// TestOwnLoginFails: what waits for a log-in that fails does not try it again.
func TestOwnLoginFails(t *testing.T) {
	for code, again := range map[int]time.Duration{500: time.Second, 403: time.Second, 401: 30 * time.Second, 503: 5 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			iam := newIAM()
			iam.projects["good"] = "p"
			iam.onLogin = func(w http.ResponseWriter, _ *http.Request) {
				time.Sleep(50 * time.Millisecond)
				if code == http.StatusServiceUnavailable {
					w.Header().Set("Retry-After", "300")
				}
				w.WriteHeader(code)
			}
			v := verifier(t, scheme(t, iam))
			if codes := many(v, strings.Fields("a b c d e f g h i j")); codes[core.CodeUnavailable] != 10 {
				t.Errorf("%d: got %v", code, codes)
			}
			iam.wantCalls(t, fmt.Sprint(code), 1, 0)
			iam.set(func() { iam.onLogin = nil })
			time.Sleep(again - time.Nanosecond)
			wantCode(t, "before", verify(v, "good"), core.CodeUnavailable)
			iam.wantCalls(t, fmt.Sprint(code, ", before"), 0, 0)
			time.Sleep(time.Second)
			wantCode(t, "after", verify(v, "good"), "")
		})
	}
}

// TestOtherNotFound_T107: 404 in another form than the service's is of something
// else, which knows nothing about tokens.
func TestOtherNotFound_T107(t *testing.T) {
	for _, contentType := range []string{"", "text/html", "text/plain; charset=utf-8", "application/problem+json"} {
		synctest.Test(t, func(t *testing.T) {
			iam := newIAM()
			iam.projects["good"] = "p"
			iam.onCheck = func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Content-Type"] = []string{contentType}
				w.WriteHeader(http.StatusNotFound)
			}
			s := scheme(t, iam)
			v := verifier(t, s)
			err := verify(v, "good")
			wantCode(t, contentType, err, core.CodeUnavailable)
			if err == nil || !strings.Contains(err.Error(), "status 404") {
				t.Errorf("%q: the error says %v", contentType, err)
			}
			if _, invalid := token.Remembered(s); invalid != 0 {
				t.Errorf("%q: it is remembered", contentType)
			}
			iam.set(func() { iam.onCheck = nil })
			wantCode(t, contentType+", recovered", verify(v, "good"), "")
		})
	}
}

// TestCharacters_T101: every kind of token that there is, and nothing that is
// not of their characters.
func TestCharacters_T101(t *testing.T) {
	iam := newIAM()
	v := verifier(t, scheme(t, iam))
	for _, form := range []string{
		"0123456789abcdef0123456789abcdef",     // UUID
		"gAAAAABk_x-Yz0",                       // Fernet, as Keystone sends it
		"gAAAAABk_x-Yz0==",                     // Fernet, padded
		"MIIDkgYJKoZIhvcNAQcCoIIDgzCC-w+Zz==",  // PKI, with - for /
		"MIIDkgYJKoZIhvcNAQcCoIIDgzCC/w+Zz==",  // Base64
		"PKIZ_eJxdU8-_A==",                     // PKIZ
		"eyJhbGciOiJFUzI1NiJ9.eyJzdWIi.AbC-_1", // JWS
		"a~b",
	} {
		wantCode(t, form, verify(v, form), core.CodeSignatureMismatch)
	}
	iam.wantCalls(t, "of the characters", 1, 8)
	for c := range 256 {
		if strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~+/=-", rune(c)) {
			continue
		}
		form := "a" + string([]byte{byte(c)}) + "b"
		wantCode(t, fmt.Sprintf("%q", form), verify(v, form), core.CodeCredentialMalformed)
	}
	iam.wantCalls(t, "of others", 0, 0)
}
