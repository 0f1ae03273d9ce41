package capture_test

import (
	"context"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/capture"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

func refusedEvent(r *http.Request) core.Event {
	err := core.Refuse(core.CodeSignatureMismatch, "no")
	return core.Event{Code: core.CodeSignatureMismatch, Err: err, Request: r, Time: testkit.Now()}
}

// TestWait: Wait can be called while requests are refused.
func TestWait(t *testing.T) {
	r, _ := recorder(t, func(c *capture.Config) { c.PerMinute = 10_000; c.Now = time.Now; c.Max = 1 })
	q, _ := http.NewRequest("GET", "http://a.example/", nil)
	var all sync.WaitGroup
	stop := time.Now().Add(time.Second)
	panicked := make(chan any, 8)
	for range 4 {
		all.Go(func() {
			for time.Now().Before(stop) {
				r.Observe(context.Background(), refusedEvent(q))
			}
		})
		all.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					panicked <- p
				}
			}()
			for time.Now().Before(stop) {
				r.Wait()
			}
		})
	}
	all.Wait()
	select {
	case p := <-panicked:
		t.Errorf("Wait panicked: %v", p)
	default:
	}
}

// TestNoURL: requests that are none do not end the recording of others.
func TestNoURL(t *testing.T) {
	r, dir := recorder(t, nil)
	v := testkit.New(t, testkit.Policy(func(c *core.Config) { c.Observers = []core.Observer{r} }))
	for range 4 {
		v.Verify(&http.Request{Method: "GET", Host: "a.example"})
	}
	q, _ := http.NewRequest("GET", "http://a.example/", nil)
	if _, err := v.Verify(q); err == nil {
		t.Fatal("accepted")
	}
	r.Wait()
	files, _ := capture.Files(dir)
	found := false
	for _, f := range files {
		text, _ := os.ReadFile(f)
		found = found || strings.Contains(string(text), "GET / HTTP/1.1")
	}
	if !found {
		t.Errorf("the request is not kept: %+v", r.Stats())
	}
}

// TestSpellings_T226: no spelling lets a secret into a file.
func TestSpellings_T226(t *testing.T) {
	for name, request := range map[string]string{
		"userinfo":                "GET http://user:hunter2secret@api.example.com/x HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
		"userinfo, ?":             "GET http://user:hunter2secret?x@api.example.com/x HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
		"userinfo, no scheme":     "GET //user:hunter2secret@api.example.com/x HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
		"userinfo, one colon":     "GET http:user:hunter2secret@api.example.com/x HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
		"userinfo, CONNECT":       "CONNECT user:hunter2secret@api.example.com:443 HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
		"semicolon":               "GET /x?a=1;access_token=hunter2secret HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
		"encoded name":            "GET /x?access%5Ftoken=hunter2secret HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
		"second question mark":    "GET /x?a=b?access_token=hunter2secret HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
		"fragment":                "GET /x#access_token=hunter2secret HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
		"referer":                 "GET /x HTTP/1.1\r\nHost: api.example.com\r\nReferer: https://a.example/?access_token=hunter2secret\r\n\r\n",
		"origin userinfo":         "GET /x HTTP/1.1\r\nHost: api.example.com\r\nReferer: https://user:hunter2secret@a.example/\r\n\r\n",
		"joined basic":            "GET /x HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: SDK-HMAC-SHA256 Access=a, SignedHeaders=host, Signature=00, Basic hunter2secret\r\n\r\n",
		"comma and no scheme":     "GET /x HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: , hunter2secret\r\n\r\n",
		"basic comma":             "GET /x HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: ,Basic hunter2secret\r\n\r\n",
		"basic in another header": "GET /x HTTP/1.1\r\nHost: api.example.com\r\nX-Forwarded-Authorization: bAsIc  hunter2secret\r\n\r\n",
		"comma in another header": "GET /x HTTP/1.1\r\nHost: api.example.com\r\nX-Forwarded-Authorization: SDK-HMAC-SHA256 x, Basic hunter2secret\r\n\r\n",
		"original url":            "GET /x HTTP/1.1\r\nHost: api.example.com\r\nX-Original-Url: /x?access_token=hunter2secret\r\n\r\n",
		"access token header":     "GET /x HTTP/1.1\r\nHost: api.example.com\r\nX-Access-Token: hunter2secret\r\n\r\n",
		"forwarded access token":  "GET /x HTTP/1.1\r\nHost: api.example.com\r\nX-Forwarded-Access-Token: hunter2secret\r\n\r\n",
		"host userinfo":           "GET /x HTTP/1.1\r\nHost: user:hunter2secret@api.example.com\r\n\r\n",
		"x-sdk token parameter":   "GET /x?X-Security-Token=hunter2secret HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
		"auth token parameter":    "GET /x?X-Auth-Token=hunter2secret HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
		"parameter auth_token":    "GET /x?auth_token=hunter2secret HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
		"parameter accessToken":   "GET /x?accessToken=hunter2secret HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
		"parameter secret":        "GET /x?secret=hunter2secret HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
		"parameter passwd":        "GET /x?passwd=hunter2secret HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
		"parameter in brackets":   "GET /x?user[password]=hunter2secret HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
		"parameter access-token":  "GET /x?access-token=hunter2secret HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
		"parameter x-api-key":     "GET /x?x-api-key=hunter2secret HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
		"parameter authorization": "GET /x?Authorization=Basic%20hunter2secret HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
		"parameter with a space":  "GET /x?token%20=hunter2secret HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
		"session token":           "GET /x?next-auth.session-token=hunter2secret HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
		"no fields":               "GET /x HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: SDK-HMAC-SHA256 Basic hunter2secret\r\n\r\n",
		"a word among fields":     "GET /x HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: SDK-HMAC-SHA256 Access=a, hunter2secret, Signature=00\r\n\r\n",
		"tokens":                  "GET /x HTTP/1.1\r\nHost: api.example.com\r\nX-Access-Tokens: hunter2secret\r\n\r\n",
		"s3 session":              "GET /x HTTP/1.1\r\nHost: api.example.com\r\nX-Amz-S3session-Token: hunter2secret\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			r, dir := recorder(t, nil)
			addr, _ := serve(t, r, nil)
			if status := send(t, addr, request); status < 400 {
				t.Fatal(status)
			}
			r.Wait()
			if files, _ := capture.Files(dir); len(files) == 0 {
				return // the server has answered it before the verifier
			}
			if text := only(t, r, dir); strings.Contains(text, "hunter2secret") {
				t.Errorf("the secret is in the file:\n%s", text)
			} else if strings.Count(text, "user and password") > 1 {
				t.Errorf("what is withheld stands there twice:\n%s", text)
			}
		})
	}
}

