package canonical_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
)

func TestTarget(t *testing.T) {
	r := httptest.NewRequest("GET", "/a%20b/?x=%2F&y", nil)
	r.URL.Path = "/changed"
	if path, query := canonical.Target(r); path != "/a%20b/" || query != "x=%2F&y" {
		t.Errorf("with RequestURI: got %q, %q", path, query)
	}
	r, err := http.NewRequest("GET", "http://h/a b?x=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	if path, query := canonical.Target(r); path != "/a%20b" || query != "x=1" {
		t.Errorf("without: got %q, %q", path, query)
	}
	r.URL.Path = ""
	if path, _ := canonical.Target(r); path != "/" {
		t.Errorf("without a path: got %q", path)
	}
}

func TestCheckTarget(t *testing.T) {
	for _, tt := range []struct {
		path, query string
		want        error
	}{
		{"/", "", nil}, {"/a%2Fb", "", nil}, {"//a/./..", "", nil}, {"/\x80%ff%7F", "", nil}, {"/a;b", "", nil}, // T041
		{"/", "a=1&b&c=%20+&&d=", nil}, {"/", "&", nil}, {"/", "a=b=c", nil}, {"/", "a=%0A", nil},
		{"/", "a&b&c", nil},
		{"", "", canonical.ErrTargetForm}, {"*", "", canonical.ErrTargetForm}, // T036, T044
		{"http://h/", "", canonical.ErrTargetForm}, {"h:443", "", canonical.ErrTargetForm},
		{"/%", "", canonical.ErrPathEscape}, {"/%2", "", canonical.ErrPathEscape}, {"/%2g", "", canonical.ErrPathEscape},
		{"/%g2", "", canonical.ErrPathEscape}, {"/%zz", "", canonical.ErrPathEscape},
		{"/%00", "", canonical.ErrPathControl}, {"/%0a", "", canonical.ErrPathControl}, {"/%0D", "", canonical.ErrPathControl}, // T041
		{"/%20\n", "", canonical.ErrPathControl}, {"/%20%00", "", canonical.ErrPathControl}, {"/%20%zz", "", canonical.ErrPathEscape},
		{"/\n", "", canonical.ErrPathControl}, {"/\x00", "", canonical.ErrPathControl},
		{"/", ";", canonical.ErrQuerySemi}, {"/", "a=1;b=2", canonical.ErrQuerySemi}, {"/", "a=1&role=admin;x=1", canonical.ErrQuerySemi}, // T050
		{"/", "x=%zz", canonical.ErrQueryEscape}, {"/", "x=%", canonical.ErrQueryEscape}, {"/", "%=1", canonical.ErrQueryEscape}, // T051
		{"/", "x=%2", canonical.ErrQueryEscape}, {"/", "=1", canonical.ErrQueryName}, {"/", "a&=", canonical.ErrQueryName},
		{"/", "a&b&c&d", canonical.ErrQueryCount},
	} {
		if err := canonical.CheckTarget(tt.path, tt.query, 3+strings.Count(tt.query, "&&")); !errors.Is(err, tt.want) && !(tt.query == "a=1&b&c=%20+&&d=" && err == nil) {
			t.Errorf("%q ? %q: got %v, want %v", tt.path, tt.query, err, tt.want)
		}
	}
}

func TestQuery(t *testing.T) {
	var q canonical.Query
	for _, tt := range []struct{ query, decoded, encoded string }{
		{"", "", ""},
		{"&", "", ""},
		{"b=2&a=1", "a=1&b=2", ""},
		{"b&a=", "a=&b=", ""},            // T053
		{"k=2&k=1&k=", "k=&k=1&k=2", ""}, // T049
		{"q=a+b&r=a%20b&s=a%2Bb", "q=a%20b&r=a%20b&s=a%2Bb", ""}, // T052
		{"a=b=c", "a=b%3Dc", ""},
		{"%41=%61", "A=a", ""},
		{"b=1&B=1", "B=1&b=1", ""},
		{"a-b=1&a%2Fb=2", "a-b=1&a%2Fb=2", "a%2Fb=2&a-b=1"},
		{"ä=1&~=2", "~=2&%C3%A4=1", "%C3%A4=1&~=2"},
		{"k=%2F&k=-", "k=-&k=%2F", "k=%2F&k=-"},
		{"a=1&&b=2&", "a=1&b=2", ""},
		{"ab=1&a=2", "a=2&ab=1", ""},
	} {
		if err := q.Parse(tt.query); err != nil {
			t.Fatal(err)
		}
		if tt.encoded == "" {
			tt.encoded = tt.decoded
		}
		if got := string(q.Append(nil, canonical.ByDecoded)); got != tt.decoded {
			t.Errorf("%q by decoded: got %q, want %q", tt.query, got, tt.decoded)
		}
		if got := string(q.Append(nil, canonical.ByEncoded)); got != tt.encoded {
			t.Errorf("%q by encoded: got %q, want %q", tt.query, got, tt.encoded)
		}
		if got := q.Differs(); got != (tt.decoded != tt.encoded) {
			t.Errorf("%q: Differs is %v", tt.query, got)
		}
	}
	if err := q.Parse("%zz"); err == nil {
		t.Error("a bad escape was taken")
	}
}

