package core

// usual is what follows from the SignedHeaders of the request that was accepted
// last: gateways sign the same headers each time. It holds names and no values,
// and what it says of a list holds for that list whoever sends it.
type usual struct {
	list   string
	fields [64]usualField // by place
}

// usualField is a signed header, as [http.Header] has it. Where two have one
// place, one of them is not there.
type usualField struct {
	name  string
	kind  kind
	index uint8 // in the list
}

// learn takes over a list and the names of its headers, empty for those that are
// not to be found there.
func (u *usual) learn(list string, fields []string) {
	if list == u.list {
		return
	}
	*u = usual{list: list}
	for i, name := range fields {
		if len(name) > 2 && i < 256 {
			u.fields[place(name)] = usualField{name, kindOf(name), uint8(i)}
		}
	}
}

// find returns the signed header with the name, nil if it is not known as one.
func (u *usual) find(name string) *usualField {
	if len(name) > 2 {
		if f := &u.fields[place(name)]; f.name == name {
			return f
		}
	}
	return nil
}

// place is where a name of three letters or more is kept.
func place(name string) uint {
	return (uint(len(name)) + 3*uint(name[2]) + 7*uint(name[len(name)-1])) % 64
}
