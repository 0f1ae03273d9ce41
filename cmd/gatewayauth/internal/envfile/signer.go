package envfile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/aescfb"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/apig/sm"
	"github.com/gatewayauth/gatewayauth/core/basic"
	"github.com/gatewayauth/gatewayauth/core/signer"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
	"github.com/gatewayauth/gatewayauth/core/token"
)

// SigningKey is what a request is signed with.
type SigningKey struct {
	core.Key
	// Type is the type of the key, as in an environments file.
	Type string
	// Paths is the field paths, of types sigv4 and sigv4a.
	Paths string
	// Algorithm is the field algorithm, of type aes.
	Algorithm string
}

// SignOptions say how.
type SignOptions struct {
	// Headers are further headers to be signed.
	Headers []string
	Payload core.Payload
	// Expires puts the credential into the query.
	Expires time.Duration
}

// Key finds a key of an environment by its name. Name may be empty where there
// is one only.
func (f *File) Key(env, name string) (SigningKey, error) {
	e, ok := f.Environment(env)
	if !ok {
		return SigningKey{}, fmt.Errorf("there is no environment %q; there are: %s", env, strings.Join(f.names(), ", "))
	}
	var names []string
	for _, k := range e.List("keys") {
		names = append(names, k.Value("name"))
	}
	if name == "" && len(names) == 1 {
		name = names[0]
	}
	i := slices.Index(names, name)
	switch {
	case name == "":
		return SigningKey{}, fmt.Errorf("environment %s has several keys; say which one: %s", env, strings.Join(names, ", "))
	case i < 0:
		return SigningKey{}, fmt.Errorf("environment %s has no key %q; there are: %s", env, name, strings.Join(names, ", "))
	}
	written := e.List("keys")[i]
	made := SigningKey{Type: written.Value("type"), Paths: written.Value("paths"), Algorithm: written.Value("algorithm")}
	if made.Type == "token" {
		made.Name = name
		return made, nil
	}
	id := written.Value("key")
	if made.Type == "aes" {
		id = name
	}
	policy, err := f.Policy(env, nil)
	if err != nil {
		return SigningKey{}, err
	}
	for _, scheme := range policy.Schemes {
		if scheme.Name() != made.Type {
			continue
		}
		key, err := scheme.Keys().Key(context.Background(), id)
		if err != nil {
			return SigningKey{}, err
		}
		made.Key = *key
		return made, nil
	}
	return SigningKey{}, fmt.Errorf("no scheme of environment %s has the key %s", env, name)
}

// signers make the signer of each type of key.
var signers = map[string]func(SigningKey, SignOptions) (signer.Signer, error){
	"hmac":       sdk(apig.NewSigner),
	"aksk":       sdk(apig.NewScopedSigner),
	"v11":        headerOnly(sdk(apig.NewV11Signer)),
	"ecdsa-p256": headerOnly(sdk(apig.NewECDSASigner)),
	"hmac-sm3":   headerOnly(sdk(sm.NewSigner)),
	"sm2":        headerOnly(sdk(sm.NewSM2Signer)),
	"sigv4":      aws(sigv4.NewSigner),
	"sigv4a":     aws(sigv4.NewSignerA),
	"basic": headerOnly(func(k SigningKey, _ SignOptions) (signer.Signer, error) {
		return basic.NewSigner(k.Key), nil
	}),
	"aes": headerOnly(func(k SigningKey, o SignOptions) (signer.Signer, error) {
		const vector = 16 // core's form of the key starts with the vector
		text := k.Secret.Reveal()
		if len(text) <= vector {
			return nil, errors.New("a key of type aes is signed with from an environments file only")
		}
		return aescfb.NewSigner(aescfb.Key{Name: k.Name, Algorithm: k.Algorithm,
			Key: core.NewSecret(text[vector:]), Vector: core.NewSecret(text[:vector])},
			aescfb.SignOptions{Headers: o.Headers, Payload: o.Payload}), nil
	}),
	"token": headerOnly(func(k SigningKey, _ SignOptions) (signer.Signer, error) {
		if k.Secret.IsZero() {
			return nil, errors.New("a key of type token signs nothing: give the token that the identity service has issued, with --secret-env")
		}
		return token.NewSigner(k.Secret), nil
	}),
}

// Types are the types of keys.
func Types() []string { return slices.Sorted(maps.Keys(signers)) }

// Signer returns what signs with the key.
func (k SigningKey) Signer(o SignOptions) (signer.Signer, error) {
	made, known := signers[k.Type]
	if !known {
		return nil, fmt.Errorf("the type %q is none of %s", k.Type, strings.Join(Types(), ", "))
	}
	return made(k, o)
}

func sdk(made func(core.Key, apig.SignOptions) *apig.Signer) func(SigningKey, SignOptions) (signer.Signer, error) {
	return func(k SigningKey, o SignOptions) (signer.Signer, error) {
		return made(k.Key, apig.SignOptions{Headers: o.Headers, Payload: o.Payload, Expires: o.Expires}), nil
	}
}

func headerOnly(made func(SigningKey, SignOptions) (signer.Signer, error)) func(SigningKey, SignOptions) (signer.Signer, error) {
	return func(k SigningKey, o SignOptions) (signer.Signer, error) {
		if o.Expires != 0 {
			return nil, fmt.Errorf("keys of type %s do not sign in the query", k.Type)
		}
		return made(k, o)
	}
}

func aws(made func(core.Key, sigv4.SignOptions) *sigv4.Signer) func(SigningKey, SignOptions) (signer.Signer, error) {
	return func(k SigningKey, o SignOptions) (signer.Signer, error) {
		paths, err := sigv4.ParsePaths(k.Paths)
		if err != nil {
			return nil, err
		}
		s := made(k.Key, sigv4.SignOptions{Headers: o.Headers, Payload: o.Payload, Paths: paths})
		if o.Expires != 0 {
			return presigner{s, o.Expires}, nil
		}
		return s, nil
	}
}

// presigner signs in the query.
type presigner struct {
	*sigv4.Signer
	expires time.Duration
}

func (p presigner) Sign(r *http.Request, digest string, at time.Time) error {
	return p.Presign(r, digest, at, p.expires)
}