func TestHasParameter(t *testing.T) {
	for query, want := range map[string]bool{
		"": false, "X-S": true, "X-S=1": true, "a=1&X-S=": true, "%58-%53=1": true,
		"X-SS=1": false, "X-=S": false, "a=X-S": false, "x-s=1": false, "X": false, "%zz": false, "X+S": false,
	} {
		if got := canonical.HasParameter(query, "X-S"); got != want {
			t.Errorf("%q: got %v", query, got)
		}
	}
}

// FuzzCheckedTargets: what passes CheckTarget can be canonicalised or is
// refused by name, and nothing panics.
func FuzzCheckedTargets(f *testing.F) {
	for _, seed := range [][2]string{{"/v1/items", "a=1&b="}, {"/%2e/", "%=1"}, {"*", ";"}, {"/\xff", "ä=+"}, {"/%", "&&="}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, path, query string) {
		if canonical.CheckTarget(path, query, 1024) != nil {
			return
		}
		switch err := canonical.TrailingSlash.Check(path); {
		case err == nil:
			once := canonical.TrailingSlash.Append(nil, path)
			if again := canonical.TrailingSlash.Append(nil, string(once)); string(again) != string(once) {
				t.Errorf("path %q: canonical form %q is not stable: %q", path, once, again)
			}
		case !errors.Is(err, canonical.ErrPathSlash) && !errors.Is(err, canonical.ErrPathEscaped) && !errors.Is(err, canonical.ErrPathDots):
			t.Errorf("path %q: %v", path, err)
		}
		var q canonical.Query
		if err := q.Parse(query); err != nil {
			t.Errorf("query %q: %v", query, err)
		}
		first := string(q.Append(nil, canonical.ByDecoded))
		q.Differs()
		if err := q.Parse(first); err != nil || string(q.Append(nil, canonical.ByDecoded)) != first {
			t.Errorf("query %q: canonical form %q is not stable", query, first)
		}
	})
}

// TestListsInTurns: a Message that is asked for one list and then for another gives
// each what it gives alone.
func TestListsInTurns(t *testing.T) {
	r := &http.Request{Method: "GET", RequestURI: "/", Host: "h", ContentLength: 7,
		Header: http.Header{"X-A": {"1"}, "X-B": {"2", "3"}, "X-Ab": {" 4"}}}
	lists := []string{"host;x-a", "content-length;host;x-b", "x-a;x-ab", "x-b", "content-length;host;x-a;x-ab;x-b"}
	build := func(m *canonical.Message, list string) string {
		if _, err := m.Build(r, list, "P", canonical.ByDecoded, canonical.Form{}); err != nil {
			t.Fatal(err)
		}
		return string(m.Request)
	}
	alone := make(map[string]string)
	for _, list := range lists {
		alone[list] = build(canonical.NewMessage(), list)
	}
	m := canonical.NewMessage()
	for _, first := range lists {
		for _, second := range lists {
			for _, list := range []string{first, second, first} {
				if got := build(m, list); got != alone[list] {
					t.Errorf("%s then %s: got %q, want %q", first, second, got, alone[list])
				}
			}
		}
	}
}

// TestHeadersOfAnotherRequest: values belong to the request of which they were read,
// also where a list was split before, and its fields are known.
func TestHeadersOfAnotherRequest(t *testing.T) {
	const list = "host;x-a"
	one := &http.Request{Method: "GET", RequestURI: "/", Host: "h", Header: http.Header{"X-A": {"1"}}}
	other := &http.Request{Method: "GET", RequestURI: "/", Host: "h", Header: http.Header{"X-A": {"2"}}}
	var split canonical.SignedHeaders
	split.Split(list)
	split = split.Clone()
	m := canonical.NewMessage()
	for _, r := range []*http.Request{one, other, one, one} {
		if err := m.ReadHeaders(r, &split); err != nil {
			t.Fatal(err)
		}
		for _, r := range []*http.Request{r, one, other} {
			if _, err := m.Build(r, list, "P", canonical.ByDecoded, canonical.Form{}); err != nil {
				t.Fatal(err)
			}
			if want := "x-a:" + r.Header.Get("X-A") + "\n"; !strings.Contains(string(m.Request), want) {
				t.Errorf("got %q, want %q in it", m.Request, want)
			}
		}
	}
}
