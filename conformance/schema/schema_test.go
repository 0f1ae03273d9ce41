// Package schema validates environments files against their JSON Schema, with somebody
// else's validator.
package schema

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/gatewayauth/gatewayauth/core/config"
	"github.com/gatewayauth/gatewayauth/core/config/redisstore"
	"github.com/gatewayauth/gatewayauth/core/config/smkeys"
)

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(config.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource(config.SchemaURL, document); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(config.SchemaURL) // checks the schema against its metaschema
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validate(t *testing.T, s *jsonschema.Schema, text string) error {
	t.Helper()
	json, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(json))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return s.Validate(value)
}

var (
	fenced   = regexp.MustCompile("(?s)```ya?ml\n(.*?)```")
	indented = regexp.MustCompile(`(?m)^(?://)?(?:\t|    )environments:\n(?:(?://)?(?:(?:\t|    ).*)?\n)*`)
)

// TestExamples_T242: every example of an environments file in the repository is valid.
func TestExamples_T242(t *testing.T) {
	s := compiled(t)
	examples := map[string]string{}
	files, _ := filepath.Glob("../../examples/*/environments.yaml")
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		examples[path] = string(text)
	}
	documents, _ := filepath.Glob("../../docs/*.md")
	for _, path := range append(documents, "../../README.md", "../../core/config/doc.go") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range fenced.FindAllStringSubmatch(string(text), -1) {
			if strings.Contains("\n"+found[1], "\nenvironments:\n") {
				examples[path] = found[1]
			}
		}
		for _, found := range indented.FindAllString(string(text), -1) {
			found = regexp.MustCompile(`(?m)^(//)?(\t|    )?`).ReplaceAllString(found, "")
			examples[path+" (indented)"] = found
		}
	}
	if len(examples) < 4 {
		t.Errorf("found only %d examples", len(examples))
	}
	for name, text := range examples {
		t.Log(name)
		if err := validate(t, s, text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

const keys = "environments:\n  R:\n    keys: [{name: k, type: hmac, key: i, secret: 0123456789}]\n"

// TestWrongFiles_T242: what the decoder refuses is refused by the schema as well, and what it
// accepts is accepted.
func TestWrongFiles_T242(t *testing.T) {
	s := compiled(t)
	key := func(fields string) string { return "environments: {R: {keys: [{name: k, " + fields + "}]}}\n" }
	const scoped = ", key: i, secret: s-of-8-or-more, region: r, service: s"
	for text, valid := range map[string]bool{
		keys + "    default: k\n":                                                                                              true,
		keys + "    mode: off\n":                                                                                               true,
		"environments: {R: {mode: off}}\n":                                                                                     true,
		keys + "    max_body: 1.5MiB\n    max_buffered: 268435456\n":                                                           true,
		keys + "    clock_skew: 1h0m\n    body_timeout: 500ms\n":                                                               true,
		keys + "    apis: [{match: /a, key: k}, {match: /b, open: true}]\n":                                                    true,
		keys + "    apis: [{match: /a, key: k, open: false}]\n":                                                                true,
		keys + "    require_signed: []\n":                                                                                      true,
		keys + "    replay: {store: memory, max_entries: 5, exempt_methods: [GET]}\n":                                          true,
		keys + "    replay: {store: redis, url: 'redis://h', timeout: 1s, on_unavailable: allow}\n":                            true,
		keys + "    replay: {store: memory, retries: {methods: [PUT], within: 5s}}\n":                                          true,
		key("type: aes, key: 0123456789abcdef, secret: 0123456789abcdef, previous: [{key: 0123456789abcdef}]"):                 true,
		key("type: sigv4, paths: s3" + scoped):                                                                                 true,
		key("type: sigv4a, allow_region_wildcards: true" + scoped):                                                             true,
		key("type: hmac, key: i, secret: s-of-8-or-more, previous: [{secret: t-of-8-or-more, until: 2027-01-01T00:00:00Z}]"):   true,
		"environments:\n  R: &r\n    keys: [{name: k, type: hmac, key: i, secret: 0123456789}]\n  S: {<<: *r, mode: report}\n": true,

		"":                                                      false,
		"environments: {}\n":                                    false,
		"environments: [R]\n":                                   false,
		"environments: {R: }\n":                                 false,
		"environments: {R: {}}\n":                               false,
		"environments: {R: {keys: []}}\n":                       false,
		"services: {}\n":                                        false,
		keys + "x: 1\n":                                         false,
		keys + "    clock-skew: 1m\n":                           false,
		keys + "    mode: on\n":                                 false,
		keys + "    mode: ''\n":                                 false,
		keys + "    clock_skew: 900\n":                          false,
		keys + "    clock_skew: 15 minutes\n":                   false,
		keys + "    max_body: 12M\n":                            false,
		keys + "    max_body: 0\n":                              false,
		keys + "    hosts: api.example.com\n":                   false,
		keys + "    hosts: []\n":                                false,
		keys + "    expose_reason: 'true'\n":                    false,
		keys + "    rewrite: {strip: /a}\n":                     false,
		keys + "    default: ''\n":                              false,
		keys + "    default: [k]\n":                             false,
		keys + "    apis: [{key: k}]\n":                         false,
		keys + "    apis: [{match: /a}]\n":                      false,
		keys + "    apis: [{match: /a, open: false}]\n":         false,
		keys + "    apis: [{match: /a, key: k, open: true}]\n":  false,
		keys + "    apis: [{match: /a, key: k, method: GET}]\n": false,
		keys + "    capture: {max: 5}\n":                        false,
		keys + "    replay: {}\n":                               false,
		keys + "    replay: {store: disk}\n":                    false,
		keys + "    replay: {store: redis}\n":                   false,
		keys + "    replay: {store: redis, url: 'redis://h', max_entries: 5}\n":                      false,
		keys + "    replay: {store: memory, url: 'redis://h'}\n":                                     false,
		keys + "    replay: {store: memory, max_entries: 0}\n":                                       false,
		keys + "    replay: {store: memory, retries: {methods: [PUT]}}\n":                            false,
		keys + "    replay: {store: memory, retries: {methods: [POST], within: 5s}}\n":               false,
		keys + "    replay: {store: redis, url: 'rediss://h', tls: {key: {file: k}}}\n":              false,
		keys + "    replay: {store: redis, url: 'redis://h', on_unavailable: accept}\n":              false,
		key("key: i, secret: s-of-8-or-more"):                                                        false,
		key("type: md5, key: i, secret: s-of-8-or-more"):                                             false,
		key("type: hmac, key: i"):                                                                    false,
		key("type: hmac, key: i, secret: ''"):                                                        false,
		key("type: hmac, key: i, secret: [a]"):                                                       false,
		key("type: hmac, key: i, secret: {env: A, file: b}"):                                         false,
		key("type: hmac, key: i, secret: {env: 1A}"):                                                 false,
		key("type: hmac, key: i, secret: {var: A}"):                                                  false,
		key("type: hmac, key: {env: A}, secret: s-of-8-or-more"):                                     false,
		key("type: hmac, key: i, secret: s-of-8-or-more, region: r"):                                 false,
		key("type: hmac, key: i, secret: s-of-8-or-more, previous: [{until: 2027-01-01T00:00:00Z}]"): false,
		key("type: hmac, key: i, secret: s-of-8-or-more, previous: [{secret: t, until: 2027}]"):      false,
		key("type: basic, key: i, secret: s-of-8-or-more, session_token: t"):                         false,
		key("type: sigv4, key: i, secret: s-of-8-or-more"):                                           false,
		key("type: sigv4, paths: s4" + scoped):                                                       false,
		key("type: sigv4, allow_region_wildcards: true" + scoped):                                    false,
		key("type: token, iam_url: 'https://iam', user: u, domain: d, project: p"):                   false,
	} {
		path := filepath.Join(t.TempDir(), "environments.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := config.Load(path, config.WithoutSecrets(), redisstore.Option(), smkeys.Option()); (err == nil) != valid {
			t.Errorf("%s: Load says %v, want valid: %t", text, err, valid)
		}
		if err := validate(t, s, text); (err == nil) != valid {
			t.Errorf("%s: the validator says %v, want valid: %t", text, err, valid)
		}
	}
}
