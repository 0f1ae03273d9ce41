package canonical_test

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
)

// texts yields every text of at most n of the pieces.
func texts(n int, pieces ...string) []string {
	all := []string{""}
	for last := all; n > 0; n-- {
		var longer []string
		for _, s := range last {
			for _, piece := range pieces {
				longer = append(longer, s+piece)
			}
		}
		all, last = append(all, longer...), longer
	}
	return all
}

// escape encodes everything but unreserved characters.
func escape(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}

// modelQuery is docs/protocols.md, Canonical query, step by step.
func modelQuery(raw string, order canonical.Order) string {
	type parameter struct{ name, value string }
	var all []parameter
	for piece := range strings.SplitSeq(raw, "&") {
		if piece != "" {
			name, value, _ := strings.Cut(piece, "=")
			name, _ = url.QueryUnescape(name)
			value, _ = url.QueryUnescape(value)
			all = append(all, parameter{name, value})
		}
	}
	slices.SortFunc(all, func(a, b parameter) int {
		if order == canonical.ByEncoded {
			a, b = parameter{escape(a.name), escape(a.value)}, parameter{escape(b.name), escape(b.value)}
		}
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.value, b.value))
	})
	var lines []string
	for _, p := range all {
		lines = append(lines, escape(p.name)+"="+escape(p.value))
	}
	return strings.Join(lines, "&")
}

// TestEveryShortQuery compares with the model, one Message for all queries: each as
// part of a request that was checked before, and as a Query alone.
func TestEveryShortQuery(t *testing.T) {
	const most = 3
	m := canonical.NewMessage()
	var q canonical.Query
	queries := texts(5, "a", "b", "X", "=", "&", "%2F", "'")
	queries = append(queries, texts(3, "a", "-", "+", "%", "%2", ";", "=", "&", "\xff", "%58", "%4", ">")...)
	for i := range 256 {
		b := string([]byte{byte(i)})
		queries = append(queries, "a"+b+"1", "a=1"+b+"b=2", b+"&a", "a="+b)
	}
	for _, query := range queries {
		pieces := slices.DeleteFunc(strings.Split(query, "&"), func(s string) bool { return s == "" })
		_, bad := url.PathUnescape(query)
		nameless := slices.ContainsFunc(pieces, func(s string) bool { return s[0] == '=' })
		r := &http.Request{Method: "GET", RequestURI: "/?" + query, Host: "h"}
		err := m.CheckTarget(r, most)
		refused := bad != nil || strings.Contains(query, ";") || nameless || len(pieces) > most
		if refused != (err != nil) {
			t.Fatalf("%q: got %v", query, err)
		}
		for reason, applies := range map[error]bool{canonical.ErrQueryEscape: bad != nil, canonical.ErrQuerySemi: strings.Contains(query, ";"),
			canonical.ErrQueryName: nameless, canonical.ErrQueryCount: len(pieces) > most} {
			if errors.Is(err, reason) && !applies {
				t.Fatalf("%q: got %v", query, err)
			}
		}
		if err != nil {
			continue
		}
		has := slices.ContainsFunc(pieces, func(s string) bool {
			name, _, _ := strings.Cut(s, "=")
			name, _ = url.QueryUnescape(name)
			return name == "X" || name == "Xa"
		})
		if got := m.HasParameter(r, "Xa", "X"); got != has {
			t.Fatalf("%q: HasParameter gives %v", query, got)
		}
		decoded, encoded := modelQuery(query, canonical.ByDecoded), modelQuery(query, canonical.ByEncoded)
		for order, want := range map[canonical.Order]string{canonical.ByDecoded: decoded, canonical.ByEncoded: encoded} {
			more, err := m.Build(r, "host", "P", order, canonical.Form{})
			if got := strings.Split(string(m.Request), "\n")[2]; err != nil || got != want || more != (order == canonical.ByDecoded && decoded != encoded) {
				t.Fatalf("%q in order %d: got %q, %v, %v; want %q", query, order, got, more, err, want)
			}
			if err := q.Parse(query); err != nil {
				t.Fatal(err)
			}
			if got := string(q.Append(nil, order)); got != want {
				t.Fatalf("%q alone in order %d: got %q, want %q", query, order, got, want)
			}
		}
	}
}

