package core

import (
	"os"
	"slices"
)

// WithoutCheck is a variable of the environment: the tests run without the check that
// it names.
const WithoutCheck = "GATEWAYAUTH_TEST_WITHOUT_CHECK"

// CheckNames are the names of the checks in their order.
var CheckNames = func() (names []string) {
	for _, c := range checks {
		names = append(names, c.name)
	}
	return names
}()

func init() {
	if name := os.Getenv(WithoutCheck); name != "" {
		checks = slices.DeleteFunc(slices.Clone(checks), func(c check) bool { return c.name == name })
	}
}

// WithNewVerifications runs f as a process does that has verified nothing before: with
// no verification of the pool. Nothing else may be verified meanwhile.
func WithNewVerifications(f func()) {
	used := takeVerifications()
	f()
	takeVerifications()
	for _, v := range used {
		verifications.Put(v)
	}
}

// takeVerifications empties the pool.
func takeVerifications() (all []*verification) {
	build := verifications.New
	verifications.New = nil
	defer func() { verifications.New = build }()
	for {
		v, ok := verifications.Get().(*verification)
		if !ok {
			return all
		}
		all = append(all, v)
	}
}
