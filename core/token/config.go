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

// Config says which identity services there are, and what asking them may cost.
// The zero value of every field but Keys is safe.
type Config struct {
	// Keys are what APIs can be bound to.
	Keys []Key
	// Transport sends the calls; nil means one of its own, which trusts the
	// system's certificate authorities and follows no redirect. One that is
	// set here has the last word about trust; redirects are not followed.
	Transport http.RoundTripper
	// Timeout bounds the asking about one token, everything included. 0 means
	// 5 seconds; at most one minute.
	Timeout time.Duration
	// CacheFor is how long a positive answer is remembered, never past the
	// token's end. 0 means 15 minutes, which is also the most.
	CacheFor time.Duration
	// MaxEntries bounds the positive answers remembered for one key, and as
	// much again the negative ones. 0 means 10,000; at most 10,000,000.
	MaxEntries int
	// CallsPerSecond bounds the unknown tokens asked about for one key: as many
	// in a burst, and so many per second on. The tokens that were valid when last
	// asked about have as much of their own. 0 means 100; at most 100,000.
	CallsPerSecond int
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// A Key is an identity service that tokens are checked with, and who we are
// there.
type Key struct {
	// Name is the key's name, the one that core.API.Key and core.Config.Default
	// refer to. It is also its id.
	Name string
	// IAMURL is the identity service: https://iam.example.com, with or without
	// the /v3 at its end. Nothing of a request ever becomes part of it.
	IAMURL string
	// InsecureHTTP permits an IAMURL with http: passwords and tokens then
	// travel for everyone on the way to read and to replace the answers.
	InsecureHTTP bool
	// User, Password, Domain and Project are our own account, and the project
	// that our own token is scoped to: names, both of them in the domain. The
	// account needs the permission to validate tokens.
	User     string
	Password core.Secret
	Domain   string
	Project  string
	// CallerProject is the id of the one project that callers' tokens must be
	// scoped to. Empty: tokens of every project and of none are accepted.
	CallerProject string
}

const (
	defaultTimeout        = 5 * time.Second
	maxTimeout            = time.Minute
	maxCacheFor           = 15 * time.Minute
	defaultMaxEntries     = 10_000
	defaultCallsPerSecond = 100
)

// check returns all problems of the configuration, none of which tells a secret.
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

// endpoint returns the one URL that is ever called. The list of services, which
// can be longer than all the rest of an answer, is left out.
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

// newTransport returns a transport for calls that are small, few and bounded.
// Answers are not decompressed: one of a few bytes could otherwise be of any size.
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
