package config_test

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core/config"
)

// TestSchema_T242: the schema has the fields that the decoder knows, no other ones, and the
// same of them are required and refused for each type of key.
func TestSchema_T242(t *testing.T) {
	if file, err := os.ReadFile("../../docs/environments.schema.json"); err != nil || string(file) != string(config.Schema()) {
		t.Errorf("docs/environments.schema.json is not what `gatewayauth schema` prints (%v): write it with go run ./cmd/gatewayauth schema", err)
	}
	var schema any
	must(t, json.Unmarshal(config.Schema(), &schema))
	at := func(path string) any {
		found := schema
		for _, name := range strings.Fields(path) {
			m, ok := found.(map[string]any)
			if !ok || m[name] == nil {
				t.Fatalf("the schema has no %s", path)
			}
			found = m[name]
		}
		return found
	}
	then := func(typ string) map[string]any {
		for _, rule := range at("$defs key allOf").([]any) {
			m := rule.(map[string]any)
			if m["if"].(map[string]any)["properties"].(map[string]any)["type"].(map[string]any)["const"] == typ {
				return m["then"].(map[string]any)
			}
		}
		t.Fatalf("the schema has no rule for type %s", typ)
		return nil
	}
	const unknown = "none_of_them: 1"
	known := regexp.MustCompile(`none_of_them: unknown field; known here: (.*)`)
	fieldsOf := func(file string) []string {
		_, err := loadAll(write(t, t.TempDir(), "f.yaml", file))
		if err == nil {
			t.Fatalf("%s: no problem", file)
		}
		found := known.FindStringSubmatch(err.Error())
		if found == nil {
			t.Fatalf("%s: %v", file, err)
		}
		return strings.Split(found[1], ", ")
	}
	same := func(what string, inSchema any, decoder []string) {
		t.Helper()
		names := slices.Sorted(maps.Keys(inSchema.(map[string]any)))
		slices.Sort(decoder)
		if !slices.Equal(names, decoder) {
			t.Errorf("%s: the schema has %v, the decoder %v", what, names, decoder)
		}
	}
	for path, file := range map[string]string{
		"properties":                   "environments: {R: {}}\n" + unknown + "\n",
		"$defs environment properties": head + "    " + unknown + "\n",
		"$defs environment properties rewrite properties": head + "    rewrite: {" + unknown + "}\n",
		"$defs environment properties capture properties": head + "    capture: {" + unknown + "}\n",
		"$defs key properties":                            head + "    keys: [{" + unknown + "}]\n",
		"$defs api properties":                            head + "    apis: [{" + unknown + "}]\n",
		"$defs replay properties":                         head + "    replay: {" + unknown + "}\n",
		"$defs replay properties retries properties":      head + "    replay: {retries: {" + unknown + "}}\n",
		"$defs replay properties tls properties":          head + "    replay: {tls: {" + unknown + "}}\n",
	} {
		same(path, at(path), fieldsOf(file))
	}

	missing := regexp.MustCompile(`keys\[0\]\.(\w+): is missing`)
	foreign := regexp.MustCompile(`keys\[0\]\.(\w+): a key of type \S+ has no such field`)
	names := func(found *regexp.Regexp, err error) (all []string) {
		for _, m := range found.FindAllStringSubmatch(err.Error(), -1) {
			all = append(all, m[1])
		}
		slices.Sort(all)
		return all
	}
	for _, typ := range config.KeyTypes() {
		_, err := loadAll(write(t, t.TempDir(), "f.yaml", head, "    keys: [{name: k, type: ", typ, ", ", unknown, "}]\n"))
		var required []string
		for _, name := range then(typ)["required"].([]any) {
			required = append(required, name.(string))
		}
		if got := names(missing, err); !slices.Equal(got, required) {
			t.Errorf("%s: the schema requires %v, the decoder %v", typ, required, got)
		}
		all := "    keys: [{name: k, type: " + typ + ", " + unknown
		for name := range at("$defs key properties").(map[string]any) {
			if name != "name" && name != "type" {
				all += ", " + name + ": x"
			}
		}
		_, err = loadAll(write(t, t.TempDir(), "f.yaml", head, all, "}]\n"))
		var refused []string
		for name, rule := range then(typ)["properties"].(map[string]any) {
			if rule == false {
				refused = append(refused, name)
			}
		}
		slices.Sort(refused)
		if got := names(foreign, err); !slices.Equal(got, refused) {
			t.Errorf("%s: the schema refuses %v, the decoder %v", typ, refused, got)
		}
		if !slices.Contains(refused, "previous") {
			entry := then(typ)["properties"].(map[string]any)["previous"].(map[string]any)["items"].(map[string]any)["properties"]
			same(typ+" previous", entry, fieldsOf(head+"    keys: [{name: k, type: "+typ+", previous: [{"+unknown+"}]}]\n"))
		}
	}
}

// TestDocument_T290: docs/configuration.md has every field of the format, in code or in one of
// its blocks of YAML.
func TestDocument_T290(t *testing.T) {
	text, err := os.ReadFile("../../docs/configuration.md")
	must(t, err)
	var schema any
	must(t, json.Unmarshal(config.Schema(), &schema))
	names := map[string]bool{}
	var visit func(any)
	visit = func(part any) {
		switch part := part.(type) {
		case []any:
			for _, p := range part {
				visit(p)
			}
		case map[string]any:
			if fields, ok := part["properties"].(map[string]any); ok {
				for name := range fields {
					names[name] = true
				}
			}
			for _, p := range part {
				visit(p)
			}
		}
	}
	visit(schema)
	if len(names) < 50 {
		t.Fatalf("the schema has only %d fields", len(names))
	}
	code := strings.Join(regexp.MustCompile("(?s)```yaml.*?```|`[^`\n]+`").FindAllString(string(text), -1), "\n")
	for name := range names {
		if !regexp.MustCompile(`\b` + name + `\b`).MatchString(code) {
			t.Errorf("docs/configuration.md has no field %s", name)
		}
	}
}
