package adaptertest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

// refusal is a request that is refused, with the status of the response.
type refusal struct {
	name    string
	status  int
	request func() *http.Request
}

// refusals returns refused requests, for a verifier whose MaxBody is 8 bytes.
func refusals() []refusal {
	signed := func(key core.Key, method, body string) func() *http.Request {
		return func() *http.Request { return testkit.Signed(key, method, "/v1/items", body) }
	}
	unsigned := func(method, target string) func() *http.Request {
		return func() *http.Request { return testkit.Unsigned(method, target) }
	}
	return []refusal{
		{"no credential", 401, unsigned("GET", "/v1/items")},
		{"no credential, HEAD", 401, unsigned("HEAD", "/v1/items")},
		{"another body", 401, func() *http.Request {
			r := testkit.Signed(testkit.Orders, "POST", "/v1/items", "a=1")
			r.Body = io.NopCloser(strings.NewReader("a=2"))
			return r
		}},
		{"another API's key", 403, signed(testkit.Partner, "GET", "")},
		{"two readings", 400, unsigned("GET", "/v1/items?a;b")},
		{"too large", 413, signed(testkit.Orders, "POST", "123456789")},
	}
}

// An Answer is the response that a client receives.
type Answer struct {
	Status int
	Header http.Header // without Date
	Body   string
}

// Ask sends r to h over a socket, and returns the response.
func Ask(t *testing.T, h http.Handler, r *http.Request) Answer {
	t.Helper()
	server := httptest.NewServer(h)
	defer server.Close()
	address, _ := url.Parse(server.URL)
	r.URL.Scheme, r.URL.Host, r.RequestURI = "http", address.Host, ""
	res, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	res.Header.Del("Date")
	return Answer{res.StatusCode, res.Header, string(body)}
}

// TestAnswersAreThoseOfNetHTTP: the responses to refused requests are those of
// nethttp.Middleware, byte for byte. headLength is true if the framework sends a
// Content-Length in responses to HEAD.
func TestAnswersAreThoseOfNetHTTP(t *testing.T, headLength bool, mounts map[string]Mount) {
	compare := func(v *core.Verifier, exchange refusal) {
		t.Helper()
		want := Ask(t, nethttp.Middleware(v)(http.NotFoundHandler()), exchange.request())
		if exchange.request().Method == http.MethodHead && !headLength {
			want.Header.Del("Content-Length")
		}
		for mount, serve := range mounts {
			runs := new(testkit.Counter)
			got := Ask(t, serve(v, runs), exchange.request())
			if n := runs.Take(); got.Status != exchange.status || !reflect.DeepEqual(got, want) || n != 0 {
				t.Errorf("%s, %s: got\n%+v and %d runs of the handler, want status %d, no run and\n%+v", mount, exchange.name, got, n, exchange.status, want)
			}
		}
	}
	for _, exposed := range []bool{false, true} {
		v := testkit.Verifier(t, func(c *core.Config) { c.MaxBody, c.ExposeReason = 8, exposed })
		for _, exchange := range refusals() {
			compare(v, exchange)
		}
	}
	compare(new(core.Verifier), refusal{"no policy", 503, func() *http.Request { return testkit.Unsigned("GET", "/v1/items") }})
}

// MissingCredential returns the body of the response to a request without a credential.
func MissingCredential(t *testing.T) string {
	t.Helper()
	text, err := json.Marshal(core.ProblemOf(core.Refuse(core.CodeCredentialMissing, "")))
	if err != nil {
		t.Fatal(err)
	}
	return string(text) + "\n"
}
