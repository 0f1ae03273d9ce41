package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/internal/vectors"
)

// row is a row of the tables: the signed request, the changes after signing, and the
// verdict.
type row struct {
	name, comment string
	key           *vectors.Key // the bound key, which also signs unless a change replaces it; nil for orders_key
	unbound       bool         // no key is bound
	at            string
	policy        *vectors.Policy
	signed, sent  []change
	code          core.Code
	// early marks a mismatch that is found without computing the signature.
	early bool
	// signature was computed by other software. The generator fails if it computes
	// another one.
	signature string
	full      bool // for hmac and sigv4 only, to keep the other files short

	service    *vectors.IdentityService
	before     []change // the changes of a request that is sent ten times before
	attributes map[string][]string
}

func accepted(name string, signed ...change) row { return row{name: name, signed: signed} }

// tampered returns a row that is changed after signing; odd returns one that is signed
// correctly and must be refused.
func tampered(name string, code core.Code, sent ...change) row {
	return row{name: name, code: code, sent: sent}
}

func odd(name string, code core.Code, signed ...change) row {
	return row{name: name, code: code, signed: signed}
}

func (r row) note(comment string) row              { r.comment = comment; return r }
func (r row) by(key vectors.Key) row               { r.key = &key; return r }
func (r row) when(date string) row                 { r.at = date; return r }
func (r row) under(p vectors.Policy) row           { r.policy = &p; return r }
func (r row) signing(changes ...change) row        { r.signed = append(r.signed, changes...); return r }
func (r row) sending(changes ...change) row        { r.sent = append(r.sent, changes...); return r }
func (r row) found(signature string) row           { r.signature = signature; return r }
func (r row) atOnce() row                          { r.early = true; return r }
func (r row) once() row                            { r.full = true; return r }
func (r row) asking(s vectors.IdentityService) row { r.service = &s; return r }
func (r row) telling(a map[string][]string) row    { r.attributes = a; return r }

// post replaces the row's request by P2 of the fixture.
func (r row) post() row {
	r.signed = append([]change{posted}, r.signed...)
	return r
}

func posted(d *draft) {
	d.method, d.target, d.body = "POST", "/v1/items?a=1&b=", `{"amount":100}`
}

const (
	today   = "20260115T120000Z"
	apiHost = "api.example.com"
)

// draft returns the row's request before any change.
func (r row) draft(a *algorithm, keys []vectors.Key) *draft {
	d := &draft{algorithm: a, method: "GET", target: "/v1/items", lines: []string{"Host: " + apiHost}, key: keys[0], date: today}
	if r.key != nil {
		d.key = *r.key
	}
	return d
}

// vector returns the vector of a row.
func (r row) vector(f *file) (v vectors.Vector, err error) {
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("%s: %s: %v", f.name, r.name, problem)
		}
	}()
	d := r.draft(f.algorithm, f.keys)
	bound := d.key
	all(r.signed...)(d)
	d.sign()
	if r.signature != "" && d.signature != r.signature {
		return v, fmt.Errorf("%s: %s: got signature %s, want %s", f.name, r.name, d.signature, r.signature)
	}
	all(r.sent...)(d)
	v = vectors.Vector{Name: r.name, Comment: r.comment, Key: bound.Name, Policy: r.policy, IdentityService: r.service,
		Request: d.wire(), Code: r.code, At: instant(today)}
	if r.at != "" {
		v.At = instant(r.at)
	}
	if r.unbound {
		v.Key = ""
	}
	if len(r.before) > 0 {
		first := r.draft(f.algorithm, f.keys)
		all(r.before...)(first)
		v.Before = &vectors.Before{Request: first.wire(), Times: 10}
	}
	if r.code == "" {
		v.Identity = d.identity(r, bound)
	}
	if f.algorithm != nil && !r.early {
		switch r.code {
		case "", core.CodeSignatureMismatch, core.CodeKeyNotBound:
			seen := *d
			if r.policy != nil && r.policy.Rewrite != nil {
				seen.undo(*r.policy.Rewrite)
			}
			v.CanonicalRequest, v.StringToSign = seen.computed()
		}
	}
	return v, nil
}

// undo undoes the changes of a proxy.
func (d *draft) undo(w vectors.Rewrite) {
	d.target = w.AddPrefix + d.target
	if w.Host != "" {
		hostIs(w.Host)(d)
	}
}

// identity returns the identity of an accepted request.
func (d *draft) identity(r row, key vectors.Key) *vectors.Identity {
	id := &vectors.Identity{Key: key.Name, KeyID: key.Key, Payload: "none", Attributes: r.attributes}
	id.Covers.Headers = []string{}
	if d.algorithm == nil {
		id.Algorithm = "Basic"
		if r.service != nil {
			id.Algorithm, id.KeyID = "X-Auth-Token", key.Name
		}
		return id
	}
	if d.algorithm == aesCFB {
		id.KeyID = key.Name
	}
	for i, previous := range key.Previous {
		if d.key.Secret == previous.Secret {
			id.Secret = i + 1
		}
	}
	id.Algorithm = d.token
	switch line := d.payloadLine(); {
	case line == "UNSIGNED-PAYLOAD":
		id.Payload = "unsigned"
	case d.payload != "" || strings.Contains(";"+d.list+";", ";"+strings.ToLower(d.algorithm.digestHeader)+";"):
		id.Payload = "declared"
	default:
		id.Payload = "hashed"
	}
	id.Covers.Target, id.Covers.Body = true, id.Payload != "unsigned"
	id.Covers.Headers = strings.Split(d.list, ";")
	for _, name := range id.Covers.Headers {
		replaced := r.policy != nil && r.policy.Rewrite != nil && r.policy.Rewrite.Host != ""
		id.Covers.Host = id.Covers.Host || name == "host" && !replaced
	}
	return id
}

func instant(date string) time.Time {
	at, err := time.Parse("20060102T150405Z", date)
	if err != nil {
		panic(err) // impossible: the arguments are constant
	}
	return at
}
