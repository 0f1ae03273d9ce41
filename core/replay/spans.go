package replay

import (
	"slices"
	"sort"
)

// spans are indexes of buckets: ordered, apart, and bounded in number. Where
// there would be too many, the two that are closest become one, with what is
// between them: has may be true of more than was added, never of less. The gap
// that a large step of the clock leaves is the last to be closed so.
type spans []span

type span struct{ first, last int64 }

const maxSpans = 512

func (s spans) has(index int64) bool {
	i := s.search(index)
	return i < len(s) && s[i].first <= index
}

// search returns the first span that does not end before index.
func (s spans) search(index int64) int {
	return sort.Search(len(s), func(i int) bool { return s[i].last >= index })
}

func (s *spans) add(index int64) {
	i := s.search(index - 1)
	if i == len(*s) || (*s)[i].first > index+1 {
		*s = slices.Insert(*s, i, span{index, index})
		if len(*s) > maxSpans {
			s.join(s.closest())
		}
		return
	}
	at := &(*s)[i]
	at.first, at.last = min(at.first, index), max(at.last, index)
	if i+1 < len(*s) && (*s)[i+1].first <= at.last+1 {
		s.join(i)
	}
}

// join makes the spans i and i+1 one.
func (s *spans) join(i int) {
	(*s)[i].last = (*s)[i+1].last
	*s = slices.Delete(*s, i+1, i+2)
}

// closest returns the i for which the gap between the spans i and i+1 is the
// smallest.
func (s spans) closest() (closest int) {
	for i := 1; i+1 < len(s); i++ {
		if s[i+1].first-s[i].last < s[closest+1].first-s[closest].last {
			closest = i
		}
	}
	return closest
}
