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
	problem := func(key, field, rule string) {
		problems = append(problems, &core.ConfigError{Key: key, Field: field, Rule: rule})
	}
	if size := c.Format.PlaintextSize(); size < minPlaintext {
		problem("", "Format", fmt.Sprintf("its plaintext is %d bytes long; below %d it can be forged from one observed request", size, minPlaintext))
	}
	if c.Format.Algorithm(128) == c.Format.Algorithm(256) {
		problem("", "Format", "one algorithm for keys of both lengths")
	}
	for i := range c.Keys {
		key := &c.Keys[i]
		key.check(func(field, rule string) {
			if rule != "" {
				problem(key.Name, field, rule)
			}
		})
	}
	return errors.Join(problems...)
}

// check calls problem with what is wrong with each field, "" where nothing is.
func (k *Key) check(problem func(field, rule string)) {
	size, known := algorithms[k.Algorithm]
	if !known && k.Algorithm != "" {
		problem("Algorithm", "neither aes-128-cfb nor aes-256-cfb")
	}
	problem("Key", checkKey(k.Key, size))
	problem("Vector", checkVector(k.Vector))
	for i, p := range k.Previous {
		field := fmt.Sprintf("Previous[%d]", i)
		if p.Key.IsZero() && p.Vector.IsZero() {
			problem(field, "neither key nor vector")
		}
		if !p.Key.IsZero() {
			problem(field+".Key", checkKey(p.Key, 0))
		}
		if !p.Vector.IsZero() {
			problem(field+".Vector", checkVector(p.Vector))
		}
	}
}

const blank = "blank: it has no visible character"

// checkKey says what is wrong with a key, "" where nothing is. Want is the length
// that it must have, 0 where either is right.
func checkKey(key core.Secret, want int) string {
	length := len(key.Reveal())
	switch {
	case length == 0:
		return "empty"
	case key.IsBlank():
		return blank
	case want != 0 && length != want:
		return fmt.Sprintf("%d bytes long, not %d as its algorithm has it", length, want)
	case length != 16 && length != 32:
		return fmt.Sprintf("%d bytes long, neither 16 (aes-128-cfb) nor 32 (aes-256-cfb)", length)
	}
	return ""
}

func checkVector(vector core.Secret) string {
	length := len(vector.Reveal())
	switch {
	case length == 0:
		return "empty"
	case vector.IsBlank():
		return blank
	case length != aes.BlockSize:
		return fmt.Sprintf("%d bytes long, not %d", length, aes.BlockSize)
	}
	return ""
}
