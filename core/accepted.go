package core

// accepted is a scheme of a policy, with what a request would otherwise ask it for
// each time.
type accepted struct {
	Scheme
	keys        map[string]*fixedKey // by id; nil where they come from another source than [Keys]
	environment string
	origins     []origin // of identities, by algorithm
}

// fixedKey is a key, and where its use is counted.
type fixedKey struct {
	key *Key
	use *keyUse
}

func newAccepted(s Scheme, environment string) *accepted {
	x := &accepted{Scheme: s, environment: environment}
	if set, fixed := s.Keys().(*keySet); fixed {
		x.keys = make(map[string]*fixedKey, len(set.byID))
		for id, key := range set.byID {
			x.keys[id] = &fixedKey{key: key}
		}
	}
	for _, algorithm := range s.Algorithms() {
		x.origins = append(x.origins, origin{environment, s.Name(), algorithm})
	}
	return x
}

// origin returns that of an algorithm; not all schemes tell all theirs.
func (x *accepted) origin(algorithm string) *origin {
	for i := range x.origins {
		if x.origins[i].algorithm == algorithm {
			return &x.origins[i]
		}
	}
	return &origin{x.environment, x.Name(), algorithm}
}
