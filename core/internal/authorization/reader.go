package authorization

import (
	"strings"
	"time"
)

// A Reader reads Authorization headers, and remembers what one that was accepted
// holds up to its signature: gateways send the same each time. The zero Reader
// remembers nothing. It is not for concurrent use.
type Reader struct {
	known      string // the header, up to and with "Signature="
	algorithm  string
	fields     Fields // of known, with the signature that was read last
	other      Fields // those that were read last, where they are not of known
	scope      Scope  // of the credential in fields, where it was read with terminator
	terminator string
	otherScope Scope // the one that was read last, where it is not scope
	others     bool  // other or otherScope was set
	hit        bool  // the header that was read last begins with known
	misses     int   // accepted headers in a row that did not

	timestamp [len(DateFormat)]byte // the last date, as it was read
	date      time.Time
}

// Patience is for how many accepted requests in a row something else is kept than
// what they have.
const Patience = 16

// Date is [ParseDate]. Most requests share their second with the one before.
func (r *Reader) Date(s string) (time.Time, bool) {
	if !r.date.IsZero() && s == string(r.timestamp[:]) {
		return r.date, true
	}
	date, ok := ParseDate(s)
	if ok {
		copy(r.timestamp[:], s)
		r.date = date
	}
	return date, ok
}

// Read is [Cut] and [Parse] for a header of the algorithm, and gives nil for
// another one. The fields are there until the next call.
func (r *Reader) Read(value, algorithm string) (*Fields, error) {
	// What follows is one value to its end, so there is nothing else to be read.
	n := len(r.known)
	r.hit = n > 0 && algorithm == r.algorithm && len(value) > n && value[:n] == r.known &&
		!IsBlank(value[len(value)-1]) && strings.IndexByte(value[n:], ',') < 0
	if r.hit {
		r.fields.Signature = value[n:]
		return &r.fields, nil
	}
	return r.parse(value, algorithm)
}

func (r *Reader) parse(value, algorithm string) (*Fields, error) {
	first, text := Cut(value)
	if first != algorithm {
		return nil, nil
	}
	var err error
	r.other, err = Parse(text)
	r.others = true
	return &r.other, err
}

// Forget drops what is of the header that was read last alone.
func (r *Reader) Forget() {
	r.fields.Signature, r.hit = "", false
	if r.others {
		r.other, r.otherScope, r.others = Fields{}, Scope{}, false
	}
}

// Scope is [ParseScope], for the credential in the header that was read last or
// another one. It gives nil for what is no scope. What it gives is there until the
// next call.
func (r *Reader) Scope(credential, terminator string) *Scope {
	if r.hit && r.scope.KeyID != "" && terminator == r.terminator && credential == r.fields.Credential {
		return &r.scope
	}
	return r.parseScope(credential, terminator)
}

func (r *Reader) parseScope(credential, terminator string) *Scope {
	ours := r.hit && credential == r.fields.Credential
	if ours {
		credential = r.fields.Credential // which is not a part of a request
	}
	s, ok := ParseScope(credential, terminator)
	switch {
	case !ok:
		return nil
	case ours:
		r.scope, r.terminator = s, terminator
		return &r.scope
	}
	r.otherScope, r.others = s, true
	return &r.otherScope
}

// SignedHeaders returns the list of the header that is remembered.
func (r *Reader) SignedHeaders() string { return r.fields.SignedHeaders }

// Remember keeps a header that was read last and accepted. It holds on to the one
// it has for a while: where many keys take turns, copying each would cost more
// than it saves.
func (r *Reader) Remember(value string) {
	const most = 1024
	if r.hit || len(value) > most {
		r.misses = 0
		return
	}
	if r.misses++; r.known != "" && r.misses < Patience {
		return
	}
	last := strings.LastIndexByte(value, ',') + 1
	name, _, _ := CutByte(value[last:], '=')
	if last == 0 || Trim(name) != "Signature" {
		return
	}
	// A copy, since the header is part of a request; with a digit in place of the
	// signature, which is not to be empty.
	known := value[:last+len(name)+1] + "0"
	algorithm, text := Cut(known)
	fields, err := Parse(text)
	if err != nil || fields.Signature != "0" {
		return
	}
	fields.Signature = ""
	r.known, r.algorithm, r.fields, r.hit, r.misses = known[:len(known)-1], algorithm, fields, false, 0
	r.scope = Scope{}
}
