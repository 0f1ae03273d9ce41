package core_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
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
	headers := random.IntN(len(signedWith))
	name := sequenceKeys[random.IntN(len(sequenceKeys))]
	secret := g.policy.keys[slices.Index(sequenceKeys[:], name)].secret
	if random.IntN(8) == 0 {
		secret = max(0, secret-1+random.IntN(3))
	}
	pairs := once(g.pairs, fmt.Sprint(secret, headers), func() []testkit.Pair { return sequencePairs(secret, signedWith[headers]) })
	own := slices.Collect(func(yield func(testkit.Pair) bool) {
		for _, p := range pairs {
			if p.Key.Name == name && !yield(p) {
				return
			}
		}
	})
	pair := own[random.IntN(len(own))]

	bound := name
	if random.IntN(8) == 0 {
		bound = sequenceKeys[random.IntN(len(sequenceKeys))]
	}
	paths := []string{"a", "a", "a", "a", "b/c", "b/d", "stream", "stream", "any/y", "any/y", "any/x/", "any/x/", "a//b", "a/./b", "%61"}
	path := "/" + bound + "/" + paths[random.IntN(len(paths))]
	if random.IntN(20) == 0 {
		path = "/open/1"
	}
	if g.policy.rewrite.AddPrefix != "" && random.IntN(4) > 0 { // for what the proxy leaves of it
		path = "/hmac" + path
	}
	method := []string{"GET", "POST", "POST", "PUT"}[random.IntN(4)]
	query := []string{"", "?limit=10&marker=a", "?marker=a&limit=10", "?q=%20x&q=y"}[random.IntN(4)]
	if g.unique {
		g.n++
		query = fmt.Sprintf("?n=%d", g.n)
	}
	body := []string{"", "text", strings.Repeat("0123456789", 10), strings.Repeat("x", 9000)}[random.IntN(4)]
	late := []time.Duration{0, 0, 0, 0, 0, 0, 0, time.Second, 15 * time.Minute, 15*time.Minute + time.Second, -time.Hour, -15 * time.Minute}[random.IntN(12)]

	r := httptest.NewRequest(method, path+query, nil)
	r.Host, r.RemoteAddr = "api.example.com", fmt.Sprintf("10.%d.%d.%d:1", random.IntN(256), random.IntN(256), random.IntN(256))
	for header, value := range map[string]string{"Content-Type": "application/json", "X-Project-Id": "p", "X-Request-Id": "q", "X-Role": "reader"} {
		r.Header.Set(header, value)
	}
	if random.IntN(8) == 0 {
		r.Header.Del([]string{"Content-Type", "X-Project-Id", "X-Role"}[random.IntN(3)])
	}
	if random.IntN(8) == 0 {
		r.Header.Set("X-Sdk-More", "signed by those whose protocol it is of")
	}
	q := &sequenceRequest{signed: r, body: body}
	digest, wrong := "", ""
	if h := pair.Signer.NewHash(); h != nil {
		io.WriteString(h, body)
		digest = hex.EncodeToString(h.Sum(nil))
	}
	if digest != "" && strings.Contains(pair.Name, "declared") && random.IntN(4) == 0 {
		i := random.IntN(len(digest))
		wrong = fmt.Sprintf(", digit %d of the digest wrong", i)
		digest = digest[:i] + string("123456789abcdef0"[strings.IndexByte("0123456789abcdef", digest[i])]) + digest[i+1:]
	}
	signedAt := g.now.Add(-late)
	if err := pair.Signer.Sign(r, digest, signedAt); err != nil {
		return g.anyRequest() // a path that no signature is for
	}
	if g.policy.rewrite.AddPrefix != "" { // the proxy takes it off
		r.RequestURI = strings.TrimPrefix(r.RequestURI, "/hmac")
	}
	changed := ""
	if random.IntN(3) == 0 {
		change := sequenceChanges[random.IntN(len(sequenceChanges))]
		changed, q.change = ", "+change.name, change.apply
	} else {
		q.change = func(*http.Request) {}
	}
	if name == "hmac" && pair.Name == "hmac" && random.IntN(4) == 0 {
		list := []string{"host;x-sdk-date", "x-sdk-date;host", "host;host;x-sdk-date", "connection;host;x-sdk-date", "x-sdk-date", "host"}[random.IntN(6)]
		if resign(r, list, digest, secretText(name, secret)) {
			changed += ", signed by hand with " + list
		}
	}
	q.name = fmt.Sprintf("%s of %s (secret %d) %s %s, %d bytes, signed at %s with %q%s%s", pair.Name, name, secret, method, r.RequestURI, len(body),
		signedAt.Format(time.TimeOnly), signedWith[headers], wrong, changed)
	return q
}

