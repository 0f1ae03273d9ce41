package core

import (
	"os"
	"slices"
)

// WithoutCheck is a variable of the environment: the tests run without the check that
// it names.
const WithoutCheck = "GATEWAYAUTH_TEST_WITHOUT_CHECK"

func init() {
	if name := os.Getenv(WithoutCheck); name != "" {
		checks = slices.DeleteFunc(slices.Clone(checks), func(c check) bool { return c.name == name })
	}
}
