package main

import (
	"github.com/gatewayauth/gatewayauth/core/config"
	"github.com/gatewayauth/gatewayauth/core/config/redisstore"
	"github.com/gatewayauth/gatewayauth/core/config/smkeys"
)

// loadFile reads an environments file, with everything that the format has.
func loadFile(path string, opts ...config.LoadOption) (*config.File, error) {
	return config.Load(path, append(opts, redisstore.Option(), smkeys.Option())...)
}
