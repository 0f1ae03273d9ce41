package token_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/token"
)

func status(code int) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// TestStatuses_T107: 401 and 404 are a verdict, everything else is none. What
// blames the call is remembered, what blames the service is not.
func TestStatuses_T107(t *testing.T) {
	for code, want := range map[int]core.Code{
		401: core.CodeSignatureMismatch, 404: core.CodeSignatureMismatch,
		400: core.CodeUnavailable, 403: core.CodeUnavailable, 405: core.CodeUnavailable, 410: core.CodeUnavailable, 429: core.CodeUnavailable,
		500: core.CodeUnavailable, 502: core.CodeUnavailable, 503: core.CodeUnavailable,
		201: core.CodeUnavailable, 204: core.CodeUnavailable, 300: core.CodeUnavailable, 302: core.CodeUnavailable, 307: core.CodeUnavailable,
	} {
		synctest.Test(t, func(t *testing.T) {
			iam := newIAM()
			iam.projects["good"] = "p"
			iam.onCheck = func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", "https://evil.example/v3/auth/tokens")
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(code)
			}
			v := verifier(t, scheme(t, iam))
			wantCode(t, fmt.Sprint(code), verify(v, "good"), want)
			iam.wantCalls(t, fmt.Sprint(code), 1, 1)
			iam.set(func() { iam.onCheck = nil })
			time.Sleep(time.Second)
			recovered := core.Code("")
			if code/100 == 4 && code != 429 {
				recovered = want // remembered
			}
			wantCode(t, fmt.Sprint(code, " recovered"), verify(v, "good"), recovered)
			time.Sleep(30 * time.Second)
			wantCode(t, fmt.Sprint(code, " later"), verify(v, "good"), "")
		})
	}
}

// TestRetryAfter_T107: the service says when to come again, within bounds.
func TestRetryAfter_T107(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, tt := range []struct {
			header string
			pause  time.Duration
		}{
			{"", time.Second}, {"0", time.Second}, {"-5", time.Second}, {"soon", time.Second}, {"1", time.Second},
			{"20", 20 * time.Second}, {"86400", 5 * time.Minute}, {"2147483647", 5 * time.Minute}, {"2147483648", time.Second}, {"99999999999", time.Second},
			{"in a minute", time.Minute}, {"Thu, 01 Jan 1970 00:00:00 GMT", time.Second},
		} {
			iam := newIAM()
			iam.projects["good"] = "p"
			iam.onCheck = func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", tt.header)
				w.WriteHeader(http.StatusTooManyRequests)
			}
			v := verifier(t, scheme(t, iam))
			if tt.header == "in a minute" {
				tt.header = time.Now().Add(tt.pause).UTC().Format(http.TimeFormat)
			}
			wantCode(t, tt.header, verify(v, "good"), core.CodeUnavailable)
			if tt.pause > time.Second || tt.header == "1" { // asked for: kept at once
				iam.wantCalls(t, tt.header+": one answer", 1, 1)
			} else {
				many(v, []string{"a", "b", "c", "d"})
				iam.wantCalls(t, tt.header+": five answers", 1, 5)
			}
			wantCode(t, tt.header+": at once again", verify(v, "good"), core.CodeUnavailable)
			iam.set(func() { iam.onCheck = nil })
			time.Sleep(tt.pause - time.Nanosecond)
			wantCode(t, tt.header+": during the pause", verify(v, "good"), core.CodeUnavailable)
			iam.wantCalls(t, tt.header+": during the pause", 0, 0)
			time.Sleep(time.Nanosecond)
			wantCode(t, tt.header+": after the pause", verify(v, "good"), "")
		}
	})
}

