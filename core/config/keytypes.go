package config

import (
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/aescfb"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/basic"
	"github.com/gatewayauth/gatewayauth/core/signer"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
	"github.com/gatewayauth/gatewayauth/core/token"
)

// keyType is one type of key of the format. The table keyTypes has all of them; nothing
// else in this package names a type but signing.go, for aes.
type keyType struct {
	name string
	// signs reports whether the type signs requests, so that replays can be told.
	signs  bool
	fields []keyField
	// scheme builds the scheme from all keys of this type in an environment. It is nil
	// where the type needs an Extension and there is none.
	scheme func(keys []key, now func() time.Time) core.Scheme
	// signer returns the signer for a key of this type; nil as scheme is.
	signer func(SigningKey, SignOptions) (signer.Signer, error)
	// extended returns what an Extension has for the type; nil where it needs none.
	// extendedBy is the package of the Extension.
	extended   func(Extension) *KeyScheme
	extendedBy string
}

// keyField is a field of the keys of a type, beside name and type. A text "key" is the id
// that requests carry; a type without one has the name as its id.
type keyField struct {
	name string
	kind kind
	// required says what to write where the field is missing; "" if it may be.
	required string
	// rotates reports whether entries of previous have the field. A type without such
	// a field has no previous.
	rotates bool
	// limit is the gateway's, for warnings.
	limit limit
	// manner says what intended values look like, for warnings.
	manner manner
	// check says what is wrong with a text, if anything.
	check func(text string) (rule string)
	// length returns the length of a secret that must have a certain one; nil for any.
	length func(key) int
	// schemeField is the field of the scheme's key that this one fills. What
	// [core.Validator] reports of it is a problem of this field.
	schemeField string
}

// kind is what a field holds.
type kind int

const (
	textField kind = iota
	hiddenField
	flagField
)

// key is a key of the file with its secrets found.
type key struct {
	name     string
	texts    map[string]string
	flags    map[string]bool
	secrets  map[string]core.Secret
	previous []previous
}

type previous struct {
	secrets map[string]core.Secret
	until   time.Time
}

// findType finds a type by its name. It returns nil where there is none.
func findType(name string, e Extension) *keyType {
	for i := range keyTypes {
		if keyTypes[i].name == name {
			return keyTypes[i].with(e)
		}
	}
	return nil
}

// with returns the type with the scheme and the signer that an Extension has for it.
func (t *keyType) with(e Extension) *keyType {
	if t.extended == nil || t.extended(e) == nil {
		return t
	}
	more, linked := t.extended(e), *t
	linked.scheme = func(keys []key, _ func() time.Time) core.Scheme { return more.Scheme(source(keys)) }
	linked.signer = headerOnly(sdk(more.Signer))
	return &linked
}

func (t *keyType) field(name string) *keyField {
	for i := range t.fields {
		if t.fields[i].name == name {
			return &t.fields[i]
		}
	}
	return nil
}

// rotating are the names of the fields that entries of previous have.
func (t *keyType) rotating() (names []string) {
	for _, f := range t.fields {
		if f.rotates {
			names = append(names, f.name)
		}
	}
	return names
}

// anyType has the fields of all types. A field that is a secret in one type is a secret
// here. A key of an unknown type is read as one of anyType, so that its other problems
// are reported as well.
var anyType = func() *keyType {
	union := new(keyType)
	for _, t := range keyTypes {
		for _, f := range t.fields {
			common := union.field(f.name)
			if common == nil {
				union.fields = append(union.fields, keyField{name: f.name})
				common = union.field(f.name)
			}
			common.kind, common.rotates = max(common.kind, f.kind), common.rotates || f.rotates
		}
	}
	return union
}()

func fieldNames(fields []keyField) (names []string) {
	for _, f := range fields {
		names = append(names, f.name)
	}
	return names
}