// TestEveryShortPath compares what each rule refuses and writes with the rules as
// docs/protocols.md has them, for every path of some segments and bytes.
func TestEveryShortPath(t *testing.T) {
	encoded := regexp.MustCompile(`%([0-9A-Fa-f]{2})`)
	for _, path := range texts(5, "a", "/", ".", "%20", "%2F", "%5c", "%41", `\`, "'", "%2") {
		path = "/" + path
		decoded, bad := url.PathUnescape(path)
		segments := strings.Split(path[1:], "/")
		dots := slices.Contains(segments, ".") || slices.Contains(segments, "..")
		empty := slices.Contains(segments[:len(segments)-1], "")
		var slash, backslash, unreserved bool
		for _, code := range encoded.FindAllString(path, -1) {
			one, err := url.PathUnescape(code)
			slash, backslash = slash || one == "/", backslash || one == `\`
			unreserved = unreserved || err == nil && escape(one) == one
		}
		once := strings.ReplaceAll(escape(decoded), "%2F", "/")
		for rule, want := range map[canonical.PathRule]struct {
			refused bool
			path    string
		}{
			canonical.TrailingSlash: {bad != nil || slash || backslash || unreserved || dots, strings.TrimSuffix(once, "/") + "/"},
			canonical.EncodedTwice:  {dots || empty, strings.ReplaceAll(escape(path), "%2F", "/")},
			canonical.EncodedOnce:   {bad != nil || slash || unreserved || strings.Contains(path, `\`), once},
		} {
			if err := rule.Check(path); (err != nil) != want.refused {
				t.Fatalf("%q by rule %d: got %v", path, rule, err)
			}
			if want.refused {
				continue
			}
			if got := string(rule.Append(nil, path)); got != want.path {
				t.Fatalf("%q by rule %d: got %q, want %q", path, rule, got, want.path)
			}
		}
	}
	if got := string(canonical.TrailingSlash.Append(nil, "")); got != "/" {
		t.Errorf("no path: got %q", got)
	}
}

// TestEveryShortValue compares the lines of one header, of one or two values, with a
// model; the values are also put behind so many characters that they are looked at in
// another way.
func TestEveryShortValue(t *testing.T) {
	runs := regexp.MustCompile(`[ \t]+`)
	m := canonical.NewMessage()
	const list = "host;x-a"
	var split canonical.SignedHeaders
	split.Split(list)
	short := texts(3, "v", " ", "\t", "\u00a0", "\r", "\n", "\x00", "!")
	for n := range 34 { // one byte that matters, in each place of a long value
		for i := range n {
			for _, b := range []string{" ", "\t", "\r", "  "} {
				short = append(short, strings.Repeat("v", i)+b+strings.Repeat("v", n-i))
			}
		}
	}
	for _, front := range []string{"", "xxxxxxx"} {
		for i, value := range short {
			for _, values := range [][]string{{front + value}, {front + value, "w"}, {value, front + short[len(short)-1-i]}} {
				r := &http.Request{Method: "GET", RequestURI: "/", Host: "h", Header: http.Header{"X-A": values}}
				all := strings.Join(values, "")
				bad := strings.ContainsAny(all, "\r\n\x00")
				if err := m.ReadHeaders(r, &split); err != nil {
					t.Fatal(err)
				}
				outer := slices.ContainsFunc(values, func(s string) bool { return strings.Trim(s, " \t") != s })
				if got := m.OuterBlanks(); got != outer {
					t.Fatalf("%q: OuterBlanks gives %v", values, got)
				}
				for _, form := range []canonical.Form{{}, {Joined: true}, {Collapse: true}, {Joined: true, Collapse: true}} {
					_, err := m.Build(r, list, "P", canonical.ByDecoded, form)
					if bad != (err != nil) {
						t.Fatalf("%q: got %v", values, err)
					}
					if bad {
						continue
					}
					var want []string
					for _, s := range values {
						s = strings.Trim(s, " \t")
						if form.Collapse {
							s = runs.ReplaceAllString(s, " ")
						}
						want = append(want, s)
					}
					if form.Joined {
						want = []string{strings.Join(want, ",")}
					}
					slices.Sort(want)
					text := "GET\n/\n\nhost:h\nx-a:" + strings.Join(want, "\nx-a:") + "\n\n" + list + "\nP"
					if got := string(m.Request); got != text {
						t.Fatalf("%q in form %+v: got\n%s\nwant\n%s", values, form, got, text)
					}
				}
			}
		}
	}
}

// TestResetForgets: a request that has another content after Reset, as a new one at the
// same address has, is read again.
func TestResetForgets(t *testing.T) {
	m := canonical.NewMessage()
	r := new(http.Request)
	for _, content := range []http.Request{
		{Method: "GET", RequestURI: "/a?x=1", Host: "h", Header: http.Header{"X-A": {"1"}}},
		{Method: "PUT", RequestURI: "/b?X=2", Host: "i", Header: http.Header{"X-A": {" 2"}}},
		{Method: "PUT", RequestURI: "/b?X=2&y", Host: "", Header: http.Header{"X-A": {"3"}}},
		{Method: "PUT", RequestURI: "/b", Host: "i", Header: http.Header{}},
	} {
		*r = content
		m.Reset()
		if len(m.Request)+len(m.StringToSign)+len(m.Front) > 0 {
			t.Errorf("after Reset: %q, %q, %q", m.Request, m.StringToSign, m.Front)
		}
		fresh := new(canonical.Message)
		_, err := m.Build(r, "host;x-a", "P", canonical.ByDecoded, canonical.Form{})
		_, want := fresh.Build(r, "host;x-a", "P", canonical.ByDecoded, canonical.Form{})
		if string(m.Request) != string(fresh.Request) || !errors.Is(err, want) {
			t.Errorf("got %v\n%s\nwant %v\n%s", err, m.Request, want, fresh.Request)
		}
		if path, query := m.Target(r); path+query == "" || m.HasParameter(r, "X") != strings.Contains(query, "X") {
			t.Errorf("got %q, %q", path, query)
		}
		m.StringToSign, m.Front = append(m.StringToSign, "text"...), "front"
	}
}

// TestTwoHeaders: what the form changes in one header, it changes whatever the other
// holds, with and without a host in the list.
func TestTwoHeaders(t *testing.T) {
	values := [][]string{{"v"}, {" v"}, {"v v"}, {"v  v"}, {"v", "u"}, {""}}
	for _, a := range values {
		for _, b := range values {
			r := &http.Request{Method: "GET", RequestURI: "/", Host: "h", Header: http.Header{"X-A": a, "X-B": b}}
			for _, joined := range []bool{false, true} {
				want := ""
				for name, values := range map[string][]string{"x-a": a, "x-b": b} {
					one := &http.Request{Method: "GET", RequestURI: "/", Host: "h", Header: http.Header{http.CanonicalHeaderKey(name): values}}
					m := new(canonical.Message)
					if _, err := m.Build(one, name, "P", canonical.ByDecoded, canonical.Form{Joined: joined}); err != nil {
						t.Fatal(err)
					}
					lines, _, _ := strings.Cut(strings.TrimPrefix(string(m.Request), "GET\n/\n\n"), "\n\n")
					if name == "x-a" {
						want = lines + "\n" + want
					} else {
						want += lines
					}
				}
				if len(a) == 2 && !joined && !strings.Contains(want, "x-a:u\nx-a:v") {
					t.Fatalf("one header of two values: %q", want)
				}
				m := new(canonical.Message)
				if _, err := m.Build(r, "x-a;x-b", "P", canonical.ByDecoded, canonical.Form{Joined: joined}); err != nil {
					t.Fatal(err)
				}
				if got := string(m.Request); got != "GET\n/\n\n"+want+"\n\nx-a;x-b\nP" {
					t.Errorf("%q and %q: got\n%s\nwant the lines\n%s", a, b, got, want)
				}
			}
		}
	}
}

// TestHeaderNames: each name of a few bytes finds what net/http keeps under its
// canonical spelling; names that are longer than the buffer too.
func TestHeaderNames(t *testing.T) {
	for _, name := range append(texts(4, "x", "a", "z", "-", "1", "~", "`", "|"), strings.Repeat("a", 63), strings.Repeat("a", 64),
		strings.Repeat("a", 65), strings.Repeat("a-", 40)) {
		r := &http.Request{Header: http.Header{http.CanonicalHeaderKey(name): {"v"}}}
		if got := canonical.Values(r, name, nil); name != "" && (len(got) != 1 || !canonical.Has(r, name) || canonical.Has(r, name+"b")) {
			t.Errorf("%q: got %q", name, got)
		}
	}
}