// TestCredentialHeader_T226: what is no signature in the header for credentials is withheld, as
// in Authorization, and a page of a list is none of the secrets.
func TestCredentialHeader_T226(t *testing.T) {
	for _, tt := range []struct{ line, target, shown string }{
		{"X-Backend-Sign: hunter2secret", "/", "[withheld]"},
		{"X-Backend-Sign: ApiKey hunter2secret", "/", "[withheld]"},
		{"X-Backend-Sign: basic:hunter2secret", "/", "[withheld]"},
		{"X-Backend-Sign: SDK-HMAC-SHA256 Access=a, SignedHeaders=host, Signature=00", "/", "Signature=00"},
		{"X-Other: x", "/?continuation-token=page2", "page2"},
	} {
		r, dir := recorder(t, func(c *capture.Config) { c.CredentialHeader = "X-Backend-Sign" })
		addr, _ := serve(t, r, func(c *core.Config) { c.CredentialHeader = "X-Backend-Sign" })
		send(t, addr, "GET "+tt.target+" HTTP/1.1\r\nHost: h\r\n"+tt.line+"\r\n\r\n")
		r.Wait()
		if text := only(t, r, dir); strings.Contains(text, "hunter2secret") || !strings.Contains(text, tt.shown) {
			t.Errorf("%s %s: the file is\n%s", tt.line, tt.target, text)
		}
	}
}

// TestUserOfHost_T226: HTTP/2 lets a user and a password through in the authority.
func TestUserOfHost_T226(t *testing.T) {
	r, dir := recorder(t, nil)
	q := testkit.Unsigned("GET", "/x")
	q.Host = "user:hunter2secret@api.example.com"
	r.Observe(context.Background(), refusedEvent(q))
	if text := only(t, r, dir); strings.Contains(text, "hunter2secret") || !strings.Contains(text, "@api.example.com") {
		t.Errorf("got\n%s", text)
	}
}

// TestTransferEncoding_T226: metadata of a gRPC call with this name, which its server
// passes on, do not let the file be read as another request.
func TestTransferEncoding_T226(t *testing.T) {
	r, dir := recorder(t, nil)
	q, _ := http.NewRequest("POST", "http://a.example/echo/Unary", nil)
	q.ProtoMajor, q.ContentLength = 2, 5
	q.Header.Set("Transfer-Encoding", "chunked")
	r.Observe(context.Background(), refusedEvent(q))
	if got := parse(t, only(t, r, dir)); got.ContentLength != 5 || len(got.TransferEncoding) > 0 {
		t.Errorf("read with length %d and %q", got.ContentLength, got.TransferEncoding)
	}
}
