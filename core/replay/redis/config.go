package redis

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/gatewayauth/gatewayauth/core"
)

// Config configures a [Store]. URL is required; the zero value of every other field is
// safe.
type Config struct {
	// URL is the server:
	//
	//	redis://[user]:password@host:port/database
	//	rediss://...                                  with TLS
	//	unix://[user]:password@/path/to/socket?db=database
	//	redis://...?cluster=true&addr=host:port       a cluster, and more of its servers
	//	redis://...?master_set=name&addr=host:port    sentinels, and more of them
	//
	// User and password are those of the servers. Sentinels that want a password get
	// sentinel_username (optional) and sentinel_password, which are parameters. valkey and valkeys mean the same as redis and rediss. User, password, port
	// (default 6379) and database (default 0) are optional. Other parameters are
	// client_name, and protocol=2 for servers or proxies that do not support RESP3.
	// Everything else is an error.
	URL core.Secret
	// TLS sets certificate authorities or a client certificate. It requires a URL with
	// rediss. Nil means the system's certificate authorities. The servers' certificates
	// must be valid for the host of the URL unless ServerName is set.
	TLS *tls.Config `json:"-"`
	// Prefix is the prefix of every key on the server. Empty means
	// "gatewayauth:replay:". Instances with the same prefix and database share entries.
	Prefix string
	// Timeout is how long a check may take. 0 means 50 ms; at most 10 s.
	Timeout time.Duration
	// ClockStep is how far a clock may step back, and how far the clocks of two
	// instances may differ, without an entry expiring while its request can still be
	// accepted. It is added to the lifetime of every entry. 0 means one hour; at most
	// 24 hours. It need not cover a longer clock skew after a reload.
	ClockStep time.Duration
	// Logger gets the warnings about the server; nil means slog.Default().
	Logger *slog.Logger `json:"-"`
}

const (
	defaultPrefix    = "gatewayauth:replay:"
	maxPrefix        = 128
	defaultTimeout   = 50 * time.Millisecond
	maxTimeout       = 10 * time.Second
	defaultClockStep = time.Hour
	maxClockStep     = 24 * time.Hour
)

// Validate returns all problems of the configuration, each as a [core.ConfigError]. It
// does not connect to the server. [New] makes the same checks.
func (c Config) Validate() error {
	_, err := c.check()
	return err
}

// check sets defaults and returns all problems. Their texts contain no part of the URL.
func (c *Config) check() (rueidis.ClientOption, error) {
	var problems []error
	problem := func(field, rule string, args ...any) {
		problems = append(problems, &core.ConfigError{Field: field, Rule: fmt.Sprintf(rule, args...)})
	}

	option, err := parseURL(c.URL.Reveal())
	if err != nil {
		problem("URL", "%v", err)
	}
	if c.TLS != nil && err == nil && option.TLSConfig == nil {
		problem("TLS", "the URL is not one with rediss")
	} else if c.TLS != nil && err == nil {
		host := option.TLSConfig.ServerName
		if option.TLSConfig = c.TLS.Clone(); option.TLSConfig.ServerName == "" {
			option.TLSConfig.ServerName = host
		}
	}
	option.Sentinel.TLSConfig = option.TLSConfig
	if c.Prefix == "" {
		c.Prefix = defaultPrefix
	}
	if len(c.Prefix) > maxPrefix {
		problem("Prefix", "longer than %d bytes", maxPrefix)
	}
	if c.Timeout < 0 || c.Timeout > maxTimeout {
		problem("Timeout", "%v is not between 0 and %v", c.Timeout, maxTimeout)
	}
	if c.ClockStep < 0 || c.ClockStep > maxClockStep {
		problem("ClockStep", "%v is not between 0 and %v", c.ClockStep, maxClockStep)
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if c.ClockStep == 0 {
		c.ClockStep = defaultClockStep
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return option, errors.Join(problems...)
}

// parseURL is like rueidis.ParseURL, but its errors contain no part of the URL, and it
// refuses parameters that are unknown or weaken the guarantees of the store.
func parseURL(text string) (option rueidis.ClientOption, err error) {
	u, err := url.Parse(text)
	if err != nil || u.Opaque != "" || u.Fragment != "" {
		return option, errors.New("not a URL (characters of a password that are special in URLs must be percent-encoded)")
	}
	switch u.Scheme {
	case "redis", "rediss", "valkey", "valkeys":
		if u.Hostname() == "" {
			return option, errors.New("no host")
		}
		if n, err := strconv.Atoi(strings.TrimPrefix(u.Path, "/")); u.Path != "" && (err != nil || n < 0) {
			return option, errors.New("the path is not a database number")
		}
	case "unix":
		if u.Host != "" || u.Path == "" {
			return option, errors.New("not the absolute path of a socket")
		}
	default:
		return option, errors.New("the scheme is none of redis, rediss, valkey, valkeys and unix")
	}
	if password, _ := u.User.Password(); u.User != nil && core.NewSecret(password).IsBlank() {
		return option, errors.New("a user without a password")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return option, errors.New("the query cannot be read")
	}
	if strings.Contains(u.RawQuery, "+") {
		return option, errors.New("a + in the query, where it means a blank: write %2B or %20")
	}
	for name, values := range query {
		switch name {
		case "db":
			if n, err := strconv.Atoi(values[0]); err != nil || n < 0 || u.Scheme != "unix" {
				return option, errors.New("db is not a database number, or the URL is not one with unix")
			}
		case "cluster":
			if values[0] != "true" || u.Scheme == "unix" || query.Has("master_set") {
				return option, errors.New("cluster is not true, or does not fit the rest")
			}
		case "addr":
			if !query.Has("cluster") && !query.Has("master_set") {
				return option, errors.New("addr without cluster or master_set")
			}
		case "sentinel_username", "sentinel_password":
			if !query.Has("master_set") || core.NewSecret(query.Get("sentinel_password")).IsBlank() {
				return option, errors.New(name + " without master_set or without sentinel_password")
			}
		case "client_name", "master_set", "protocol":
		default:
			return option, errors.New("an unknown parameter")
		}
		if len(values) > 1 && name != "addr" {
			return option, errors.New("a parameter twice")
		}
	}
	if option, err = rueidis.ParseURL(text); err != nil {
		return rueidis.ClientOption{}, errors.New("not a URL of a Redis server")
	}
	option.Sentinel.Username, option.Sentinel.Password = query.Get("sentinel_username"), query.Get("sentinel_password")
	// Otherwise every server is asked whether it is part of a cluster.
	option.ForceSingleClient = !query.Has("cluster")
	return option, nil
}