// TestReplies_T108: an answer that is not right in form is none.
func TestReplies_T108(t *testing.T) {
	good := func() string { return document(time.Now().Add(time.Hour), "p") }
	without := func(from, to string) func() string {
		return func() string {
			changed := strings.Replace(good(), from, to, 1)
			if changed == good() {
				panic("the document has no " + from)
			}
			return changed
		}
	}
	for _, tt := range []struct {
		name, contentType string
		body              func() string
		want              core.Code
	}{
		{"right", "application/json", good, ""},
		{"right, with parameter", "application/json; charset=UTF-8", good, ""},
		{"other Content-Type", "text/html", good, core.CodeUnavailable},
		{"no Content-Type", "", good, core.CodeUnavailable},
		{"almost JSON", "application/json+x", good, core.CodeUnavailable},
		{"malformed parameter", "application/json; charset", good, core.CodeUnavailable},
		{"no expires_at", "application/json", without(`"expires_at"`, `"expired_at"`), core.CodeUnavailable},
		{"expires_at in other case", "application/json", without(`"expires_at"`, `"Expires_at"`), core.CodeUnavailable},
		{"expires_at a number", "application/json", func() string {
			return strings.Replace(document(time.Unix(0, 0), "p"), `"1970-01-01T00:00:00.000000Z"`, "1", 1)
		}, core.CodeUnavailable},
		{"expires_at null", "application/json", func() string {
			return strings.Replace(document(time.Unix(0, 0), "p"), `"1970-01-01T00:00:00.000000Z"`, "null", 1)
		}, core.CodeUnavailable},
		{"expires_at without zone", "application/json", without(`Z", "issued`, `", "issued`), core.CodeUnavailable},
		{"past", "application/json", func() string { return document(time.Now().Add(-time.Second), "p") }, core.CodeSignatureMismatch},
		{"year 9999", "application/json", func() string { return document(time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), "p") }, core.CodeUnavailable},
		{"in 32 days", "application/json", func() string { return document(time.Now().AddDate(0, 0, 32), "p") }, core.CodeUnavailable},
		{"expires_at twice", "application/json", without(`"issued_at"`, `"expires_at"`), core.CodeUnavailable},
		{"token twice", "application/json", without(`{"token": {`, `{"token": {}, "token": {`), core.CodeUnavailable},
		{"user twice, one escaped", "application/json", without(`"audit_ids": ["x"]`, `"us\u0065r": {"id": "admin"}`), core.CodeUnavailable},
		{"no token", "application/json", without(`"token"`, `"Token"`), core.CodeUnavailable},
		{"token a list", "application/json", func() string { return `{"token": []}` }, core.CodeUnavailable},
		{"a list", "application/json", func() string { return `[]` }, core.CodeUnavailable},
		{"null", "application/json", func() string { return `null` }, core.CodeUnavailable},
		{"empty", "application/json", func() string { return `` }, core.CodeUnavailable},
		{"cut", "application/json", func() string { return good()[:300] }, core.CodeUnavailable},
		{"two documents", "application/json", func() string { return good() + good() }, core.CodeUnavailable},
		{"invalid UTF-8", "application/json", without("alice", "al\xffce"), core.CodeUnavailable},
		{"no user", "application/json", without(`"user"`, `"users"`), core.CodeUnavailable},
		{"user without id", "application/json", without(`"id": "user-1", `, ``), core.CodeUnavailable},
		{"user id empty", "application/json", without(`"user-1"`, `""`), core.CodeUnavailable},
		{"user id a number", "application/json", without(`"user-1"`, `1`), core.CodeUnavailable},
		{"project null", "application/json", without(`"project": {`, `"project": null, "x": {`), core.CodeUnavailable},
		{"project without id", "application/json", without(`"id": "p", `, ``), core.CodeUnavailable},
		{"roles an object", "application/json", without(`[{"id": "1", "name": "member"}, {"id": "2", "name": "reader"}]`, `{}`), core.CodeUnavailable},
		{"role without name", "application/json", without(`"name": "reader"`, `"Name": "reader"`), core.CodeUnavailable},
		{"no roles", "application/json", without(`"roles"`, `"rolls"`), ""},
		{"roles empty", "application/json", without(`[{"id": "1", "name": "member"}, {"id": "2", "name": "reader"}]`, `[]`), ""},
		{"role with an empty name", "application/json", without(`"name": "reader"`, `"name": ""`), core.CodeUnavailable},
		{"role with a number as its name", "application/json", without(`"name": "reader"`, `"name": 2`), core.CodeUnavailable},
		{"role a text", "application/json", without(`{"id": "2", "name": "reader"}`, `"reader"`), core.CodeUnavailable},
		{"project a text", "application/json", without(`"project": {`, `"project": "p", "x": {`), core.CodeUnavailable},
		{"project id empty", "application/json", without(`"id": "p"`, `"id": ""`), core.CodeUnavailable},
		{"project id null", "application/json", without(`"id": "p"`, `"id": null`), core.CodeUnavailable},
		{"project name a number", "application/json", without(`"a project"`, `1`), core.CodeUnavailable},
		{"no project name", "application/json", without(`"name": "a project", `, ``), ""},
		{"user a list", "application/json", without(`"user": {`, `"user": [], "x": {`), core.CodeUnavailable},
		{"user name null", "application/json", without(`"alice"`, `null`), core.CodeUnavailable},
		{"no user name", "application/json", without(`"name": "alice", `, ``), ""},
		{"no domain of the user", "application/json", without(`"user": {"domain"`, `"user": {"realm"`), ""},
		{"domain of the user a text", "application/json", without(`"user": {"domain": {`, `"user": {"domain": "default", "x": {`), core.CodeUnavailable},
		{"ends now", "application/json", func() string { return document(time.Now(), "p") }, core.CodeSignatureMismatch},
		{"in 31 days", "application/json", func() string { return document(time.Now().Add(31*24*time.Hour), "p") }, ""},
		{"in 31 days and a moment", "application/json", func() string { return document(time.Now().Add(31*24*time.Hour+time.Microsecond), "p") }, core.CodeUnavailable},
		{"as deep as answers may be", "application/json", without(`["x"]`, strings.Repeat("[", 14)+strings.Repeat("]", 14)), ""},
		{"deeper by one", "application/json", without(`["x"]`, strings.Repeat("[", 15)+strings.Repeat("]", 15)), core.CodeUnavailable},
		{"256 KiB", "application/json", func() string { return good() + strings.Repeat(" ", 256<<10-len(good())) }, ""},
		{"256 KiB and one", "application/json", func() string { return good() + strings.Repeat(" ", 256<<10-len(good())+1) }, core.CodeUnavailable},
		{"deep", "application/json", without(`["x"]`, strings.Repeat("[", 20)+strings.Repeat("]", 20)), core.CodeUnavailable},
		{"50 MB", "application/json", func() string { return good() + strings.Repeat(" ", 50<<20) }, core.CodeUnavailable},
	} {
		synctest.Test(t, func(t *testing.T) {
			iam := newIAM()
			iam.onCheck = func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Content-Type"] = []string{tt.contentType}
				w.Write([]byte(tt.body()))
			}
			v := verifier(t, scheme(t, iam))
			wantCode(t, tt.name, verify(v, "good"), tt.want)
			if tt.want == core.CodeUnavailable {
				iam.set(func() { iam.onCheck = nil; iam.projects["good"] = "p" })
				time.Sleep(time.Second)
				recovered := core.Code("")
				if tt.contentType == "application/json" {
					recovered = tt.want // remembered
				}
				wantCode(t, tt.name+", recovered", verify(v, "good"), recovered)
				time.Sleep(30 * time.Second)
				wantCode(t, tt.name+", later", verify(v, "good"), "")
			}
		})
	}
}

