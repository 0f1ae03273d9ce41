package sigv4_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
)

// TestPresignedDeclares: everything that a link declares stands in its query, so that whoever
// has the link needs no header.
func TestPresignedDeclares(t *testing.T) {
	k := core.Key{Name: "k", ID: "AKID", Secret: core.NewSecret("a-secret-of-sigv4-0123456789"), Region: "r1", Service: "s3", SessionToken: core.NewSecret("the-token")}
	for name, signer := range map[string]*sigv4.Signer{
		"sigv4":  sigv4.NewSigner(k, sigv4.SignOptions{Payload: core.PayloadDeclared}),
		"sigv4a": sigv4.NewSignerA(k, sigv4.SignOptions{Payload: core.PayloadDeclared}),
	} {
		r, err := http.NewRequest("GET", "http://s3.example.com/a", nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := signer.Presign(r, noBody, now(), time.Minute); err != nil {
			t.Fatal(err)
		}
		query := r.URL.Query()
		for parameter, want := range map[string]bool{"X-Amz-Content-Sha256": true, "X-Amz-Security-Token": true, "X-Amz-Signature": true, "X-Amz-Region-Set": name == "sigv4a"} {
			if got := query.Has(parameter); got != want || r.Header.Get(parameter) != "" {
				t.Errorf("%s: %s is in the query: %v, and the header has %q", name, parameter, got, r.Header.Get(parameter))
			}
		}
	}
}

// TestRegionSetOfLinks: the region set of a link stands in its query. Without it the link is
// malformed, whatever a header says.
func TestRegionSetOfLinks(t *testing.T) {
	s := sigv4.NewA(sigv4.ConfigA{Keys: core.Keys()})
	query := "X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256&X-Amz-Credential=AKID/20260115/s3/aws4_request&X-Amz-Date=20260115T120000Z" +
		"&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=" + strings.Repeat("0", 140)
	for _, tt := range []struct {
		set, header string
		want        string // in the error; "": none
	}{{"&X-Amz-Region-Set=r1", "", ""}, {"", "", "there is no x-amz-region-set"}, {"", "r1", "there is no x-amz-region-set"}, {"&X-Amz-Region-Set=+", "", "is empty"}} {
		r := httptest.NewRequest("GET", "/a?"+query+tt.set, nil)
		if tt.header != "" {
			r.Header.Set("X-Amz-Region-Set", tt.header)
		}
		err := s.Parse(r, new(core.Credential))
		if tt.want == "" && err != nil || tt.want != "" && (core.CodeOf(err) != core.CodeCredentialMalformed || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("parameter %q, header %q: got %v, want %q", tt.set, tt.header, err, tt.want)
		}
	}
}

// TestProvesNoStrayToken: a session token for a key that has none is no proof, whatever its
// signature.
func TestProvesNoStrayToken(t *testing.T) {
	k := core.Key{Name: "k", ID: "AKID", Secret: core.NewSecret("a-secret-of-sigv4-0123456789"), Region: "r1", Service: "s1", SessionToken: core.NewSecret("the-token")}
	s := sigv4.New(sigv4.Config{Keys: core.Keys(k)})
	r := httptest.NewRequest("GET", "/a", nil)
	if err := sigv4.NewSigner(k, sigv4.SignOptions{}).Sign(r, noBody, now()); err != nil {
		t.Fatal(err)
	}
	var c core.Credential
	if err := s.Parse(r, &c); err != nil {
		t.Fatal(err)
	}
	text, _, err := s.(core.Canonicalizer).Canonical(r, &c, noBody)
	if err != nil {
		t.Fatal(err)
	}
	prover := s.(interface {
		Proves(string, *core.Credential, *core.Key, core.Secret) bool
	})
	without := k
	without.SessionToken = core.Secret{}
	if !prover.Proves(text, &c, &k, k.Secret) || prover.Proves(text, &c, &without, k.Secret) {
		t.Error("the token of a key must be proven, and that of a key without one not")
	}
}
