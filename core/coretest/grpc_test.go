package coretest

import (
	"regexp"
	"testing"
)

// TestGRPCCases: each case has an id, a unique name, and a call.
func TestGRPCCases(t *testing.T) {
	id := regexp.MustCompile(`^T[0-9]{3} `)
	seen, accepting := make(map[string]bool), 0
	for _, c := range grpcCases() {
		if !id.MatchString(c.name) || seen[c.name] || c.send.proto == "" {
			t.Errorf("case %q: it has no id, no call, or a name that is not unique", c.name)
		}
		if seen[c.name] = true; c.want.code == "" && c.status == "" {
			accepting++
		}
	}
	if len(seen) < 80 || accepting < 12 {
		t.Errorf("%d cases, %d of them accepted; want more: a table is missing", len(seen), accepting)
	}
}

// TestFrames compares frames with bytes written by hand.
func TestFrames(t *testing.T) {
	if got, want := frames("ab", ""), "\x00\x00\x00\x00\x04\x0a\x02ab\x00\x00\x00\x00\x00"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