// The fields that several types have.
var (
	anyID        = keyField{name: "key", required: "the id that requests carry, the gateway's Key", manner: free}
	anySecret    = keyField{name: "secret", kind: hiddenField, required: "the secret, as {env: VARIABLE} or {file: path}", rotates: true, limit: shortLimit, schemeField: "Secret"}
	accessKey    = anyID.within(shortLimit)
	sessionToken = keyField{name: "session_token", kind: hiddenField}
	region       = keyField{name: "region", required: "the region in the signer's scope, such as eu-west-1", check: checkScope}
	service      = keyField{name: "service", required: "the service in the signer's scope, such as execute-api", check: checkScope}
	pathRule     = keyField{name: "paths", check: checkPaths}
	wildcards    = keyField{name: "allow_region_wildcards", kind: flagField}
)

// within gives a field the gateway's limit.
func (f keyField) within(l limit) keyField {
	f.limit = l
	return f
}

// keyTypes are the types of the format.
var keyTypes = []keyType{
	{name: "hmac", signs: true, fields: []keyField{anyID.within(hmacKeyLimit), anySecret.within(hmacSecretLimit), sessionToken},
		scheme: sdkScheme(apig.New), signer: sdk(apig.NewSigner)},
	{name: "basic", fields: []keyField{anyID.within(basicKeyLimit), anySecret.within(basicSecretLimit)},
		scheme: func(keys []key, now func() time.Time) core.Scheme {
			return basic.New(basic.Config{Keys: source(keys), Now: now})
		}, signer: headerOnly(basicSigner)},
	{name: "aksk", signs: true, fields: []keyField{accessKey, anySecret, region, service, sessionToken},
		scheme: sdkScheme(apig.NewScoped), signer: sdk(apig.NewScopedSigner)},
	{name: "v11", signs: true, fields: []keyField{accessKey, anySecret, region, service, sessionToken},
		scheme: sdkScheme(apig.NewV11), signer: headerOnly(sdk(apig.NewV11Signer))},
	{name: "ecdsa-p256", signs: true, fields: []keyField{anyID, anySecret, sessionToken},
		scheme: sdkScheme(apig.NewECDSA), signer: headerOnly(sdk(apig.NewECDSASigner))},
	{name: "hmac-sm3", signs: true, fields: []keyField{anyID, anySecret, sessionToken},
		extended: func(e Extension) *KeyScheme { return e.HMACSM3 }, extendedBy: smKeysPackage},
	{name: "sm2", signs: true, fields: []keyField{anyID, anySecret, sessionToken},
		extended: func(e Extension) *KeyScheme { return e.SM2 }, extendedBy: smKeysPackage},
	{name: "sigv4", signs: true, fields: []keyField{accessKey, anySecret, region, service, sessionToken, pathRule},
		scheme: func(keys []key, _ func() time.Time) core.Scheme {
			return sigv4.New(sigv4.Config{Keys: source(keys), PathsByID: paths(keys)})
		}, signer: aws(sigv4.NewSigner)},
	{name: "sigv4a", signs: true, fields: []keyField{accessKey, anySecret, region, service, sessionToken, pathRule, wildcards},
		scheme: func(keys []key, _ func() time.Time) core.Scheme {
			return sigv4.NewA(sigv4.ConfigA{Keys: source(keys), PathsByID: paths(keys),
				AllowRegionWildcardsByID: flags(keys, wildcards.name)})
		}, signer: aws(sigv4.NewSignerA)},
	{name: "aes", signs: true, fields: []keyField{
		{name: "key", kind: hiddenField, required: "the AES key of 16 or 32 bytes, as {env: VARIABLE} or {file: path}", rotates: true, limit: aesKeyLimit, manner: free, length: aesKeyLength, schemeField: "Key"},
		{name: "secret", kind: hiddenField, required: "the vector of 16 bytes, as {env: VARIABLE} or {file: path}", rotates: true, limit: aesVectorLimit, manner: free, length: aesVectorLength, schemeField: "Vector"},
		{name: "algorithm", schemeField: "Algorithm"}},
		scheme: func(keys []key, _ func() time.Time) core.Scheme {
			return aescfb.New(aescfb.Config{Keys: each(keys, aesKey)})
		}, signer: headerOnly(aesSigner)},
	{name: "token", fields: []keyField{
		{name: "iam_url", required: "the address of the identity service, such as https://iam.example.com", manner: address, schemeField: "IAMURL"},
		{name: "insecure_http", kind: flagField},
		{name: "user", required: "the user who asks the identity service about tokens", manner: free},
		{name: "password", kind: hiddenField, required: "the password of user, as {env: VARIABLE} or {file: path}", manner: free},
		{name: "domain", required: "the domain of user", manner: free},
		{name: "project", required: "the project in which user asks about tokens", manner: free},
		{name: "caller_project", manner: free}},
		scheme: func(keys []key, now func() time.Time) core.Scheme {
			return token.New(token.Config{Keys: each(keys, tokenKey), Now: now})
		}, signer: headerOnly(tokenSigner)},
}

