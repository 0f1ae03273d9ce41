package core

import (
	"crypto/sha256"
	"net/http"
	"time"
)

// A search looks for what makes the signature of one request fit.
type search struct {
	policy *policy
	others []environment
	hints  Hints
	most   int

	received *http.Request
	now      time.Time
	body     []byte
	whole    bool   // body is all of it
	bound    string // the name of the key bound to the API
	matched  bool   // the binding is known
	keys     map[keyAt]*Key
	hidden   map[string]bool // texts that the report does not show
	longest  []string        // the same, the longest first: one may be part of another

	base       guess // the request as the verifier reads it
	scheme     Scheme
	credential *Credential // nil where it cannot be read
	bodyHash   *Hash

	changes     [][]change // by dimension
	dimensions  map[string]int
	seen        map[string]bool
	tried       int
	cut         bool
	explanation Explanation
}

// environment is one of Hints.Environments.
type environment struct {
	name   string
	policy *policy
}

var sha256Hash = NewHash(sha256.New)

// explain looks for causes.
func (s *search) explain() {
	switch s.explanation.Code {
	case CodeCredentialMissing, CodeCredentialMalformed, CodeBodyTooLarge, CodeUnavailable, CodeThrottled:
		return // the verdict says it all
	}
	signature, body := s.fits(&s.base)
	if signature && body {
		s.found(nil)
		return
	}
	s.collect()
	if s.single(); len(s.explanation.Causes) == 0 {
		s.pairs()
	}
	if len(s.explanation.Causes) == 0 {
		s.explanation.Causes = s.facts(signature)
	}
}

// collect fills changes from the table. A change that is there already is not
// taken twice.
func (s *search) collect() {
	s.dimensions, s.seen = map[string]int{}, map[string]bool{}
	for _, row := range causes {
		if s.over() {
			return
		}
		for _, c := range row(s) {
			id := c.dimension + "\n" + c.to
			if s.seen[id] {
				continue
			}
			s.seen[id] = true
			i, known := s.dimensions[c.dimension]
			if !known {
				i = len(s.changes)
				s.dimensions[c.dimension] = i
				s.changes = append(s.changes, nil)
			}
			s.changes[i] = append(s.changes[i], c)
		}
	}
}

// single tries every change alone.
func (s *search) single() {
	for _, list := range s.changes {
		for _, c := range list {
			if s.over() {
				return
			}
			if !s.makesFit(c) {
				continue
			}
			if len(s.explanation.Causes) > 0 {
				s.explanation.Alternatives = append(s.explanation.Alternatives, c.findings...)
				continue
			}
			s.found(c.findings)
			if c.dimension == "sender" { // it knows
				return
			}
		}
	}
}

// pairs tries two changes together, the likely ones first, until two fit.
func (s *search) pairs() {
	longest := 0
	for _, list := range s.changes {
		longest = max(longest, len(list))
	}
	for cost := 0; cost <= 2*(longest-1); cost++ {
		for d, first := range s.changes {
			for _, second := range s.changes[d+1:] {
				for i := max(0, cost-len(second)+1); i <= cost && i < len(first); i++ {
					if s.over() {
						return
					}
					if a, b := first[i], second[cost-i]; s.makesFit(a, b) {
						s.found(append(append([]Finding(nil), a.findings...), b.findings...))
						return
					}
				}
			}
		}
	}
}

func (s *search) makesFit(changes ...change) bool {
	g := s.base
	for _, c := range changes {
		c.apply(&g)
	}
	signature, body := s.fits(&g)
	return signature && body
}

// over reports whether the search must end.
func (s *search) over() bool {
	if s.tried >= s.most || s.ctx().Err() != nil {
		s.cut = true
	}
	return s.cut
}
