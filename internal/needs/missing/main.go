// Command missing prints which tests were skipped: those whose program is not installed, and
// those that run in CI only. With -q it prints the names of the missing Debian packages alone.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/gatewayauth/gatewayauth/internal/needs"
)

func main() {
	quiet := flag.Bool("q", false, "print the names of the missing packages alone")
	flag.Parse()
	var names, lines []string
	for _, p := range needs.Packages {
		if !p.Installed() {
			names = append(names, p.Name)
			lines = append(lines, fmt.Sprintf("  %s (Debian package %s)\n", strings.Join(p.Files, " or "), p.Name))
		}
	}
	if *quiet {
		fmt.Println(strings.Join(names, " "))
		return
	}
	if len(names) == 0 {
		fmt.Println("No test was skipped for a missing program.")
	} else {
		fmt.Printf("The tests that need these programs were skipped:\n%s", strings.Join(lines, ""))
	}
	if os.Getenv("GATEWAYAUTH_VECTORS") == "" {
		fmt.Println("The test of AWS's recorded requests was skipped: GATEWAYAUTH_VECTORS is not set.")
	}
	if !needs.WithLong() {
		fmt.Println("The tests that take long were skipped or shortened: GATEWAYAUTH_E2E=installed runs them whole.")
	}
}
