package authorization_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core/internal/authorization"
)

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
	for b := range 256 {
		s := "1" + string([]byte{byte(b)})
		want, err := strconv.ParseUint(s, 10, 64)
		if got, ok := authorization.ParseExpires(s); ok != (err == nil) || ok && got != time.Duration(want)*time.Second {
			t.Errorf("%q: got %v, %v", s, got, ok)
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
		"k/d/r//end", "k/d/r//s/end", "k/d/r/s//end",
	} {
		if got, ok := authorization.ParseScope(credential, "end"); ok {
			t.Errorf("%q: taken as %+v", credential, got)
		}
	}
	for _, credential := range []string{"", "k/d/r", "k/d/r/", "k/d/r/s/", "k/d/r/s/t", "/d/r/s", "k//r/s", "///", "k/d/r//", "k/d/r//s"} {
		if got, ok := authorization.ParseScope(credential, ""); ok {
			t.Errorf("%q: taken as %+v", credential, got)
		}
	}
}

// TestScopeWithoutRegion_T086 is the same for a credential that names no region.
func TestScopeWithoutRegion_T086(t *testing.T) {
	want := authorization.Scope{KeyID: "k", Text: "d/s/end", Date: "d", Service: "s"}
	if got, ok := authorization.ParseScopeWithoutRegion("k/d/s/end", "end"); !ok || got != want {
		t.Errorf("got %+v, %v", got, ok)
	}
	for _, credential := range []string{
		"", "k", "k/d/s", "k/d/s/", "k/d/s/END", "k/d/s/end/", "k/d/r/s/end", "/d/s/end", "k/d//end", "k/d/end", "end", "/end", "///end", "k/d/send",
	} {
		if got, ok := authorization.ParseScopeWithoutRegion(credential, "end"); ok {
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
