package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core/config"
)

// FuzzLoad: no file makes Load panic; there is a file or an error, never both,
// and what loads makes a verifier. The text after "kept-from" is in no message.
func FuzzLoad(f *testing.F) {
	for _, tt := range refusals {
		f.Add(tt.file)
	}
	f.Add(base)
	f.Add(oneKey + "    require_signed: []\n    apis:\n    - {match: \"GET /a/{b}\", key: k, allow_unsigned_payload: true}\n    default: k\n")
	f.Add("environments:\r\n  R: &a {mode: off}\r\n  S: *a\r\n  T: {<<: [*a, {max_body: 1.5MiB}], mode: report}\r\n")
	f.Add("\ufeffenvironments:\n  R:\n    keys: [{name: k, type: hmac, key: i, secret: |\n      a\n      b\n    }]\n")
	f.Add("environments: {R: {keys: [{name: k, type: hmac, key: i, secret: {file: f.yaml}}]}}")
	f.Add(head + "    keys:\n    - " + aesKey + "\n    - " + strings.Replace(tokenKey, "name: k", "name: l", 1) + "\n    default: l\n")
	f.Add("environments: {R: {keys: [{name: k, type: aes, algorithm: aes-128-cfb, key: &k {file: f.yaml}, secret: *k, previous: [{key: *k, secret: *k}]}]}}")
	f.Add(oneKey + "    body_timeout: 10s\n    replay: {store: memory, max_entries: 5, exempt_methods: [GET, HEAD]}\n    apis: [{match: /a, key: k, stream: true, max_body: 5GiB}]\n")
	f.Add(oneKey + "    replay: {store: redis, url: 'redis://user:kept-from@h:1/2?client_name=c', on_unavailable: allow, timeout: 1ms, prefix: p}\n")
	f.Add(oneKey + "    replay: {store: redis, url: {file: f.yaml}}\n  S: {mode: off, replay: {store: redis, url: 'unix:///kept-from'}}\n")
	config.NoServers(f)
	path := filepath.Join(f.TempDir(), "f.yaml")
	f.Fuzz(func(t *testing.T, content string) {
		must(t, os.WriteFile(path, []byte(content), 0o600))
		file, err := config.Load(path)
		if (file == nil) == (err == nil) {
			t.Fatalf("got file %v, error %v", file, err)
		}
		if err != nil {
			for _, p := range problems(t, err) {
				if p.Rule == "" || p.Line > strings.Count(content, "\n")+strings.Count(content, "\r")+1 {
					t.Errorf("got %q", p)
				}
			}
			return
		}
		if len(file.Environments()) == 0 {
			t.Error("a file without environments was loaded")
		}
		for _, env := range file.Environments() {
			if _, err := file.Verifier(env, quiet); err != nil {
				t.Errorf("%s: %v", env, err)
			}
		}
	})
}
