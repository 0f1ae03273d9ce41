package config_test

import (
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/config"
	"github.com/gatewayauth/gatewayauth/core/config/redisstore"
	"github.com/gatewayauth/gatewayauth/core/config/smkeys"
)

// toImport is what a problem must say of a function Option: its package, and where to pass
// what it returns.
func toImport(option func() config.Extension, to string) string {
	name := runtime.FuncForPC(reflect.ValueOf(option).Pointer()).Name()
	path := strings.TrimSuffix(name, ".Option")
	return fmt.Sprintf("needs code that this program does not link; import %q, and pass %s() to %s",
		path, name[strings.LastIndexByte(name, '/')+1:], to)
}

// TestExtensions_T250: a file that needs code which the program does not link says at its
// line what to import, besides its other problems, and loads with that option alone.
func TestExtensions_T250(t *testing.T) {
	servers := new(servers)
	key := "    keys: [{name: k, type: %s, key: ACCESSKEY0000001, secret: a-secret-16-char}]\n    default: k\n"
	for _, tt := range []struct {
		name, file, at string
		option         func() config.Extension
		linked, other  config.Extension
	}{
		{"redis", oneKey + "    default: k\n    replay:\n      url: redis://redis.example.com\n      store: redis\n", ":8: environments.R.replay.store: ",
			redisstore.Option, servers.option(), smkeys.Option()},
		{"hmac-sm3", head + fmt.Sprintf(key, "hmac-sm3"), ":3: environments.R.keys[0].type: ", smkeys.Option, smkeys.Option(), redisstore.Option()},
		{"sm2", head + fmt.Sprintf(key, "sm2"), ":3: environments.R.keys[0].type: ", smkeys.Option, smkeys.Option(), redisstore.Option()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := write(t, t.TempDir(), "f.yaml", tt.file)
			want := path + tt.at + toImport(tt.option, "config.Load or config.Watch")
			load := func(opts ...config.LoadOption) error { _, err := config.Load(path, opts...); return err }
			watch := func(opts ...config.Option) error {
				_, err := config.Watch(t.Context(), path, "R", append(opts, quiet)...)
				return err
			}
			for name, err := range map[string]error{"Load": load(), "Load, with another option": load(tt.other), "without secrets": load(config.WithoutSecrets()),
				"Watch": watch(), "Watch, with another option": watch(tt.other)} {
				if err == nil || withoutColumns(err.Error()) != want || len(problems(t, err)) != 1 {
					t.Errorf("%s: got %v\nwant %s", name, err, want)
				}
			}
			for name, err := range map[string]error{"Load": load(tt.linked), "Load, with both": load(tt.linked, tt.other), "Load, with both in the other order": load(tt.other, tt.linked),
				"without secrets": load(config.WithoutSecrets(), tt.linked), "Watch": watch(tt.linked)} {
				if err != nil {
					t.Errorf("%s, linked: %v", name, err)
				}
			}
		})
	}
}

// TestExtensionsOfSigningKeys_T250: a key that is not of a file needs the option as well.
func TestExtensionsOfSigningKeys_T250(t *testing.T) {
	for _, typ := range []string{"hmac-sm3", "sm2"} {
		k := config.SigningKey{Type: typ, Key: core.Key{ID: "ACCESSKEY0000001", Secret: core.NewSecret("a-secret-16-char")}}
		if _, err := k.Signer(config.SignOptions{}); err == nil || err.Error() != "a key of type "+typ+" "+toImport(smkeys.Option, "Signer") {
			t.Errorf("%s: got %v", typ, err)
		}
		if _, err := k.Signer(config.SignOptions{}, smkeys.Option()); err != nil {
			t.Errorf("%s, linked: %v", typ, err)
		}
	}
}
