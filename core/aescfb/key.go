package aescfb

import (
	"crypto/aes"
	"errors"
	"fmt"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// A Key is a signature key of type aes. Its name is what requests may carry,
// and what identities, events and logs show, also as the key's id; the
// characters of key and vector appear nowhere.
type Key struct {
	// Name is the key's name, the one that core.API.Key and core.Config.Default
	// refer to.
	Name string
	// Algorithm is the gateway's field: aes-128-cfb or aes-256-cfb. Empty: what
	// the length of the key says.
	Algorithm string
	// Key is the AES key itself: 16 bytes for aes-128-cfb, 32 for aes-256-cfb.
	Key core.Secret
	// Vector is the initialization vector: 16 bytes, of which one at least is a
	// visible character, as in the gateway's console.
	Vector core.Secret
	// Previous are earlier keys and vectors, still accepted during a rotation.
	Previous []Previous
}

// Previous is an earlier key, an earlier vector, or both.
type Previous struct {
	// Key and Vector are what they were; what is empty is as it is now.
	Key, Vector core.Secret
	// Until is the instant from which they are no longer accepted; zero is no end.
	Until time.Time
}

// The gateway's names of the algorithms, with the length of their keys in bytes.
var algorithms = map[string]int{"aes-128-cfb": 16, "aes-256-cfb": 32}

// core returns the key as the verifier holds it. The vector is part of the
// secret, so that whatever rotates rotates as a whole.
func (k *Key) core() core.Key {
	key := core.Key{Name: k.Name, ID: k.Name, Secret: join(k.Key, k.Vector)}
	for _, p := range k.previous() {
		key.Previous = append(key.Previous, core.PreviousSecret{Secret: join(p.Key, p.Vector), Until: p.Until})
	}
	return key
}

func join(key, vector core.Secret) core.Secret { return core.NewSecret(vector.Reveal() + key.Reveal()) }

// previous returns the earlier ones, complete.
func (k *Key) previous() []Previous {
	all := make([]Previous, len(k.Previous))
	for i, p := range k.Previous {
		if p.Key.IsZero() {
			p.Key = k.Key
		}
		if p.Vector.IsZero() {
			p.Vector = k.Vector
		}
		all[i] = p
	}
	return all
}

// check returns all problems of the configuration, none of which tells a secret.
func (c *Config) check() error {
	var problems []error
	problem := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if size := c.Format.PlaintextSize(); size < minPlaintext {
		problem("Format: its plaintext is %d bytes long; below %d it can be forged from one observed request", size, minPlaintext)
	}
	if c.Format.Algorithm(128) == c.Format.Algorithm(256) {
		problem("Format: one algorithm for keys of both lengths")
	}
	for i := range c.Keys {
		key := &c.Keys[i]
		key.check(func(field string, err error) { problem("key %q: %s: %w", key.Name, field, err) })
	}
	return errors.Join(problems...)
}

// check reports what is wrong with a key, by field.
func (k *Key) check(problem func(field string, err error)) {
	size, known := algorithms[k.Algorithm]
	if !known && k.Algorithm != "" {
		problem("Algorithm", errors.New("neither aes-128-cfb nor aes-256-cfb"))
	}
	if err := checkKey(k.Key, size); err != nil {
		problem("Key", err)
	}
	if err := checkVector(k.Vector); err != nil {
		problem("Vector", err)
	}
	for i, p := range k.Previous {
		field := fmt.Sprintf("Previous[%d]", i)
		if p.Key.IsZero() && p.Vector.IsZero() {
			problem(field, errors.New("neither key nor vector"))
		}
		if err := checkKey(p.Key, 0); err != nil && !p.Key.IsZero() {
			problem(field+".Key", err)
		}
		if err := checkVector(p.Vector); err != nil && !p.Vector.IsZero() {
			problem(field+".Vector", err)
		}
	}
}

var errBlank = errors.New("blank: it has no visible character")

// checkKey takes a key, and the length that it must have, 0 where either is
// right.
func checkKey(key core.Secret, want int) error {
	length := len(key.Reveal())
	switch {
	case length == 0:
		return errors.New("empty")
	case key.IsBlank():
		return errBlank
	case want != 0 && length != want:
		return fmt.Errorf("%d bytes long, not %d as its algorithm has it", length, want)
	case length != 16 && length != 32:
		return fmt.Errorf("%d bytes long, neither 16 (aes-128-cfb) nor 32 (aes-256-cfb)", length)
	}
	return nil
}

func checkVector(vector core.Secret) error {
	length := len(vector.Reveal())
	switch {
	case length == 0:
		return errors.New("empty")
	case vector.IsBlank():
		return errBlank
	case length != aes.BlockSize:
		return fmt.Errorf("%d bytes long, not %d", length, aes.BlockSize)
	}
	return nil
}