// TestLargeAnswers_T107: an answer whose status is the verdict is not read, however large
// it is.
func TestLargeAnswers_T107(t *testing.T) {
	iam := newIAM()
	iam.onCheck = func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusNotFound, strings.Repeat(" ", 1<<20))
	}
	wantCode(t, "1 MB", verify(verifier(t, scheme(t, iam)), "bad"), core.CodeSignatureMismatch)
}

// TestTwoContentTypes_T108: an answer of two types is of none.
func TestTwoContentTypes_T108(t *testing.T) {
	for _, code := range []int{http.StatusOK, http.StatusNotFound} {
		iam := newIAM()
		iam.onCheck = func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = []string{"application/json", "text/html"}
			w.WriteHeader(code)
			io.WriteString(w, document(time.Now().Add(time.Hour), "p"))
		}
		wantCode(t, fmt.Sprint(code), verify(verifier(t, scheme(t, iam)), "good"), core.CodeUnavailable)
	}
}

// TestFlood_T106: random tokens cost a bounded number of calls and entries, and
// do not displace the good ones.
func TestFlood_T106(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iam := newIAM()
		iam.projects["good"] = "p"
		s := scheme(t, iam, func(c *token.Config) { c.CallsPerSecond, c.MaxEntries = 50, 100 })
		v := verifier(t, s)
		wantCode(t, "good", verify(v, "good"), "")
		iam.calls()
		unavailable := 0
		for i := range 10_000 {
			switch err := verify(v, fmt.Sprintf("random-%d", i)); core.CodeOf(err) {
			case core.CodeUnavailable:
				unavailable++
			case core.CodeSignatureMismatch:
			default:
				t.Fatalf("got %v", err)
			}
			if i%1000 == 999 {
				time.Sleep(time.Second)
				wantCode(t, "good, during the flood", verify(v, "good"), "")
			}
		}
		_, checks := iam.calls()
		if checks < 490 || checks > 550 || unavailable != 10_000-checks {
			t.Errorf("%d calls in 10 seconds, %d refused without; want 50 a second", checks, unavailable)
		}
		if valid, invalid := token.Remembered(s); valid != 1 || invalid > 100 {
			t.Errorf("%d and %d answers are remembered", valid, invalid)
		}
		time.Sleep(time.Second)
		iam.calls()
		for range 1000 {
			wantCode(t, "one bad token", verify(v, "bad"), core.CodeSignatureMismatch)
		}
		iam.wantCalls(t, "one bad token", 0, 1)
	})
}

