// Package redisstore lets an environments file have replay stores on Redis:
//
//	v, err := config.Watch(ctx, "environments.yaml", "RELEASE", redisstore.Option())
//
// It links the client library of Redis, github.com/redis/rueidis, which package config
// alone does not. Package core/replay/redis says what the stores guarantee and what the
// server must be.
package redisstore

import (
	"github.com/gatewayauth/gatewayauth/core/config"
	"github.com/gatewayauth/gatewayauth/core/replay/redis"
)

// Option returns the option of [config.Load] and [config.Watch] with which an environment
// can have replay: {store: redis}.
func Option() config.Extension {
	return config.Extension{Redis: &config.RedisStores{
		Validate: func(c config.RedisConfig) error { return settings(c).Validate() },
		Open:     func(c config.RedisConfig) (config.RedisStore, error) { return redis.New(settings(c)) },
	}}
}

func settings(c config.RedisConfig) redis.Config {
	return redis.Config{URL: c.URL, TLS: c.TLS, Prefix: c.Prefix, Timeout: c.Timeout, Logger: c.Logger}
}
