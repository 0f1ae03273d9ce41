package config

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/aescfb"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/basic"
	"github.com/gatewayauth/gatewayauth/core/signer"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
	"github.com/gatewayauth/gatewayauth/core/token"
)

// SigningKey is a key to sign requests with, as a gateway or a client does.
type SigningKey struct {
	// Key has the secret. Of type aes that is the AES key; of type token it is the
	// token, which is not in the file.
	core.Key
	// Type is the field type, one of [KeyTypes].
	Type string
	// CredentialHeader is that of the environment: where the credential is sent, or ""
	// for Authorization.
	CredentialHeader string
	// Paths is the field paths of types sigv4 and sigv4a.
	Paths string
	// Algorithm and Vector are the fields algorithm and secret of type aes.
	Algorithm string
	Vector    core.Secret

	extension Extension // of the file
}

// SignOptions say how to sign. The zero value signs what the scheme requires.
type SignOptions struct {
	// Headers are further headers to be signed.
	Headers []string
	Payload core.Payload
	// Expires, if it is not 0, puts the credential into the query, valid for so long.
	Expires time.Duration
}

// KeyTypes returns the types of keys, sorted.
func KeyTypes() (names []string) {
	for _, t := range keyTypes {
		names = append(names, t.name)
	}
	slices.Sort(names)
	return names
}

// SigningKey returns a key of an environment by its name. The name may be empty if
// the environment has one key only. An environment whose secrets were not
// read (see [File.Missing]) is an error.
func (f *File) SigningKey(env, name string) (SigningKey, error) {
	e, err := f.environment(env)
	if err != nil {
		return SigningKey{}, err
	}
	names := each(e.built, func(k key) string { return k.name })
	if name == "" && len(names) == 1 {
		name = names[0]
	}
	i := slices.Index(names, name)
	switch {
	case name == "":
		return SigningKey{}, fmt.Errorf("environment %s has several keys; say which one: %s", env, strings.Join(names, ", "))
	case i < 0:
		return SigningKey{}, fmt.Errorf("environment %s has no key %q; %s", env, name, choices(name, "there are: ", names))
	case len(e.missing) > 0:
		return SigningKey{}, fmt.Errorf("environment %s was loaded without its secrets: %s", env, strings.Join(e.missing, ", "))
	}
	k := e.built[i]
	made := SigningKey{Key: coreKey(k), Type: e.keys[i].typeName, CredentialHeader: e.policy.CredentialHeader, Paths: k.texts["paths"], Algorithm: k.texts["algorithm"],
		extension: f.extension}
	if made.Type == "aes" {
		made.ID, made.Secret, made.Vector = name, k.secrets["key"], k.secrets["secret"]
	}
	return made, nil
}

// Signer returns what signs with the key. A key that is not of a file needs an [Extension]
// if its type does.
func (k SigningKey) Signer(o SignOptions, extensions ...Extension) (signer.Signer, error) {
	for _, e := range extensions {
		k.extension.add(e)
	}
	t := findType(k.Type, k.extension)
	if t != nil && t.signer == nil {
		return nil, fmt.Errorf("a key of type %s %s", k.Type, notLinked(t.extendedBy, "Signer"))
	}
	if t == nil {
		return nil, fmt.Errorf("there is no type %q; %s", k.Type, typeChoices(k.Type))
	}
	if o.Expires != 0 && k.CredentialHeader != "" && !strings.EqualFold(k.CredentialHeader, "Authorization") {
		return nil, errors.New("the environment reads the credential from its credential_header alone, so a credential in the query would be refused")
	}
	s, err := t.signer(k, o)
	if err != nil {
		return nil, err
	}
	return signer.InHeader(s, k.CredentialHeader), nil
}

func basicSigner(k SigningKey, _ SignOptions) (signer.Signer, error) {
	return basic.NewSigner(k.Key), nil
}

func aesSigner(k SigningKey, o SignOptions) (signer.Signer, error) {
	return aescfb.NewSigner(aescfb.Key{Name: k.Name, Algorithm: k.Algorithm, Key: k.Secret, Vector: k.Vector},
		aescfb.SignOptions{Headers: o.Headers, Payload: o.Payload}), nil
}

func tokenSigner(k SigningKey, _ SignOptions) (signer.Signer, error) {
	if k.Secret.IsZero() {
		return nil, errors.New("a key of type token signs nothing: give the token that the identity service has issued, with --secret-env")
	}
	return token.NewSigner(k.Secret), nil
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
