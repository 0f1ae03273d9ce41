package core_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// sequenceRequest is a request that is sent again and again.
type sequenceRequest struct {
	name   string
	signed *http.Request
	body   string
	change func(*http.Request)
}

// received returns the request as one that has just arrived.
func (q *sequenceRequest) received(ctx context.Context) *http.Request {
	r := q.signed.Clone(ctx)
	r.Body, r.ContentLength = http.NoBody, int64(len(q.body))
	if q.body != "" {
		r.Body = io.NopCloser(strings.NewReader(q.body))
	}
	q.change(r)
	return r
}

// signedWith lists what the requests of sequences sign beside host and date.
var signedWith = [][]string{nil, {"x-role"}, {"content-type", "x-project-id"}, {"content-type", "x-project-id", "x-request-id", "x-role"}}

// sequencePairs returns the forms of all keys with the n-th secret.
func sequencePairs(n int, headers []string) []testkit.Pair {
	key := func(name string) core.Key { return builder{}.key(name, keyState{secret: n}) }
	sdk := apig.SignOptions{Headers: headers}
	hmac2, aksk2, ecdsa2 := key("hmac2"), key("aksk2"), key("ecdsa2")
	return append(testkit.PairsOf(key, headers...),
		testkit.Pair{Name: "hmac", Key: hmac2, Signer: apig.NewSigner(hmac2, sdk)},
		testkit.Pair{Name: "aksk", Key: aksk2, Signer: apig.NewScopedSigner(aksk2, sdk)},
		testkit.Pair{Name: "ecdsa", Key: ecdsa2, Signer: apig.NewECDSASigner(ecdsa2, sdk)})
}

// anyRequest returns a request that is signed for now or a time near it, with a secret
// that the policy may have, and perhaps changed afterwards.
func (g *sequenceGenerator) anyRequest() *sequenceRequest {
	random := g.random
	headers := signedWith[random.IntN(len(signedWith))]
	pair, secret := g.anyPair(headers)
	body := []string{"", "text", strings.Repeat("0123456789", 10), strings.Repeat("x", 9000)}[random.IntN(4)]
	r := httptest.NewRequest([]string{"GET", "POST", "POST", "PUT"}[random.IntN(4)], g.anyTarget(pair.Key.Name), nil)
	r.Host, r.RemoteAddr = "api.example.com", fmt.Sprintf("10.%d.%d.%d:1", random.IntN(256), random.IntN(256), random.IntN(256))
	g.addHeaders(r.Header)

	digest, wrong := g.anyDigest(pair, body)
	late := []time.Duration{time.Second, 15 * time.Minute, 15*time.Minute + time.Second, -time.Hour, -15 * time.Minute}[random.IntN(5)]
	if random.IntN(5) > 0 {
		late = 0
	}
	signedAt := g.now.Add(-late)
	if err := pair.Signer.Sign(r, digest, signedAt); err != nil {
		return g.anyRequest() // a path that no signature is for
	}
	if g.policy.rewrite.AddPrefix != "" { // the proxy takes it off
		r.RequestURI = strings.TrimPrefix(r.RequestURI, "/hmac")
	}
	changed, change := "", func(*http.Request) {}
	if random.IntN(3) == 0 {
		any := sequenceChanges[random.IntN(len(sequenceChanges))]
		changed, change = ", "+any.name, any.apply
	}
	if pair.Key.Name == "hmac" && pair.Name == "hmac" && random.IntN(2) == 0 {
		list := handmadeLists[random.IntN(len(handmadeLists))]
		resign(r, list, digest, secretText("hmac", secret))
		changed += ", signed by hand with " + list
	}
	return &sequenceRequest{signed: r, body: body, change: change,
		name: fmt.Sprintf("%s of %s (secret %d) %s %s, %d bytes, signed at %s with %q%s%s", pair.Name, pair.Key.Name, secret,
			r.Method, r.RequestURI, len(body), signedAt.Format(time.TimeOnly), headers, wrong, changed)}
}

