package core_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
)

// TestUnknownKeyFlood_T137: requests that name unknown keys cost the same each
// time, read no byte of their body, and leave nothing behind.
func TestUnknownKeyFlood_T137(t *testing.T) {
	v := verifier(t)
	r := signed(t, core.Key{ID: "UNKNOWN00000", Secret: k1.Secret}, "POST", "/v1/items", "x", apig.SignOptions{})
	r.Body, r.ContentLength = unread{t}, 12<<20
	auth := r.Header.Get("Authorization")
	n := 0
	flood := func() {
		n++
		r.Header["Authorization"][0] = strings.Replace(auth, "UNKNOWN00000", fmt.Sprintf("UNKNOWN%05d", n%100000), 1)
		_, err := v.Verify(r)
		wantCode(t, err, core.CodeKeyUnknown)
	}
	again := func() { v.Verify(r) }
	first := testing.AllocsPerRun(1000, again)
	before := heap()
	for range 50000 {
		flood()
	}
	if grown := int64(heap()) - int64(before); grown > 1<<20 {
		t.Errorf("the heap grew by %d bytes over 50,000 unknown ids", grown)
	}
	if last := testing.AllocsPerRun(1000, again); last > first && !raceEnabled {
		t.Errorf("a refusal allocates %v times after the flood and %v times before", last, first)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// FuzzVerify_T140 reads raw requests as a server does. Nothing panics, there is
// always one of identity and refusal, and what is accepted is P1 or P2 but for
// the differences that the vendor's form hides: whoever fuzzes has no secret.
func FuzzVerify_T140(f *testing.F) {
	const p2 = "POST /v1/items?a=1&b= HTTP/1.1\r\nHost: api.example.com\r\nX-Sdk-Date: 20260115T120000Z\r\nContent-Length: 14\r\n" +
		"Authorization: SDK-HMAC-SHA256 Access=AKTESTAKTEST0001, SignedHeaders=host;x-sdk-date, Signature=0498b4c814b625bfeb2064ba494f5e54b5f785b2792f25115a13fc559986f936\r\n\r\n" + `{"amount":100}`
	for _, seed := range []string{p1, p2, strings.Replace(p1, "GET", "get", 1), strings.Replace(p2, "a=1", "a=%31&&", 1),
		"GET * HTTP/1.1\r\nHost: h\r\n\r\n", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nAuthorization: Basic Og==\r\n\r\n1\r\nx\r\n0\r\nX: y\r\n\r\n"} {
		f.Add(seed)
	}
	v, err := core.New(config())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		r, err := http.ReadRequest(newReader(raw))
		if err != nil {
			return
		}
		id, err := v.Verify(r)
		defer core.Release(r)
		if (id == nil) == (err == nil) {
			t.Fatalf("identity %v, error %v", id, err)
		}
		if err != nil {
			return
		}
		want := map[string]url.Values{"GET": {}, "POST": {"a": {"1"}, "b": {""}}}[r.Method]
		u, err := url.ParseRequestURI(r.RequestURI)
		if err != nil || want == nil || strings.TrimSuffix(u.Path, "/") != "/v1/items" || !reflect.DeepEqual(u.Query(), want) ||
			r.Host != "api.example.com" || !slices.Equal(r.Header["X-Sdk-Date"], []string{"20260115T120000Z"}) {
			t.Errorf("accepted %q", raw)
		}
		body, err := io.ReadAll(r.Body)
		if wantBody := map[string]string{"POST": `{"amount":100}`}[r.Method]; err != nil || string(body) != wantBody {
			t.Errorf("the handler reads %q, %v", body, err)
		}
	})
}

// TestManyParameters_T136: as many as are allowed are verified, one more is
// refused, before anything is computed.
func TestManyParameters_T136(t *testing.T) {
	for n, want := range map[int]core.Code{1024: "", 1025: core.CodeRequestAmbiguous} {
		r := signed(t, k1, "GET", "/?"+strings.TrimSuffix(strings.Repeat("z=1&a=2&", n/2)+strings.Repeat("m=3&", n%2), "&"), "", apig.SignOptions{})
		_, err := verifier(t).Verify(r)
		wantCode(t, err, want)
	}
	_, err := verifier(t).Verify(httptest.NewRequest("GET", "/?"+strings.Repeat("a&", 500000), nil))
	wantCode(t, err, core.CodeRequestAmbiguous)
}
