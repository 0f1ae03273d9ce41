//go:build race

package core_test

// raceEnabled: the race detector makes pools forget, so that allocations differ.
const raceEnabled = true
