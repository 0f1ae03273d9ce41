package token

// Remembered returns how many answers are held, of all keys.
func Remembered(s *Scheme) (valid, invalid int) {
	for _, c := range s.clients {
		c.mu.Lock()
		valid += len(c.valid.young) + len(c.valid.old)
		invalid += len(c.invalid.young) + len(c.invalid.old)
		c.mu.Unlock()
	}
	return valid, invalid
}