// TestBounded: more good tokens than there is room for are all accepted, by
// asking again.
func TestBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iam := newIAM()
		s := scheme(t, iam, func(c *token.Config) { c.MaxEntries, c.CallsPerSecond = 10, 10_000 })
		v := verifier(t, s)
		for i := range 100 {
			iam.projects[fmt.Sprint("good-", i)] = "p"
		}
		for range 3 {
			for i := range 100 {
				wantCode(t, "good", verify(v, fmt.Sprint("good-", i)), "")
				if valid, _ := token.Remembered(s); valid > 10 {
					t.Fatalf("%d answers are remembered", valid)
				}
			}
		}
		iam.calls()
		for range 5 {
			wantCode(t, "the last", verify(v, "good-99"), "")
			wantCode(t, "the one before", verify(v, "good-98"), "")
		}
		iam.wantCalls(t, "the last ones", 0, 0)
	})
}

// TestDown_F20: without the service new tokens are refused, known ones are
// accepted as long as before and no longer, and it is asked once per second.
func TestDown_F20(t *testing.T) {
	stall := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	html := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Write([]byte("<html>"))
	}
	for name, fault := range map[string]func(http.ResponseWriter, *http.Request){
		"500": status(500), "HTML": html, "stalls": stall, "F15 panics": func(http.ResponseWriter, *http.Request) { panic("SK=" + password) },
	} {
		synctest.Test(t, func(t *testing.T) {
			iam := newIAM()
			iam.projects["known"], iam.projects["new"] = "p", "p"
			v := verifier(t, scheme(t, iam))
			wantCode(t, name+": at first", verify(v, "known"), "")
			iam.set(func() { iam.onCheck, iam.onLogin = fault, fault })
			iam.calls()
			start := time.Now()
			for time.Since(start) < 10*time.Second {
				wantCode(t, name+": new", verify(v, "new"), core.CodeUnavailable)
				wantCode(t, name+": known", verify(v, "known"), "")
				if codes := many(v, []string{"a", "b", "c", "d"}); codes[core.CodeUnavailable] != 4 {
					t.Errorf("%s: got %v", name, codes)
				}
				time.Sleep(10 * time.Millisecond)
			}
			if logins, checks := iam.calls(); logins != 0 || checks > 5+10 || checks < 5 {
				t.Errorf("%s: %d logins and %d checks in about 10 seconds", name, logins, checks)
			}
			time.Sleep(15*time.Minute - time.Since(start))
			wantCode(t, name+": known, after 15 minutes", verify(v, "known"), core.CodeUnavailable)
		})
	}
}

