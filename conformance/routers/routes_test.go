package routers

import (
	"math/rand/v2"
	"net/url"
	"path"
	"slices"
	"strings"
)

// A route is one API: a handler of the application, and the key bound to it.
type route struct {
	method   string   // empty: every method
	segments []string // a parameter is ""
	subtree  bool     // everything below, too
	key      string   // empty: open
}

// literals are few, so that paths often match other routes.
var literals = []string{"admin", "orders", "tenants", "a", "x", "ä"}

// fallback is the index of the handler for requests that match no route.
const fallback = -1

func newRoute(random *rand.Rand, keys []string) route {
	r := route{subtree: random.IntN(2) == 0, key: pick(random, keys)}
	if random.IntN(6) == 0 {
		r.key = ""
	}
	if random.IntN(4) == 0 {
		r.method = pick(random, []string{"GET", "POST"})
	}
	if random.IntN(12) == 0 { // everything
		r.subtree = true
		return r
	}
	for range 1 + random.IntN(3) {
		segment := ""
		if random.IntN(3) > 0 {
			segment = pick(random, literals)
		}
		r.segments = append(r.segments, segment)
	}
	return r
}

// write returns the pattern of the route: begin and end enclose the name of a parameter,
// rest matches a subtree.
func (r route) write(begin, end, rest string) string {
	var b strings.Builder
	for i, segment := range r.segments {
		b.WriteByte('/')
		if segment == "" {
			segment = begin + string(rune('p'+i)) + end
		}
		b.WriteString(segment)
	}
	if r.subtree {
		b.WriteString("/" + rest)
	}
	return b.String()
}

// pattern returns the pattern of the route for net/http.ServeMux.
func (r route) pattern() string {
	return strings.TrimLeft(r.method+" "+r.write("{", "}", ""), " ")
}

// ascii reports whether percent-encoding does not change the route.
func (r route) ascii() bool { return !slices.Contains(r.segments, "ä") }

// endsBelow reports whether a path may be the route's prefix with a final slash, which is
// no longer below the route if final slashes are removed.
func (r route) endsBelow(u *url.URL) bool {
	long := func(received string) bool { return strings.Count(path.Clean(received), "/") == len(r.segments) }
	return r.subtree && (long(u.Path) || long(u.RawPath))
}

// instance returns a path that the route matches.
func (r route) instance(random *rand.Rand) string {
	var b strings.Builder
	for _, segment := range r.segments {
		if segment == "" {
			segment = pick(random, literals)
		}
		if segment == "ä" {
			segment = pick(random, []string{"%C3%A4", "%c3%a4", "ä"})
		}
		b.WriteString("/" + segment)
	}
	if r.subtree {
		b.WriteString("/" + pick(random, append([]string{""}, literals...)))
	}
	return b.String()
}

// newPath returns a path that some router may match with a route.
func newPath(random *rand.Rand, routes []route) string {
	path := pick(random, routes).instance(random)
	for range random.IntN(4) {
		path = change(random, path, pick(random, routes).instance(random))
	}
	return path
}

// change returns another spelling of a path, or a path that leads to another one.
func change(random *rand.Rand, path, other string) string {
	segments := strings.Split(path[1:], "/")
	i := random.IntN(len(segments))
	joined := func() string { return "/" + strings.Join(segments, "/") }
	switch random.IntN(12) {
	case 0: // another segment
		segments[i] = pick(random, []string{"..", ".", "", "%2e%2e", "%2E", "x"}) + "/" + segments[i]
		return joined()
	case 1: // a segment emptied
		segments[i] = ""
		return joined()
	case 2:
		return path + "/"
	case 3:
		return strings.TrimRight(path, "/") + "/" + pick(random, literals)
	case 4: // up and into another route
		return path + strings.Repeat("/..", random.IntN(3)) + other
	case 5:
		return path + "/.." + pick(random, []string{"", "/", "/x"})
	case 6: // the same, encoded
		return path + pick(random, []string{"%2F..", "%2f%2e%2e", "/%2e%2e"}) + strings.ReplaceAll(other, "/", pick(random, []string{"/", "%2F"}))
	case 7: // a character encoded
		at := 1 + random.IntN(len(path))
		if at < len(path) && path[at] != '%' && !strings.Contains(path[max(0, at-2):at], "%") {
			return path[:at] + pick(random, []string{"%2F", "%61", "%2e", "%2E", "%20", "%3a"}) + path[at:]
		}
		return path
	case 8: // a letter of a literal encoded
		return strings.Replace(path, pick(random, []string{"a", "x", "o"}), pick(random, []string{"%61", "%78", "%6F"}), 1)
	case 9: // a slash encoded
		if at := strings.LastIndexByte(path, '/'); at > 0 {
			return path[:at] + pick(random, []string{"%2F", "%2f"}) + path[at+1:]
		}
		return path
	case 10: // characters percent-encoded
		return strings.NewReplacer("a", "%61", "x", "%78").Replace(path)
	}
	if trimmed := strings.TrimRight(path, "/"); trimmed != "" {
		return trimmed
	}
	return "/"
}

func pick[T any](random *rand.Rand, from []T) T { return from[random.IntN(len(from))] }