// resign signs r again with another list of signed headers, also one that no signer
// would send.
func resign(r *http.Request, list, digest, secret string) bool {
	r.Header.Set("Connection", "keep-alive")
	front, _, ok := strings.Cut(r.Header.Get("Authorization"), "SignedHeaders=")
	if !ok {
		return false
	}
	r.Header.Set("Authorization", front+"SignedHeaders="+list+", Signature="+strings.Repeat("0", 64))
	scheme := hmacScheme()
	var c core.Credential
	if scheme.Parse(r, &c) != nil {
		return false
	}
	_, text, err := scheme.(core.Canonicalizer).Canonical(r, &c, digest)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	replaceIn(r, strings.Repeat("0", 64), hex.EncodeToString(mac.Sum(nil)))
	return err == nil
}

// sequenceChanges are what happens to requests behind the gateway.
var sequenceChanges = []struct {
	name  string
	apply func(*http.Request)
}{
	{"another value", func(r *http.Request) { r.Header.Set("X-Project-Id", "other") }},
	{"one header less", func(r *http.Request) { r.Header.Del("X-Project-Id") }},
	{"a header without a value", func(r *http.Request) { r.Header["X-Project-Id"] = nil }},
	{"a second value", func(r *http.Request) { r.Header.Add("X-Project-Id", "second") }},
	{"a blank at the end of a value", func(r *http.Request) { r.Header.Set("X-Project-Id", "p ") }},
	{"a name in lower case", func(r *http.Request) {
		r.Header["x-project-id"] = r.Header["X-Project-Id"]
		delete(r.Header, "X-Project-Id")
	}},
	{"a lookalike", func(r *http.Request) { r.Header.Set("X_Project_Id", "lookalike") }},
	{"a header of gateways", func(r *http.Request) { r.Header.Set("X-Apig-User", "admin") }},
	{"x-sdk-foo", func(r *http.Request) { r.Header.Set("X-Sdk-Foo", "unsigned") }},
	{"x-sdk-more", func(r *http.Request) { r.Header.Set("X-Sdk-More", "unsigned") }},
	{"x-amz-foo", func(r *http.Request) { r.Header.Set("X-Amz-Foo", "unsigned") }},
	{"another method", func(r *http.Request) { r.Header.Set("X-Http-Method-Override", "DELETE") }},
	{"a connection option", func(r *http.Request) { r.Header.Set("Connection", "X-Project-Id") }},
	{"a host header", func(r *http.Request) { r.Header.Set("Host", "other.example.com") }},
	{"another host", func(r *http.Request) { r.Host = "other.example.com" }},
	{"no host", func(r *http.Request) { r.Host = "" }},
	{"a further parameter", func(r *http.Request) { r.RequestURI += "&more=1" }},
	{"a bad parameter", func(r *http.Request) { r.RequestURI += "?%zz" }},
	{"another path", func(r *http.Request) { r.RequestURI = strings.Replace(r.RequestURI, "/a", "/b", 1) }},
	{"no URL", func(r *http.Request) { r.URL = nil }},
	{"ended", func(r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		cancel()
		*r = *r.WithContext(ctx)
	}},
	{"no Authorization", func(r *http.Request) { r.Header.Del("Authorization") }},
	{"another scheme", func(r *http.Request) { r.Header.Set("Authorization", "Bearer abc=") }},
	{"a longer signature", credentials("Signature=", "Signature=0")},
	{"two signatures", credentials("Signature=", "Signature=, Signature=")},
	{"a blank behind the credential", credentials("$", " ")},
	{"a second id", credentials("$", ", Access=ID-hmac2")},
	{"the id of the other key", credentials("ID-hmac", "ID-hmac2")},
	{"an unknown id", credentials("ID-", "NO-")},
	{"a header less in the list", credentials("x-project-id;", "")},
	{"host not in the list", credentials("host;", "")},
	{"a forged signature", func(r *http.Request) {
		for _, value := range r.Header["Authorization"] {
			i := len(value) - 1
			r.Header["Authorization"] = []string{value[:i] + string("123456789abcdef0"[max(0, strings.IndexByte("0123456789abcdef", value[i]))])}
		}
	}},
	{"another body", func(r *http.Request) {
		if r.ContentLength > 0 {
			r.Body = io.NopCloser(strings.NewReader(strings.Repeat("y", int(r.ContentLength))))
		}
	}},
	{"a shorter body", func(r *http.Request) { r.Body = http.NoBody }},
	{"a body without its length", func(r *http.Request) { r.ContentLength = -1 }},
	{"a body that was read in part", func(r *http.Request) { io.ReadFull(r.Body, make([]byte, 2)) }},
	{"a body that cannot be read", func(r *http.Request) {
		r.Body = io.NopCloser(io.MultiReader(io.LimitReader(r.Body, 2), readerFunc(func([]byte) (int, error) { return 0, io.ErrUnexpectedEOF })))
	}},
	{"a trailer", func(r *http.Request) { r.Trailer = http.Header{"X-Late": {"1"}} }},
	{"14 more headers", func(r *http.Request) {
		for i := range 14 {
			r.Header.Set(fmt.Sprint("X-More-", i), "1")
		}
	}},
}