// anyPair returns a signer, and which secret it has: mostly the one of the policy.
func (g *sequenceGenerator) anyPair(headers []string) (pair testkit.Pair, secret int) {
	random := g.random
	i := random.IntN(len(sequenceKeys))
	if random.IntN(5) == 0 {
		i = 0 // so that one key signs in many forms
	}
	secret = g.policy.keys[i].secret
	if random.IntN(8) == 0 {
		secret = max(0, secret-1+random.IntN(3))
	}
	all := once(g.pairs, fmt.Sprint(secret, headers), func() []testkit.Pair { return sequencePairs(secret, headers) })
	own := slices.DeleteFunc(slices.Clone(all), func(p testkit.Pair) bool { return p.Key.Name != sequenceKeys[i] })
	return own[random.IntN(len(own))], secret
}

// anyTarget returns a target, mostly of an API that the key is bound to at first.
func (g *sequenceGenerator) anyTarget(key string) string {
	random := g.random
	if random.IntN(8) == 0 {
		key = sequenceKeys[random.IntN(len(sequenceKeys))]
	}
	paths := []string{"a", "a", "a", "a", "b/c", "b/d", "stream", "stream", "any/y", "any/y", "any/x/", "any/x/", "a//b", "a/./b", "%61"}
	path := "/" + key + "/" + paths[random.IntN(len(paths))]
	if random.IntN(20) == 0 {
		path = "/open/1"
	}
	if g.policy.rewrite.AddPrefix != "" && random.IntN(4) > 0 { // for what the proxy leaves of it
		path = "/hmac" + path
	}
	if g.unique {
		g.n++
		return fmt.Sprintf("%s?n=%d", path, g.n)
	}
	return path + []string{"", "?limit=10&marker=a", "?marker=a&limit=10", "?q=%20x&q=y"}[random.IntN(4)]
}

func (g *sequenceGenerator) addHeaders(h http.Header) {
	for _, header := range []struct {
		name, value string
		missing     int // in so many of a hundred
	}{{"X-Request-Id", "q", 0}, {"Content-Type", "application/json", 6}, {"X-Project-Id", "p", 6}, {"X-Role", "reader", 66}, {"X-Sdk-More", "more", 88}} {
		if g.random.IntN(100) >= header.missing {
			h.Set(header.name, header.value)
		}
	}
}

// anyDigest returns the digest of a body, perhaps with a digit that is wrong where the
// digest is declared.
func (g *sequenceGenerator) anyDigest(pair testkit.Pair, body string) (digest, wrong string) {
	h := pair.Signer.NewHash()
	if h == nil {
		return "", ""
	}
	io.WriteString(h, body)
	digest = hex.EncodeToString(h.Sum(nil))
	if !strings.Contains(pair.Name, "declared") || g.random.IntN(4) > 0 {
		return digest, ""
	}
	i := g.random.IntN(len(digest))
	return digest[:i] + nextDigit(digest[i]) + digest[i+1:], fmt.Sprintf(", digit %d of the digest wrong", i)
}

// nextDigit returns another hexadecimal digit.
func nextDigit(digit byte) string {
	return string("123456789abcdef0"[max(0, strings.IndexByte("0123456789abcdef", digit))])
}

// handmadeLists are lists of signed headers that no signer would send, but for the first.
var handmadeLists = []string{"host;x-sdk-date", "x-sdk-date;host", "host;host;x-sdk-date", "connection;host;x-sdk-date", "x-sdk-date", "host"}

// resign signs r again with another list of signed headers.
func resign(r *http.Request, list, digest, secret string) {
	r.Header.Set("Connection", "keep-alive")
	front, _, _ := strings.Cut(r.Header.Get("Authorization"), "SignedHeaders=")
	unsigned := strings.Repeat("0", 64)
	r.Header.Set("Authorization", front+"SignedHeaders="+list+", Signature="+unsigned)
	scheme := hmacScheme()
	var c core.Credential
	if err := scheme.Parse(r, &c); err != nil {
		panic(err)
	}
	_, text, err := scheme.(core.Canonicalizer).Canonical(r, &c, digest)
	if err != nil {
		panic(err)
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	replaceIn(r, unsigned, hex.EncodeToString(mac.Sum(nil)))
}
