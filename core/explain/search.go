package explain

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// A search is the search for the edits with which the signature of one request verifies.
type search struct {
	policy   core.Config // with its defaults
	verifier *core.Verifier
	others   []environment
	hints    Hints
	most     int

	received *http.Request
	now      time.Time
	body     []byte
	whole    bool // body is complete
	broken   bool // body ends with an error
	binding  binding
	keys     map[keyAt]*core.Key
	hidden   map[string]bool // texts that the report does not show
	longest  []string        // the same, the longest first: one may be part of another

	base       hypothesis // the request as the verifier reads it
	scheme     core.Scheme
	credential *core.Credential // nil if it cannot be parsed
	bodyHash   *core.Hash

	edits       [][]edit // by dimension
	dimensions  map[string]int
	seen        map[string]bool
	tried       int
	cut         bool
	explanation Explanation
}

// environment is one of Hints.Environments.
type environment struct {
	name   string
	policy core.Config
}

var sha256Hash = core.NewHash(sha256.New)

// explain looks for causes.
func (s *search) explain() {
	switch s.explanation.Code {
	case core.CodeBodyTooLarge, core.CodeUnavailable, core.CodeThrottled:
		return // there is no other cause than the verdict
	case core.CodeCredentialMissing, core.CodeCredentialMalformed:
		// The verdict is the cause, unless the credential can be read from another header
		// or by another environment.
		s.collect((*search).elsewhere, (*search).otherEnvironments)
		s.single()
		return
	}
	v := s.verifies(&s.base)
	if v.whole() {
		s.found(nil, &s.base, v)
		return
	}
	s.collect(edits...)
	if s.single(); len(s.explanation.Causes) == 0 {
		s.pairs()
	}
	if len(s.explanation.Causes) == 0 {
		s.nothingVerifies(v)
	}
}

// collect adds the edits of functions of the table edits, each edit once.
func (s *search) collect(rows ...func(*search) []edit) {
	s.dimensions, s.seen = map[string]int{}, map[string]bool{}
	for _, row := range rows {
		if s.exhausted() {
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
				i = len(s.edits)
				s.dimensions[c.dimension] = i
				s.edits = append(s.edits, nil)
			}
			s.edits[i] = append(s.edits[i], c)
		}
	}
}

// single tries every edit alone.
func (s *search) single() {
	for _, list := range s.edits {
		for _, c := range list {
			if s.exhausted() {
				return
			}
			h, v := s.try(c)
			switch {
			case !v.whole():
			case len(s.explanation.Causes) > 0:
				s.explanation.Alternatives = append(s.explanation.Alternatives, c.findings...)
			default:
				s.found(c.findings, h, v)
				if c.dimension == "sender" { // the sender's canonical request is certain
					return
				}
			}
		}
	}
}

// pairs tries every two edits together, the likely ones first, until the request verifies.
func (s *search) pairs() {
	longest := 0
	for _, list := range s.edits {
		longest = max(longest, len(list))
	}
	for cost := 0; cost <= 2*(longest-1); cost++ {
		for d, first := range s.edits {
			for _, second := range s.edits[d+1:] {
				for i := max(0, cost-len(second)+1); i <= cost && i < len(first); i++ {
					if s.exhausted() {
						return
					}
					a, b := first[i], second[cost-i]
					if h, v := s.try(a, b); v.whole() {
						s.found(slices.Concat(a.findings, b.findings), h, v)
						return
					}
				}
			}
		}
	}
}

// try applies edits to the request and reports whether it verifies because of them.
func (s *search) try(edits ...edit) (*hypothesis, verification) {
	h := s.with(edits)
	v := s.verifies(h)
	if v.whole() && !s.matter(edits) {
		v.signature = false
	}
	return h, v
}

func (s *search) with(edits []edit) *hypothesis {
	h := s.base
	for _, c := range edits {
		c.apply(&h)
	}
	return &h
}

// matter reports whether every edit changes what is signed, or the key it is signed with.
// Two edits can undo each other, or one can have no effect with the other. Those are not
// the cause, even if a scheme accepts them.
func (s *search) matter(edits []edit) bool {
	together := s.signing(s.with(edits))
	if together == s.signing(&s.base) {
		return false
	}
	for i := range edits {
		if len(edits) > 1 && together == s.signing(s.with(slices.Delete(slices.Clone(edits), i, i+1))) {
			return false
		}
	}
	return true
}

// signing is what is signed, and the key it is signed with.
type signing struct {
	text, digest       string // text is the canonical request, if there is one
	scheme             core.Scheme
	key                *core.Key
	anyScope, anyToken bool
}

func (s *search) signing(h *hypothesis) signing {
	r := s.request(h)
	made := signing{digest: h.digest, key: h.key, anyScope: h.anyScope, anyToken: h.anyToken}
	if made.scheme, made.text = s.canonicalRequest(r, h); made.text == "" { // compare the request itself
		made.text = fmt.Sprint(r.Method, r.Host, r.RequestURI, r.Header)
	}
	return made
}

// canonicalRequest returns the scheme and the canonical request of a hypothesis. The text
// is empty if the scheme has none.
func (s *search) canonicalRequest(r *http.Request, h *hypothesis) (scheme core.Scheme, text string) {
	scheme, c, err := s.parse(r, h)
	if err != nil {
		return nil, ""
	}
	if shown, ok := scheme.(core.Canonicalizer); ok {
		text, _, err = shown.Canonical(r, c, payloadOf(h, c))
	}
	if err != nil || text == "" {
		return scheme, ""
	}
	if h.rewrite != nil {
		text = h.rewrite(text)
	}
	return scheme, text
}

// setting returns the name that the operator knows for a field of Config.
func (s *search) setting(field string) string {
	if s.hints.Setting == nil {
		return field
	}
	return s.hints.Setting(field)
}

// exhausted reports whether the search must end.
func (s *search) exhausted() bool {
	if s.tried >= s.most || s.ctx().Err() != nil {
		s.cut = true
	}
	return s.cut
}
