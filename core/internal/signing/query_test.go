package signing_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core/internal/signing"
)

// parameters are those of the tests; the last may be in any case.
var parameters = []signing.Parameter{{Name: "X-T-Date"}, {Name: "X-T-Expires"}, {Name: "X-T-Signature"}, {Name: "X-T-Digest", AnyCase: true}}

// parse returns the values of the parameters; "-" for one that is absent.
func parse(query string) (texts [4]string, err error) {
	values, err := signing.ParseParameters(query, parameters)
	for i := range texts {
		if texts[i] = values[i].Text; !values[i].Present {
			texts[i] = "-" + values[i].Text
		}
	}
	return texts, err
}

func TestParseParameters(t *testing.T) {
	want := [4]string{"D", "60", "a;b/c d", "-"}
	for _, query := range []string{
		"X-T-Date=D&X-T-Expires=60&X-T-Signature=a%3Bb%2Fc+d",
		"a=1&X-T-Signature=a%3bb/c%20d&&%58-T-Date=%44&X-T-Expires=60&X-T-Other=1&X-T-Other=2&X-T-",
	} {
		if got, err := parse(query); err != nil || got != want {
			t.Errorf("%q: got %q, %v", query, got, err)
		}
	}
	for _, query := range []string{"X-T-Digest=d", "x-t-digest=d", "X-T-DIGEST=d&X-t"} {
		if got, err := parse(query); err != nil || got != [4]string{"-", "-", "-", "d"} {
			t.Errorf("%q: got %q, %v", query, got, err)
		}
	}
	for _, query := range []string{
		"X-T-Date=1&X-T-Date=1", "X-T-Date=&X-T-Date=1", "X-T-Date=1&X-T-%44ate=", "X-T-Date=1&x-t-date=2",
		"x-t-expires=1", "X-T-EXPIRES", "X-T-%65xpires=1", "X-t-Signature=1", "X-T-Signature&X-T-Signature", "X-T-Digest&x-t-digest",
	} {
		if got, err := parse(query); !errors.Is(err, signing.ErrParameterRepeated) {
			t.Errorf("%q: got %q, %v", query, got, err)
		}
	}
	for _, query := range []string{"", "&", "a=b", "X-T=1", "X_T_Date=1", "X-TDate=1", "+X-T-Date=1", "X-T-Date+=1"} {
		if got, err := parse(query); err != nil || got != [4]string{"-", "-", "-", "-"} {
			t.Errorf("%q: got %q, %v", query, got, err)
		}
	}
	for _, query := range []string{"%zz", "X-T-Date=%", "a%=1"} {
		if _, err := parse(query); err == nil {
			t.Errorf("%q: taken", query)
		}
	}
}

func FuzzParseParameters(f *testing.F) {
	f.Add("X-T-Date=D&X-T-Expires=60&X-T-Signature=ab&x-t-digest=c%2Fd")
	f.Add("X-T-Date=&x-t-date=%zz&&=")
	f.Fuzz(func(t *testing.T, query string) {
		got, err := parse(query)
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
		for i, parameter := range parameters[:3] {
			want := values[parameter.Name]
			if len(want) > 1 || len(want) == 1 && want[0] != got[i] || len(want) == 0 && got[i] != "-" {
				t.Errorf("%q: %s is read as %q, by a handler as %q", query, parameter.Name, got[i], want)
			}
		}
	})
}