// TestRecovers_F21: the first answer opens the way, and waiting requests with one
// token make one call.
func TestRecovers_F21(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iam := newIAM()
		iam.projects["good"] = "p"
		iam.onLogin = status(503)
		v := verifier(t, scheme(t, iam))
		if codes := many(v, times(1000, "good")); codes[core.CodeUnavailable] != 1000 {
			t.Errorf("down: got %v", codes)
		}
		iam.wantCalls(t, "down", 1, 0)
		slow := func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(time.Second)
			reply(w, http.StatusOK, document(time.Now().Add(time.Hour), "p"))
		}
		iam.set(func() { iam.onLogin, iam.onCheck = nil, slow })
		time.Sleep(time.Second)
		if codes := many(v, times(1000, "good")); codes[""] != 1000 {
			t.Errorf("up: got %v", codes)
		}
		iam.wantCalls(t, "up", 1, 1)
		iam.set(func() { iam.onCheck = nil; iam.projects["other"] = "p" })
		wantCode(t, "another token at once", verify(v, "other"), "")
	})
}

// TestCancelled_F16: a caller that leaves fails itself only.
func TestCancelled_F16(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iam := newIAM()
		iam.onCheck = func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(3 * time.Second)
			reply(w, http.StatusOK, document(time.Now().Add(time.Hour), "p"))
		}
		v := verifier(t, scheme(t, iam))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		first, second := make(chan error), make(chan error)
		go func() {
			_, err := v.Verify(request("good").WithContext(ctx))
			first <- err
		}()
		synctest.Wait()
		go func() { second <- verify(v, "good") }()
		err := <-first
		wantCode(t, "the first", err, core.CodeUnavailable)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the error does not wrap the context's: %v", err)
		}
		wantCode(t, "the second", <-second, "")
		iam.wantCalls(t, "both", 1, 1)
	})
}

// TestBlocksForEver_F16: a transport that does not heed the end of a call holds
// up nobody for longer than the timeout, and a bounded number of goroutines.
func TestBlocksForEver_F16(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		running := make(chan struct{}, 1000)
		iam := newIAM()
		v := verifier(t, scheme(t, iam, func(c *token.Config) {
			c.Transport = transportFunc(func(*http.Request) (*http.Response, error) {
				running <- struct{}{}
				<-release
				return nil, errors.New("released")
			})
		}))
		for round := range 200 {
			start := time.Now()
			var tokens []string
			for i := range 100 {
				tokens = append(tokens, fmt.Sprintf("%d-%d", round, i))
			}
			if codes := many(v, tokens); codes[core.CodeUnavailable] != 100 {
				t.Errorf("got %v", codes)
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
			time.Sleep(time.Second)
		}
		if n := len(running); n > 64 {
			t.Errorf("%d calls are stuck", n)
		}
		close(release)
		synctest.Wait()
		time.Sleep(time.Second)
		wantCode(t, "released", verify(v, "x"), core.CodeUnavailable)
	})
}

// body is that of an answer. It counts those that are not closed.
type body struct {
	io.Reader
	open *int
}

func (b *body) Close() error { *b.open--; return nil }

