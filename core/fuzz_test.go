package core_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime/metrics"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/token"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

const goodToken = "gAAAAABtoken"

// identityService takes goodToken for valid, and no other.
type identityService struct{}

func (identityService) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	w.Header().Set("Content-Type", "application/json")
	switch {
	case r.Method == "POST":
		w.Header().Set("X-Subject-Token", "own")
		w.WriteHeader(http.StatusCreated)
	case r.Header.Get("X-Subject-Token") != goodToken:
		w.WriteHeader(http.StatusNotFound)
		io.WriteString(w, `{"error": {"code": 404, "title": "Not Found", "message": "Could not find token."}}`)
		return w.Result(), nil
	}
	io.WriteString(w, `{"token": {"user": {"id": "u", "name": "n", "domain": {"id": "d", "name": "d"}}, "expires_at": "2026-01-15T20:00:00.000000Z", "issued_at": "2026-01-15T11:00:00.000000Z", "methods": ["password"]}}`)
	return w.Result(), nil
}

// ticking is a clock that goes on by a second whenever it is read, and starts again
// after an hour. Generated requests hold any number of unknown tokens: with a clock
// that stands, they are all in the same second, and more of them than CallsPerSecond
// are answered with 503.
func ticking() func() time.Time {
	var reads atomic.Int64
	return func() time.Time { return testkit.Now().Add(time.Duration(reads.Add(1)%3600) * time.Second) }
}

// everyScheme is one environment with a key of every type, bound to the path of
// its name, and requests that they sign.
func everyScheme(t testing.TB) (*core.Verifier, []string) {
	t.Helper()
	pairs := testkit.PairsOf(func(name string) core.Key {
		return core.Key{Name: name, ID: "ID" + name, Secret: core.NewSecret("sktest-0123456789abcdef-" + name)}
	}, "x-role")
	service := token.New(token.Config{Now: ticking(), Transport: identityService{}, Keys: []token.Key{{Name: "token",
		IAMURL: "https://iam.example.com", User: "u", Password: core.NewSecret("password-0123456789"), Domain: "d", Project: "p"}}})
	pairs = append(pairs, testkit.Pair{Name: "token", Key: core.Key{Name: "token"}, Scheme: service, Signer: token.NewSigner(core.NewSecret(goodToken))})
	v := verifier(t, func(c *core.Config) {
		c.AllowPresigned, c.MaxBody, c.Default = true, 1<<20, ""
		c.Schemes = testkit.Schemes(pairs)
		c.APIs = []core.API{{Match: "GET /open", Open: true}}
		for i, p := range pairs {
			if i == 0 || pairs[i-1].Key.Name != p.Key.Name {
				c.APIs = append(c.APIs, core.API{Match: "/" + p.Key.Name + "/", Key: p.Key.Name},
					core.API{Match: "/" + p.Key.Name + "/upload/", Key: p.Key.Name, AllowUnsignedPayload: true})
			}
		}
	})
	var seeds []string
	for _, p := range pairs {
		const body = `{"amount":100}`
		path := "/" + p.Key.Name + "/it%C3%A4ms"
		if p.Unsigned {
			path = "/" + p.Key.Name + "/upload/it%C3%A4ms"
		}
		r := httptest.NewRequest("POST", path+"?b=&a=1&a=%20x", strings.NewReader(body))
		r.Host = "api.example.com"
		r.Header = http.Header{"X-Role": {"reader", "a  writer"}, "User-Agent": {"t"}}
		testkit.Sign(p.Signer, r, body, instant)
		seeds = append(seeds, wire(r, body))
	}
	return v, seeds
}

// meaning is what a request says to a handler, as far as its credential covers
// it and the scheme's canonical form can tell: written from the protocols'
// descriptions, by the standard library's parsers alone.
func meaning(t testing.TB, r *http.Request, id *core.Identity) string {
	t.Helper()
	covers, scheme := id.Covers(), id.Scheme()
	out := []string{id.Scheme(), id.Key()}
	if !covers.Target {
		user, password, _ := r.BasicAuth()
		return strings.Join(append(out, user, password, r.Header.Get("X-Auth-Token")), "\n")
	}
	aws := strings.HasPrefix(scheme, "sigv4")
	path, query, _ := strings.Cut(r.RequestURI, "?")
	if !aws || id.Key() == "s3" { // whose paths are encoded anew
		decoded, err := url.PathUnescape(path)
		if err != nil {
			t.Errorf("accepted, and the path is %q: %v", path, err)
		}
		if path = decoded; !aws {
			path = strings.TrimSuffix(path, "/")
		}
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Errorf("accepted, and the query is %q: %v", query, err)
	}
	for name, v := range values {
		if slices.Sort(v); strings.HasSuffix(name, "-Signature") {
			delete(values, name) // ECDSA has two of each
		}
	}
	out = append(out, r.Method, path, values.Encode())
	for _, name := range covers.Headers {
		lines := slices.Clone(r.Header.Values(name))
		switch name {
		case "host":
			lines = []string{r.Host}
		case "content-length":
			lines = []string{fmt.Sprint(r.ContentLength)}
		}
		for i := range lines {
			if lines[i] = strings.Trim(lines[i], " \t"); aws || scheme == "aksk" {
				lines[i] = strings.Join(strings.FieldsFunc(lines[i], func(c rune) bool { return c == ' ' || c == '\t' }), " ")
			}
		}
		if aws {
			lines = []string{strings.Join(lines, ",")}
		}
		slices.Sort(lines)
		out = append(out, fmt.Sprintf("%s%q", name, lines))
	}
	if covers.Body {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("accepted, and the body ends with %v", err)
		}
		out = append(out, string(body))
	}
	return strings.Join(out, "\n")
}

