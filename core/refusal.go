package core

import (
	"errors"
	"maps"
	"net/http"
	"sync"
	"sync/atomic"
)

// Refuse returns an *Error for a scheme's or a key source's verdict. Detail must
// hold nothing secret and nothing that the caller chose: it is one of a few
// texts, each of which is one and the same error every time, so that a flood of
// refusals costs no memory.
func Refuse(code Code, detail string) error { return interned.get(refusal{code, detail}) }

type refusal struct {
	code   Code
	detail string
}

// table holds what is made once and used from then on. It does not grow beyond
// what its users can have meant.
type table[K comparable, V any] struct {
	make func(K) V
	all  atomic.Pointer[map[K]V]
	mu   sync.Mutex
}

func (t *table[K, V]) get(key K) V {
	if all := t.all.Load(); all != nil {
		if v, ok := (*all)[key]; ok {
			return v
		}
	}
	return t.add(key)
}

func (t *table[K, V]) add(key K) V {
	const most = 1000
	t.mu.Lock()
	defer t.mu.Unlock()
	all := map[K]V{}
	if old := t.all.Load(); old != nil {
		if v, ok := (*old)[key]; ok {
			return v
		}
		all = maps.Clone(*old)
	}
	v := t.make(key)
	if len(all) < most {
		all[key] = v
		t.all.Store(&all)
	}
	return v
}

// interned are the errors that Refuse returns.
var interned = table[refusal, *Error]{make: func(r refusal) *Error {
	return &Error{Code: r.code, Detail: r.detail, known: true}
}}

// refusals are the known errors with the challenge of a policy.
type refusals = table[*Error, *Error]

// refusal makes the error complete: an *Error that can answer the request.
func (p *policy) refusal(r *http.Request, a *attempt, err error) error {
	e, ok := err.(*Error)
	if !ok {
		if e, ok = errors.AsType[*Error](err); !ok {
			e = &Error{Code: CodeUnavailable, Detail: "the scheme failed", Err: err}
		}
	}
	if e.known && !p.ExposeReason {
		return p.refusals.get(e)
	}
	answer := *e
	answer.challenge, answer.known = p.challenge, false
	if p.ExposeReason {
		answer.exposed = p.expose(r, a)
	}
	return &answer
}

// expose computes what the verifier read, for the answer in development.
func (p *policy) expose(r *http.Request, a *attempt) *exposure {
	x := new(exposure)
	if a.scheme == nil || a.payload == "" {
		return x
	}
	if s, ok := a.scheme.Scheme.(Canonicalizer); ok {
		x.canonicalRequest, x.stringToSign, _ = s.Canonical(p.Rewrite.undo(r, a), &a.credential, a.payload)
	}
	return x
}
