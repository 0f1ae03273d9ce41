package capture_test

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/cmd/gatewayauth/internal/capture"
	"github.com/gatewayauth/gatewayauth/internal/needs"
)

// TestCurlOptions_T187: every option of the installed curl is known, and whether it has a
// value.
func TestCurlOptions_T187(t *testing.T) {
	out, err := exec.Command(needs.Program(t, "curl", "curl"), "--help", "all").Output()
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^ *(?:-(.), )? *--(\S+)(?: ([<\[]\S.*?[>\]]))?(?: .*)?$`)
	found := line.FindAllStringSubmatch(string(out), -1)
	if len(found) < 200 {
		t.Fatalf("curl lists %d options", len(found))
	}
	const next = "WORD"
	for _, m := range found {
		letter, name, value := m[1], m[2], m[3]
		if name == "help" || name == "manual" || name == "version" || name == "next" || name == "url" {
			continue
		}
		for _, flag := range []string{"--" + name, "-" + letter} {
			if flag == "-" {
				continue
			}
			// Parse with one word after it: if it is a switch, that is a second URL.
			_, err := capture.Parse([]byte("curl http://a.example/ "+flag+" 'a=1:"+next+"'"), capture.Options{Format: "curl"})
			switch {
			case err == nil && value != "":
			case err != nil && strings.Contains(err.Error(), "more than one URL") && value == "":
			case err != nil && strings.Contains(err.Error(), "the option --"+name+" of curl is not supported"):
			case err != nil && value != "" && !strings.Contains(err.Error(), "is unknown") && !strings.Contains(err.Error(), "more than one URL"):
			default:
				t.Errorf("curl has %s %s: %v", flag, value, err)
			}
		}
	}
}
