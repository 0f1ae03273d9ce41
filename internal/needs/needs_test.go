package needs_test

import (
	"testing"

	"github.com/gatewayauth/gatewayauth/internal/needs"
)

// outcome is a testing.TB that records how the test ended.
type outcome struct {
	testing.TB
	how string
}

func (o *outcome) Helper()               {}
func (o *outcome) Fatalf(string, ...any) { o.how = "failed" }
func (o *outcome) Skipf(string, ...any) {
	if o.how == "" { // a real Fatalf does not return
		o.how = "left out"
	}
}

func TestProgram(t *testing.T) {
	for _, tt := range []struct{ name, program, e2e, want string }{
		{"present", "go", "1", ""},
		{"absent", "no-such-program", "", "left out"},
		{"absent in CI", "no-such-program", "1", "failed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("GATEWAYAUTH_E2E", tt.e2e)
			o := &outcome{TB: t}
			path := needs.Program(o, tt.program, "some-package")
			if o.how != tt.want || (path != "") != (tt.want == "") {
				t.Errorf("got outcome %q and path %q, want outcome %q", o.how, path, tt.want)
			}
		})
	}
}