// TestErrorsOfCalls_F20: the error says which call failed, and why; nothing of what the
// other side sent, or of a transport's own words. All bodies are closed.
func TestErrorsOfCalls_F20(t *testing.T) {
	sent := func(err error) error { return fmt.Errorf("secret-echo: %w", err) }
	open := 0
	answer := func(status int, header http.Header, reader io.Reader) func() (*http.Response, error) {
		return func() (*http.Response, error) {
			open++
			return &http.Response{StatusCode: status, Header: header, Body: &body{reader, &open}}, nil
		}
	}
	fails := func(err error) func() (*http.Response, error) {
		return func() (*http.Response, error) { return nil, err }
	}
	inJSON := http.Header{"Content-Type": {"application/json"}}
	for name, tt := range map[string]struct {
		call func() (*http.Response, error)
		want string
	}{
		"a deadline":          {fails(sent(context.DeadlineExceeded)), "context deadline exceeded"},
		"the end of the call": {fails(sent(context.Canceled)), "context canceled"},
		"cut":                 {fails(sent(io.ErrUnexpectedEOF)), "unexpected EOF"},
		"refused":             {fails(sent(&net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")})), "dial tcp: connection refused"},
		"another error":       {fails(errors.New("secret-echo")), "the call failed"},
		"a body cut":          {answer(201, inJSON, io.MultiReader(strings.NewReader("{"), &failing{sent(io.ErrUnexpectedEOF)})), "unexpected EOF"},
		"500":                 {answer(500, inJSON, strings.NewReader("secret-echo")), "the answer has status 500"},
		"too large":           {answer(201, inJSON, strings.NewReader(strings.Repeat(" ", 1<<20))), "the answer is larger than 256 KiB"},
		"not JSON":            {answer(201, inJSON, strings.NewReader("secret-echo")), "the answer is not one JSON object in UTF-8"},
	} {
		for doing, method := range map[string]string{"logging in": http.MethodPost, "checking a token": http.MethodGet} {
			iam := newIAM()
			v := verifier(t, scheme(t, iam, func(c *token.Config) {
				c.Timeout = time.Minute
				c.Transport = transportFunc(func(r *http.Request) (*http.Response, error) {
					if r.Method != method {
						return direct{iam}.RoundTrip(r)
					}
					response, err := tt.call()
					if response != nil && r.Method == http.MethodGet && response.StatusCode == http.StatusCreated {
						response.StatusCode = http.StatusOK
					}
					return response, err
				})
			}))
			err := verify(v, "good")
			wantCode(t, doing+", "+name, err, core.CodeUnavailable)
			if cause := errors.Unwrap(err); cause == nil || cause.Error() != doing+": "+tt.want {
				t.Errorf("%s, %s: got %v, want %q", doing, name, cause, tt.want)
			}
		}
	}
	if open != 0 {
		t.Errorf("%d bodies are not closed", open)
	}
}

// failing is the end of a body that fails.
type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }

// TestPauseAfterClockSetBack_F20: a pause is at most as long as it can be; after the clock
// was set back the service is called again, once if it still fails.
func TestPauseAfterClockSetBack_F20(t *testing.T) {
	for _, back := range []time.Duration{1, time.Hour} {
		iam := newIAM()
		now := time.Now()
		pause := func(seconds string) {
			fault := func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", seconds)
				w.WriteHeader(http.StatusServiceUnavailable)
			}
			iam.set(func() { iam.onLogin, iam.onCheck = fault, fault })
		}
		v := verifier(t, scheme(t, iam, func(c *token.Config) { c.Now = func() time.Time { return now } }))
		ask := func(when string, logins int) {
			t.Helper()
			wantCode(t, when, verify(v, "x"), core.CodeUnavailable)
			iam.wantCalls(t, fmt.Sprint(when, ", set back by ", back), logins, 0)
		}
		pause("300")
		ask("at first", 1)
		ask("during the pause", 0)
		now = now.Add(-back)
		pause("1")
		ask("set back", 1)
		ask("set back, again", 0)
		now = now.Add(time.Second)
		ask("a second later", 1)
	}
}

// TestPausesOfCallsInFlight_F20: a failure that asks for no pause does not shorten one, unless
// the clock was set back, so that the end of the pause is too far away.
func TestPausesOfCallsInFlight_F20(t *testing.T) {
	for _, back := range []time.Duration{0, 1, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			iam := newIAM()
			iam.projects["first"] = "p"
			var offset atomic.Int64
			v := verifier(t, scheme(t, iam, func(c *token.Config) {
				c.Now = func() time.Time { return time.Now().Add(time.Duration(offset.Load())) }
			}))
			wantCode(t, "at first", verify(v, "first"), "")
			release := make(chan struct{})
			iam.set(func() {
				iam.onCheck = func(w http.ResponseWriter, r *http.Request) {
					if r.Header.Get("X-Subject-Token") == "late" {
						<-release
					} else {
						w.Header().Set("Retry-After", "300")
					}
					w.WriteHeader(http.StatusServiceUnavailable)
				}
			})
			late := make(chan error)
			go func() { late <- verify(v, "late") }()
			synctest.Wait()
			wantCode(t, "asks for a pause", verify(v, "good"), core.CodeUnavailable)
			offset.Store(-int64(back))
			close(release)
			wantCode(t, "asks for none", <-late, core.CodeUnavailable)
			iam.calls()
			pause := 5 * time.Minute
			if back > 0 {
				pause = time.Second
			}
			for passed, calls := range []int{0, 0, 1} {
				if passed > 0 {
					time.Sleep([]time.Duration{0, pause - 1, 1}[passed])
				}
				wantCode(t, "later", verify(v, "good"), core.CodeUnavailable)
				if _, got := iam.calls(); got != calls {
					t.Errorf("set back by %v, call %d: %d checks, want %d", back, passed, got, calls)
				}
			}
		})
	}
}

