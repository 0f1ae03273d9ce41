package token

import "time"

// digest is a keyed hash of a token, so that the cache holds no tokens.
type digest [32]byte

// answer is what the identity service said about a token.
type answer struct {
	subject      *subject
	err          error // [errInvalid], or a failure of the token; nil: the token is valid
	since, until time.Time
}

// fresh reports whether the answer may be used at now. It may not be used if the clock
// was set back to before the answer.
func (a *answer) fresh(now time.Time) bool { return !now.Before(a.since) && now.Before(a.until) }

// cache holds a bounded number of answers in two generations. When the young generation
// is full it becomes the old one, and the old one is dropped. So at least the most
// recently used half is kept, without searching for an entry to evict.
type cache struct {
	half       int
	young, old map[digest]answer
}

func newCache(most int) cache { return cache{half: max(1, most/2), young: map[digest]answer{}} }

// get returns the cached answer about a token, even if it is no longer fresh.
func (c *cache) get(d digest) (answer, bool) {
	if a, ok := c.young[d]; ok {
		return a, true
	}
	a, ok := c.old[d]
	if ok {
		c.put(d, a)
	}
	return a, ok
}

func (c *cache) put(d digest, a answer) {
	if _, ok := c.young[d]; !ok && len(c.young) >= c.half {
		c.old, c.young = c.young, make(map[digest]answer)
	}
	c.young[d] = a
}

func (c *cache) drop(d digest) {
	delete(c.young, d)
	delete(c.old, d)
}

func (c *cache) clear() { c.young, c.old = map[digest]answer{}, nil }
