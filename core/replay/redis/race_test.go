//go:build race

package redis_test

// raceEnabled: under the race detector sequences are shorter.
const raceEnabled = true
