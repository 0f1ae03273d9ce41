package core_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
)

// Ways in that were found by attack. Each test keeps one shut.

func sourceOf(key core.Key) sourceFunc {
	return func(context.Context, string) (*core.Key, error) { return &key, nil }
}

// TestKeySourceCannotOpenADoor: an empty or blank secret would let everybody sign, an
// empty name would be bound to every API without a binding, and a source that
// answers with another key would let that key's holder be asked for.
func TestKeySourceCannotOpenADoor(t *testing.T) {
	emptyPrevious, nameless, other := k1, k1, k2
	emptyPrevious.Previous = []core.PreviousSecret{{Secret: core.NewSecret("")}}
	nameless.Name = ""
	blank, blankPrevious, blankToken := k1, k1, k1
	blank.Secret, blankToken.SessionToken = core.NewSecret(" \n"), core.NewSecret("\u00a0")
	blankPrevious.Previous = []core.PreviousSecret{{Secret: core.NewSecret("\r\n")}}
	for name, tt := range map[string]struct {
		answer, signer core.Key
		def            string
	}{
		"empty previous secret":     {emptyPrevious, core.Key{ID: k1.ID}, "k1"},
		"blank secret":              {blank, blank, "k1"},
		"blank previous secret":     {blankPrevious, core.Key{ID: k1.ID, Secret: core.NewSecret("\r\n")}, "k1"},
		"blank session token":       {blankToken, blankToken, "k1"},
		"no name, no default":       {nameless, k1, ""},
		"key with another id":       {other, core.Key{ID: k1.ID, Secret: k2.Secret}, "k2"},
		"right key, other spelling": {k1, core.Key{ID: strings.ToLower(k1.ID), Secret: k1.Secret}, "k1"},
	} {
		t.Run(name, func(t *testing.T) {
			v := verifier(t, func(c *core.Config) {
				c.Schemes, c.Default = []core.Scheme{apig.New(apig.Config{Keys: sourceOf(tt.answer)})}, tt.def
			})
			_, err := v.Verify(signed(t, tt.signer, "DELETE", "/v1/items", "", apig.SignOptions{}))
			wantCode(t, err, core.CodeUnavailable)
		})
	}
}

// TestBodiesReadBefore: a body that something in front has read is not the
// empty body that was signed.
func TestBodiesReadBefore(t *testing.T) {
	form := "refund=1000000"
	for name, read := range map[string]func(*http.Request){
		"form":  func(r *http.Request) { r.ParseForm() },
		"bytes": func(r *http.Request) { io.Copy(io.Discard, r.Body) },
	} {
		t.Run(name, func(t *testing.T) {
			r := signed(t, k1, "POST", "/orders/7/cancel", "", apig.SignOptions{})
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(form)), int64(len(form))
			read(r)
			_, err := verifier(t).Verify(r)
			wantCode(t, err, core.CodeBodyMismatch)
		})
	}
	get := signed(t, k1, "GET", "/orders?a=1", "", apig.SignOptions{})
	get.ParseForm() // reads the query alone
	if _, err := verifier(t).Verify(get); err != nil {
		t.Errorf("a query that was read before: %v", err)
	}
}

