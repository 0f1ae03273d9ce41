package vectors

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/aescfb"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/apig/sm"
	"github.com/gatewayauth/gatewayauth/core/basic"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
	"github.com/gatewayauth/gatewayauth/core/token"
)

// Environment is the environment of the vectors.
const Environment = "RELEASE"

// A Judge is a verifier for one vector, with the keys and the scheme of the file, and the
// policy and the instant of the vector.
type Judge struct {
	*core.Verifier
	close func() error
}

// Close stops the identity service. It returns an error if that got other requests than
// the vector describes.
func (j *Judge) Close() error { return j.close() }

// Judge returns the verifier for a vector of f. change, if not nil, may change parts of
// its policy that do not affect the verdict.
func (f *File) Judge(v *Vector, change func(*core.Config)) (*Judge, error) {
	c := core.Config{
		Environment:  Environment,
		Default:      v.Key,
		Now:          func() time.Time { return v.At },
		Logger:       slog.New(slog.DiscardHandler),
		ExposeReason: true,
	}
	var policy Policy
	if v.Policy != nil {
		policy = *v.Policy
	}
	c.ClockSkew = time.Duration(policy.ClockSkew) * time.Second
	c.MaxBody, c.RequireSigned = policy.MaxBody, policy.RequireSigned
	c.AllowUnsignedPayload, c.AllowPresigned = policy.AllowUnsignedPayload, policy.AllowPresigned
	if policy.Rewrite != nil {
		c.Rewrite = core.Rewrite{AddPrefix: policy.Rewrite.AddPrefix, Host: policy.Rewrite.Host}
	}
	j := &Judge{close: func() error { return nil }}
	var scheme core.Scheme
	var err error
	if f.Scheme == "token" {
		scheme, j.close = f.token(v)
	} else if scheme, err = f.scheme(&policy, c.Now); err != nil {
		return nil, err
	}
	c.Schemes = []core.Scheme{scheme}
	if change != nil {
		change(&c)
	}
	if j.Verifier, err = core.New(c); err != nil {
		return nil, errors.Join(err, j.close())
	}
	return j, nil
}

func (f *File) scheme(policy *Policy, now func() time.Time) (core.Scheme, error) {
	switch f.Scheme {
	case "hmac":
		return apig.New(apig.Config{Keys: f.source()}), nil
	case "aksk":
		return apig.NewScoped(apig.Config{Keys: f.source()}), nil
	case "v11":
		return apig.NewV11(apig.Config{Keys: f.source()}), nil
	case "ecdsa-p256":
		return apig.NewECDSA(apig.Config{Keys: f.source()}), nil
	case "hmac-sm3":
		return sm.New(sm.Config{Keys: f.source()}), nil
	case "sm2":
		return sm.NewSM2(sm.Config{Keys: f.source()}), nil
	case "basic":
		return basic.New(basic.Config{Keys: f.source(), Now: now}), nil
	case "sigv4":
		paths, err := f.paths()
		return sigv4.New(sigv4.Config{Keys: f.source(), PathsByID: paths}), err
	case "sigv4a":
		paths, err := f.paths()
		return sigv4.NewA(sigv4.ConfigA{Keys: f.source(), PathsByID: paths, AllowRegionWildcards: policy.AllowRegionWildcards}), err
	case "aes":
		return aescfb.New(aescfb.Config{Keys: f.aes()}), nil
	}
	return nil, fmt.Errorf("unknown scheme %q", f.Scheme)
}

func (f *File) source() core.KeySource {
	keys := make([]core.Key, len(f.Keys))
	for i, k := range f.Keys {
		keys[i] = core.Key{
			Name: k.Name, ID: k.Key, Secret: core.NewSecret(k.Secret), Region: k.Region, Service: k.Service,
			SessionToken: core.NewSecret(k.SessionToken),
		}
		for _, p := range k.Previous {
			keys[i].Previous = append(keys[i].Previous, core.PreviousSecret{Secret: core.NewSecret(p.Secret), Until: p.Until})
		}
	}
	return core.Keys(keys...)
}

func (f *File) paths() (map[string]sigv4.Paths, error) {
	rules := map[string]sigv4.Paths{}
	for _, k := range f.Keys {
		rule, err := sigv4.ParsePaths(k.Paths)
		if err != nil {
			return nil, err
		}
		rules[k.Key] = rule
	}
	return rules, nil
}

func (f *File) aes() []aescfb.Key {
	keys := make([]aescfb.Key, len(f.Keys))
	for i, k := range f.Keys {
		keys[i] = aescfb.Key{Name: k.Name, Algorithm: k.Algorithm, Key: core.NewSecret(k.Key), Vector: core.NewSecret(k.Secret)}
		for _, p := range k.Previous {
			keys[i].Previous = append(keys[i].Previous, aescfb.Previous{Key: core.NewSecret(p.Key), Vector: core.NewSecret(p.Secret), Until: p.Until})
		}
	}
	return keys
}

// token returns the token scheme, and starts the identity service that the vector
// describes.
func (f *File) token(v *Vector) (core.Scheme, func() error) {
	service := &identityService{answers: v.IdentityService}
	server := httptest.NewTLSServer(service)
	keys := make([]token.Key, len(f.Keys))
	for i, k := range f.Keys {
		keys[i] = token.Key{Name: k.Name, IAMURL: server.URL, User: k.User, Password: core.NewSecret(k.Password),
			Domain: k.Domain, Project: k.Project, CallerProject: k.CallerProject}
		if k.Name == v.Key {
			service.key = k
		}
	}
	s := token.New(token.Config{Keys: keys, Transport: server.Client().Transport, Now: func() time.Time { return v.At }})
	return s, func() error {
		s.Close()
		server.Close()
		return service.verdict()
	}
}
