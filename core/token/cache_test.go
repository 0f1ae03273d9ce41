package token

import "testing"

// TestCache: the cache holds no more answers than it may, but two in any case, the most
// recently used half of them for certain, and none that was dropped.
func TestCache(t *testing.T) {
	key := func(n int) digest { return digest{byte(n), byte(n >> 8)} }
	for _, most := range []int{1, 2, 3, 4, 5, 10, 100} {
		half := max(1, most/2)
		c := newCache(most)
		for n := range 10 * most {
			c.put(key(n), answer{})
			c.put(key(n), answer{}) // as after a renewal
			if got := len(c.young) + len(c.old); got > max(2, most) {
				t.Fatalf("room for %d: %d answers", most, got)
			}
			kept := 0
			for ; kept <= n; kept++ {
				_, young := c.young[key(n-kept)]
				if _, old := c.old[key(n-kept)]; !young && !old {
					break
				}
			}
			if kept < min(half, n+1) || kept > max(2, most) {
				t.Fatalf("room for %d: after %d answers, the last %d are kept", most, n+1, kept)
			}
		}
		if got := len(c.young) + len(c.old); got < half {
			t.Errorf("room for %d: %d answers", most, got)
		}
	}

	c := newCache(4)
	for n := range 4 {
		c.put(key(n), answer{})
	}
	c.put(key(3), answer{}) // takes no room from another
	for n := range 4 {
		_, young := c.young[key(n)]
		if _, old := c.old[key(n)]; !young && !old {
			t.Errorf("answer %d of 4 is gone", n)
		}
	}

	c = newCache(4)
	for n := range 100 {
		c.put(key(n), answer{})
		if _, ok := c.get(key(0)); !ok {
			t.Fatalf("what is used all the time is gone after %d others", n)
		}
	}

	for _, others := range []int{0, 3} { // it is in the young generation, or in the old one
		c := newCache(6)
		for n := range 1 + others {
			c.put(key(n), answer{})
		}
		c.drop(key(0))
		if _, ok := c.get(key(0)); ok {
			t.Errorf("dropped, and still there after %d others", others)
		}
		c.put(key(9), answer{})
		c.clear()
		for n := range 10 {
			if _, ok := c.get(key(n)); ok {
				t.Errorf("cleared, and answer %d is still there", n)
			}
		}
	}
}

// TestDigestIsKeyed: what is kept of a token cannot be computed from the token.
func TestDigestIsKeyed(t *testing.T) {
	c := Config{}
	c.defaults()
	one, other := newClient(c, Key{}), newClient(c, Key{})
	if one.digest("token") == other.digest("token") {
		t.Error("two clients have one digest of a token")
	}
}
