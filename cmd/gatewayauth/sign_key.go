package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/config"
)

// keyArgs are the flags for the key to sign with: one of an environments file, or one
// that the flags describe.
type keyArgs struct {
	config, env, name                 string
	typ, id, region, service, paths   string
	secretEnv, secretFile, secretText string
	tokenEnv, credentialHeader        string
}

func (a *keyArgs) flags(f *pflag.FlagSet) {
	f.StringVarP(&a.config, "config", "c", "", "environments `file` with the key")
	f.StringVarP(&a.env, "env", "e", "", "`environment` of the key (default the only one)")
	f.StringVarP(&a.name, "key", "k", "", "`name` of the key in that environment (default the one that is bound to the API of the URL)")
	f.StringVar(&a.typ, "type", "", "without --config: `type` of the key: "+strings.Join(config.KeyTypes(), ", "))
	f.StringVar(&a.id, "key-id", "", "without --config: `id` of the key, the gateway's \"Key\"")
	f.StringVar(&a.secretEnv, "secret-env", "", "environment `variable` with the secret, or with the token for type token")
	f.StringVar(&a.secretFile, "secret-file", "", "`file` with the secret")
	f.StringVar(&a.secretText, "secret-text", "", "the `secret` itself; other users of this machine can read it")
	f.StringVar(&a.tokenEnv, "session-token-env", "", "environment `variable` with the session token of a temporary key")
	f.StringVar(&a.credentialHeader, "credential-header", "", "without --config: `header` that holds the credential (default Authorization)")
	f.StringVar(&a.region, "region", "", "`region` of the key (aksk, v11, sigv4, sigv4a)")
	f.StringVar(&a.service, "service", "", "`service` of the key (aksk, v11, sigv4, sigv4a)")
	f.StringVar(&a.paths, "paths", "", "`rule` by which paths are signed (sigv4, sigv4a): normalized or s3")
}

// find returns the key to sign a request with: the one that the flags name, or the one of the
// API of the request.
func (a *keyArgs) find(s streams, r *http.Request) (config.SigningKey, error) {
	secret, err := a.secret(s)
	if err != nil {
		return config.SigningKey{}, err
	}
	if a.config != "" {
		if a.typ != "" || a.id != "" || a.region != "" || a.service != "" || a.paths != "" || a.tokenEnv != "" || a.credentialHeader != "" {
			return config.SigningKey{}, errors.New("the key is given twice: use either --config and --key, or --type and --key-id")
		}
		env, err := onlyEnvironment(a.config, a.env)
		if err != nil {
			return config.SigningKey{}, err
		}
		file, err := loadFile(a.config, config.WithSecretsOf(env))
		if err != nil {
			return config.SigningKey{}, err
		}
		name := a.name
		if name == "" {
			policy, err := policyOf(file, env, nil)
			if err != nil {
				return config.SigningKey{}, err
			}
			_, find := apisOf(&policy)
			api := find(r)
			if names := signingNames(file, env); api.Open && len(names) > 1 {
				return config.SigningKey{}, fmt.Errorf("%s is open and needs no signature; to sign anyway, name a key with --key: %s", printable(api.Match), printable(strings.Join(names, ", ")))
			}
			name = api.Key
		}
		key, err := file.SigningKey(env, name)
		switch {
		case err != nil:
		case key.Type == "token":
			key.Secret = secret
		case !secret.IsZero():
			err = errors.New("--secret-env, --secret-file and --secret-text cannot be used with --config: the environments file has the secret")
		}
		return key, err
	}
	key := config.SigningKey{Type: a.typ, Paths: a.paths, CredentialHeader: a.credentialHeader}
	key.Key = core.Key{Name: a.id, ID: a.id, Secret: secret, Region: a.region, Service: a.service}
	switch {
	case a.typ == "":
		return key, errors.New("no key is given: use --config, --env and --key, or --type, --key-id and --secret-env")
	case a.typ == "aes":
		return key, errors.New("a key of type aes has two secrets, which flags cannot give: use --config, --env and --key")
	case a.id == "" && a.typ != "token":
		return key, errors.New("--type needs --key-id")
	case secret.IsZero():
		return key, errors.New("--type needs --secret-env or --secret-file")
	case (a.region == "" || a.service == "") && (a.typ == "aksk" || a.typ == "v11" || strings.HasPrefix(a.typ, "sigv4")):
		return key, fmt.Errorf("a key of type %s needs --region and --service", a.typ)
	}
	if a.tokenEnv != "" {
		if key.SessionToken = core.NewSecret(os.Getenv(a.tokenEnv)); key.SessionToken.IsZero() {
			return key, fmt.Errorf("--session-token-env: the environment variable %s is not set", a.tokenEnv)
		}
	}
	return key, nil
}

// signingNames are the names of the keys of an environment.
func signingNames(file *config.File, env string) (names []string) {
	for _, o := range file.Outlines() {
		if o.Name != env {
			continue
		}
		for _, k := range o.Keys {
			names = append(names, k.Name)
		}
	}
	return names
}

// secret reads the secret that the flags name. It is zero if they name none.
func (a *keyArgs) secret(s streams) (core.Secret, error) {
	given := 0
	for _, text := range []string{a.secretEnv, a.secretFile, a.secretText} {
		if text != "" {
			given++
		}
	}
	switch {
	case given > 1:
		return core.Secret{}, errors.New("give only one of --secret-env, --secret-file and --secret-text")
	case a.secretEnv != "":
		text := os.Getenv(a.secretEnv)
		if text == "" {
			return core.Secret{}, fmt.Errorf("--secret-env: the environment variable %s is not set", a.secretEnv)
		}
		return core.NewSecret(text), nil
	case a.secretFile != "":
		data, err := readInput(s, a.secretFile)
		if err != nil {
			return core.Secret{}, fmt.Errorf("--secret-file: %w", err)
		}
		text := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
		if text == "" {
			return core.Secret{}, errors.New("--secret-file: the file is empty")
		}
		return core.NewSecret(text), nil
	case a.secretText != "":
		fmt.Fprintln(s.err, "gatewayauth: warning: other users of this machine can read --secret-text, and the shell may save it in its history; use --secret-env")
	}
	return core.NewSecret(a.secretText), nil
}