// judge reads a raw request as a server does and verifies it. What is accepted
// must mean what one of the signed requests means: whoever makes raw requests
// has no secret.
func judge(t *testing.T, v *core.Verifier, signed map[string]bool, raw string) (accepted bool) {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(raw)))
	if err != nil {
		return false
	}
	before := allocated()
	id, err := v.Verify(r)
	defer core.Release(r)
	if most, took := uint64(1<<20+64*len(raw)), allocated()-before; took > most {
		t.Errorf("%d bytes were allocated for a request of %d: %q", took, len(raw), raw)
	}
	if (id == nil) == (err == nil) {
		t.Fatalf("identity %v, error %v", id, err)
	}
	if err != nil && core.StatusCode(err) >= 500 {
		t.Errorf("%v for %q", err, raw)
	}
	if err != nil || !id.Verified() {
		return false
	}
	if said := meaning(t, r, id); !signed[said] {
		t.Errorf("accepted %q\nwhich says %q", raw, said)
	}
	return true
}

func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// meanings verifies the seeds and says what they mean.
func meanings(t testing.TB, v *core.Verifier, seeds []string) map[string]bool {
	t.Helper()
	signed := map[string]bool{}
	for _, seed := range seeds {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(seed)))
		if err != nil {
			t.Fatal(err)
		}
		id, err := v.Verify(r)
		if err != nil {
			t.Fatalf("%v: %q", err, seed)
		}
		signed[meaning(t, r, id)] = true
		core.Release(r)
	}
	if len(signed) != len(seeds) {
		t.Fatalf("%d of %d requests mean something of their own", len(signed), len(seeds))
	}
	return signed
}

// FuzzRequests_T140 makes raw requests for an environment with every scheme, in
// the header and in the query. Nothing panics or takes much memory, there is
// always one of identity and refusal, and nothing is accepted that was not signed.
func FuzzRequests_T140(f *testing.F) {
	v, seeds := everyScheme(f)
	signed := meanings(f, v, seeds)
	for _, seed := range seeds {
		f.Add(seed)
	}
	f.Add("GET /open HTTP/1.1\r\nHost: h\r\nX-Amz-Date: x\r\n\r\n")
	f.Add("POST /sigv4/%2e%2e HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nX-Auth-Token: a\r\nAuthorization: AWS4-HMAC-SHA256 ,\r\n\r\n1\r\nx\r\n0\r\nX: y\r\n\r\n")
	f.Fuzz(func(t *testing.T, raw string) { judge(t, v, signed, raw) })
}

// FuzzChanges_T141 takes some bytes out of a signed request and puts others in
// their place, which gets further than the raw requests of T140 do: every byte that is
// signed matters, or has no meaning.
func FuzzChanges_T141(f *testing.F) {
	v, seeds := everyScheme(f)
	signed := meanings(f, v, seeds)
	for i := range seeds {
		for at := 0; at < len(seeds[i]); at += 17 {
			f.Add(uint8(i), uint16(at), uint8(1), "x")
		}
		f.Add(uint8(i), uint16(0), uint8(0), "")
		f.Add(uint8(i), uint16(len(seeds[i])), uint8(0), "more")
		f.Add(uint8(i), uint16(strings.Index(seeds[i], "Host:")), uint8(0), "X-Sdk-Role: x\r\n")
		f.Add(uint8(i), uint16(strings.Index(seeds[i], "X-Role:")), uint8(0), "X-Role: x\r\n")
		f.Add(uint8(i), uint16(strings.Index(seeds[i], " HTTP/1.1")), uint8(0), "&c=1")
	}
	f.Fuzz(func(t *testing.T, which uint8, at uint16, cut uint8, paste string) {
		seed := seeds[int(which)%len(seeds)]
		i := int(at) % (len(seed) + 1)
		raw := seed[:i] + paste + seed[min(len(seed), i+int(cut)):]
		if accepted := judge(t, v, signed, raw); !accepted && raw == seed {
			t.Errorf("refused as it was signed: %q", raw)
		}
	})
}

// TestEveryScheme_T141: each byte of what each scheme has signed is replaced, in
// the header and in the query, by a neighbour, the other case, a delimiter, white
// space and a byte beyond ASCII.
func TestEveryScheme_T141(t *testing.T) {
	v, seeds := everyScheme(t)
	signed := meanings(t, v, seeds)
	accepted := 0
	for _, seed := range seeds {
		for i := range seed {
			for _, b := range []byte{seed[i] ^ 1, seed[i] + 1, seed[i] ^ 0x20, '%', '/', '&', ' ', '\t', 0xff} {
				if b != seed[i] && judge(t, v, signed, seed[:i]+string([]byte{b})+seed[i+1:]) {
					accepted++
				}
			}
		}
	}
	if accepted == 0 { // changes of the user agent's name, for one
		t.Error("nothing at all was accepted: nothing was shown")
	}
}
