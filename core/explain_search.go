package core

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"slices"
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
	whole    bool // body is all of it
	binding  binding
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
	case CodeBodyTooLarge, CodeUnavailable, CodeThrottled:
		return // the verdict says it all
	case CodeCredentialMissing, CodeCredentialMalformed:
		// It says it all, unless another environment can read the credential.
		s.collect((*search).otherEnvironments)
		s.single()
		return
	}
	f := s.fits(&s.base)
	if f.whole() {
		s.found(nil, &s.base, f)
		return
	}
	s.collect(causes...)
	if s.single(); len(s.explanation.Causes) == 0 {
		s.pairs()
	}
	if len(s.explanation.Causes) == 0 {
		s.nothingFits(f)
	}
}

// collect fills changes from rows of the table. A change that is there already is
// not taken twice.
func (s *search) collect(rows ...func(*search) []change) {
	s.dimensions, s.seen = map[string]int{}, map[string]bool{}
	for _, row := range rows {
		if s.over() {
			return
		}
		for _, c := range row(s) {
			id := c.dimension + "\n" + c.id
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
			g, f := s.try(c)
			switch {
			case !f.whole():
			case len(s.explanation.Causes) > 0:
				s.explanation.Alternatives = append(s.explanation.Alternatives, c.findings...)
			default:
				s.found(c.findings, g, f)
				if c.dimension == "sender" { // it knows
					return
				}
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
					a, b := first[i], second[cost-i]
					if g, f := s.try(a, b); f.whole() {
						s.found(slices.Concat(a.findings, b.findings), g, f)
						return
					}
				}
			}
		}
	}
}

// try makes changes to the request, and looks whether it fits then because of them.
func (s *search) try(changes ...change) (*guess, fit) {
	g := s.with(changes)
	f := s.fits(g)
	if f.whole() && !s.matter(changes) {
		f.signature = false
	}
	return g, f
}

func (s *search) with(changes []change) *guess {
	g := s.base
	for _, c := range changes {
		c.apply(&g)
	}
	return &g
}

// matter reports whether changes change what is signed, or what it is signed with:
// two may undo each other, and one may do nothing beside the other. Such are no
// cause, whatever a scheme says about them.
func (s *search) matter(changes []change) bool {
	together := s.signing(s.with(changes))
	if together == s.signing(&s.base) {
		return false
	}
	for i := range changes {
		if len(changes) > 1 && together == s.signing(s.with(slices.Delete(slices.Clone(changes), i, i+1))) {
			return false
		}
	}
	return true
}

// signing is what is signed, and with what.
type signing struct {
	text, digest       string // text is the canonical request, if there is one
	scheme             Scheme
	key                *Key
	anyScope, anyToken bool
}

func (s *search) signing(g *guess) signing {
	r := s.request(g)
	made := signing{digest: g.digest, key: g.key, anyScope: g.anyScope, anyToken: g.anyToken}
	scheme, c, err := s.parse(r, g)
	if err == nil {
		made.scheme = scheme
		if shown, ok := scheme.(Canonicalizer); ok {
			made.text, _, err = shown.Canonical(r, c, payloadOf(g, c))
		}
	}
	if err != nil || made.text == "" { // the request itself, then
		made.text = fmt.Sprint(r.Method, r.Host, r.RequestURI, r.Header)
	} else if g.edit != nil {
		made.text = g.edit(made.text)
	}
	return made
}

// setting is what the operator calls a field of Config.
func (s *search) setting(field string) string {
	if s.hints.Setting == nil {
		return field
	}
	return s.hints.Setting(field)
}

// over reports whether the search must end.
func (s *search) over() bool {
	if s.tried >= s.most || s.ctx().Err() != nil {
		s.cut = true
	}
	return s.cut
}
