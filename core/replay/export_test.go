package replay

// LongestChain is the largest number of tables in a bucket.
func LongestChain(s *Store) (longest int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.rings {
		for _, b := range *s.rings[i].buckets.Load() {
			longest = max(longest, b.tables)
		}
	}
	return longest
}
