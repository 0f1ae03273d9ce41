package canonical_test

import (
	"errors"
	"net/url"
	"path"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
)

// TestAppendPath: the paths of the SDK-* and V11 schemes, and what is refused.
func TestAppendPath(t *testing.T) {
	for path, want := range map[string]string{
		"/":               "/",
		"/v1/items":       "/v1/items/",
		"/v1/items/":      "/v1/items/", // T039
		"//v1//items":     "//v1//items/",
		"/a b":            "/a%20b/",
		"/a%20b":          "/a%20b/",
		"/%c3%a4/\xc3":    "/%C3%A4/%C3/",
		"/a%252Fb":        "/a%252Fb/", // T040
		"/...":            "/.../",
		"/.a/b./..c":      "/.a/b./..c/",
		"/!$&'()*+,=:@":   "/%21%24%26%27%28%29%2A%2B%2C%3D%3A%40/", // T045
		"/%21%24%26%27":   "/%21%24%26%27/",
		"/-_.~":           "/-_.~/",
		"/\"<>\\^`{|}":    "/%22%3C%3E%5C%5E%60%7B%7C%7D/",
		"/\xff%ff":        "/%FF%FF/", // T041: byte for byte, never U+FFFD
		"/v1/items;a=b":   "/v1/items%3Ba%3Db/",
		"/v1/items#f":     "/v1/items%23f/", // T042
		"/v1/items%3Fx=1": "/v1/items%3Fx%3D1/",
	} {
		if err := canonical.TrailingSlash.Check(path); err != nil {
			t.Errorf("%q: %v", path, err)
		}
		if got := canonical.TrailingSlash.Append([]byte("x"), path); string(got) != "x"+want {
			t.Errorf("%q: got %q, want %q", path, got, want)
		}
	}
	for path, want := range map[string]error{
		"/a%2Fb": canonical.ErrPathSlash, "/a%2fb": canonical.ErrPathSlash, "/a%5Cb": canonical.ErrPathSlash, // T040
		"/item%73": canonical.ErrPathEscaped, "/%2D": canonical.ErrPathEscaped, "/%7e": canonical.ErrPathEscaped, // T038, T045
		"/%2e%2e/a": canonical.ErrPathEscaped,
		"/.":        canonical.ErrPathDots, "/..": canonical.ErrPathDots, "/v1/../a": canonical.ErrPathDots, // T043
		"/./a": canonical.ErrPathDots, "/a/.": canonical.ErrPathDots,
		"/%z": canonical.ErrPathEscape,
	} {
		if err := canonical.TrailingSlash.Check(path); !errors.Is(err, want) {
			t.Errorf("%q: got %v, want %v", path, err, want)
		}
	}
}