// TestCallsInFlight_F16: 64 calls about unknown tokens are made at a time. More are refused
// without one, until one ends; tokens that are known to be valid have calls of their own.
func TestCallsInFlight_F16(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iam := newIAM()
		iam.projects["known"], iam.projects["new"] = "p", "p"
		release := make(chan struct{})
		iam.about("junk", func(w http.ResponseWriter, _ *http.Request) {
			<-release
			w.WriteHeader(http.StatusUnauthorized)
		})
		v := verifier(t, scheme(t, iam, func(c *token.Config) { c.CallsPerSecond, c.CacheFor = 10_000, time.Second }))
		wantCode(t, "at first", verify(v, "known"), "")
		iam.calls()
		time.Sleep(time.Second)
		ended := make(chan error, 64)
		for i := range 64 {
			go func() { ended <- verify(v, fmt.Sprint("junk-", i)) }()
		}
		synctest.Wait()
		iam.wantCalls(t, "64 tokens", 0, 64)
		wantCode(t, "one more", verify(v, "new"), core.CodeUnavailable)
		iam.wantCalls(t, "one more", 0, 0)
		wantCode(t, "a known one", verify(v, "known"), "")
		release <- struct{}{}
		<-ended
		synctest.Wait()
		wantCode(t, "when one has ended", verify(v, "new"), "")
		close(release)
	})
}

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestClose_F18: calls end, and everything is refused afterwards.
func TestClose_F18(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iam := newIAM()
		iam.projects["known"] = "p"
		s := scheme(t, iam)
		v := verifier(t, s)
		wantCode(t, "at first", verify(v, "known"), "")
		iam.set(func() { iam.onCheck = func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() } })
		waiting := make(chan error)
		go func() { waiting <- verify(v, "new") }()
		synctest.Wait()
		start := time.Now()
		for range 2 {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
		wantCode(t, "waiting", <-waiting, core.CodeUnavailable)
		if took := time.Since(start); took > 0 {
			t.Errorf("it took %v", took)
		}
		iam.calls()
		wantCode(t, "known", verify(v, "known"), core.CodeUnavailable)
		wantCode(t, "new", verify(v, "new"), core.CodeUnavailable)
		iam.wantCalls(t, "closed", 0, 0)
	})
}
