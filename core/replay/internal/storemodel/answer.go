// Package storemodel says what the replay stores must answer, and compares it with what they
// answer for all short sequences of requests and changes of the clock. The models are
// written from the documentation of the stores alone, and are slow and sequential.
package storemodel

// An Answer is what a store says of an entry.
type Answer string

const (
	New       Answer = "new"
	Seen      Answer = "seen"
	Forgotten Answer = "seen, since entries of its date were removed"
	Full      Answer = "full"
)

type identity struct {
	environment string
	fingerprint [32]byte
}
