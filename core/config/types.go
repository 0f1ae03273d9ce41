package config

import (
	"regexp"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/basic"
)

// keyType is one type of key of the format. The table below is the one place
// where a type is made known.
type keyType struct {
	name string
	// texts and secrets are the fields that a key of this type may have beside
	// name, type, key, secret and previous. None of them is required: what
	// must be there, the scheme says.
	texts, secrets []string
	// limits are those of the gateway, for warnings.
	key, secret limit
	// scheme builds the scheme from all keys of this type in an environment;
	// nil where this version does not implement it.
	scheme func(keys []key, now func() time.Time) core.Scheme
}

// key is a key of the file with its secrets found.
type key struct {
	core.Key
	texts   map[string]string
	secrets map[string]core.Secret
}

// limit is a form that the gateway's console enforces on a field (user guide,
// "Signature Keys"). Other gateways' keys look otherwise, so it gives warnings.
type limit struct {
	form *regexp.Regexp
	rule string
}

var (
	nameLimit = limit{regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{2,63}$`),
		"3 to 64 letters, digits and _, starting with a letter"}
	hmacKeyLimit = limit{regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{7,31}$`),
		"8 to 32 letters, digits, _ and -, starting with a letter or digit"}
	hmacSecretLimit = limit{regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_!@#$%-]{15,63}$`),
		"16 to 64 letters, digits and _!@#$%-, starting with a letter or digit"}
	basicKeyLimit = limit{regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{3,31}$`),
		"4 to 32 letters, digits, _ and -, starting with a letter"}
	basicSecretLimit = limit{regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_!@#$%-]{7,63}$`),
		"8 to 64 letters, digits and _!@#$%-, starting with a letter or digit"}
)

var keyTypes = []keyType{
	{name: "hmac", secrets: []string{"session_token"}, key: hmacKeyLimit, secret: hmacSecretLimit,
		scheme: func(keys []key, _ func() time.Time) core.Scheme {
			return apig.New(apig.Config{Keys: source(keys)})
		}},
	{name: "basic", key: basicKeyLimit, secret: basicSecretLimit,
		scheme: func(keys []key, now func() time.Time) core.Scheme {
			return basic.New(basic.Config{Keys: source(keys), Now: now})
		}},
	{name: "aes", texts: []string{"algorithm"}},
	{name: "aksk", texts: []string{"region", "service"}, secrets: []string{"session_token"}},
	{name: "v11", texts: []string{"region", "service"}, secrets: []string{"session_token"}},
	{name: "hmac-sm3", secrets: []string{"session_token"}},
	{name: "ecdsa-p256", secrets: []string{"session_token"}},
	{name: "sm2", secrets: []string{"session_token"}},
	{name: "sigv4", texts: []string{"region", "service", "paths"}, secrets: []string{"session_token"}},
	{name: "sigv4a", texts: []string{"region", "service", "paths"}, secrets: []string{"session_token"}},
	{name: "token", texts: []string{"iam_url", "user", "domain", "project"}, secrets: []string{"password"}},
}

// source gives a scheme its keys, with the session tokens of temporary ones.
func source(keys []key) core.KeySource {
	all := make([]core.Key, 0, len(keys))
	for _, k := range keys {
		k.SessionToken = k.secrets["session_token"]
		all = append(all, k.Key)
	}
	return core.Keys(all...)
}

func findType(name string) *keyType {
	for i := range keyTypes {
		if keyTypes[i].name == name {
			return &keyTypes[i]
		}
	}
	return nil
}
