package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/conformance/bench"
	"github.com/gatewayauth/gatewayauth/conformance/bench/internal/turns"
	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
)

// A policy has APIs, each with a pattern of its own, and keys.
type policy struct {
	name       string
	apis, keys int  // without APIs the first key is the default
	source     bool // the keys come from a source of the user's
}

func policiesOf(most int) []policy {
	return []policy{
		{"default key", 0, 1, false},
		{"1 API", 1, 1, false},
		{"100 APIs", 100, 1, false},
		{fmt.Sprint(most, " APIs"), most, 1, false},
		{fmt.Sprint(most, " APIs, a key for each"), most, most, false},
		{fmt.Sprint(most, " keys"), 0, most, false},
		{"key source", 0, 1, true},
	}
}

// A verdict is what becomes of a request.
type verdict struct {
	name      string
	code      core.Code // empty where it is accepted
	each      bool      // the requests are for each API in turn, else for the same one
	presigned bool
	age       time.Duration       // of the date
	change    func(*http.Request) // made after the request is signed
}

const limit = 512 << 10 // of bodies

var verdicts = []verdict{
	{name: "accepted"},
	{name: "accepted, each API in turn", each: true},
	{name: "accepted, presigned with AWS4-HMAC-SHA256", presigned: true},
	{name: "no credential", code: core.CodeCredentialMissing, change: func(r *http.Request) { r.Header.Del("Authorization") }},
	{name: "unknown key", code: core.CodeKeyUnknown, change: func(r *http.Request) {
		r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "Access=", "Access=X", 1))
	}},
	{name: "stale date", code: core.CodeSignatureExpired, age: time.Hour},
	{name: "wrong signature", code: core.CodeSignatureMismatch, change: forge},
	{name: "wrong signature, each API in turn", code: core.CodeSignatureMismatch, each: true, change: forge},
	{name: "body of 1 MiB announced, over the limit", code: core.CodeBodyTooLarge, change: func(r *http.Request) { r.ContentLength = 2 * limit }},
}

func forge(r *http.Request) { r.Header.Set("X-Request-Id", "another") }

// source is a source of keys that is not [core.Keys].
type source map[string]*core.Key

func (s source) Key(_ context.Context, id string) (*core.Key, error) {
	if k, ok := s[id]; ok {
		return k, nil
	}
	return nil, core.ErrKeyUnknown
}

// key returns the key with a number.
func (d verdict) key(i int) core.Key {
	k := core.Key{Name: fmt.Sprint("key-", i), ID: fmt.Sprintf("AKTEST%010d", i), Secret: core.NewSecret(fmt.Sprintf("sktest-%032d", i))}
	if d.presigned {
		k.Region, k.Service = "eu-west-1", "execute-api"
	}
	return k
}

// verifier returns the verifier of a policy.
func (d verdict) verifier(p policy) (*core.Verifier, error) {
	keys, found := make([]core.Key, p.keys), source{}
	for i := range keys {
		keys[i] = d.key(i)
		found[keys[i].ID] = &keys[i]
	}
	set := core.KeySource(core.Keys(keys...))
	if p.source {
		set = found
	}
	scheme := apig.New(apig.Config{Keys: set})
	if d.presigned {
		scheme = sigv4.New(sigv4.Config{Keys: set})
	}
	c := core.Config{Environment: "bench", Schemes: []core.Scheme{scheme}, MaxBody: limit, AllowPresigned: d.presigned, Logger: slog.New(slog.DiscardHandler)}
	for i := range p.apis {
		c.APIs = append(c.APIs, core.API{Match: fmt.Sprintf("/v1/projects/{project}/orders-%d/{order}", i), Key: d.key(i % p.keys).Name})
	}
	if p.apis == 0 {
		c.Default = d.key(0).Name
	}
	return core.New(c)
}

var (
	empty = sha256.Sum256(nil)
	never = readers{}
)

// readers fails where somebody reads the body of a request: none of these requests needs it.
type readers struct{}

func (readers) Read([]byte) (int, error) { panic("the body was read") }
func (readers) Close() error             { return nil }

// request returns a request for the API with a number, signed with its key.
func (d verdict) request(p policy, api int) (*http.Request, error) {
	q := bench.Request{Target: fmt.Sprintf("/v1/projects/0123456789abcdef/orders-%d/420?limit=100&marker=abc&status=open", api)}
	r, k, digest, at := q.Received(), d.key(api%p.keys), hex.EncodeToString(empty[:]), time.Now().Add(-d.age)
	if !d.presigned {
		return r, bench.NewSignerOf(k).Sign(r, digest, at)
	}
	err := bench.NewPresigner(k).Presign(r, digest, at, time.Hour)
	r.RequestURI = r.URL.RequestURI()
	return r, err
}

// under returns a function that has a request verified under a policy; nil where there is
// no such request.
func (d verdict) under(p policy) (turns.Func, error) {
	if d.each && p.apis <= 1 {
		return nil, nil
	}
	v, err := d.verifier(p)
	if err != nil {
		return nil, err
	}
	honest := d
	honest.age = 0
	first, err := honest.request(p, 0)
	if err != nil {
		return nil, err
	}
	if _, err := v.Verify(first); err != nil { // the policy is right, and remembers an accepted request
		return nil, err
	}
	core.Release(first)
	requests := make([]*http.Request, 1)
	if d.each {
		requests = make([]*http.Request, p.apis)
	}
	for i := range requests {
		if requests[i], err = d.request(p, i); err != nil {
			return nil, err
		}
		if d.change != nil {
			d.change(requests[i])
		}
		if requests[i].ContentLength > 0 {
			requests[i].Body = never
		}
	}
	next := 0
	return func() error {
		r := requests[next]
		next = (next + 1) % len(requests)
		_, err := v.Verify(r)
		core.Release(r)
		if code := core.CodeOf(err); code != d.code || (err == nil) != (d.code == "") {
			return errors.Join(fmt.Errorf("code %q, want %q", code, d.code), err)
		}
		return nil
	}, nil
}
