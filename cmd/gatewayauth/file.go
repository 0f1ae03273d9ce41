package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gatewayauth/gatewayauth/core/config"
	"github.com/gatewayauth/gatewayauth/core/config/redisstore"
	"github.com/gatewayauth/gatewayauth/core/config/smkeys"
)

// loadFile reads an environments file, with everything that the format has.
func loadFile(path string, opts ...config.LoadOption) (*config.File, error) {
	return config.Load(path, append(opts, redisstore.Option(), smkeys.Option())...)
}

// errNoFile says what file to give, also for a service that has none.
var errNoFile = errors.New(`--config is missing: name the environments file with the keys. For a service that is
configured in code, write one with its key, its gateway's "Key" as key, and the secret in a variable:

environments:
  RELEASE:
    keys: [{name: service_key, type: hmac, key: ID-OF-THE-KEY, secret: {env: NAME_OF_THE_VARIABLE}}]
    default: service_key`)

// onlyEnvironment returns the environment that --env names, or the only one of the file.
func onlyEnvironment(path, env string) (string, error) {
	if env != "" {
		return env, nil
	}
	outline, err := loadFile(path, config.WithoutSecrets())
	if err != nil {
		return "", err
	}
	names := outline.Environments()
	if len(names) != 1 {
		return "", fmt.Errorf("--env is missing; environments of %s: %s", path, printable(strings.Join(names, ", ")))
	}
	return names[0], nil
}