// credentials returns a change of the Authorization header; $ is its end.
func credentials(from, to string) func(*http.Request) {
	return func(r *http.Request) {
		for i, value := range r.Header["Authorization"] {
			if from == "$" {
				r.Header["Authorization"][i] = value + to
			} else {
				r.Header["Authorization"][i] = strings.Replace(value, from, to, 1)
			}
		}
	}
}

// manner is how a request is handed to a verifier, and what becomes of it then.
type manner struct {
	verify  bool // else it is admitted
	use     core.BodyUse
	routes  []core.Route
	mounted bool // admitted once more
	read    int  // bytes of the body, -1 for all
	twice   bool // it is released twice
}

func (m manner) String() string {
	text := fmt.Sprintf("Admit, use %d", m.use)
	if m.verify {
		text = "Verify"
	}
	if len(m.routes) > 0 {
		text += fmt.Sprintf(", routes %+v", m.routes)
	}
	if m.mounted {
		text += ", mounted twice"
	}
	if m.read >= 0 {
		text += fmt.Sprintf(", %d bytes read", m.read)
	}
	if m.twice {
		text += ", released twice"
	}
	return text
}

func anyManner(random *rand.Rand) manner {
	m := manner{verify: random.IntN(3) == 0, use: core.BodyUse(random.IntN(3)), read: -1, twice: random.IntN(4) == 0}
	if m.verify {
		m.use = 0
	}
	if random.IntN(8) == 0 {
		m.read = random.IntN(3)
	}
	if !m.verify && random.IntN(8) == 0 {
		m.routes = []core.Route{{Segments: []string{[]string{"a", "a/b"}[random.IntN(2)]}, OtherHost: random.IntN(3) == 0}}
	}
	m.mounted = !m.verify && random.IntN(10) == 0
	return m
}

// trace is what is noted of one request beside its verdict. It is found in its context.
type trace struct{ lines []string }

type traceKey struct{}

