//go:build race

package replay_test

// raceEnabled: under the race detector fewer requests say as much.
const raceEnabled = true
