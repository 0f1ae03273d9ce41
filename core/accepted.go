package core

// accepted is a scheme of a policy, with what a request would otherwise ask it for
// each time.
type accepted struct {
	Scheme
	set         *KeySet              // that its source was, if it was one of [Keys]
	keys        map[string]*fixedKey // of the set, by id
	environment string
	origins     []origin // of identities, by algorithm
	prefixes    []string // of the headers that must be signed where they are present
	notSigned   error    // the refusal of a request that leaves one unsigned
}

// fixedKey is a key, and where its use is counted.
type fixedKey struct {
	key *Key
	use *keyUse
}

func newAccepted(s Scheme, environment string) *accepted {
	x := &accepted{Scheme: s, environment: environment}
	if set, fixed := s.Keys().(*KeySet); fixed {
		x.set = set
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