// TestContentLength: the header where the request has it, or else the length that the
// server has read.
func TestContentLength(t *testing.T) {
	for _, tt := range []struct {
		header []string
		length int64
		has    bool
		want   string
	}{
		{nil, 0, false, "0"}, {nil, 1, true, "1"}, {nil, 12, true, "12"}, {nil, -1, false, ""},
		{[]string{"0"}, 0, true, "0"}, {[]string{"5"}, 7, true, "5"}, {[]string{"5"}, -1, true, "5"}, {[]string{"5", "6"}, 5, true, "5,6"},
	} {
		r := &http.Request{ContentLength: tt.length, Header: http.Header{}}
		if tt.header != nil {
			r.Header["Content-Length"] = tt.header
		}
		var one [1]string
		if got := strings.Join(canonical.Values(r, "content-length", &one), ","); got != tt.want {
			t.Errorf("%q and %d: got %q, want %q", tt.header, tt.length, got, tt.want)
		}
		if got := canonical.Has(r, "content-length"); got != tt.has {
			t.Errorf("%q and %d: Has gives %v", tt.header, tt.length, got)
		}
	}
}

// TestCloneOfAList: the names with the fields of net/http, but for the two that stand
// elsewhere in a request.
func TestCloneOfAList(t *testing.T) {
	var s canonical.SignedHeaders
	s.Split("content-length;host;x-a-b")
	got := s.Clone()
	want := []canonical.HeaderName{{Name: "content-length"}, {Name: "host"}, {Name: "x-a-b", Field: "X-A-B"}}
	if got.Text != s.Text || !slices.Equal(got.Names, want) {
		t.Errorf("got %+v", got)
	}
	if unsafe.StringData(got.Text) == unsafe.StringData(s.Text) {
		t.Error("the copy shares memory with the list")
	}
}