// TestHosts: HTTP/2 lets hosts through that HTTP/1 does not, and the canonical
// form would trim them; patterns with a host compare one spelling of it.
func TestHosts(t *testing.T) {
	for _, host := range []string{"", " api.example.com", "api.example.com ", "api.example.com\t", "api.example.com\x7f",
		"a@api.example.com", "api.example.com/x", "api.example.com,x", `api.example.com\x`, "api.example.com?", "api.example.com#"} {
		r := signed(t, k1, "GET", "/", "", apig.SignOptions{})
		r.Host = host
		_, err := verifier(t).Verify(r)
		wantCode(t, err, core.CodeRequestAmbiguous)
	}
	v := verifier(t, func(c *core.Config) { c.APIs = []core.API{{Match: "admin.example.com/", Key: "k2"}} })
	for host, want := range map[string]core.Code{
		"admin.example.com": core.CodeKeyNotBound, "admin.example.com:8080": core.CodeKeyNotBound, "api.example.com": "",
		"ADMIN.example.com": core.CodeRequestAmbiguous, "admin.example.com.": core.CodeRequestAmbiguous, "admin.example.com.:80": core.CodeRequestAmbiguous,
		// What routers cut a port off that ServeMux does not know as one.
		"admin.example.com:80:80": core.CodeRequestAmbiguous, "admin.example.com::": core.CodeRequestAmbiguous, "admin.example.com:": core.CodeRequestAmbiguous,
		"admin.example.com:80]": core.CodeRequestAmbiguous, "[admin.example.com": core.CodeRequestAmbiguous, "admin.example.com;": core.CodeRequestAmbiguous,
		"admin.example.com%20": core.CodeRequestAmbiguous, "[::1]": "", "[::1]:8080": "", "[::1]x": core.CodeRequestAmbiguous,
	} {
		r := signed(t, k1, "GET", "/", "", apig.SignOptions{})
		r.Host, r.Header = host, http.Header{}
		if err := apig.NewSigner(k1, apig.SignOptions{}).Sign(r, emptyDigest, instant); err != nil {
			t.Fatal(err)
		}
		_, err := v.Verify(r)
		wantCode(t, err, want)
	}
	r := signed(t, k1, "GET", "/", "", apig.SignOptions{})
	r.Method = "CONNECT"
	_, err := v.Verify(r)
	wantCode(t, err, core.CodeRequestAmbiguous)
	if _, err := core.New(config(func(c *core.Config) { c.APIs = []core.API{{Match: "GET status.example.com/", Open: true}} })); err == nil {
		t.Error("an API is open to whoever sends a host")
	}
}

const emptyDigest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// TestFinalSlashReadings: a router that takes a final slash off must not reach
// an API of another key.
func TestFinalSlashReadings(t *testing.T) {
	v := verifier(t, func(c *core.Config) {
		c.APIs = []core.API{{Match: "/admin", Key: "k2"}, {Match: "/partner/", Key: "k1"}, {Match: "GET /status", Open: true}}
	})
	for target, want := range map[string]core.Code{
		"/admin": core.CodeKeyNotBound, "/admin/": core.CodeRequestAmbiguous, "/admin//": core.CodeRequestAmbiguous,
		"/partner/": "", "/partner/x/": "", "/other/": "", "/": "", "/status/": "",
	} {
		_, err := v.Verify(signed(t, k1, "GET", target, "", apig.SignOptions{}))
		if core.CodeOf(err) != want {
			t.Errorf("%s: got %v, want %q", target, err, want)
		}
	}
}

// TestPatternsMustWork: a setting of the program that takes ServeMux's patterns
// away is an error, not a policy that binds nothing.
func TestPatternsMustWork(t *testing.T) {
	if os.Getenv("GATEWAYAUTH_TEST_MUX") == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestPatternsMustWork$")
		cmd.Env = append(os.Environ(), "GATEWAYAUTH_TEST_MUX=1", "GODEBUG=httpmuxgo121=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	if _, err := core.New(config(func(c *core.Config) { c.APIs = []core.API{{Match: "GET /admin", Key: "k2"}} })); err == nil || !strings.Contains(err.Error(), "httpmuxgo121") {
		t.Errorf("got %v", err)
	}
}

