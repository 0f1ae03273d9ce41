package coretest

import (
	"regexp"
	"strings"
	"sync"
	"time"
)

// suite is one run over one adapter: what must hold over all cases together.
type suite struct {
	mount Mount
	// patience bounds every wait. Nothing that works comes near it.
	patience time.Duration

	mu      sync.Mutex
	answers map[int]map[string]bool // per status, the different fingerprints
	leaks   []string                // lines of logs and answers that hold a secret
}

func newSuite(mount Mount, patience time.Duration) *suite {
	return &suite{mount: mount, patience: patience, answers: make(map[int]map[string]bool)}
}

// longHex finds what could be a signature or a digest: no log and no answer has
// reason to hold one. Digits alone are durations.
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

// finding is a check over the whole run.
type finding struct {
	name  string
	check func(reporter)
}

// summary is checked after all cases.
func (s *suite) summary() []finding {
	return []finding{
		{"T126 no secret, signature or password in any log or answer", func(t reporter) {
			for i, line := range s.leaks {
				if i < 5 {
					t.Errorf("a secret %q in: %.300s", leak(line), line)
				}
			}
		}},
		{"T128 all refusals with one status get the same bytes", func(t reporter) {
			for status, prints := range s.answers {
				if len(prints) > 1 {
					t.Errorf("status %d was answered in %d ways: %v", status, len(prints), prints)
				}
			}
		}},
	}
}
