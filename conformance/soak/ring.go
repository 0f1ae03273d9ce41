package main

import "math/rand/v2"

// A ring keeps the last messages that were put into it.
type ring struct {
	locked[[]*message]
}

const ringSize = 256

func (r *ring) put(m *message) {
	r.with(func(list *[]*message) {
		if len(*list) == ringSize {
			*list = append((*list)[:0], (*list)[1:]...)
		}
		*list = append(*list, m)
	})
}

// take removes and returns a random message, nil where there is none or it is not ok.
func (r *ring) take(random *rand.Rand, ok func(*message) bool) (m *message) {
	r.with(func(list *[]*message) {
		if len(*list) == 0 {
			return
		}
		i := random.IntN(len(*list))
		if m = (*list)[i]; !ok(m) {
			m = nil
			return
		}
		*list = append((*list)[:i], (*list)[i+1:]...)
	})
	return m
}
