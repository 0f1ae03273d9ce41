package coretest

import (
	"regexp"
	"strings"
	"sync"
	"time"
)

// suite is the state of one run of the suite, for the checks over all cases.
type suite struct {
	mount Mount
	// patience is the timeout of every wait. It is far longer than a passing case takes.
	patience time.Duration

	mu      sync.Mutex
	answers map[int]map[string]bool // the fingerprints of refusals, by status
	leaks   []string                // lines of logs and responses that contain a secret
}

func newSuite(mount Mount, patience time.Duration) *suite {
	return &suite{mount: mount, patience: patience, answers: make(map[int]map[string]bool)}
}

// longHex matches a possible signature or digest, which no log and no response may
// contain. It does not match decimal digits alone, which may be a duration.
var longHex = regexp.MustCompile(`[0-9]{0,15}[a-fA-F][0-9a-fA-F]{15,}`)

// leak returns a secret that text holds, or "".
func leak(text string) string {
	for _, secret := range secretTexts {
		if strings.Contains(text, secret) {
			return secret
		}
	}
	return longHex.FindString(text)
}

func (s *suite) inspectLog(text string) {
	if leak(text) == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for line := range strings.SplitSeq(text, "\n") {
		if leak(line) != "" {
			s.leaks = append(s.leaks, line)
		}
	}
}

func (s *suite) keepAnswer(a answer) {
	print := a.fingerprint()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.answers[a.status] == nil {
		s.answers[a.status] = make(map[string]bool)
	}
	s.answers[a.status][print] = true
	if found := leak(print); found != "" {
		s.leaks = append(s.leaks, print)
	}
}

// A finding is a check over all cases.
type finding struct {
	name  string
	check func(reporter)
}

// summary returns the checks that run after all cases.
func (s *suite) summary() []finding {
	return []finding{
		{"T126 no secret, signature or password in any log or response", func(t reporter) {
			for i, line := range s.leaks {
				if i < 5 {
					t.Errorf("a secret %q in: %.300s", leak(line), line)
				}
			}
		}},
		{"T128 all refusals with one status get the same bytes", func(t reporter) {
			for status, prints := range s.answers {
				if len(prints) > 1 {
					t.Errorf("responses with status %d differ in %d ways: %v", status, len(prints), prints)
				}
			}
		}},
	}
}
