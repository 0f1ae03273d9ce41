package canonical_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
)

// TestBuildSigV4 compares the whole with the form in PROTOCOLS section 2.
func TestBuildSigV4(t *testing.T) {
	r := httptest.NewRequest("PUT", "/v1/a%20b/?z=1&a&X-Amz-%53ignature=0&Param=2&Param=1&Param-3=x&a-b=2&a%2Fb=1", nil)
	r.Host = "h:80"
	r.Header = http.Header{"X-Amz-Date": {"20260115T120000Z"}, "My-Header1": {"value2 ", "  value1 \t x", "value1"}}
	for _, tt := range []struct {
		name string
		form canonical.SigV4
		want string
	}{
		{"header form", canonical.SigV4{SignedHeaders: "host;my-header1;x-amz-date", Payload: "PAYLOAD"}, `PUT
/v1/a%2520b/
Param=1&Param=2&Param-3=x&X-Amz-Signature=0&a=&a%2Fb=1&a-b=2&z=1
host:h:80
my-header1:value2,value1 x,value1
x-amz-date:20260115T120000Z

host;my-header1;x-amz-date
PAYLOAD`},
		{"query form, S3", canonical.SigV4{SignedHeaders: "host", Payload: "PAYLOAD", Path: canonical.EncodedOnce, Without: "X-Amz-Signature"}, `PUT
/v1/a%20b/
Param=1&Param=2&Param-3=x&a=&a%2Fb=1&a-b=2&z=1
host:h:80

host
PAYLOAD`},
		{"nothing signed", canonical.SigV4{}, `PUT
/v1/a%2520b/
Param=1&Param=2&Param-3=x&X-Amz-Signature=0&a=&a%2Fb=1&a-b=2&z=1


`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := canonical.NewMessage()
			defer m.Free()
			if err := m.BuildSigV4(r, tt.form); err != nil || string(m.Request) != tt.want {
				t.Errorf("got %v\n%s\nwant\n%s", err, m.Request, tt.want)
			}
		})
	}
	m := canonical.NewMessage()
	defer m.Free()
	for want, change := range map[error]func(*http.Request, *canonical.SigV4){
		canonical.ErrHeaderAbsent: func(_ *http.Request, s *canonical.SigV4) { s.SignedHeaders = "x-absent" },
		canonical.ErrHeaderValue:  func(r *http.Request, s *canonical.SigV4) { s.SignedHeaders, r.Header["X-A"] = "x-a", []string{"a\nb"} },
		canonical.ErrQueryEscape:  func(r *http.Request, _ *canonical.SigV4) { r.RequestURI = "/?%zz" },
	} {
		changed, form := r.Clone(t.Context()), canonical.SigV4{}
		change(changed, &form)
		if err := m.BuildSigV4(changed, form); !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
}

// TestJoinedHeaders (T008, T026): the values of SigV4.
func TestJoinedHeaders(t *testing.T) {
	r := httptest.NewRequest("POST", "/", strings.NewReader("abc"))
	r.Host = "API.example.com:80"
	r.Header = http.Header{
		"X-A": {" two  blanks\tand \t tabs\t"},
		"X-B": {"b ", " a", "", "\u00a0c"},
		"X-C": {""},
		"X-D": {`"quoted   text"`},
	}
	const list = "content-length;host;x-a;x-b;x-c;x-d"
	var m canonical.Message
	err := m.BuildSigV4(r, canonical.SigV4{SignedHeaders: list, Payload: "PAYLOAD"})
	got := between(m.Request, "POST\n/\n\n", "\n"+list+"\nPAYLOAD")
	const want = `content-length:3
host:API.example.com:80
x-a:two blanks and tabs
x-b:b,a,,` + "\u00a0" + `c
x-c:
x-d:"quoted text"
`
	if err != nil || string(got) != want {
		t.Errorf("got %v\n%s\nwant\n%s", err, got, want)
	}
	if r.Header["X-B"][0] != "b " {
		t.Error("the request was changed")
	}
}

func TestDrop(t *testing.T) {
	var q canonical.Query
	for query, want := range map[string]string{
		"a=1&S=2&b=3": "a=1&b=3", "S": "", "S=1&S=2&%53=3": "", "s=1&SS=1&a=S": "SS=1&a=S&s=1", "": "",
	} {
		if err := q.Parse(query); err != nil {
			t.Fatal(err)
		}
		q.Drop("S")
		if got := string(q.Append(nil, canonical.ByEncoded)); got != want {
			t.Errorf("%q: got %q, want %q", query, got, want)
		}
	}
}

// TestSigV4Path: the paths of SIGV4 section 4, and what is refused.
func TestSigV4Path(t *testing.T) {
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
			path canonical.SigV4Path
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

// FuzzSigV4Path: no path that core lets through makes a rule panic; a canonical
// path that is encoded twice stands for one path alone, which normalising does
// not change, and one that is encoded once stands for paths that decode alike.
func FuzzSigV4Path(f *testing.F) {
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
