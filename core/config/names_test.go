package config_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/config"
)

// TestSettings_T186: each field of core.Config that the file can set has its name
// there.
func TestSettings_T186(t *testing.T) {
	// What a program sets, and no file.
	unnamed := []string{"Replay.Store", "Replay.AllowUnavailable", "KeyTimeout", "Limits", "Now", "Logger", "LogLimit", "Observers"}
	var check func(kind reflect.Type, prefix string)
	check = func(kind reflect.Type, prefix string) {
		for field := range kind.Fields() {
			name := prefix + field.Name
			switch {
			case slices.Contains(unnamed, name):
			case field.Type.Kind() == reflect.Struct:
				check(field.Type, name+".")
			case config.Setting(name) == name:
				t.Errorf("core.Config.%s has no name in the file", name)
			}
		}
	}
	check(reflect.TypeFor[core.Config](), "")
	if got := config.Setting("Limits.Headers"); got != "Limits.Headers" {
		t.Errorf("got %s for what the file does not set", got)
	}
}

// TestProblemsSpeakOfTheFile_T186: a problem that the core finds speaks of the
// fields of the file.
func TestProblemsSpeakOfTheFile_T186(t *testing.T) {
	path := write(t, t.TempDir(), "f.yaml", `environments:
  R:
    rewrite: {host: a}
    max_buffered: 1MiB
    keys: [{name: k, type: hmac, key: id, secret: secret-0123456789}]
    apis:
    - {match: "example.com/MaxBody/", key: k}
`)
	_, err := config.Load(path)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"while rewrite.host says", "fewer than max_body"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("it does not say %q: %v", want, err)
		}
	}
}
