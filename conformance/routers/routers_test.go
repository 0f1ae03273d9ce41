package routers

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/basic"
	"github.com/gatewayauth/gatewayauth/core/signer"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
	"github.com/gatewayauth/gatewayauth/internal/needs"
)

var (
	sets  = flag.Int("sets", needs.Rounds(400, 1500), "random sets of routes")
	seed  = flag.Uint64("seed", 1, "of the random sets and paths")
	fixed = time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
)

// A scheme is a scheme of core with its signer, which returns an error for paths that it
// cannot sign.
type scheme struct {
	name   string
	verify func(core.KeySource) core.Scheme
	sign   func(core.Key) signer.Signer
}

var schemes = []scheme{
	{"basic", func(k core.KeySource) core.Scheme { return basic.New(basic.Config{Keys: k}) },
		func(k core.Key) signer.Signer { return basic.NewSigner(k) }},
	{"sigv4, paths as sent", func(k core.KeySource) core.Scheme { return sigv4.New(sigv4.Config{Keys: k, Paths: sigv4.S3}) },
		func(k core.Key) signer.Signer { return sigv4.NewSigner(k, sigv4.SignOptions{Paths: sigv4.S3}) }},
	{"sigv4, normalized paths", func(k core.KeySource) core.Scheme { return sigv4.New(sigv4.Config{Keys: k}) },
		func(k core.Key) signer.Signer { return sigv4.NewSigner(k, sigv4.SignOptions{}) }},
	{"hmac", func(k core.KeySource) core.Scheme { return apig.New(apig.Config{Keys: k}) },
		func(k core.Key) signer.Signer { return apig.NewSigner(k, apig.SignOptions{}) }},
}

func newKeys(s scheme) (keys []core.Key) {
	for i := range 3 {
		k := core.Key{Name: fmt.Sprint("k", i), ID: fmt.Sprint("keyid000", i), Secret: core.NewSecret(fmt.Sprint("secret-of-key-number-", i))}
		if strings.HasPrefix(s.name, "sigv4") {
			k.Region, k.Service = "us-east-1", "execute-api"
		}
		keys = append(keys, k)
	}
	return keys
}

// TestNoHandlerUnderAnotherKey_T173: however a router interprets a path, a handler runs
// only if the request was signed with the key that is bound to the handler's route, or
// the route is open.
func TestNoHandlerUnderAnotherKey_T173(t *testing.T) {
	gin.SetMode(gin.ReleaseMode)
	random := rand.New(rand.NewPCG(*seed, 173))
	all := apps()
	routers := slices.Sorted(maps.Keys(all))
	runs, odd := map[string]int{}, map[string]int{} // number of handler runs by router, and for unusual paths by scheme
	for range *sets {
		s := pick(random, schemes)
		keys := newKeys(s)
		routes, v := newPolicy(random, s, keys)
		if v == nil {
			continue
		}
		for range 6 {
			tried := try{app: pick(random, all[pick(random, routers)]), routes: routes}
			if !tried.start(v) {
				continue
			}
			for range 30 {
				key := pick(random, keys)
				r := newRequest(random, routes, s.sign(key))
				if r == nil || tried.app.strips && slices.ContainsFunc(routes, func(known route) bool { return known.endsBelow(r.URL) }) {
					continue
				}
				target := r.RequestURI // saved, because some middleware changes it
				ran, wrong := tried.serve(r)
				if wrong != "" {
					t.Errorf("%s, %s; %s: %s\n\t%s %s with %s", tried.app.router, tried.app.name, s.name, wrong, r.Method, target, key.Name)
					for _, route := range routes {
						t.Logf("%-30s %s", route.pattern(), route.key)
					}
				}
				if ran {
					runs[tried.app.router]++
					if target != plain(target) {
						odd[s.name]++
					}
				}
			}
		}
		if t.Failed() {
			t.Fatalf("after %v handler runs", runs)
		}
	}
	t.Logf("handlers ran: %v; for paths with odd spellings: %v", runs, odd)
	for _, router := range routers {
		if runs[router] < *sets {
			t.Errorf("%s ran %d handlers", router, runs[router])
		}
	}
	for _, s := range schemes[:2] {
		if odd[s.name] < *sets {
			t.Errorf("%s: %d requests with odd paths were accepted", s.name, odd[s.name])
		}
	}
}

func plain(path string) string {
	return strings.NewReplacer("%", "", "//", "/", "/.", "/").Replace(strings.TrimRight(path, "/"))
}

// newPolicy returns routes and a verifier that binds them, or nil if they conflict.
func newPolicy(random *rand.Rand, s scheme, keys []core.Key) ([]route, *core.Verifier) {
	var names []string
	for _, k := range keys {
		names = append(names, k.Name)
	}
	var routes []route
	var apis []core.API
	for range 1 + random.IntN(4) {
		r := newRoute(random, names)
		routes = append(routes, r)
		apis = append(apis, core.API{Match: r.pattern(), Key: r.key, Open: r.key == ""})
	}
	v, err := core.New(core.Config{Environment: "test", Schemes: []core.Scheme{s.verify(core.Keys(keys...))}, APIs: apis,
		Default: names[0], Now: func() time.Time { return fixed }, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, nil
	}
	return routes, v
}

// newRequest returns a request as net/http's server reads it, or nil if the scheme cannot
// sign its path.
func newRequest(random *rand.Rand, routes []route, s signer.Signer) *http.Request {
	message := pick(random, []string{"GET ", "GET ", "POST ", "HEAD "}) + newPath(random, routes) + " HTTP/1.1\r\nHost: api.example.com\r\n\r\n"
	read := func() *http.Request {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(message)))
		if err != nil {
			return nil
		}
		return r
	}
	signed := read()
	if signed == nil {
		return nil
	}
	signed.RequestURI = ""
	digest := ""
	if h := s.NewHash(); h != nil {
		digest = fmt.Sprintf("%x", h.Sum(nil))
	}
	if err := s.Sign(signed, digest, fixed); err != nil {
		return nil
	}
	r := read()
	r.Header = signed.Header
	return r
}

// try is one application and its last request.
type try struct {
	app     app
	routes  []route
	handler http.Handler
	ran     []int
	key     string
}

// start builds the application. It returns false if the router or the app does not
// support the routes.
func (t *try) start(v *core.Verifier) (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	for _, r := range t.routes {
		if t.app.takes != nil && !t.app.takes(r) {
			return false
		}
	}
	t.handler = t.app.build(t.routes, v, func(i int, r *http.Request) {
		t.ran, t.key = append(t.ran, i), ""
		if id, ok := core.FromContext(r.Context()); ok && id.Verified() {
			t.key = id.Key()
		}
	})
	return t.handler != nil
}

// serve serves a request, and returns whether a handler ran and what was wrong.
func (t *try) serve(r *http.Request) (ran bool, wrong string) {
	t.ran = nil
	r.Body = io.NopCloser(new(bytes.Reader))
	t.handler.ServeHTTP(httptest.NewRecorder(), r)
	for _, i := range t.ran {
		want, pattern := "k0", "every other path"
		if i != fallback {
			want, pattern = t.routes[i].key, t.routes[i].pattern()
		} else if t.app.givesUp {
			continue
		}
		if want != "" && want != t.key {
			wrong = fmt.Sprintf("the handler of %s, bound to %s, ran under %q", pattern, want, t.key)
		}
	}
	return len(t.ran) > 0, wrong
}
