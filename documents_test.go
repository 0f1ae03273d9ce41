package gatewayauth_test

import (
	"fmt"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// TestUnauthorized: docs/unauthorized.md has a row for each code, with its statuses and a link to its
// section, and the response to a refusal.
func TestUnauthorized(t *testing.T) {
	page := read(t, "docs/unauthorized.md")
	names := map[uint32]string{3: "InvalidArgument", 7: "PermissionDenied", 8: "ResourceExhausted", 14: "Unavailable", 16: "Unauthenticated"}
	codes := regexp.MustCompile(`(?m)^\tCode\w+ +Code = "(\w+)"$`).FindAllStringSubmatch(read(t, "core/code.go"), -1)
	if len(codes) < 18 {
		t.Errorf("core/code.go has only %d codes", len(codes))
	}
	for _, m := range codes {
		code := core.Code(m[1])
		err := &core.Error{Code: code}
		row := fmt.Sprintf("\n| %d | %s | [%s](troubleshooting.md#%s) | ", core.StatusCode(err), names[core.GRPCStatusCode(err)], code, code)
		if strings.Count(page, row) != 1 {
			t.Errorf("docs/unauthorized.md does not have the row %q once", row)
		}
	}
	_, err := testkit.Verifier(t, nil).Verify(testkit.Unsigned("GET", "/orders/7"))
	w := httptest.NewRecorder()
	core.WriteProblem(w, nil, err)
	want := fmt.Sprintf("    HTTP/1.1 401 Unauthorized\n    Content-Type: %s\n    Www-Authenticate: %s\n\n    %s",
		w.Header().Get("Content-Type"), w.Header().Get("WWW-Authenticate"), w.Body)
	if !strings.Contains(page, want) {
		t.Errorf("docs/unauthorized.md does not have\n%s", want)
	}
}
