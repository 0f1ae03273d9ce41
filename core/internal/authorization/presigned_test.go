package authorization_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core/internal/authorization"
)

func TestParsePresigned(t *testing.T) {
	want := authorization.Presigned{Algorithm: "A", Credential: "k/d/r", Date: "D", Expires: "60", SignedHeaders: "host;x", Signature: "ab"}
	for _, query := range []string{
		"X-T-Algorithm=A&X-T-Credential=k/d/r&X-T-Date=D&X-T-Expires=60&X-T-SignedHeaders=host%3Bx&X-T-Signature=ab",
		"a=1&X-T-Signature=ab&&%58-T-Algorithm=%41&X-T-Credential=k%2Fd%2Fr&X-T-Date=D&X-T-SignedHeaders=host%3bx&X-T-Expires=60&X-T-Other=1&X-T-Other=2&X-T-",
	} {
		if got, err := authorization.ParsePresigned(query, "X-T-"); err != nil || got != want {
			t.Errorf("%q: got %+v, %v", query, got, err)
		}
	}
	for _, query := range []string{
		"X-T-Date=1&X-T-Date=1", "X-T-Date=&X-T-Date=1", "X-T-Date=1&X-T-%44ate=", "X-T-Date=1&x-t-date=2",
		"x-t-expires=1", "X-T-EXPIRES", "X-T-%65xpires=1", "X-t-Signature=1", "X-T-Signature&X-T-Signature",
	} {
		if got, err := authorization.ParsePresigned(query, "X-T-"); !errors.Is(err, authorization.ErrParameterTwin) {
			t.Errorf("%q: got %+v, %v", query, got, err)
		}
	}
	for _, query := range []string{"", "&", "a=b", "X-T=1", "X_T_Date=1", "X-TDate=1", "+X-T-Date=1", "X-T-Date+=1"} {
		if got, err := authorization.ParsePresigned(query, "X-T-"); err != nil || got != (authorization.Presigned{}) {
			t.Errorf("%q: got %+v, %v", query, got, err)
		}
	}
	for _, query := range []string{"%zz", "X-T-Date=%", "a%=1"} {
		if _, err := authorization.ParsePresigned(query, "X-T-"); err == nil {
			t.Errorf("%q: taken", query)
		}
	}
}

// TestExpires_T160: decimal digits from 1 to a week, in one spelling each.
func TestExpires_T160(t *testing.T) {
	for s, want := range map[string]time.Duration{"1": time.Second, "60": time.Minute, "604800": authorization.MaxExpires} {
		if got, ok := authorization.ParseExpires(s); !ok || got != want {
			t.Errorf("%q: got %v, %v", s, got, ok)
		}
	}
	for _, s := range []string{"", "0", "-1", "604801", "999999", "60s", " 60", "60 ", "+60", "1e3", "９", "9223372037", "18446744074",
		"18446744073709551617", "060", "00", "0x3c", "6_0", "1.0"} {
		if got, ok := authorization.ParseExpires(s); ok {
			t.Errorf("%q: taken as %v", s, got)
		}
	}
}

// TestScope_T086: exactly the parts, none empty, no slash read as another.
func TestScope_T086(t *testing.T) {
	want := authorization.Scope{KeyID: "k", Text: "d/r/s/end", Date: "d", Region: "r", Service: "s"}
	if got, ok := authorization.ParseScope("k/d/r/s/end", "end"); !ok || got != want {
		t.Errorf("with a terminator: got %+v, %v", got, ok)
	}
	want.Text = "d/r/s"
	if got, ok := authorization.ParseScope("k/d/r/s", ""); !ok || got != want {
		t.Errorf("without: got %+v, %v", got, ok)
	}
	for _, credential := range []string{
		"", "k", "k/d/r/s", "k/d/r/s/", "k/d/r/s/END", "k/d/r/s/end/", "k/d/r/s/end ", "k/d/r/s/x/end", "x/k/d/r/s/end", "/k/d/r/s/end",
		"/d/r/s/end", "k//r/s/end", "k/d//s/end", "k/d/r//end", "k/d/r/end", "end", "/end", "////end", "k/d/r/send",
	} {
		if got, ok := authorization.ParseScope(credential, "end"); ok {
			t.Errorf("%q: taken as %+v", credential, got)
		}
	}
	for _, credential := range []string{"", "k/d/r", "k/d/r/", "k/d/r/s/", "k/d/r/s/t", "/d/r/s", "k//r/s", "///"} {
		if got, ok := authorization.ParseScope(credential, ""); ok {
			t.Errorf("%q: taken as %+v", credential, got)
		}
	}
}

func FuzzParseScope(f *testing.F) {
	f.Add("k/d/r/s/end", "end")
	f.Add("k/d/r/s", "")
	f.Add("////", "/")
	f.Fuzz(func(t *testing.T, credential, terminator string) {
		if strings.Contains(terminator, "/") {
			return // a constant of the schemes
		}
		s, ok := authorization.ParseScope(credential, terminator)
		if !ok {
			return
		}
		text := s.Date + "/" + s.Region + "/" + s.Service
		if terminator != "" {
			text += "/" + terminator
		}
		if s.Text != text || credential != s.KeyID+"/"+text || strings.Count(text, "/") > 3 {
			t.Errorf("%q is read as %+v", credential, s)
		}
	})
}

func FuzzParsePresigned(f *testing.F) {
	f.Add("X-T-Algorithm=A&X-T-Credential=k%2Fd&X-T-Date=D&X-T-Expires=60&X-T-SignedHeaders=host&X-T-Signature=ab")
	f.Add("X-T-Date=&x-t-date=%zz&&=")
	f.Fuzz(func(t *testing.T, query string) {
		p, err := authorization.ParsePresigned(query, "X-T-")
		if err != nil {
			return
		}
		if strings.Contains(query, ";") {
			return // url.ParseQuery drops these; a verifier has refused them
		}
		values, err := url.ParseQuery(query)
		if err != nil {
			return // in a parameter of no interest
		}
		for name, value := range map[string]string{"Algorithm": p.Algorithm, "Credential": p.Credential, "Date": p.Date,
			"Expires": p.Expires, "SignedHeaders": p.SignedHeaders, "Signature": p.Signature} {
			if got := values["X-T-"+name]; len(got) > 1 || len(got) == 1 && got[0] != value || len(got) == 0 && value != "" {
				t.Errorf("%q: %s is read as %q, by a handler as %q", query, name, value, got)
			}
		}
	})
}