func note(ctx context.Context, format string, args ...any) {
	if t, ok := ctx.Value(traceKey{}).(*trace); ok {
		t.lines = append(t.lines, fmt.Sprintf(format, args...))
	}
}

// observeSequence notes an event.
func observeSequence(ctx context.Context, e core.Event) {
	text := fmt.Sprint(e.Err)
	e.Err, e.Duration = nil, min(e.Duration, 1)
	note(ctx, "event %+v %s", e, text)
}

// sequenceStore notes what it is asked.
type sequenceStore struct{ memory }

// Add implements [core.ReplayStore].
func (s *sequenceStore) Add(ctx context.Context, e core.ReplayEntry) (bool, error) {
	added, err := s.memory.Add(ctx, e)
	e.Fingerprint = sha256.Sum256(e.Fingerprint[:])
	note(ctx, "replay store: %+v: %v, %v", e, added, err)
	return added, err
}

// send hands r to v and returns all that shows outside.
func (m manner) send(v *core.Verifier, r *http.Request) string {
	t, _ := r.Context().Value(traceKey{}).(*trace)
	var id *core.Identity
	var err error
	var releases []func()
	if m.verify {
		id, err = v.Verify(r)
		releases = append(releases, func() { core.Release(r) })
	} else {
		var a core.Admission
		a, err = v.Admit(nil, r, m.use, m.routes...)
		releases = append(releases, a.Release)
		if err == nil && m.mounted {
			a, err = v.Admit(nil, a.Request, m.use, m.routes...)
			releases = append(releases, a.Release)
		}
		if r = a.Request; r != nil {
			id, _ = core.FromContext(r.Context())
		}
	}
	lines := []string{describe(id, err)}
	if r != nil {
		lines = append(lines, handled(r, m.read))
	}
	slices.Reverse(releases)
	for _, release := range releases {
		release()
		if m.twice {
			release()
		}
	}
	if r != nil && r.Body != nil && m.read < 0 {
		n, err := r.Body.Read(make([]byte, 1))
		lines = append(lines, fmt.Sprintf("after its release: %d bytes, %v", n, err))
	}
	return strings.Join(append(lines, t.lines...), "\n")
}

// describe returns a verdict: the identity, or the refusal and its answer.
func describe(id *core.Identity, err error) string {
	if err != nil {
		w := httptest.NewRecorder()
		core.WriteProblem(w, nil, err)
		return fmt.Sprintf("refused: %s: %v: %d %v %s", core.CodeOf(err), err, w.Code, w.Header(), strings.TrimSpace(w.Body.String()))
	}
	if id == nil {
		return "let through"
	}
	text, _ := json.Marshal(id)
	return fmt.Sprintf("accepted: %s, id %s, secret %d, %s, payload %s", text, id.KeyID(), id.Secret(), id.SignedAt(), id.Payload())
}

// handled returns what a handler gets that reads so many bytes of the body.
func handled(r *http.Request, n int) string {
	_, verified := core.FromContext(r.Context())
	text := fmt.Sprintf("handler: %s %s%s, verified %v", r.Method, r.Host, r.RequestURI, verified)
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		if name != "Authorization" {
			text += fmt.Sprintf("\n  %s: %q", name, r.Header[name])
		}
	}
	text += fmt.Sprintf("\n  trailer %v, length %d, again %v", r.Trailer, r.ContentLength, r.GetBody != nil)
	if r.Body == nil {
		return text
	}
	body := io.Reader(r.Body)
	if n >= 0 {
		body = io.LimitReader(body, int64(n))
	}
	got, err := io.ReadAll(body)
	text += fmt.Sprintf("\n  body %d bytes %x, %v", len(got), sha256.Sum256(got), err)
	if r.GetBody != nil {
		again, err := r.GetBody()
		if err != nil {
			return text + fmt.Sprint(", again: ", err)
		}
		got, err = io.ReadAll(again)
		text += fmt.Sprintf(", again %d bytes %x, %v", len(got), sha256.Sum256(got), err)
	}
	return text
}
