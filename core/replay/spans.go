package replay

import (
	"slices"
	"sort"
)

// spans is a set of bucket indexes, stored as a bounded number of ordered ranges. If
// there would be too many ranges, the two that are closest are merged, including the gap
// between them. So has can report true for an index that was not added, but never false
// for one that was. The large gap of a clock step is closed last.
type spans []span

type span struct{ first, last int64 }

const maxSpans = 512

func (s spans) has(index int64) bool {
	i := s.search(index)
	return i < len(s) && s[i].first <= index
}

// search returns the position of the first range that does not end before index.
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

// join merges the ranges i and i+1.
func (s *spans) join(i int) {
	(*s)[i].last = (*s)[i+1].last
	*s = slices.Delete(*s, i+1, i+2)
}

// closest returns the i for which the gap between the ranges i and i+1 is smallest.
func (s spans) closest() (closest int) {
	for i := 1; i+1 < len(s); i++ {
		if s[i+1].first-s[i].last < s[closest+1].first-s[closest].last {
			closest = i
		}
	}
	return closest
}