// TestSlowBodies: date and rotation are judged again when the body has arrived.
func TestSlowBodies(t *testing.T) {
	now := instant
	rotated := k1
	rotated.Secret = core.NewSecret("the-new-secret-0123")
	rotated.Previous = []core.PreviousSecret{{Secret: k1.Secret, Until: instant.Add(time.Minute)}}
	for name, tt := range map[string]struct {
		key   core.Key
		takes time.Duration
		want  core.Code
	}{
		"in time":                  {k1, 15 * time.Minute, ""},
		"too old at its end":       {k1, 15*time.Minute + time.Second, core.CodeSignatureExpired},
		"secret ended on the way":  {rotated, 2 * time.Minute, core.CodeSignatureMismatch},
		"secret still good at end": {rotated, 30 * time.Second, ""},
	} {
		for _, payload := range []core.Payload{core.PayloadHashed, core.PayloadDeclared} {
			if tt.want == core.CodeSignatureMismatch && payload == core.PayloadDeclared {
				continue // the signature is judged before the body
			}
			t.Run(name+", "+payload.String(), func(t *testing.T) {
				now = instant
				v := verifier(t, func(c *core.Config) {
					c.Now = func() time.Time { return now }
					c.Schemes[0] = hmacScheme(tt.key, k2)
				})
				r := signed(t, k1, "POST", "/", "text", apig.SignOptions{Payload: payload})
				r.Body = io.NopCloser(io.MultiReader(strings.NewReader("te"), readerFunc(func([]byte) (int, error) {
					now = instant.Add(tt.takes)
					return 0, io.EOF
				}), strings.NewReader("xt")))
				_, err := v.Verify(r)
				wantCode(t, err, tt.want)
				core.Release(r)
			})
		}
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestStreamsAreProvenAtTheirEnd: a declared digest is compared whatever became
// of the body, and nothing says before the end that the body is proven.
func TestStreamsAreProvenAtTheirEnd(t *testing.T) {
	v := verifier(t)
	declared := apig.SignOptions{Payload: core.PayloadDeclared}
	forged := func(body io.ReadCloser) *http.Request {
		r := signed(t, k1, "POST", "/pay", "amount=100", declared)
		r.Body, r.ContentLength = body, -1
		return r
	}
	readsRefusal := func(t *testing.T, r *http.Request) {
		t.Helper()
		admission, err := v.Admit(nil, r, core.BodyUnbuffered)
		admitted := admission.Request
		if err != nil {
			t.Fatal(err)
		}
		if id, ok := core.FromContext(admitted.Context()); !ok || id.Covers().Body || id.Payload() != core.PayloadDeclared {
			t.Errorf("the identity says that the body is proven: %+v", id.Covers())
		}
		if admitted.GetBody != nil {
			t.Error("GetBody goes around the check")
		}
		_, err = io.ReadAll(admitted.Body)
		wantCode(t, err, core.CodeBodyMismatch)
	}
	t.Run("dropped", func(t *testing.T) { readsRefusal(t, forged(http.NoBody)) })
	t.Run("nil", func(t *testing.T) { readsRefusal(t, forged(nil)) })
	t.Run("GetBody set in front", func(t *testing.T) {
		r := forged(io.NopCloser(strings.NewReader("amount=999")))
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("amount=999")), nil }
		readsRefusal(t, r)
	})
	t.Run("verified before", func(t *testing.T) {
		r := forged(io.NopCloser(strings.NewReader("amount=999")))
		_, err := v.Verify(r)
		wantCode(t, err, core.CodeBodyMismatch)
		readsRefusal(t, r)
	})
	t.Run("report in front", func(t *testing.T) {
		report := verifier(t, func(c *core.Config) { c.Mode = core.Report })
		r := forged(io.NopCloser(strings.NewReader("amount=999")))
		admission, err := report.Admit(nil, r, core.BodyForHandler)
		admitted := admission.Request
		if err != nil {
			t.Fatal(err)
		}
		readsRefusal(t, admitted)
	})
	t.Run("report mode reads on", func(t *testing.T) {
		report := verifier(t, func(c *core.Config) { c.Mode = core.Report })
		admission, err := report.Admit(nil, forged(io.NopCloser(strings.NewReader("amount=999"))), core.BodyUnbuffered)
		admitted := admission.Request
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(admitted.Body); string(got) != "amount=999" || err != nil {
			t.Errorf("the handler read %q, %v", got, err)
		}
	})
}

// TestInnerVerdictCounts: what an inner verifier did not verify has no
// identity, though an outer one gave it one.
func TestInnerVerdictCounts(t *testing.T) {
	admission, err := verifier(t).Admit(nil, request(t, p1), core.BodyForHandler)
	outer := admission.Request
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*core.Config){
		"report": func(c *core.Config) { c.Mode, c.Schemes, c.Default = core.Report, []core.Scheme{hmacScheme(k2)}, "k2" },
		"open":   func(c *core.Config) { c.APIs = []core.API{{Match: "/v1/", Open: true}} },
	} {
		admission, err := verifier(t, change).Admit(nil, outer, core.BodyForHandler)
		admitted := admission.Request
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if id, ok := core.FromContext(admitted.Context()); ok {
			t.Errorf("%s: the handler sees %v", name, id)
		}
	}
}

// TestBudgetFollowsWhatArrived: a body holds at most twice the bytes received.
func TestBudgetFollowsWhatArrived(t *testing.T) {
	v := verifier(t)
	for _, n := range []int{1, 4096, 4097, 20000, 100000, 1 << 20} {
		r := signed(t, k1, "POST", "/", strings.Repeat("x", n), apig.SignOptions{})
		if _, err := v.Verify(r); err != nil {
			t.Fatal(err)
		}
		if held := v.Buffered(); held > max(4096, 2*int64(n)) {
			t.Errorf("%d bytes are held for %d", held, n)
		}
		core.Release(r)
	}
	r := signed(t, k1, "POST", "/", "x", apig.SignOptions{})
	r.Body = io.NopCloser(readerFunc(func([]byte) (int, error) { panic(http.ErrAbortHandler) }))
	func() {
		defer func() { recover() }()
		v.Verify(r)
	}()
}

