package canonical_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
)

// TestBuild compares whole canonical requests in the forms of the schemes.
func TestBuild(t *testing.T) {
	r := httptest.NewRequest("PUT", "/v1/a%20b?z=1&a&X-%53ignature=0&Param=2&Param=1&Param-3=x&a-b=2&a%2Fb=1&x-signature=3", nil)
	r.Host = "h:80"
	r.Header = http.Header{"X-Date": {"20260115T120000Z"}, "X-A": {"value2 ", "  value1 \t x", "value1"}}
	for _, tt := range []struct {
		name  string
		list  string
		order canonical.Order
		form  canonical.Form
		more  bool
		want  string
	}{
		{"SDK, flat key", "host;x-a;x-date", canonical.ByDecoded, canonical.Form{}, true, `PUT
/v1/a%20b/
Param=1&Param=2&Param-3=x&X-Signature=0&a=&a-b=2&a%2Fb=1&x-signature=3&z=1
host:h:80
x-a:value1
x-a:value1 ` + "\t" + ` x
x-a:value2
x-date:20260115T120000Z

host;x-a;x-date
PAYLOAD`},
		{"SDK, flat key, the other order", "host", canonical.ByEncoded, canonical.Form{}, false, `PUT
/v1/a%20b/
Param=1&Param=2&Param-3=x&X-Signature=0&a=&a%2Fb=1&a-b=2&x-signature=3&z=1
host:h:80

host
PAYLOAD`},
		{"SDK, scope in the query", "host;x-a", canonical.ByDecoded, canonical.Form{Collapse: true, Without: "X-Signature"}, true, `PUT
/v1/a%20b/
Param=1&Param=2&Param-3=x&a=&a-b=2&a%2Fb=1&x-signature=3&z=1
host:h:80
x-a:value1
x-a:value1 x
x-a:value2

host;x-a
PAYLOAD`},
		{"SigV4", "host;x-a;x-date", canonical.ByEncoded, canonical.Form{Path: canonical.EncodedTwice, Joined: true, Collapse: true}, false, `PUT
/v1/a%2520b
Param=1&Param=2&Param-3=x&X-Signature=0&a=&a%2Fb=1&a-b=2&x-signature=3&z=1
host:h:80
x-a:value2,value1 x,value1
x-date:20260115T120000Z

host;x-a;x-date
PAYLOAD`},
		{"SigV4 for S3, in the query", "host", canonical.ByEncoded, canonical.Form{Path: canonical.EncodedOnce, Joined: true, Collapse: true, Without: "X-Signature"}, false, `PUT
/v1/a%20b
Param=1&Param=2&Param-3=x&a=&a%2Fb=1&a-b=2&x-signature=3&z=1
host:h:80

host
PAYLOAD`},
		{"nothing signed", "", canonical.ByEncoded, canonical.Form{Path: canonical.EncodedTwice, Joined: true, Collapse: true}, false, `PUT
/v1/a%2520b
Param=1&Param=2&Param-3=x&X-Signature=0&a=&a%2Fb=1&a-b=2&x-signature=3&z=1


PAYLOAD`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := canonical.NewMessage()
			defer m.Free()
			more, err := m.Build(r, tt.list, "PAYLOAD", tt.order, tt.form)
			if err != nil || more != tt.more || string(m.Request) != tt.want {
				t.Errorf("got %v, %v\n%s\nwant %v\n%s", more, err, m.Request, tt.more, tt.want)
			}
		})
	}
	if r.Header["X-A"][1] != "  value1 \t x" {
		t.Error("the request was changed")
	}
}

// TestBuildRefuses: what has no canonical form is refused.
func TestBuildRefuses(t *testing.T) {
	m := canonical.NewMessage()
	defer m.Free()
	for _, tt := range []struct {
		list   string
		change func(*http.Request)
		want   error
	}{
		{"x-absent", func(*http.Request) {}, canonical.ErrHeaderAbsent},
		{"host", func(r *http.Request) { r.Host = "" }, canonical.ErrHeaderAbsent},
		{"content-length", func(r *http.Request) { r.ContentLength = -1 }, canonical.ErrHeaderAbsent},
		{"x-a", func(r *http.Request) { r.Header["X-A"] = []string{"a\nhost:evil"} }, canonical.ErrHeaderValue},
		{"host", func(r *http.Request) { r.RequestURI = "/?%zz" }, canonical.ErrQueryEscape},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		tt.change(r)
		if _, err := m.Build(r, tt.list, "PAYLOAD", canonical.ByDecoded, canonical.Form{}); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.list, err, tt.want)
		}
	}
}

// TestHeaders: the values of the SDK-* schemes (T008: nothing inside is collapsed), and
// those of SigV4 (T008, T026).
func TestHeaders(t *testing.T) {
	long := "x-" + strings.Repeat("l", 71)
	list := "content-length;host;x-a;x-b;x-c;x-d;" + long
	for _, tt := range []struct {
		form canonical.Form
		want string
	}{
		{canonical.Form{}, "x-a:two  blanks\tand \t tabs\nx-b:\nx-b:a\nx-b:b\nx-b:\u00a0c\nx-c:\nx-d:\"quoted   text\"\n"},
		{canonical.Form{Path: canonical.EncodedTwice, Joined: true, Collapse: true},
			"x-a:two blanks and tabs\nx-b:b,a,,\u00a0c\nx-c:\nx-d:\"quoted text\"\n"},
	} {
		r := httptest.NewRequest("POST", "/", strings.NewReader("abc"))
		r.Host = "API.example.com:80"
		r.Header = http.Header{
			"X-A":                           {" two  blanks\tand \t tabs\t"},
			"X-B":                           {"b ", " a", "", "\u00a0c"},
			"X-C":                           {""},
			"X-D":                           {`"quoted   text"`},
			"X-L" + strings.Repeat("l", 70): {"long"},
		}
		var m canonical.Message
		_, err := m.Build(r, list, "PAYLOAD", canonical.ByEncoded, tt.form)
		want := "POST\n/\n\ncontent-length:3\nhost:API.example.com:80\n" + tt.want + long + ":long\n\n" + list + "\nPAYLOAD"
		if err != nil || string(m.Request) != want {
			t.Errorf("got %v\n%s\nwant\n%s", err, m.Request, want)
		}
		if r.Header["X-B"][0] != "b " {
			t.Error("the request was changed")
		}
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
