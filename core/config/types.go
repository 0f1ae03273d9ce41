package config

import (
	"regexp"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/apig/sm"
	"github.com/gatewayauth/gatewayauth/core/basic"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
)

// keyType is one type of key of the format. The table below is the one place
// where a type is made known.
type keyType struct {
	name string
	// texts and secrets are the fields that a key of this type may have beside
	// name, type, key, secret and previous.
	texts, secrets []string
	// required are those of the texts that must be there.
	required []string
	// check says what is wrong with the texts, if anything.
	check func(texts map[string]string) (field, rule string)
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

// The fields that several types have.
var (
	scoped    = []string{"region", "service"}
	temporary = []string{"session_token"}
)

var keyTypes = []keyType{
	{name: "hmac", secrets: temporary, key: hmacKeyLimit, secret: hmacSecretLimit,
		scheme: func(keys []key, _ func() time.Time) core.Scheme { return apig.New(apig.Config{Keys: source(keys)}) }},
	{name: "basic", key: basicKeyLimit, secret: basicSecretLimit,
		scheme: func(keys []key, now func() time.Time) core.Scheme {
			return basic.New(basic.Config{Keys: source(keys), Now: now})
		}},
	{name: "aksk", texts: scoped, required: scoped, secrets: temporary,
		scheme: func(keys []key, _ func() time.Time) core.Scheme {
			return apig.NewScoped(apig.Config{Keys: source(keys)})
		}},
	{name: "v11", texts: scoped, required: scoped, secrets: temporary,
		scheme: func(keys []key, _ func() time.Time) core.Scheme { return apig.NewV11(apig.Config{Keys: source(keys)}) }},
	{name: "ecdsa-p256", secrets: temporary,
		scheme: func(keys []key, _ func() time.Time) core.Scheme {
			return apig.NewECDSA(apig.Config{Keys: source(keys)})
		}},
	{name: "hmac-sm3", secrets: temporary,
		scheme: func(keys []key, _ func() time.Time) core.Scheme { return sm.New(sm.Config{Keys: source(keys)}) }},
	{name: "sm2", secrets: temporary,
		scheme: func(keys []key, _ func() time.Time) core.Scheme { return sm.NewSM2(sm.Config{Keys: source(keys)}) }},
	{name: "sigv4", texts: []string{"region", "service", "paths"}, required: scoped, secrets: temporary, check: checkPaths,
		scheme: func(keys []key, _ func() time.Time) core.Scheme {
			return sigv4.New(sigv4.Config{Keys: source(keys), PathsByID: paths(keys)})
		}},
	{name: "sigv4a", texts: []string{"region", "service", "paths"}, required: scoped, secrets: temporary, check: checkPaths,
		scheme: func(keys []key, _ func() time.Time) core.Scheme {
			return sigv4.NewA(sigv4.ConfigA{Keys: source(keys), PathsByID: paths(keys)})
		}},
	{name: "aes", texts: []string{"algorithm"}},
	{name: "token", texts: []string{"iam_url", "user", "domain", "project"}, secrets: []string{"password"}},
}

// source gives a scheme its keys, with what else the file says of them.
func source(keys []key) core.KeySource {
	all := make([]core.Key, 0, len(keys))
	for _, k := range keys {
		k.SessionToken = k.secrets["session_token"]
		k.Region, k.Service = k.texts["region"], k.texts["service"]
		all = append(all, k.Key)
	}
	return core.Keys(all...)
}

// paths are the path rules of keys, which checkPaths has found right.
func paths(keys []key) map[string]sigv4.Paths {
	all := make(map[string]sigv4.Paths, len(keys))
	for _, k := range keys {
		all[k.ID], _ = sigv4.ParsePaths(k.texts["paths"])
	}
	return all
}

func checkPaths(texts map[string]string) (field, rule string) {
	if text, present := texts["paths"]; present {
		if _, err := sigv4.ParsePaths(text); err != nil {
			return "paths", "is none of normalized, s3"
		}
	}
	return "", ""
}

func findType(name string) *keyType {
	for i := range keyTypes {
		if keyTypes[i].name == name {
			return &keyTypes[i]
		}
	}
	return nil
}