// sdkScheme is for schemes that need no more than the keys.
func sdkScheme(made func(apig.Config) core.Scheme) func([]key, func() time.Time) core.Scheme {
	return func(keys []key, _ func() time.Time) core.Scheme { return made(apig.Config{Keys: source(keys)}) }
}

// source gives a scheme its keys, with what else the file says of them.
func source(keys []key) core.KeySource {
	return core.Keys(each(keys, coreKey)...)
}

func coreKey(k key) core.Key {
	return core.Key{
		Name: k.name, ID: k.texts["key"], Secret: k.secrets["secret"],
		Previous: each(k.previous, func(p previous) core.PreviousSecret {
			return core.PreviousSecret{Secret: p.secrets["secret"], Until: p.until}
		}),
		SessionToken: k.secrets["session_token"],
		Region:       k.texts["region"], Service: k.texts["service"],
	}
}

func aesVectorLength(key) int { return 16 }

func aesKeyLength(k key) int {
	if k.texts["algorithm"] == "aes-256-cfb" {
		return 32
	}
	return 16
}

func aesKey(k key) aescfb.Key {
	return aescfb.Key{
		Name: k.name, Algorithm: k.texts["algorithm"], Key: k.secrets["key"], Vector: k.secrets["secret"],
		Previous: each(k.previous, func(p previous) aescfb.Previous {
			return aescfb.Previous{Key: p.secrets["key"], Vector: p.secrets["secret"], Until: p.until}
		}),
	}
}

func tokenKey(k key) token.Key {
	return token.Key{
		Name: k.name, IAMURL: k.texts["iam_url"], InsecureHTTP: k.flags["insecure_http"],
		User: k.texts["user"], Password: k.secrets["password"], Domain: k.texts["domain"], Project: k.texts["project"],
		CallerProject: k.texts["caller_project"],
	}
}

func each[A, B any](all []A, f func(A) B) []B {
	made := make([]B, len(all))
	for i, a := range all {
		made[i] = f(a)
	}
	return made
}

// paths are the path rules of keys, which checkPaths has found right.
func paths(keys []key) map[string]sigv4.Paths {
	all := make(map[string]sigv4.Paths, len(keys))
	for _, k := range keys {
		all[k.texts["key"]], _ = sigv4.ParsePaths(k.texts["paths"])
	}
	return all
}

// flags are those of keys, by id.
func flags(keys []key, field string) map[string]bool {
	all := make(map[string]bool, len(keys))
	for _, k := range keys {
		all[k.texts["key"]] = k.flags[field]
	}
	return all
}

func checkPaths(text string) (rule string) {
	if _, err := sigv4.ParsePaths(text); err != nil {
		return "unknown rule; write normalized or s3"
	}
	return ""
}

func checkScope(text string) (rule string) {
	if strings.Contains(text, "/") {
		return "holds a slash, which separates the parts of a scope"
	}
	return ""
}
