package apig_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// TestRememberedCredentials: what a scheme remembers of accepted credentials changes no
// verdict, however close to one of them another one is, and whatever the order of the fields.
func TestRememberedCredentials(t *testing.T) {
	hexID := strings.Repeat("0123456789abcdef", 4) // looks like a signature
	for _, scheme := range schemes[:4] {
		for _, id := range []string{keyID, hexID} {
			k, name := key(scheme.scoped), scheme.name
			k.ID = id
			build := func() *core.Verifier { return verifier(t, config(scheme.scheme(apig.Config{Keys: core.Keys(k)}))) }
			signed, err := http.NewRequest("GET", "http://api.example.com/v1/items", nil)
			if err != nil {
				t.Fatal(err)
			}
			testkit.Sign(scheme.signer(k, apig.SignOptions{}), signed, "", instant)
			verdict := func(v *core.Verifier, header string) string {
				r := signed.Clone(t.Context())
				r.Header["Authorization"] = []string{header}
				got, err := v.Verify(r)
				if err != nil {
					return err.Error()
				}
				return fmt.Sprint("accepted: ", got.Key(), got.SignedHeaders(), got.Covers())
			}
			credential := signed.Header.Get("Authorization")
			remembers := build()
			for range 3 {
				if got := verdict(remembers, credential); !strings.HasPrefix(got, "accepted") {
					t.Fatalf("%s: %s", name, got)
				}
			}
			algorithm, rest, _ := strings.Cut(credential, " ")
			fields := strings.Split(rest, ", ")
			for _, order := range [][3]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
				header := algorithm + " " + fields[order[0]] + ", " + fields[order[1]] + "," + fields[order[2]]
				for range 3 {
					if got := verdict(remembers, header); !strings.HasPrefix(got, "accepted") {
						t.Errorf("%s, %q: %s", name, header, got)
					}
				}
			}
			var near []string
			for i := range credential {
				near = append(near, credential[:i], credential[:i]+credential[i+1:], credential[:i]+"0"+credential[i:], credential[:i]+"="+credential[i+1:])
			}
			for i := range fields {
				near = append(near, algorithm+" "+fields[i], algorithm+" "+strings.Join(append(append([]string{}, fields[:i]...), fields[i+1:]...), ", "),
					credential+", "+fields[i])
			}
			for _, header := range near {
				want := verdict(build(), header)
				for range 2 {
					if got := verdict(remembers, header); got != want {
						t.Errorf("%s, %q: got %s, want %s", name, header, got, want)
					}
				}
			}
		}
	}
}

// TestFieldsOfCredentials: a credential has each of its three fields, and no other.
func TestFieldsOfCredentials(t *testing.T) {
	k := core.Key{Name: keyID, ID: keyID, Secret: core.NewSecret(keySecret)} // the name is the id as well
	c := config(apig.New(apig.Config{Keys: core.Keys(k)}))
	c.Default = keyID
	v := verifier(t, c)
	signed, err := http.NewRequest("GET", "http://api.example.com/v1/items", nil)
	if err != nil {
		t.Fatal(err)
	}
	testkit.Sign(apig.NewSigner(k, apig.SignOptions{}), signed, "", instant)
	_, rest, _ := strings.Cut(signed.Header.Get("Authorization"), " ")
	f := strings.Split(rest, ", ")
	for _, fields := range [][]string{{f[1], f[2]}, {f[0], f[2]}, {f[0], f[1]}, {f[0]}, {f[0], f[1], f[2], f[2]}, {f[0], f[1], f[1], f[2]},
		{f[0], f[0], f[1], f[2]}, {f[0], f[1], f[2], "Other=a"}, {f[0], "Credential=a", f[1], f[2]}, {"Credential=" + keyID, f[1], f[2]}, {f[0], f[1], f[2], ""}} {
		r := signed.Clone(t.Context())
		r.Header.Set("Authorization", apig.Algorithm+" "+strings.Join(fields, ", "))
		if _, err := v.Verify(r); core.CodeOf(err) != core.CodeCredentialMalformed && core.CodeOf(err) != core.CodeSchemeNotAccepted {
			t.Errorf("%q: got %v", fields, err)
		}
	}
}
