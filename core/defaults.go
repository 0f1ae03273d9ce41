package core

import (
	"cmp"
	"log/slog"
	"time"
)

const (
	defaultClockSkew   = 15 * time.Minute
	defaultMaxBody     = 12 << 20
	defaultMaxBuffered = 256 << 20
	defaultBodyTimeout = 30 * time.Second
	defaultKeyTimeout  = 5 * time.Second
	defaultLogLimit    = 100
)

// WithDefaults returns c with the defaults in place of the zero fields that have
// one. [New] does this itself: it is for programs that show or explain a policy.
func (c Config) WithDefaults() Config {
	c.ClockSkew = cmp.Or(c.ClockSkew, defaultClockSkew)
	c.MaxBody = cmp.Or(c.MaxBody, defaultMaxBody)
	c.MaxBuffered = cmp.Or(c.MaxBuffered, max(defaultMaxBuffered, c.MaxBody))
	c.BodyTimeout = cmp.Or(c.BodyTimeout, defaultBodyTimeout)
	c.KeyTimeout = cmp.Or(c.KeyTimeout, defaultKeyTimeout)
	c.LogLimit = cmp.Or(c.LogLimit, defaultLogLimit)
	c.Limits.Target = cmp.Or(c.Limits.Target, 64<<10)
	c.Limits.Authorization = cmp.Or(c.Limits.Authorization, 8192)
	c.Limits.SignedHeaders = cmp.Or(c.Limits.SignedHeaders, 64)
	c.Limits.Headers = cmp.Or(c.Limits.Headers, 256)
	c.Limits.QueryParameters = cmp.Or(c.Limits.QueryParameters, 1024)
	c.Limits.KeyLookups = cmp.Or(c.Limits.KeyLookups, 1024)
	if c.RequireSigned == nil {
		c.RequireSigned = []string{"host"}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}
