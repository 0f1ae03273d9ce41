package config_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core/config"
)

// TestColumns_T240: the column of a problem is where the name of its field starts, counted
// in characters.
func TestColumns_T240(t *testing.T) {
	for file, want := range map[string]string{
		"\ufeffenvironments:\r\n  R:\r\n    keys: [{name: k, type: hmac, key: i, secret: s-of-8-or-more}]\r\n    wrong: 1\r\n":         "4:5",
		head + "    keys: [{name: 'äöü', type: hmac, key: ' 🔑', secret: s-of-8-or-more, wrong: 1}]\n":                                  "3:73",
		head + "    keys:\n    -   name: k   \n        type: hmac\n        key: i\n        secret: s-of-8-or-more\n        wrong: 1\n": "8:9",
		oneKey + "    hosts:\n    - a.example.com\n    -  https://b\n":                                                                 "7:8",
		oneKey + "    'wrong':  1\n":                                        "5:5",
		oneKey + "    mode: [\"enforce":                                     "5:12",
		oneKey + "    mode: !!str off\n":                                    "5:11",
		oneKey + "    mode: *none\n":                                        "5:11",
		oneKey + "    apis:\n    - {match: /a,\n       key: k, wrong: 1}\n": "7:16",
	} {
		path := write(t, t.TempDir(), "f.yaml", file)
		_, err := config.Load(path)
		if err == nil {
			t.Errorf("%q: no problem", file)
			continue
		}
		p := problems(t, err)[0]
		if got := fmt.Sprintf("%d:%d", p.Line, p.Column); got != want || !strings.HasPrefix(p.Error(), path+":"+want+": ") {
			t.Errorf("%q: got %s, %v; want %s", file, got, p, want)
		}
	}
}

// TestUnknownColumn_T240: the lexer counts wrongly before blanks at the end of a line. Then
// there is no column, and not a wrong one.
func TestUnknownColumn_T240(t *testing.T) {
	path := write(t, t.TempDir(), "f.yaml", oneKey, "    hosts:\n    - https://b   \n    - c\n")
	_, err := config.Load(path)
	if err == nil || !strings.HasPrefix(err.Error(), path+":6: environments.R.hosts[0]: ") && !strings.HasPrefix(err.Error(), path+":6:7: environments.R.hosts[0]: ") {
		t.Errorf("got %v, want column 7 or none", err)
	}
}

