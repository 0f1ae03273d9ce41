package canonical_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
)

// FuzzHeaders compares the lines of signed headers with what the protocols'
// descriptions give when they are followed word by word.
func FuzzHeaders(f *testing.F) {
	for _, seed := range []string{"a", " b \n a", "two  blanks\tand tab \t", "", "\n\n", "a,b\na", "\u00a0c \"x  y\"", "\t \n \t"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		values := strings.Split(text, "\n")
		r := &http.Request{Method: "GET", RequestURI: "/", Host: "h", Header: http.Header{"X-A": slices.Clone(values)}}
		allowed := !strings.ContainsAny(text, "\r\x00")
		trimmed, collapsed := make([]string, len(values)), make([]string, len(values))
		blank := func(c rune) bool { return c == ' ' || c == '\t' }
		for i, value := range values {
			trimmed[i] = strings.TrimFunc(value, blank)
			collapsed[i] = strings.Join(strings.FieldsFunc(value, blank), " ")
		}
		joined := strings.Join(collapsed, ",")
		slices.Sort(trimmed)
		slices.Sort(collapsed)
		for _, form := range []struct {
			name, want string
			form       canonical.Form
		}{
			{"flat", "x-a:" + strings.Join(trimmed, "\nx-a:"), canonical.Form{}},
			{"scoped", "x-a:" + strings.Join(collapsed, "\nx-a:"), canonical.Form{Collapse: true}},
			{"sigv4", "x-a:" + joined, canonical.Form{Path: canonical.EncodedTwice, Joined: true, Collapse: true}},
		} {
			m := canonical.NewMessage()
			switch _, err := m.Build(r, "host;x-a", "P", canonical.ByDecoded, form.form); {
			case (err == nil) != allowed:
				t.Errorf("%s, %q: %v", form.name, text, err)
			case err == nil && string(m.Request) != "GET\n/\n\nhost:h\n"+form.want+"\n\nhost;x-a\nP":
				t.Errorf("%s, %q: got %q, want the lines %q", form.name, text, m.Request, form.want)
			}
			m.Free()
		}
		if !slices.Equal(r.Header["X-A"], values) {
			t.Error("the request was changed")
		}
	})
}

// FuzzQuery compares the canonical query with the standard library's reading of
// the same text, which is the handler's.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{"a=1&b=", "b&a=2&a=1&&", "q=a+b&q=a%20b&q=a%2Bb", "\xff=%ff", "a=b=c", "a%3d=1", "~=!*'()"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		if canonical.CheckTarget("/", query, 1024) != nil {
			return
		}
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatalf("%q: passed, and no handler can read it: %v", query, err)
		}
		for _, v := range values {
			slices.Sort(v)
		}
		want := strings.ReplaceAll(values.Encode(), "+", "%20") // sorts by name
		var q canonical.Query
		if err := q.Parse(query); err != nil {
			t.Fatalf("%q: %v", query, err)
		}
		if got := string(q.Append(nil, canonical.ByDecoded)); got != want {
			t.Errorf("%q: got %q, want %q", query, got, want)
		}
	})
}
