package token

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// Config configures the scheme: the identity services, and limits for calling them. Keys
// is required; the zero value of every other field is safe.
type Config struct {
	// Keys are the keys that APIs can be bound to.
	Keys []Key
	// Transport sends the calls. Nil means a transport that trusts the system's
	// certificate authorities. A transport that is set here decides which certificates
	// are trusted. Redirects are not followed in either case.
	Transport http.RoundTripper
	// Timeout is how long checking one token may take in total. 0 means 5 seconds; at
	// most one minute.
	Timeout time.Duration
	// CacheFor is how long a positive answer is cached, but not longer than the token
	// is valid. 0 means 15 minutes, which is also the maximum.
	CacheFor time.Duration
	// MaxEntries is the largest number of positive answers that are cached for one key.
	// The same number applies to negative answers. 0 means 10,000, and 1 means 2; at most
	// 10,000,000.
	MaxEntries int
	// CallsPerSecond limits the calls for unknown tokens of one key. It is both the
	// rate and the burst. Tokens that were valid when last checked have a separate
	// limit of the same size. 0 means 100; at most 100,000.
	CallsPerSecond int
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// A Key names an identity service that checks tokens, and the account of the verifier
// there.
type Key struct {
	// Name is the key's name, the one that core.API.Key and core.Config.Default
	// refer to. It is also its id.
	Name string
	// IAMURL is the identity service: https://iam.example.com, with or without
	// the /v3 at its end. Nothing of a request ever becomes part of it.
	IAMURL string
	// InsecureHTTP allows an IAMURL with http. Everyone on the network can then read
	// passwords and tokens, and forge the answers.
	InsecureHTTP bool
	// User, Password, Domain and Project are the names of the verifier's account, and
	// of the project that its own token is scoped to. User and project are in the
	// domain. The account needs the permission to validate tokens.
	User     string
	Password core.Secret
	Domain   string
	Project  string
	// CallerProject is the id of the project that callers' tokens must be scoped to. If
	// it is empty, tokens of every project, and tokens without one, are accepted.
	CallerProject string
}

const (
	defaultTimeout        = 5 * time.Second
	maxTimeout            = time.Minute
	maxCacheFor           = 15 * time.Minute
	defaultMaxEntries     = 10_000
	defaultCallsPerSecond = 100
)

// check returns all problems of the configuration. Their texts contain no secret.
func (c *Config) check() error {
	var problems []error
	problem := func(key, field, rule string, args ...any) {
		problems = append(problems, &core.ConfigError{Key: key, Field: field, Rule: fmt.Sprintf(rule, args...)})
	}
	if c.Timeout < 0 || c.Timeout > maxTimeout {
		problem("", "Timeout", "%v is not between 0 and %v", c.Timeout, maxTimeout)
	}
	if c.CacheFor < 0 || c.CacheFor > maxCacheFor {
		problem("", "CacheFor", "%v is not between 0 and %v", c.CacheFor, maxCacheFor)
	}
	if c.MaxEntries < 0 || c.MaxEntries > 10_000_000 {
		problem("", "MaxEntries", "%d is not between 0 and 10000000", c.MaxEntries)
	}
	if c.CallsPerSecond < 0 || c.CallsPerSecond > 100_000 {
		problem("", "CallsPerSecond", "%d is not between 0 and 100000", c.CallsPerSecond)
	}
	for i := range c.Keys {
		key := &c.Keys[i]
		for _, field := range []struct {
			name  string
			value core.Secret
		}{
			{"User", core.NewSecret(key.User)}, {"Password", key.Password},
			{"Domain", core.NewSecret(key.Domain)}, {"Project", core.NewSecret(key.Project)},
		} {
			switch {
			case field.value.IsZero():
				problem(key.Name, field.name, "empty")
			case field.value.IsBlank():
				problem(key.Name, field.name, "blank: it has no visible character")
			}
		}
		if _, err := key.endpoint(); err != nil {
			problem(key.Name, "IAMURL", "%v", err)
		}
	}
	return errors.Join(problems...)
}

// endpoint returns the URL that all calls use. Its query asks for answers without the
// list of services, which can be longer than the rest.
func (k *Key) endpoint() (string, error) {
	u, err := url.Parse(k.IAMURL)
	switch {
	case err != nil: // its text would show the URL, and a password in it
		return "", errors.New("not a URL")
	case u.Scheme == "http" && !k.InsecureHTTP:
		return "", errors.New("http, and not https: passwords and tokens would travel in the clear")
	case u.Scheme != "https" && u.Scheme != "http":
		return "", errors.New("not an https URL")
	case u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "", errors.New("not of a host and, optionally, a path alone")
	}
	u.Path = strings.TrimSuffix(strings.TrimRight(u.Path, "/"), "/v3")
	u.RawPath = ""
	u = u.JoinPath("v3", "auth", "tokens")
	u.RawQuery = "nocatalog"
	return u.String(), nil
}

func (c *Config) defaults() {
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if c.CacheFor == 0 {
		c.CacheFor = maxCacheFor
	}
	if c.MaxEntries == 0 {
		c.MaxEntries = defaultMaxEntries
	}
	if c.CallsPerSecond == 0 {
		c.CallsPerSecond = defaultCallsPerSecond
	}
	if c.Now == nil {
		c.Now = time.Now
	}
}

// newTransport returns the default transport. It does not decompress answers, because a
// few compressed bytes can become an answer of any size.
func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 3 * time.Second}).DialContext,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    3 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		MaxIdleConnsPerHost:    16,
		IdleConnTimeout:        30 * time.Second,
		DisableCompression:     true,
	}
}
