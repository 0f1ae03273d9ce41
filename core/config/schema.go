package config

import (
	"encoding/json"
	"slices"
)

// SchemaURL is where the schema of the repository's main branch is.
const SchemaURL = "https://raw.githubusercontent.com/gatewayauth/gatewayauth/main/docs/environments.schema.json"

// Schema returns a JSON Schema (draft 2020-12) of the environments file, for editors. It
// knows the fields, their types and which belong together; what [Load] accepts is decided
// by Load, which checks more.
func Schema() []byte {
	text, err := json.MarshalIndent(fileSchema(), "", "  ")
	if err != nil {
		panic(err) // it holds texts, lists and maps alone
	}
	return append(text, '\n')
}

type schema = map[string]any

// The parts that many fields share.
func ref(name string) schema { return schema{"$ref": "#/$defs/" + name} }

func enum(values ...string) schema { return schema{"enum": values} }

func list(of schema) schema { return schema{"type": "array", "items": of} }

// object is a mapping that has these fields alone.
func object(fields map[string]schema, required ...string) schema {
	s := schema{"type": "object", "properties": fields, "additionalProperties": false}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

// when requires then of a mapping whose field has a value.
func when(field string, value any, then schema) schema {
	return schema{"if": schema{"properties": schema{field: schema{"const": value}}, "required": []string{field}}, "then": then}
}

func described(fields map[string]schema, texts map[string]string) map[string]schema {
	for name, text := range texts {
		fields[name]["description"] = text
	}
	return fields
}

func fileSchema() schema {
	s := object(map[string]schema{"environments": {
		"type": "object", "minProperties": 1, "additionalProperties": ref("environment"),
		"propertyNames": schema{"minLength": 1},
		"description":   "The environments of the gateway, by their names.",
	}}, "environments")
	s["$schema"], s["$id"] = "https://json-schema.org/draft/2020-12/schema", SchemaURL
	s["title"] = "Environments file of gatewayauth"
	s["$defs"] = map[string]schema{
		"environment": environmentSchema(),
		"key":         keySchema(),
		"api":         apiSchema(),
		"replay":      replaySchema(),
		"text": {"description": "One text, which is taken as it is written.",
			"anyOf": []schema{{"type": "string", "pattern": `\S`}, {"type": []string{"number", "boolean"}}}},
		"duration": {"type": "string", "pattern": `^\+?(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+$`},
		"size": {"anyOf": []schema{{"type": "integer", "minimum": 1},
			{"type": "string", "pattern": `^[0-9]{1,30}(\.[0-9]{1,30})? ?([KkMmGg][Ii]?[Bb]|[Bb])?$`}}},
		"count": {"type": "integer", "minimum": 1, "maximum": mostEntries},
		"secret": {"description": "A secret: {env: NAME}, {file: path} or the text itself.",
			"anyOf": []schema{ref("text"),
				object(map[string]schema{"env": {"type": "string", "pattern": variableName.String()}}, "env"),
				object(map[string]schema{"file": ref("text")}, "file")}},
	}
	return s
}

func boolean() schema { return schema{"type": "boolean"} }

func environmentSchema() schema {
	s := object(described(map[string]schema{
		"mode":                     enum("enforce", "report", "off"),
		"credential_header":        ref("text"),
		"clock_skew":               ref("duration"),
		"max_body":                 ref("size"),
		"max_buffered":             ref("size"),
		"require_signed":           list(ref("text")),
		"require_signed_with_body": list(ref("text")),
		"hosts":                    {"type": "array", "items": ref("text"), "minItems": 1},
		"allow_unsigned":           list(ref("text")),
		"allow_unsigned_payload":   boolean(),
		"allow_presigned":          boolean(),
		"allow_short_secrets":      boolean(),
		"expose_reason":            boolean(),
		"rewrite": object(described(map[string]schema{"add_prefix": {"type": "string", "pattern": "^/"}, "host": ref("text")}, map[string]string{
			"add_prefix": "The prefix that a proxy took away from the path, such as /v1.",
			"host":       "The host that a proxy replaced.",
		})),
		"body_timeout": ref("duration"),
		"replay":       ref("replay"),
		"capture": object(described(map[string]schema{"dir": ref("text"), "max": ref("count"), "per_minute": ref("count"), "bodies": ref("size")}, map[string]string{
			"dir":        "The folder, relative to this file.",
			"max":        "How many files are kept.",
			"per_minute": "How many files are written in a minute at most.",
			"bodies":     "How many bytes of a body are kept.",
		}), "dir"),
		"keys":    list(ref("key")),
		"apis":    {"type": "array", "items": ref("api"), "maxItems": maxAPIs},
		"default": ref("text"),
	}, map[string]string{
		"mode":                     "What happens to a request that does not verify: enforce (default) refuses it, report lets it through and logs it, off verifies nothing.",
		"credential_header":        "The header in which the gateway sends its credential. Default: Authorization.",
		"clock_skew":               "How far a request's date may be off, such as 90s or 15m (default); at most 1h.",
		"max_body":                 "The largest body, such as 12MiB (default).",
		"max_buffered":             "How much of all bodies is held in memory, such as 256MiB (default).",
		"require_signed":           "Headers that must be signed where they are present. Default: host.",
		"require_signed_with_body": "Headers that must be present and signed where there is a body.",
		"hosts":                    "The authorities that requests may be signed for; *.name stands for all below name. Without it every host is accepted.",
		"allow_unsigned":           "Headers of the credential's own protocol that need not be signed.",
		"allow_unsigned_payload":   "Accept bodies that the signature does not cover.",
		"allow_presigned":          "Accept credentials in the query.",
		"allow_short_secrets":      "Accept secrets of fewer than 8 characters.",
		"expose_reason":            "Tell callers why they are refused. For development.",
		"rewrite":                  "What a proxy between gateway and backend changed.",
		"body_timeout":             "How long the reading of a body may take. Default 30s; at most 1h.",
		"replay":                   "Accept each request once.",
		"capture":                  "Write refused requests to files, for gatewayauth explain.",
		"keys":                     "The gateway's keys.",
		"apis":                     "Patterns of Go's net/http.ServeMux, each bound to one key, or open to everyone.",
		"default":                  "The name of the key of every other API. Without it they are refused.",
	}))
	s["if"] = schema{"properties": schema{"mode": schema{"const": "off"}}, "required": []string{"mode"}}
	s["else"] = schema{"required": []string{"keys"}, "properties": schema{"keys": schema{"minItems": 1}}}
	return s
}

func apiSchema() schema {
	s := object(described(map[string]schema{
		"match": {"type": "string", "pattern": "/"}, "key": ref("text"), "open": boolean(), "stream": boolean(),
		"max_body": ref("size"), "allow_unsigned_payload": boolean(),
	}, map[string]string{
		"match":                  "A pattern such as GET /orders/{id}; /orders/ stands for all paths below.",
		"key":                    "The name of the key whose requests are accepted.",
		"open":                   "Accept everyone, without a credential.",
		"stream":                 "Hand the body on while it is read; the verdict on it comes at its end.",
		"max_body":               "The largest body of this API.",
		"allow_unsigned_payload": "Accept bodies that the signature does not cover.",
	}), "match")
	s["oneOf"] = []schema{
		{"required": []string{"key"}, "properties": schema{"open": schema{"const": false}}},
		{"required": []string{"open"}, "properties": schema{"open": schema{"const": true}, "key": false}},
	}
	return s
}

// keySchema is made of the types in keyTypes.
func keySchema() schema {
	fields := map[string]schema{
		"name":     {"$ref": "#/$defs/text", "description": "What apis and default call the key, and handlers see."},
		"type":     {"enum": KeyTypes(), "description": "How requests are signed."},
		"previous": {"type": "array", "description": "Earlier secrets that are still accepted, each until a date."},
	}
	for _, f := range anyType.fields {
		switch f.kind {
		case hiddenField:
			fields[f.name] = ref("secret")
		case flagField:
			fields[f.name] = boolean()
		default:
			fields[f.name] = ref("text")
		}
	}
	described(fields, map[string]string{
		"key":                    "The id that requests carry, the gateway's \"Key\". Of type aes the AES key itself, a secret.",
		"secret":                 "The secret: {env: NAME}, {file: path} or the text itself. Of type aes the vector.",
		"session_token":          "The session token of a temporary key, a secret.",
		"region":                 "The region that the scope of a credential must name.",
		"service":                "The service that the scope of a credential must name.",
		"paths":                  "normalized, or s3 for paths that are signed as sent.",
		"allow_region_wildcards": "Let entries of a request's region set with a * match the region.",
		"algorithm":              "aes-128-cfb or aes-256-cfb; without it, what the length of the key says.",
		"iam_url":                "The identity service.",
		"insecure_http":          "Permit an iam_url with http.",
		"user":                   "The account that asks about callers' tokens.",
		"password":               "Its password, a secret.",
		"domain":                 "Its domain.",
		"project":                "Its project.",
		"caller_project":         "The id of the one project that callers' tokens must be scoped to.",
	})
	fields["paths"] = schema{"enum": []string{"normalized", "s3"}, "description": fields["paths"]["description"]}
	s := object(fields, "name", "type")
	var types []schema
	for _, t := range keyTypes {
		own, required := map[string]any{}, []string{}
		for _, f := range anyType.fields {
			has := t.field(f.name)
			switch {
			case has == nil:
				own[f.name] = false
			case has.kind != f.kind: // a secret in other types
				own[f.name] = ref("text")
			}
			if has != nil && has.required != "" {
				required = append(required, f.name)
			}
		}
		own["previous"] = false
		if rotating := t.rotating(); len(rotating) > 0 {
			entry := map[string]schema{"until": {"type": "string", "format": "date-time", "pattern": `^[0-9]{4}-[0-9]{2}-[0-9]{2}T`,
				"description": "When it ends, such as 2027-01-01T00:00:00Z. Without it, it is accepted forever."}}
			var some []schema
			for _, name := range rotating {
				entry[name] = ref("secret")
				some = append(some, schema{"required": []string{name}})
			}
			items := object(entry)
			items["anyOf"] = some
			own["previous"] = list(items)
		}
		slices.Sort(required)
		types = append(types, when("type", t.name, schema{"properties": own, "required": required}))
	}
	s["allOf"] = types
	return s
}

// replaySchema is made of the stores in storeFields.
func replaySchema() schema {
	methods := list(schema{"type": "string", "pattern": "^[^a-z]+$"})
	s := object(described(map[string]schema{
		"store":          {},
		"exempt_methods": methods,
		"retries": object(map[string]schema{"methods": {"type": "array", "minItems": 1, "items": enum("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE")},
			"within": ref("duration")}, "methods", "within"),
		"max_entries":         ref("count"),
		"refuse_before_start": boolean(),
		"url":                 ref("secret"),
		"on_unavailable":      enum("reject", "allow"),
		"timeout":             ref("duration"),
		"prefix":              ref("text"),
		"tls": {"type": "object", "additionalProperties": false,
			"properties":        map[string]schema{"ca": ref("secret"), "certificate": ref("secret"), "key": ref("secret"), "server_name": ref("text")},
			"dependentRequired": map[string][]string{"certificate": {"key"}, "key": {"certificate"}}},
	}, map[string]string{
		"store":               "memory, for one process, or redis, for all that share a server.",
		"exempt_methods":      "Methods that are not checked.",
		"retries":             "Methods that the gateway may send once more, and how soon.",
		"max_entries":         "How many requests are remembered. Default 1000000.",
		"refuse_before_start": "Refuse requests that were signed before the process began to remember.",
		"url":                 "The server, such as rediss://redis.internal; a secret.",
		"on_unavailable":      "Whether requests are refused (reject, the default) or accepted unchecked (allow) while the server cannot tell.",
		"timeout":             "How long a check may take. Default 50ms; at most 10s.",
		"prefix":              "What the names of the keys on the server start with.",
		"tls":                 "How the server is verified, for a URL with rediss.",
	}), "store")
	var stores []string
	var rules []schema
	for _, t := range storeFields {
		stores = append(stores, t.store)
		others := schema{}
		for _, other := range storeFields {
			for _, name := range other.fields {
				if other.store != t.store {
					others[name] = false
				}
			}
		}
		then := schema{"properties": others}
		if t.store == redisStore {
			then["required"] = []string{"url"}
		}
		rules = append(rules, when("store", t.store, then))
	}
	s["properties"].(map[string]schema)["store"]["enum"] = stores
	s["allOf"] = rules
	return s
}