// TestEncodedPath: the paths of SigV4, and what is refused.
func TestEncodedPath(t *testing.T) {
	for _, tt := range []struct {
		path        string
		twice, once string // canonical, where it is not refused
		notTwice    error
		notOnce     error
	}{
		{"/", "/", "/", nil, nil},
		{"/a/", "/a/", "/a/", nil, nil},
		{"/_search/%3Fa=b%20c", "/_search/%253Fa%3Db%2520c", "/_search/%3Fa%3Db%20c", nil, nil},
		{"/$default/%40connections/P-S_9e%3D", "/%24default/%2540connections/P-S_9e%253D", "/%24default/%40connections/P-S_9e%3D", nil, nil},
		{"/path/%C3%A4", "/path/%25C3%25A4", "/path/%C3%A4", nil, nil},
		{"/path/%c3\xa4", "/path/%25c3%A4", "/path/%C3%A4", nil, nil},
		{"/-._~", "/-._~", "/-._~", nil, nil},
		{"/!$&'()*+,;=:@", "/%21%24%26%27%28%29%2A%2B%2C%3B%3D%3A%40", "/%21%24%26%27%28%29%2A%2B%2C%3B%3D%3A%40", nil, nil},
		{"/...", "/...", "/...", nil, nil},
		{"/.a/b./..c", "/.a/b./..c", "/.a/b./..c", nil, nil},
		{"/a%5Cb", "/a%255Cb", "/a%5Cb", nil, nil},
		{"/a%2Fb", "/a%252Fb", "", nil, canonical.ErrPathSlash},
		{"/a%2fb", "/a%252fb", "", nil, canonical.ErrPathSlash},
		{"/%61", "/%2561", "", nil, canonical.ErrPathEscaped},
		{"/%2e%2E/", "/%252e%252E/", "", nil, canonical.ErrPathEscaped},
		{"/%7e", "/%257e", "", nil, canonical.ErrPathEscaped},
		{"/a\\b", "/a%5Cb", "", nil, canonical.ErrPathBackslash},
		{"/%zz", "/%25zz", "", nil, canonical.ErrPathEscape},
		{"//", "", "//", canonical.ErrPathSegment, nil},
		{"//a", "", "//a", canonical.ErrPathSegment, nil},
		{"/a//", "", "/a//", canonical.ErrPathSegment, nil},
		{"/a//b", "", "/a//b", canonical.ErrPathSegment, nil},
		{"/.", "", "/.", canonical.ErrPathDots, nil},
		{"/..", "", "/..", canonical.ErrPathDots, nil},
		{"/./a", "", "/./a", canonical.ErrPathDots, nil},
		{"/a/./b", "", "/a/./b", canonical.ErrPathDots, nil},
		{"/a/../b", "", "/a/../b", canonical.ErrPathDots, nil},
		{"/a/b/..", "", "/a/b/..", canonical.ErrPathDots, nil},
		{"/a/.", "", "/a/.", canonical.ErrPathDots, nil},
		{"", "", "", canonical.ErrTargetForm, canonical.ErrTargetForm},
		{"*", "", "", canonical.ErrTargetForm, canonical.ErrTargetForm},
		{"http://h/", "", "", canonical.ErrTargetForm, canonical.ErrTargetForm},
	} {
		for _, rule := range []struct {
			path canonical.PathRule
			want string
			err  error
		}{{canonical.EncodedTwice, tt.twice, tt.notTwice}, {canonical.EncodedOnce, tt.once, tt.notOnce}} {
			err := rule.path.Check(tt.path)
			if !errors.Is(err, rule.err) {
				t.Errorf("%q by rule %d: got %v, want %v", tt.path, rule.path, err, rule.err)
			}
			if err != nil {
				continue
			}
			if got := string(rule.path.Append([]byte("x"), tt.path)); got != "x"+rule.want {
				t.Errorf("%q by rule %d: got %q, want %q", tt.path, rule.path, got, rule.want)
			}
		}
	}
}

// FuzzEncodedPath: no path that core lets through makes a rule panic; a canonical
// path that is encoded twice stands for one path alone, which normalising does
// not change, and one that is encoded once stands for paths that decode alike.
func FuzzEncodedPath(f *testing.F) {
	for _, seed := range []string{"/", "/v1/items/", "/a%2Fb%c3%A4", "//a/./..//", "/%2e%2e/a", "/a\\b%5C", "/\xff:%3a", "/..a/...", "/a/b/.."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, p string) {
		if canonical.CheckTarget(p, "", 0) != nil {
			return
		}
		if canonical.EncodedTwice.Check(p) == nil {
			once, err := url.PathUnescape(string(canonical.EncodedTwice.Append(nil, p)))
			if err != nil || once != p {
				t.Errorf("%q: the canonical path decodes to %q, %v", p, once, err)
			}
			if clean := path.Clean(p); clean != p && clean+"/" != p {
				t.Errorf("%q: accepted, and normalised it is %q", p, clean)
			}
		} else if clean := path.Clean(p); clean == p {
			t.Errorf("%q: refused, and normalising does not change it", p)
		}
		if canonical.EncodedOnce.Check(p) == nil {
			form := string(canonical.EncodedOnce.Append(nil, p))
			sent, err1 := url.PathUnescape(p)
			signed, err2 := url.PathUnescape(form)
			if err1 != nil || err2 != nil || sent != signed || strings.Count(form, "/") != strings.Count(p, "/") {
				t.Errorf("%q: the canonical path is %q, which decodes to %q: %v, %v", p, form, signed, err1, err2)
			}
			if again := string(canonical.EncodedOnce.Append(nil, form)); canonical.EncodedOnce.Check(form) != nil || again != form {
				t.Errorf("%q: canonical form %q is not stable: %q", p, form, again)
			}
		}
	})
}