// TestKeySourceErrorsAreCut: their text may be the caller's.
func TestKeySourceErrorsAreCut(t *testing.T) {
	var log strings.Builder
	v := verifier(t, func(c *core.Config) {
		c.Schemes = []core.Scheme{apig.New(apig.Config{Keys: sourceFunc(func(_ context.Context, id string) (*core.Key, error) {
			return nil, errors.New("no row for " + id)
		})})}
		c.Logger = jsonLogger(&log)
	})
	_, err := v.Verify(signed(t, core.Key{ID: strings.Repeat("i", 7000), Secret: k1.Secret}, "GET", "/", "", apig.SignOptions{}))
	wantCode(t, err, core.CodeUnavailable)
	if log.Len() > 1500 {
		t.Errorf("the record has %d bytes", log.Len())
	}
	if !json.Valid([]byte(log.String())) {
		t.Errorf("not one JSON record: %s", &log)
	}
}

// TestRewriteMustBePlain: what cannot be a prefix or a host starts nothing.
func TestRewriteMustBePlain(t *testing.T) {
	for _, rewrite := range []core.Rewrite{{AddPrefix: "/v1/.."}, {AddPrefix: "/a\nb"}, {AddPrefix: "//a"}, {AddPrefix: "/a/./b"},
		{AddPrefix: "/"}, {Host: "a@b"}, {Host: "a,b"}, {Host: "a b"}} {
		if _, err := core.New(config(func(c *core.Config) { c.Rewrite = rewrite })); err == nil {
			t.Errorf("%+v was taken", rewrite)
		}
	}
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
	_, err := v.Verify(r)
	wantCode(t, err, core.CodeRequestAmbiguous)
}

// TestPatternsThatNeverMatch: the API would silently be the default key's.
func TestPatternsThatNeverMatch(t *testing.T) {
	for _, match := range []string{"get /admin", "Get /admin", "API.example.com/admin", "api.example.com./admin", "b\u00fccher.example/admin",
		"api.example.com:443/admin", "[::1]/admin", "GET API.example.com/admin"} {
		if _, err := core.New(config(func(c *core.Config) { c.APIs = []core.API{{Match: match, Key: "k2"}} })); err == nil {
			t.Errorf("%q: taken", match)
		}
	}
	_, err := core.New(config(func(c *core.Config) {
		c.APIs, c.Rewrite.Host = []core.API{{Match: "orders.internal/", Key: "k2"}}, "api.example.com"
	}))
	if err == nil {
		t.Error("bound by a host that nobody signs")
	}
}

// TestOuterBlanks: a blank that the canonical form does not show must not reach
// the handler. Folded lines keep one through net/http; HTTP/2 lets any through.
func TestOuterBlanks(t *testing.T) {
	for _, value := range []string{"guest ", " guest", "guest\t", "\t"} {
		r := signed(t, k1, "GET", "/", "", apig.SignOptions{Headers: []string{"x-role"}}, "X-Role: guest")
		r.Header["X-Role"] = []string{value}
		_, err := verifier(t).Verify(r)
		wantCode(t, err, core.CodeRequestAmbiguous)
	}
}

// TestRequiredTwins: what must be signed cannot come in with an underscore.
func TestRequiredTwins(t *testing.T) {
	v := verifier(t, func(c *core.Config) { c.RequireSigned = []string{"host", "x-role", "content-length"} })
	for header, want := range map[string]core.Code{"X-Role": core.CodeHeaderNotSigned, "X_Role": core.CodeHeaderNotSigned,
		"x_role": core.CodeHeaderNotSigned, "X_Roles": "", "Xrole": ""} {
		r := signed(t, k1, "GET", "/", "", apig.SignOptions{})
		r.Header[header] = []string{"admin"}
		_, err := v.Verify(r)
		if core.CodeOf(err) != want {
			t.Errorf("%s: got %v, want %q", header, err, want)
		}
	}
	_, err := v.Verify(signed(t, k1, "POST", "/", "text", apig.SignOptions{}))
	wantCode(t, err, core.CodeHeaderNotSigned) // a length that is there
}