// TestMessageOfAnotherRequest: what was found in one query does not answer for another,
// and what one form leaves out is there in another.
func TestMessageOfAnotherRequest(t *testing.T) {
	m := canonical.NewMessage()
	for _, query := range []string{"a=1", "X=1", "", "%58=1", "b&X"} {
		r := &http.Request{Method: "GET", RequestURI: "/?" + query, Host: "h"}
		if got := m.HasParameter(r, "X"); got != (modelQuery(query, 0) == "X=1" || query == "b&X") {
			t.Errorf("%q: HasParameter gives %v", query, got)
		}
		if err := m.CheckTarget(r, 9); err != nil {
			t.Fatal(err)
		}
		for _, form := range []canonical.Form{{}, {Without: "a"}, {Without: "X"}, {}} {
			if _, err := m.Build(r, "host", "P", canonical.ByEncoded, form); err != nil {
				t.Fatal(err)
			}
			kept := slices.DeleteFunc(strings.Split(modelQuery(query, canonical.ByEncoded), "&"), func(s string) bool {
				return form.Without != "" && strings.HasPrefix(s, form.Without+"=")
			})
			if got, want := strings.Split(string(m.Request), "\n")[2], strings.Join(kept, "&"); got != want {
				t.Errorf("%q without %q: got %q, want %q", query, form.Without, got, want)
			}
		}
	}
}

// TestLargeRequestIsLetGo: Reset keeps the memory of ordinary requests only.
func TestLargeRequestIsLetGo(t *testing.T) {
	for size, kept := range map[int]bool{100: true, 10 << 10: true, 100 << 10: false} {
		m := new(canonical.Message)
		r := &http.Request{Method: "GET", RequestURI: "/?" + strings.Repeat("q", size), Host: "h"}
		if _, err := m.Build(r, "host", "P", canonical.ByEncoded, canonical.Form{}); err != nil {
			t.Fatal(err)
		}
		m.Reset()
		if got := cap(m.Request) > 0; got != kept {
			t.Errorf("%d bytes: memory kept: %v", size, got)
		}
	}
}
