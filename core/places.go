package core

import "hash/maphash"

// places holds the bindings of requests that were accepted, since asking
// net/http's ServeMux takes half as long as all else: it depends on method, host
// and path alone, and many APIs have the same path each time. A place is taken
// over by the next request that falls on it.
type places [16]place

type place struct {
	key        []byte // method, host and path
	host, path int    // where they begin
	binding    *binding
}

func (p *places) at(path string) *place { return &p[maphash.String(seed, path)%uint64(len(p))] }

// find returns the binding of a request, nil where it is not known.
func (p *places) find(method, host, path string) *binding {
	at := p.at(path)
	if string(at.key[:at.host]) == method && string(at.key[at.host:at.path]) == host && string(at.key[at.path:]) == path {
		return at.binding
	}
	return nil
}

// keep remembers a binding, with copies of the texts, in room that is used again.
func (p *places) keep(method, host, path string, b *binding) {
	const most = 512
	if len(method)+len(host)+len(path) > most {
		return
	}
	at := p.at(path)
	at.key = append(append(append(at.key[:0], method...), host...), path...)
	at.host, at.path, at.binding = len(method), len(method)+len(host), b
}
