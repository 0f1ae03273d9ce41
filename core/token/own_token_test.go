package token_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// TestOwnTokenRenewed: our token is renewed before its end, once, and kept where
// that fails for as long as it is valid.
func TestOwnTokenRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iam := newIAM()
		iam.ownFor = time.Hour
		v := verifier(t, scheme(t, iam))
		asked := 0
		ask := func(name string, want core.Code) {
			t.Helper()
			asked++
			token := fmt.Sprint("token-", asked)
			iam.set(func() { iam.projects[token] = "p" })
			wantCode(t, name, verify(v, token), want)
		}
		ask("at first", "")
		iam.wantCalls(t, "at first", 1, 1)
		time.Sleep(50*time.Minute - time.Nanosecond)
		ask("before", "")
		iam.wantCalls(t, "before", 0, 1)
		time.Sleep(time.Nanosecond)
		iam.set(func() { iam.onLogin = status(500) })
		ask("the renewal fails", "")
		iam.wantCalls(t, "the renewal fails", 1, 1)
		ask("not at once again", "")
		iam.wantCalls(t, "not at once again", 0, 1)
		time.Sleep(5 * time.Second)
		ask("nor within ten seconds", "")
		iam.wantCalls(t, "nor within ten seconds", 0, 1)
		time.Sleep(5*time.Second - time.Nanosecond)
		ask("just before ten seconds", "")
		iam.wantCalls(t, "just before ten seconds", 0, 1)
		time.Sleep(time.Nanosecond)
		ask("after ten seconds", "")
		iam.wantCalls(t, "after ten seconds", 1, 1)
		time.Sleep(10*time.Minute - 11*time.Second)
		ask("just before its end", "")
		iam.wantCalls(t, "just before its end", 1, 1)
		time.Sleep(time.Second)
		ask("at its end", core.CodeUnavailable)
		iam.wantCalls(t, "at its end", 1, 0)
		iam.set(func() { iam.onLogin = nil })
		time.Sleep(time.Second)
		ask("the renewal works", "")
		iam.wantCalls(t, "the renewal works", 1, 1)
	})
}

// TestOwnTokenRefused: 401 may mean our token. A new one is obtained, once for
// all that were refused, and not again while it is new. Before that, each of
// them makes sure that it is ours that is refused.
func TestOwnTokenRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iam := newIAM()
		v := verifier(t, scheme(t, iam))
		var tokens []string
		for i := range 50 {
			tokens = append(tokens, fmt.Sprint("good-", i))
			iam.projects[tokens[i]] = "p"
		}
		wantCode(t, "at first", verify(v, "bad"), core.CodeSignatureMismatch)
		time.Sleep(time.Minute)
		iam.set(func() { clear(iam.own) })
		iam.calls()
		if codes := many(v, tokens); codes[""] != 50 {
			t.Errorf("got %v", codes)
		}
		if logins, checks := iam.calls(); logins != 1 || checks > 150 || checks <= 50 {
			t.Errorf("%d logins, %d checks", logins, checks)
		}
		// A service that says 401 to everything.
		iam.set(func() { iam.onCheck = status(401) })
		time.Sleep(time.Minute)
		for i := range 50 {
			wantCode(t, "bad", verify(v, fmt.Sprint("bad-", i)), core.CodeSignatureMismatch)
		}
		iam.wantCalls(t, "bad", 1, 52)
	})
}

// TestOwnTokenNew: our token is taken for good for 20 seconds, whatever the service says. After
// that it is asked about, and replaced where it is refused; if that fails there is no verdict.
func TestOwnTokenNew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iam := newIAM()
		iam.onCheck = status(401)
		v := verifier(t, scheme(t, iam))
		wantCode(t, "at first", verify(v, "a"), core.CodeSignatureMismatch)
		iam.wantCalls(t, "at first", 1, 1)
		time.Sleep(20*time.Second - time.Nanosecond)
		wantCode(t, "just before 20 seconds", verify(v, "b"), core.CodeSignatureMismatch)
		iam.wantCalls(t, "just before 20 seconds", 0, 1)
		time.Sleep(time.Nanosecond)
		iam.set(func() { iam.onLogin = status(500) })
		err := verify(v, "c")
		wantCode(t, "after 20 seconds", err, core.CodeUnavailable)
		if err == nil || !strings.HasSuffix(err.Error(), "logging in: the answer has status 500") {
			t.Errorf("the error says %v", err)
		}
		iam.wantCalls(t, "after 20 seconds", 1, 2)
	})
}

// TestOwnPasswordWrong: a wrong password is not tried every second.
func TestOwnPasswordWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iam := newIAM()
		iam.onLogin = status(401)
		v := verifier(t, scheme(t, iam))
		for range 60 {
			wantCode(t, "wrong password", verify(v, "x"), core.CodeUnavailable)
			time.Sleep(time.Second)
		}
		iam.wantCalls(t, "in a minute", 2, 0)
	})
}

// TestPauseSaysWhy_T236: while the identity service is not called, the error says until when and
// what was wrong with the last call.
func TestPauseSaysWhy_T236(t *testing.T) {
	for status, why := range map[int]string{401: "status 401: check user, password, domain and project of the key", 500: "status 500"} {
		synctest.Test(t, func(t *testing.T) {
			iam := newIAM()
			iam.onLogin = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
			v := verifier(t, scheme(t, iam))
			for range 5 {
				verify(v, "x")
				time.Sleep(time.Minute) // longer than any pause
			}
			verify(v, "x")
			until := time.Now().Add(time.Second)
			if status == 401 {
				until = time.Now().Add(30 * time.Second)
			}
			want := "no verdict of the identity service: the service has failed, and is not called again before " +
				until.UTC().Format(time.RFC3339) + ": logging in: the answer has " + why
			if err := verify(v, "y"); err == nil || !strings.HasSuffix(err.Error(), want) || strings.Contains(err.Error(), password) {
				t.Errorf("got %v, want %q", err, want)
			}
		})
	}
}

// TestOwnTokenReplies: a log-in that is not answered in the right form is none.
func TestOwnTokenReplies(t *testing.T) {
	good := func() string { return document(time.Now().Add(time.Hour), "service") }
	for name, login := range map[string]func(http.ResponseWriter, *http.Request){
		"no token": func(w http.ResponseWriter, _ *http.Request) { reply(w, 201, good()) },
		"200": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Subject-Token", "own")
			reply(w, 200, good())
		},
		"redirect": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Location", "/"); w.WriteHeader(307) },
		"malformed token": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Subject-Token", "a b")
			reply(w, 201, good())
		},
		"token too long": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Subject-Token", strings.Repeat("x", 8193))
			reply(w, 201, good())
		},
		"two tokens": func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["X-Subject-Token"] = []string{"a", "b"}
			reply(w, 201, good())
		},
		"expired": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Subject-Token", "own")
			reply(w, 201, document(time.Now(), "service"))
		},
		"not JSON": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Subject-Token", "own")
			reply(w, 201, "x")
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			iam := newIAM()
			iam.onLogin = login
			wantCode(t, name, verify(verifier(t, scheme(t, iam)), "x"), core.CodeUnavailable)
			iam.wantCalls(t, name, 1, 0)
		})
	}
}
