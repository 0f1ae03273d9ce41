package core_test

import (
	"os"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/internal/vectors"
)

// TestCollisions_T218: of requests that differ and have one canonical request, the verifier
// accepts those that mean the same, and refuses as ambiguous those that do not. It computes
// the same canonical request and string to sign for all that it accepts.
func TestCollisions_T218(t *testing.T) {
	files, err := vectors.LoadCollisions(os.DirFS("testdata/vectors"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		for _, c := range file.Vectors {
			t.Run(file.Scheme+"/"+c.Name, func(t *testing.T) {
				accepted := 0
				for i, one := range c.Requests {
					whole := vectors.File{Scheme: file.Scheme, Keys: file.Keys}
					v := vectors.Vector{Name: c.Name, At: c.At, Key: c.Key, Policy: c.Policy, Request: one.Request, Code: one.Code}
					judge, err := whole.Judge(&v, nil)
					if err != nil {
						t.Fatal(err)
					}
					r := request(t, string(one.Request))
					_, err = judge.Verify(r)
					core.Release(r)
					if code := core.CodeOf(err); code != one.Code {
						t.Errorf("request %d: got %q, want %q: %v", i, code, one.Code, err)
					}
					if one.Code != "" {
						continue
					}
					accepted++
					canonicalRequest, stringToSign := computed(t, &whole, &v)
					if canonicalRequest != c.CanonicalRequest || stringToSign != c.StringToSign {
						t.Errorf("request %d: got canonical request\n%s\nand string to sign\n%s\nwant\n%s\nand\n%s", i, canonicalRequest, stringToSign, c.CanonicalRequest, c.StringToSign)
					}
				}
				if accepted == 0 {
					t.Error("no request is accepted: the collision shows nothing")
				}
			})
		}
	}
}