// TestWrittenForms_T289: a scalar where a list or a mapping is needed is answered with how to
// write it, and another name of a type with the type, or without a guess. What could be a
// secret is not shown.
func TestWrittenForms_T289(t *testing.T) {
	const list, types = ": must be a list; write ", "rite one of aes, aksk, basic, ecdsa-p256, hmac, hmac-sm3, sigv4, sigv4a, sm2, token, v11"
	const mapping = ": must be a mapping of fields; write "
	tests := map[string]string{
		"replay: redis":                                                       "replay" + mapping + "{store: redis, url: {env: REDIS_URL}}",
		"replay: [memory]":                                                    "replay" + mapping + "{store: memory}",
		"replay: redis://u:kept-from@h":                                       "replay" + mapping + "{store: memory}",
		"replay: {store: memory, retries: 5s}":                                "replay.retries" + mapping + "{methods: [PUT, DELETE], within: 5s}",
		"replay: {store: redis, url: 'rediss://h', tls: kept-from}":           "replay.tls" + mapping + "{ca: {file: ca.pem}}",
		"replay: {store: memory, exempt_methods: 'GET, HEAD'}":                "replay.exempt_methods" + list + "[GET, HEAD]",
		"replay: {store: memory, retries: {methods: PUT DELETE, within: 5s}}": "replay.retries.methods" + list + "[PUT, DELETE]",
		"require_signed: X-A,x-b":                                             "require_signed" + list + "[X-A, x-b]",
		"require_signed_with_body: {a: b}":                                    "require_signed_with_body" + list + "[content-type]",
		"hosts: '*.example.com:8443'":                                         `hosts` + list + `["*.example.com:8443"]`,
		"hosts: https://u:p@kept-from":                                        "hosts" + list + "[api.example.com]",
		"hosts: 'a: b'":                                                       `hosts` + list + `["a:", b]`,
		"allow_unsigned:":                                                     "allow_unsigned" + list + "[x-amz-cf-id]",
		"rewrite: /v1":                                                        "rewrite" + mapping + "{add_prefix: /v1}",
		"rewrite: api.example.com":                                            "rewrite" + mapping + "{host: api.example.com}",
		"rewrite: a, b":                                                       "rewrite" + mapping + "{add_prefix: /v1, host: api.example.com}",
		"capture: /var/lib/refused":                                           "capture" + mapping + "{dir: /var/lib/refused}",
		"capture: true":                                                       "capture" + mapping + "{dir: /var/lib/orders/refused}",
		"apis: GET /orders":                                                   "apis" + list + `[{match: "GET /orders/{id}", key: orders_key}]`,
		"apis: [kept-from]":                                                   "apis[0]" + mapping + `{match: "GET /orders/{id}", key: orders_key}`,
	}
	for field, want := range map[string]string{
		"previous: kept-from": "previous" + list + "[{secret: {env: VARIABLE}}]", "previous: [kept-from]": "previous[0]" + mapping + "{secret: {env: VARIABLE}}",
	} {
		tests["keys: [{name: l, type: hmac, key: j, secret: s-of-8-or-more, "+field+"}]"] = "keys[0]." + want
	}
	for name, meant := range map[string]string{"aws": "sigv4", "AWS4": "sigv4", "sigv4_hmac": "sigv4", "AWS4-HMAC-SHA256": "sigv4", "v4a": "sigv4a",
		"SDK-HMAC-SHA256": "hmac, or aksk where the credential has a scope", "V11-HMAC-SHA256": "v11", "sm3": "hmac-sm3", "sm2-sm3": "sm2", "SDK-SM2-SM3": "sm2",
		"ecdsa": "ecdsa-p256", "aes-128-cfb": "aes", "keystone": "token", "hmca": "hmac",
		"sigv4-asym": "", "huawei": "", "apig": "", "jwt": "", "bearer": "", "rsa": "", "kept": ""} {
		want := "keys[0].type: unknown type; w" + types
		if meant != "" {
			want = "keys[0].type: unknown type; did you mean " + meant + "? W" + types
		}
		tests["keys: [{name: l, type: "+name+", key: j, secret: s-of-8-or-more}]"] = want
	}
	for text, want := range tests {
		file := oneKey + "    " + text + "\n"
		if strings.HasPrefix(text, "keys:") {
			file = head + "    " + text + "\n"
		}
		_, err := config.Load(write(t, t.TempDir(), "f.yaml", file))
		if err == nil || !strings.Contains(err.Error(), ": environments.R."+want) || strings.Contains(err.Error(), "kept-from") {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

// TestNamesThatExist_T240: a name that does not exist is answered with the ones that do,
// and the nearest of them; a file that is missing with the path that was tried.
func TestNamesThatExist_T240(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	tried, err := os.Getwd()
	must(t, err)
	keys := head + "    keys:\n    - {name: orders_key, type: hmac, key: i, secret: s-of-8-or-more}\n    - {name: films_key, type: hmac, key: j, secret: s-of-8-or-more}\n"
	for _, tt := range []struct{ file, want string }{
		{keys + "    clock-skew: 1m\n", "unknown field; did you mean clock_skew? Known here: allow_presigned, "},
		{keys + "    dEfualt: k\n", "unknown field; did you mean default? Known here: "},
		{keys + "    verify: true\n", "unknown field; known here: "},
		{keys + "    rewrite: {ad_prefix: /a}\n", "unknown field; did you mean add_prefix? Known here: add_prefix, host"},
		{keys + "    default: order_key\n", "no key of this environment has this name; did you mean orders_key? There are: orders_key, films_key"},
		{keys + "    apis: [{match: /a, key: flims_key}]\n", "no key of this environment has this name; did you mean films_key? There are: orders_key, films_key"},
		{keys + "    default: someone_else\n", "no key of this environment has this name; there are: orders_key, films_key"},
		{head + "    mode: off\n    default: k\n", "no key of this environment has this name; there is none"},
		{strings.Replace(keys, "type: hmac", "type: hmca", 1), "unknown type; did you mean hmac? Write one of aes, aksk"},
		{strings.Replace(keys, "type: hmac", "type: sigv4b", 1), "unknown type; did you mean sigv4? Write one of aes, aksk"},
		{strings.Replace(keys, "type: hmac", "type: jwt", 1), "unknown type; write one of aes, aksk"},
		{strings.Replace(keys, "s-of-8-or-more", "{file: ../absent}", 1), "the file " + filepath.Join(filepath.Dir(tried), "absent") + " does not exist"},
	} {
		_, err := config.Load(write(t, ".", "f.yaml", tt.file))
		if err == nil || !strings.Contains(err.Error(), ": "+tt.want) {
			t.Errorf("got %v\nwant %s", err, tt.want)
		}
	}
	if _, err := config.Load("absent.yaml"); err == nil || err.Error() != "absent.yaml: the file cannot be read: no such file or directory ("+filepath.Join(tried, "absent.yaml")+")" {
		t.Errorf("got %v for a file that is missing", err)
	}
	f, err := config.Load(write(t, ".", "f.yaml", keys, "  RELEASE: {mode: off}\n"))
	must(t, err)
	for name, want := range map[string]string{
		"relase": `f.yaml: there is no environment "relase"; did you mean RELEASE? There are: R, RELEASE`,
		"prod":   `f.yaml: there is no environment "prod"; there are: R, RELEASE`,
	} {
		if _, err := f.Config(name); err == nil || err.Error() != want {
			t.Errorf("got %v\nwant %s", err, want)
		}
	}
	if _, err := f.SigningKey("R", "Films-Key"); err == nil || !strings.HasSuffix(err.Error(), `has no key "Films-Key"; did you mean films_key? There are: orders_key, films_key`) {
		t.Errorf("got %v", err)
	}
}

// TestCutSecrets_T241: where YAML takes a part of a secret for something else, an error or a
// warning says so, and repeats nothing of it.
func TestCutSecrets_T241(t *testing.T) {
	const (
		warned = "" // the file loads
		quotes = "quotes"
	)
	for _, tt := range []struct{ name, secret, err, warning string }{
		{"comment", "kept-from-1234567 #kept-from", warned, "is followed by a comment"},
		{"comment behind a tab", "kept-from-1234567\t#kept-from", warned, "is followed by a comment"},
		{"comment behind digits", "12345678901234567 # kept-from", warned, "is followed by a comment"},
		{"anchor", "&kept-from kept-from-1234567", warned, "starts with & and a name that no alias uses"},
		{"anchor before quotes", "&kept-from 'kept-from-1234567'", warned, "starts with & and a name that no alias uses"},
		{"block", "|\n        kept-from-1234567", warned, "is a block (| or >)"},
		{"folded block", ">\n        kept-from-1234567", warned, "is a block (| or >)"},
		{"two lines", "kept-from-1234567\n        kept-from", warned, "goes over several lines"},
		{"tab", "kept-from\tkept-from-1234567", warned, "has a tab in it"},

		{"comment alone", "#kept-from", "is empty, for a # starts a comment", ""},
		{"anchor alone", "&kept-from", "a text that starts with & needs quotes", ""},
		{"tag", "!kept-from", "a text that starts with ! needs quotes", ""},
		{"tag and text", "!kept-from kept-from", "a text that starts with ! needs quotes", ""},
		{"alias", "*kept-from", "a text that starts with * needs quotes", ""},
		{"pipe", "|kept-from", "a text that starts with | or > needs quotes", ""},
		{"greater", ">kept-from", "a text that starts with | or > needs quotes", ""},
		{"at", "@kept-from", "a text that starts with it needs quotes", ""},
		{"backtick", "`kept-from", "a text that starts with it needs quotes", ""},
		{"colon", "kept-from: kept-from", "needs quotes around all of it", ""},
		{"quote inside", "'kept-from'kept-from", "needs quotes around all of it", ""},

		{"quoted", "'kept-from-1234567#kept-from'", warned, ""},
		{"quoted, and a comment", "'kept-from-1234567' # kept-from", warned, ""},
		{"quoted twice, and a comment", `"kept-from-1234567" # kept-from`, warned, ""},
		{"comment in the next line", "kept-from-1234567\n      # kept-from", warned, ""},
		{"number sign", "kept-from-1234567#kept-from", warned, ""},
		{"block without a line break", "|-\n        kept-from-1234567", warned, ""},
		{"anchor that is used", "&s kept-from-1234567\n      previous: [{secret: *s}]", warned, ""},
		{"mapping with a comment", "{file: secret} # kept-from", warned, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "secret", "kept-from-1234567")
			path := write(t, dir, "f.yaml", head, "    keys:\n    - name: key_1\n      type: ecdsa-p256\n      key: i\n      secret: ", tt.secret, "\n    default: key_1\n")
			f, err := config.Load(path)
			if tt.err != warned {
				if err == nil || !strings.Contains(err.Error(), tt.err) || len(problems(t, err)) != 1 || problems(t, err)[0].Line != 7 {
					t.Errorf("got %v, want %q in line 7", err, tt.err)
				}
				if err != nil && strings.Contains(err.Error(), "kept-from") {
					t.Errorf("the error holds a part of the secret: %v", err)
				}
				return
			}
			must(t, err)
			var log bytes.Buffer
			_, err = f.Verifier("R", config.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
			must(t, err)
			all := f.Warnings()
			switch {
			case tt.warning == "" && len(all) > 0:
				t.Errorf("got %v, want no warning", all)
			case tt.warning == "":
			case len(all) != 1 || !strings.HasPrefix(all[0].Rule, tt.warning) || !strings.Contains(all[0].Rule, quotes) || all[0].Line != 7:
				t.Errorf("got %v, want %q", all, tt.warning)
			case strings.Contains(fmt.Sprint(all), "kept-from") || strings.Contains(log.String(), "kept-from"):
				t.Errorf("%v holds a part of the secret", all)
			}
		})
	}
	// In { } a comma ends a text, and the rest is a field.
	_, err := config.Load(write(t, t.TempDir(), "f.yaml", head, "    keys: [{name: k, type: hmac, key: i, secret: s-of-8-or-more,kept-from}]\n"))
	if err == nil || !strings.Contains(err.Error(), ":3:65: environments.R.keys[0]: a comma ended the value before this text") || strings.Contains(err.Error(), "kept-from") {
		t.Errorf("comma: got %v", err)
	}
	// The URL of a store is a secret as well.
	f, err := loadAll(write(t, t.TempDir(), "f.yaml", oneKey, "    replay:\n      store: redis\n      url: redis://:kept-from@h #kept-from\n    default: k\n"))
	must(t, err)
	if got := fmt.Sprint(f.Warnings()); !strings.Contains(got, "replay.url: is followed by a comment") || strings.Contains(got, "kept-from") {
		t.Errorf("URL: got %s", got)
	}
}
