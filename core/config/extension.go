package config

import (
	"cmp"
	"crypto/tls"
	"io"
	"log/slog"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
)

// An Extension makes what the file can describe and few programs need, with packages that
// this one does not import. It is an option of [Load] and [Watch]. The functions Option of
// the packages core/config/redisstore and core/config/smkeys return one each.
//
// A file that names something whose field is nil here is a [Problem], which says what to
// import.
type Extension struct {
	// Redis makes replay stores of type redis.
	Redis *RedisStores
	// HMACSM3 and SM2 are for keys of the types hmac-sm3 and sm2.
	HMACSM3, SM2 *KeyScheme
}

// RedisStores makes replay stores of type redis.
type RedisStores struct {
	// Validate reports what is wrong with a configuration, each problem as a
	// [core.ConfigError] with the name of a field of RedisConfig. It is also called
	// without the URL and TLS.
	Validate func(RedisConfig) error
	// Open makes a store. It does not wait for the server.
	Open func(RedisConfig) (RedisStore, error)
}

// RedisConfig is what the file says of a replay store of type redis. The fields are those
// of core/replay/redis.Config with the same names.
type RedisConfig struct {
	URL     core.Secret
	TLS     *tls.Config // nil for the defaults
	Prefix  string
	Timeout time.Duration
	Logger  *slog.Logger
}

// RedisStore is a replay store with connections that Close closes.
type RedisStore interface {
	core.ReplayStore
	io.Closer
}

// KeyScheme verifies and signs with the keys of one type.
type KeyScheme struct {
	Scheme func(core.KeySource) core.Scheme
	Signer func(core.Key, apig.SignOptions) *apig.Signer
}

// add takes over what more has.
func (e *Extension) add(more Extension) {
	e.Redis = cmp.Or(more.Redis, e.Redis)
	e.HMACSM3, e.SM2 = cmp.Or(more.HMACSM3, e.HMACSM3), cmp.Or(more.SM2, e.SM2)
}

func (e Extension) apply(o *options) { o.extension.add(e) }

func (e Extension) applyToLoad(o *loadOptions) { o.extension.add(e) }

// The packages with an Extension.
const (
	redisStorePackage = "redisstore"
	smKeysPackage     = "smkeys"
)

// notLinked says what to import for what a program does not link, and to which function
// the option goes.
func notLinked(pkg, to string) string {
	return `needs code that this program does not link; import "github.com/gatewayauth/gatewayauth/core/config/` + pkg +
		`", and pass ` + pkg + `.Option() to ` + to
}

const loaders = "config.Load or config.Watch"
