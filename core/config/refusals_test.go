package config_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// refusals are files that must not load, with the exact text of every problem
// behind the name of the file.
var refusals = []struct{ name, file, want string }{
	// The file as a whole.
	{"empty", "", ": the file is empty"},
	{"comments only", "# nothing\n", ": the file is empty"},
	{"document marker only", "---\n", ": the file is empty"},
	{"no environments", "environments: {}\n", ":1: environments: must be a mapping of at least one environment; write {RELEASE: {keys: [{name: orders_key, type: hmac, key: ID, secret: {env: VARIABLE}}], default: orders_key}}"},
	{"environments without value", "environments:\n", ":1: environments: must be a mapping of at least one environment; write {RELEASE: {keys: [{name: orders_key, type: hmac, key: ID, secret: {env: VARIABLE}}], default: orders_key}}"},
	{"list of environments", "environments: [R]\n", ":1: environments: must be a mapping of at least one environment; write {RELEASE: {keys: [{name: orders_key, type: hmac, key: ID, secret: {env: VARIABLE}}], default: orders_key}}"},
	{"a text", "environments\n", ":1: must be a mapping of fields; write {environments: {RELEASE: {keys: [{name: orders_key, type: hmac, key: ID, secret: {env: VARIABLE}}], default: orders_key}}}"},
	{"another file", "services:\n  web: 1\n", ":1: services: unknown field; known here: environments\n:1: environments: is missing: write environments: {RELEASE: {keys: [{name: orders_key, type: hmac, key: ID, secret: {env: VARIABLE}}], default: orders_key}}"},
	{"two documents", oneKey + "---\nenvironments: {}\n", ":6: a second YAML document; the file is one document"},
	{"invalid UTF-8", oneKey + "    mode: \xff\n", ":5: this is not valid UTF-8"},
	{"control character", oneKey + "    mode: a\x00\n", ":5: there is a control character in this line"},
	{"unclosed list", head + "    keys: [{name: k\n", ":3: YAML: could not find flow mapping end token '}'"},
	{"unclosed quote", oneKey + "    mode: \"enforce\n", ":5: YAML: could not find end character of double-quoted text"},
	{"secret in a syntax error", head + "    keys:\n    - secret: \"kept-from-every-message-1\\q\"\n", ":4: YAML: found unknown escape character"},
	{"directive", "%YAML 1.2\n---\n" + oneKey, ":1: directives are not supported; a text that starts with % needs quotes"},
	{"tag", oneKey + "    mode: !!str enforce\n", ":5: tags are not supported; a text that starts with ! needs quotes"},
	{"key after ?", oneKey + "    ? mode\n    : enforce\n", ":5: keys after ? are not supported"},
	{"alias of nothing", oneKey + "    mode: *kept-from\n", ":5: alias of an anchor that is not set above; a text that starts with * needs quotes"},
	{"alias of itself", oneKey + "    apis: &a [*a]\n", ":5: alias inside of its own anchor"},
	{"too deep", strings.Repeat("[", 40), ":1: nested more than 32 deep"},

	// An environment.
	{"environment twice", oneKey + "  R: {}\n", ":5: environments.R: is set twice, first in line 2; leave one out"},
	{"environment without name", "environments:\n  '': {mode: off}\n", `:2: environments."": an environment needs a name`},
	{"environment without value", "environments:\n  R:\n", ":2: environments.R: must be a mapping of fields; write {keys: [{name: orders_key, type: hmac, key: ID, secret: {env: VARIABLE}}], default: orders_key}"},
	{"no keys", head + "    mode: report\n", ":2: environments.R.keys: there is no key, so every request would be refused; list at least one, or set mode: off"},
	{"0 keys", head + "    mode: enforce\n    keys: []\n", ":4: environments.R.keys: there is no key, so every request would be refused; list at least one, or set mode: off"},
	{"unknown field", oneKey + "    skew: 15m\n", ":5: environments.R.skew: unknown field; known here: allow_presigned, allow_short_secrets, allow_unsigned, allow_unsigned_payload, apis, body_timeout, capture, clock_skew, credential_header, default, expose_reason, hosts, keys, max_body, max_buffered, mode, replay, require_signed, require_signed_with_body, rewrite"},
	{"field twice", oneKey + "    mode: off\n    mode: enforce\n", ":6: environments.R.mode: is set twice, first in line 5; leave one out"},
	{"field twice, quoted", oneKey + "    mode: off\n    \"mode\": enforce\n", ":6: environments.R.mode: is set twice, first in line 5; leave one out"},
	{"unknown mode", oneKey + "    mode: Enforce\n", ":5: environments.R.mode: unknown mode; write enforce, report or off"},
	{"mode without value", oneKey + "    mode:\n", ":5: environments.R.mode: is empty; write a value"},
	{"mode a list", oneKey + "    mode: [off]\n", ":5: environments.R.mode: must be one text, not a list or a mapping"},
	{"bool as text", oneKey + "    expose_reason: 'true'\n", ":5: environments.R.expose_reason: must be true or false"},
	{"bool as number", oneKey + "    allow_unsigned_payload: 1\n", ":5: environments.R.allow_unsigned_payload: must be true or false"},
	{"skew without unit", oneKey + "    clock_skew: 900\n", ":5: environments.R.clock_skew: has no unit; write a duration such as 90s, 15m or 1h"},
	{"skew of 0", oneKey + "    clock_skew: 0s\n", ":5: environments.R.clock_skew: must be more than 0"},
	{"skew too large", oneKey + "    clock_skew: 24h\n", ":5: environments.R.clock_skew: 24h0m0s is not between 0 and 1h0m0s"},
	{"size", oneKey + "    max_body: 12 megabytes\n", ":5: environments.R.max_body: is not a size such as 1048576, 512KiB, 12MiB, 1GiB or 12MB"},
	{"size overflow", oneKey + "    max_body: 9999999999GiB\n", ":5: environments.R.max_body: is too large a size"},
	{"buffered below body", oneKey + "    max_body: 2MiB\n    max_buffered: 1MiB\n", ":6: environments.R.max_buffered: 1048576 bytes are fewer than max_body, 2097152"},
	{"credential_header with an underscore", oneKey + "    credential_header: X_Sign\n", `:5: environments.R.credential_header: has an underscore, and proxies such as nginx drop headers with one`},
	{"credential_header that must be signed", oneKey + "    credential_header: X-Sign\n    require_signed: [host, x-sign]\n", ":6: environments.R.require_signed[1]: is not the name of a header that can be signed"},
	{"credential_header and credentials in the query", oneKey + "    allow_presigned: true\n    credential_header: X-Sign\n", ":5: environments.R.allow_presigned: set together with credential_header, so that credentials could stand in the query as well"},
	{"require_signed a text", oneKey + "    require_signed: host\n", ":5: environments.R.require_signed: must be a list; write [host]"},
	{"require_signed no header", oneKey + "    require_signed:\n    - host\n    - x role\n", ":7: environments.R.require_signed[1]: is not the name of a header that can be signed"},
	{"require_signed unsignable", oneKey + "    require_signed: [Connection]\n", ":5: environments.R.require_signed[0]: is not the name of a header that can be signed"},
	{"T182 require_signed_with_body a text", oneKey + "    require_signed_with_body: content-type\n", ":5: environments.R.require_signed_with_body: must be a list; write [content-type]"},
	{"T182 require_signed_with_body unsignable", oneKey + "    require_signed_with_body:\n    - content-type\n    - Transfer-Encoding\n", ":7: environments.R.require_signed_with_body[1]: is not the name of a header that can be signed"},
	{"T182 require_signed_with_body and allow_unsigned", oneKey + "    require_signed_with_body: [x-sdk-kind]\n    allow_unsigned: [X-Sdk-Kind]\n", ":6: environments.R.allow_unsigned[0]: is required to be signed as well (require_signed_with_body)"},
	{"T183 hosts a text", oneKey + "    hosts: api.example.com\n", ":5: environments.R.hosts: must be a list; write [api.example.com]"},
	{"T183 no hosts", oneKey + "    hosts: []\n", ":5: environments.R.hosts: an empty list, with which every request would be refused; leave it out to accept every host"},
	{"T183 hosts with a URL", oneKey + "    hosts:\n    - api.example.com\n    - https://API.example.com\n", ":7: environments.R.hosts[1]: is not a host, or a host and a port, alone: leave out scheme, path and user"},
	{"T183 hosts with a port that is none", oneKey + "    hosts: [a:http]\n", ":5: environments.R.hosts[0]: has a port that is not a number from 1 to 65535"},
	{"T183 every host", oneKey + "    hosts: ['*']\n", ":5: environments.R.hosts[0]: stands for every host; leave the list out to accept every host"},
	{"T183 hosts and allow_unsigned", oneKey + "    hosts: [a]\n    allow_unsigned: [Host]\n", ":6: environments.R.allow_unsigned[0]: says for whom the request is: require_signed decides whether it must be signed"},
	{"T179 allow_unsigned a text", oneKey + "    allow_unsigned: x-amz-cf-id\n", ":5: environments.R.allow_unsigned: must be a list; write [x-amz-cf-id]"},
	{"T179 allow_unsigned the date", oneKey + "    allow_unsigned:\n    - x-amz-cf-id\n    - X-Amz-Date\n", ":7: environments.R.allow_unsigned[1]: says when the request was signed, so it must be signed"},
	{"T179 allow_unsigned the token", oneKey + "    allow_unsigned: [x-security-token]\n", ":5: environments.R.allow_unsigned[0]: holds the session token, so it must be signed"},
	{"T179 allow_unsigned a pattern", oneKey + "    allow_unsigned: ['x-amz-*']\n", ":5: environments.R.allow_unsigned[0]: is no exact name of a header; list each by its name, with dashes"},
	{"T179 allow_unsigned and require_signed", oneKey + "    require_signed: [x-sdk-nonce]\n    allow_unsigned: [x-sdk-nonce]\n", ":6: environments.R.allow_unsigned[0]: is required to be signed as well (require_signed)"},
	{"prefix", oneKey + "    rewrite:\n      add_prefix: v1\n", ":6: environments.R.rewrite.add_prefix: \"v1\" is not a plain path such as /v1, without a slash at its end"},
	{"rewrite host", oneKey + "    rewrite:\n      host: https://a\n", ":6: environments.R.rewrite.host: \"https://a\" is not an authority"},
	{"rewrite field", oneKey + "    rewrite: {strip: /a}\n", ":5: environments.R.rewrite.strip: unknown field; known here: add_prefix, host"},
	{"body timeout too long", oneKey + "    body_timeout: 2h\n", ":5: environments.R.body_timeout: 2h0m0s is not between 0 and 1h0m0s"},
	{"body timeout without unit", oneKey + "    body_timeout: 30\n", ":5: environments.R.body_timeout: has no unit; write a duration such as 90s, 15m or 1h"},

	// Replay.
	{"replay a text", oneKey + "    replay: memory\n", ":5: environments.R.replay: must be a mapping of fields; write {store: memory}"},
	{"replay without value", oneKey + "    replay:\n", ":5: environments.R.replay: must be a mapping of fields; write {store: memory}"},
	{"replay without store", oneKey + "    replay: {exempt_methods: [GET]}\n", ":5: environments.R.replay.store: is missing: write memory, for one process, or redis, for several"},
	{"replay in an unknown store", oneKey + "    replay: {store: Redis, url: kept-from, max_entries: 1}\n", ":5: environments.R.replay.store: unknown store; write memory or redis"},
	{"replay field", oneKey + "    replay: {store: memory, ttl: 1h}\n", ":5: environments.R.replay.ttl: unknown field; known here: exempt_methods, max_entries, on_unavailable, prefix, refuse_before_start, retries, store, timeout, tls, url"},
	{"replay in memory, as on a server", oneKey + "    replay:\n      on_unavailable: reject\n      prefix: p\n      url: 'redis://:kept-from@h'\n      store: memory\n      timeout: 1s\n",
		`:6: environments.R.replay.on_unavailable: a store of type memory has no such field; leave it out
:7: environments.R.replay.prefix: a store of type memory has no such field; leave it out
:8: environments.R.replay.url: a store of type memory has no such field; leave it out
:10: environments.R.replay.timeout: a store of type memory has no such field; leave it out`},
	{"replay on a server, as in memory", oneKey + "    replay:\n      store: redis\n      max_entries: 5\n", ":5: environments.R.replay.url: is missing: write the address of the server, such as {env: REDIS_URL}\n:7: environments.R.replay.max_entries: a store of type redis has no such field; leave it out"},
	{"replay of no entries", oneKey + "    replay: {store: memory, max_entries: 0}\n", ":5: environments.R.replay.max_entries: is not a whole number from 1 to 1000000000"},
	{"replay of too many entries", oneKey + "    replay: {store: memory, max_entries: 1000000001}\n", ":5: environments.R.replay.max_entries: is not a whole number from 1 to 1000000000"},
	{"replay of some entries", oneKey + "    replay: {store: memory, max_entries: 1e6}\n", ":5: environments.R.replay.max_entries: is not a whole number from 1 to 1000000000"},
	{"replay exempt method", oneKey + "    replay:\n      store: memory\n      exempt_methods:\n      - HEAD\n      - get\n", ":9: environments.R.replay.exempt_methods[1]: is not a method in upper case"},
	{"refuse_before_start on a server", oneKey + "    replay:\n      store: redis\n      url: redis://127.0.0.1:1\n      refuse_before_start: true\n", ":8: environments.R.replay.refuse_before_start: a store of type redis has no such field; leave it out"},
	{"retries of a method that is not idempotent", oneKey + "    replay: {store: memory, retries: {methods: [PUT, POST], within: 5s}}\n", ":5: environments.R.replay.retries.methods[1]: is not a method that gateways retry: GET, HEAD, OPTIONS, TRACE, PUT or DELETE"},
	{"retries of an exempt method", oneKey + "    replay: {store: memory, exempt_methods: [GET], retries: {methods: [GET], within: 5s}}\n", ":5: environments.R.replay.retries.methods[0]: is exempt from the check, so that it can be sent as often as anybody likes"},
	{"retries without a time", oneKey + "    replay: {store: memory, retries: {methods: [PUT]}}\n", ":5: environments.R.replay.retries.within: is missing: set a duration, such as 5s"},
	{"retries for too long", oneKey + "    replay: {store: memory, retries: {methods: [PUT], within: 2m}}\n", ":5: environments.R.replay.retries.within: 2m0s is not between 0 and 1m0s"},
	{"replay exempt a text", oneKey + "    replay: {store: memory, exempt_methods: GET}\n", ":5: environments.R.replay.exempt_methods: must be a list; write [GET]"},
	{"replay unavailable", oneKey + "    replay: {store: redis, url: 'redis://h', on_unavailable: accept}\n", ":5: environments.R.replay.on_unavailable: unknown value; write reject or allow"},
	{"replay timeout and prefix", oneKey + "    replay:\n      store: redis\n      url: 'redis://:kept-from@h'\n      timeout: 1m\n      prefix: " + strings.Repeat("p", 129) + "\n",
		":8: environments.R.replay.timeout: 1m0s is not between 0 and 10s\n:9: environments.R.replay.prefix: longer than 128 bytes"},
	{"replay URL", oneKey + "    replay:\n      store: redis\n      url: 'http://:kept-from@h'\n", ":7: environments.R.replay.url: the scheme is none of redis, rediss, valkey, valkeys and unix"},
	{"replay URL that is none", oneKey + "    replay:\n      store: redis\n      url: 'redis://:kept-from%zz@h'\n", ":7: environments.R.replay.url: not a URL (characters of a password that are special in URLs must be percent-encoded)"},
	{"replay URL with another parameter", oneKey + "    replay: {store: redis, url: 'redis://h?kept-from=1'}\n", ":5: environments.R.replay.url: an unknown parameter"},
	{"replay URL in a file", oneKey + "    replay:\n      store: redis\n      url:\n        file: redis-url\n", ":8: environments.R.replay.url.file: a user without a password"},
	{"replay URL without its file", oneKey + "    replay: {store: redis, url: {file: absent}}\n", ":5: environments.R.replay.url.file: the file absent does not exist"},
	{"replay URL without its variable", oneKey + "    replay: {store: redis, url: {env: GATEWAYAUTH_ABSENT}}\n", ":5: environments.R.replay.url.env: the environment variable GATEWAYAUTH_ABSENT is not set"},
	{"replay TLS on a URL without it", oneKey + "    replay:\n      store: redis\n      url: 'redis://h'\n      tls: {server_name: h}\n", ":8: environments.R.replay.tls: the URL is not one with rediss"},
	{"replay TLS in memory", oneKey + "    replay: {store: memory, tls: {server_name: h}}\n", ":5: environments.R.replay.tls: a store of type memory has no such field; leave it out"},
	{"replay TLS field", oneKey + "    replay: {store: redis, url: 'rediss://h', tls: {skip_verify: true}}\n", ":5: environments.R.replay.tls.skip_verify: unknown field; known here: ca, certificate, key, server_name"},
	{"replay TLS certificate without its key", oneKey + "    replay: {store: redis, url: 'rediss://h', tls: {certificate: {file: blank}}}\n", ":5: environments.R.replay.tls.key: is missing: write the private key of the certificate, such as {file: client.key}\n:5: environments.R.replay.tls.certificate.file: the file is empty"},
	{"replay TLS key without its certificate", oneKey + "    replay: {store: redis, url: 'rediss://h', tls: {key: kept-from}}\n", ":5: environments.R.replay.tls.certificate: is missing: write the certificate of the key, such as {file: client.pem}"},
	{"replay TLS without its files", oneKey + "    replay: {store: redis, url: 'rediss://h', tls: {ca: {file: absent}}}\n", ":5: environments.R.replay.tls.ca.file: the file absent does not exist"},
	{"replay TLS authority that is none", oneKey + "    replay: {store: redis, url: 'rediss://h', tls: {ca: kept-from}}\n", ":5: environments.R.replay.tls.ca: holds no certificate in PEM"},
	{"replay TLS certificate that is none", oneKey + "    replay: {store: redis, url: 'rediss://h', tls: {certificate: kept-from, key: kept-from}}\n", ":5: environments.R.replay.tls.certificate: holds no certificate in PEM"},
	{"replay TLS key that is none", oneKey + "    replay: {store: redis, url: 'rediss://h', tls: {certificate: {file: certificate}, key: {file: redis-url}}}\n", ":5: environments.R.replay.tls.key.file: is not the unencrypted private key of the certificate, in PEM"},
	{"replay TLS key of another certificate", oneKey + "    replay: {store: redis, url: 'rediss://h', tls: {certificate: {file: certificate}, key: {file: other-key}}}\n", ":5: environments.R.replay.tls.key.file: is not the unencrypted private key of the certificate, in PEM"},
	{"replay URL with a password for no sentinels", oneKey + "    replay: {store: redis, url: 'redis://h?sentinel_password=kept-from'}\n", ":5: environments.R.replay.url: sentinel_password without master_set or without sentinel_password"},
	{"replay URL with a plus", oneKey + "    replay: {store: redis, url: 'redis://h?master_set=x&sentinel_password=kept-from+1'}\n", ":5: environments.R.replay.url: a + in the query, where it means a blank: write %2B or %20"},
	{"replay URL empty", oneKey + "    replay: {store: redis, url: ''}\n", ":5: environments.R.replay.url: is empty; write a value"},
	{"T097 replay of what is not signed", head + "    keys:\n    - " + strings.Replace(tokenKey, "name: k", "name: l", 1) + "\n    - {name: k, type: basic, key: i, secret: s-of-8-or-more}\n    replay: {store: memory}\n",
		":6: environments.R.replay: no key of this environment signs requests (types basic, token do not), so that a replay cannot be told from another request"},
	{"presigned", oneKey + "    allow_presigned: often\n", ":5: environments.R.allow_presigned: must be true or false"},
	{"default unknown", oneKey + "    default: other\n", ":5: environments.R.default: no key of this environment has this name; there are: k"},
	{"merge of a text", oneKey + "    <<: mode\n", ":5: environments.R: << takes an alias of a mapping, or a list of such"},

	// Keys.
	{"keys a mapping", head + "    keys: {name: k}\n", ":3: environments.R.keys: must be a list; write [{name: orders_key, type: hmac, key: ID, secret: {env: VARIABLE}}]\n:3: environments.R.keys: there is no key, so every request would be refused; list at least one, or set mode: off"},
	{"key a text", head + "    keys: [k]\n", ":3: environments.R.keys[0]: must be a mapping of fields; write {name: orders_key, type: hmac, key: ID, secret: {env: VARIABLE}}"},
	{"key without fields", head + "    keys:\n    - {}\n", ":4: environments.R.keys[0].name: is missing: write the name that apis and default have for the key\n:4: environments.R.keys[0].type: is missing: write one of aes, aksk, basic, ecdsa-p256, hmac, hmac-sm3, sigv4, sigv4a, sm2, token, v11"},
	{"key without key and secret", head + "    keys:\n    - name: k\n      type: hmac\n", ":4: environments.R.keys[0].key: is missing: write the id that requests carry, the gateway's Key\n:4: environments.R.keys[0].secret: is missing: write the secret, as {env: VARIABLE} or {file: path}"},
	{"empty key", head + "    keys: [{name: k, type: hmac, key: '', secret: s-of-8-or-more}]\n", ":3: environments.R.keys[0].key: is empty; write a value"},
	{"T227 short secret", head + "    keys:\n    - {name: k, type: hmac, key: i,\n       secret: '1234567', previous: [{secret: abcdefg}]}\n    default: k\n", ":5: environments.R.keys[0].secret: shorter than 8 characters, as no gateway issues them: use a longer one, or set allow_short_secrets\n:5: environments.R.keys[0].previous[0].secret: shorter than 8 characters, as no gateway issues them: use a longer one, or set allow_short_secrets"},
	{"unknown type", head + "    keys: [{name: k, type: hmac-sha256, key: i, secret: s-of-8-or-more}]\n", ":3: environments.R.keys[0].type: unknown type; did you mean hmac? Write one of aes, aksk, basic, ecdsa-p256, hmac, hmac-sm3, sigv4, sigv4a, sm2, token, v11"},
	{"unknown type, and what else is wrong", head + "    keys: [{name: k, type: hmca, key: '', secret: {file: absent}, iam: i, previous: [{secret: {env: GATEWAYAUTH_ABSENT}}]}]\n", `:3: environments.R.keys[0].iam: unknown field; known here: algorithm, allow_region_wildcards, caller_project, domain, iam_url, insecure_http, key, name, password, paths, previous, project, region, secret, service, session_token, type, user
:3: environments.R.keys[0].type: unknown type; did you mean hmac? Write one of aes, aksk, basic, ecdsa-p256, hmac, hmac-sm3, sigv4, sigv4a, sm2, token, v11
:3: environments.R.keys[0].key: is empty; write a value
:3: environments.R.keys[0].secret.file: the file absent does not exist
:3: environments.R.keys[0].previous[0].secret.env: the environment variable GATEWAYAUTH_ABSENT is not set`},
	{"scope without a region", head + "    keys: [{name: k, type: sigv4, key: i, secret: s-of-8-or-more, service: s}]\n    default: k\n", ":3: environments.R.keys[0].region: is missing: write the region in the signer's scope, such as eu-west-1"},
	{"region with a slash", head + "    keys: [{name: k, type: aksk, key: i, secret: s-of-8-or-more, service: s, region: a/b}]\n    default: k\n", ":3: environments.R.keys[0].region: holds a slash, which separates the parts of a scope"},
	{"T181 wildcards that are neither on nor off", head + "    keys: [{name: k, type: sigv4a, key: i, secret: s-of-8-or-more, service: s, region: r, allow_region_wildcards: us-*}]\n    default: k\n", ":3: environments.R.keys[0].allow_region_wildcards: must be true or false"},
	{"T181 wildcards on another type", head + "    keys:\n    - name: k\n      type: sigv4\n      key: i\n      secret: s\n      service: s\n      region: r\n      allow_region_wildcards: true\n    default: k\n", ":10: environments.R.keys[0].allow_region_wildcards: a key of type sigv4 has no such field; leave it out"},
	{"paths", head + "    keys: [{name: k, type: sigv4a, key: i, secret: s-of-8-or-more, service: s, region: r, paths: raw}]\n    default: k\n", ":3: environments.R.keys[0].paths: unknown rule; write normalized or s3"},
	{"field of another type", head + "    keys:\n    - name: k\n      type: hmac\n      key: i\n      secret: s\n      region: r\n", ":8: environments.R.keys[0].region: a key of type hmac has no such field; leave it out"},
	{"session token of basic", head + "    keys: [{name: k, type: basic, key: i, secret: s-of-8-or-more, session_token: t}]\n", ":3: environments.R.keys[0].session_token: a key of type basic has no such field; leave it out"},
	{"name twice", oneKey + "    - {name: k, type: basic, key: other, secret: s-of-8-or-more}\n", ":5: environments.R.keys[1].name: the name \"k\" is already that of the key in line 4"},
	{"previous a mapping", head + "    keys: [{name: k, type: hmac, key: i, secret: s-of-8-or-more, previous: {secret: o}}]\n", ":3: environments.R.keys[0].previous: must be a list; write [{secret: {env: VARIABLE}}]"},
	{"previous without secret", head + "    keys: [{name: k, type: hmac, key: i, secret: s-of-8-or-more, previous: [{until: 2027-01-01T00:00:00Z}]}]\n", ":3: environments.R.keys[0].previous[0].secret: is missing: write the earlier secret, as {env: VARIABLE} or {file: path}"},
	{"until a day", head + "    keys: [{name: k, type: hmac, key: i, secret: s-of-8-or-more, previous: [{secret: o, until: 2027-01-01}]}]\n", ":3: environments.R.keys[0].previous[0].until: is not a date such as 2027-01-01T00:00:00Z (RFC 3339)"},

	{"previous of nothing", head + "    keys: [{name: k, type: hmac, key: i, secret: s-of-8-or-more, previous: [{key: o, secret: o}]}]\n", ":3: environments.R.keys[0].previous[0].key: unknown field; known here: secret, until"},

	// Keys of type aes.
	{"aes without fields", head + "    keys: [{name: k, type: aes}]\n", ":3: environments.R.keys[0].key: is missing: write the AES key of 16 or 32 bytes, as {env: VARIABLE} or {file: path}\n:3: environments.R.keys[0].secret: is missing: write the vector of 16 bytes, as {env: VARIABLE} or {file: path}"},
	{"aes of wrong lengths", head + "    keys:\n    - name: k\n      type: aes\n      key: kept-from-15-00\n      secret: kept-from-17-0000\n",
		":6: environments.R.keys[0].key: 15 bytes long, neither 16 (aes-128-cfb) nor 32 (aes-256-cfb)\n:7: environments.R.keys[0].secret: 17 bytes long, not 16"},
	{"aes-256 with a key of 128 bits", head + "    keys:\n    - name: k\n      type: aes\n      algorithm: aes-256-cfb\n      key: kept-from-16-000\n      secret: kept-from-16-000\n",
		":7: environments.R.keys[0].key: 16 bytes long, not 32 as its algorithm has it"},
	{"aes of an unknown algorithm", head + "    keys:\n    - name: k\n      type: aes\n      algorithm: aes-192-cfb\n      key: kept-from-16-000\n      secret: kept-from-16-0\n",
		":6: environments.R.keys[0].algorithm: neither aes-128-cfb nor aes-256-cfb\n:8: environments.R.keys[0].secret: 14 bytes long, not 16"},
	{"aes from files", head + "    keys:\n    - name: k\n      type: aes\n      key: {file: blank}\n      secret:\n        file: aes-vector\n",
		":6: environments.R.keys[0].key.file: the file is empty\n:8: environments.R.keys[0].secret.file: 20 bytes long, not 16"},
	{"aes, previous of wrong lengths", head + "    keys:\n    - {name: \"k\\n\", type: aes, key: kept-from-16-000, secret: kept-from-16-000, previous: [\n      {key: kept-from},\n      {secret: kept-from},\n      {until: 2027-01-01T00:00:00Z}]}\n",
		`:5: environments.R.keys[0].previous[0].key: 9 bytes long, neither 16 (aes-128-cfb) nor 32 (aes-256-cfb)
:6: environments.R.keys[0].previous[1].secret: 9 bytes long, not 16
:7: environments.R.keys[0].previous[2]: has neither key nor secret; write what was different before`},
	{"aes with the fields of others", head + "    keys: [{name: k, type: aes, key: kept-from-16-000, secret: kept-from-16-000, region: r, session_token: kept-from}]\n",
		":3: environments.R.keys[0].region: a key of type aes has no such field; leave it out\n:3: environments.R.keys[0].session_token: a key of type aes has no such field; leave it out"},

	// Keys of type token.
	{"token without fields", head + "    keys: [{name: k, type: token}]\n", `:3: environments.R.keys[0].iam_url: is missing: write the address of the identity service, such as https://iam.example.com
:3: environments.R.keys[0].user: is missing: write the user who asks the identity service about tokens
:3: environments.R.keys[0].password: is missing: write the password of user, as {env: VARIABLE} or {file: path}
:3: environments.R.keys[0].domain: is missing: write the domain of user
:3: environments.R.keys[0].project: is missing: write the project in which user asks about tokens`},
	{"token without values", head + "    keys: [{name: k, type: token, iam_url: '', user: '', password: '', domain: '', project: '', caller_project: '', insecure_http: 'true'}]\n", `:3: environments.R.keys[0].iam_url: is empty; write a value
:3: environments.R.keys[0].user: is empty; write a value
:3: environments.R.keys[0].password: is empty; write a value
:3: environments.R.keys[0].domain: is empty; write a value
:3: environments.R.keys[0].project: is empty; write a value
:3: environments.R.keys[0].caller_project: is empty; write a value
:3: environments.R.keys[0].insecure_http: must be true or false`},
	{"T109 token over http", head + "    keys:\n    - " + strings.Replace(tokenKey, "https:", "http:", 1) + "\n",
		":4: environments.R.keys[0].iam_url: http, and not https: passwords and tokens would travel in the clear"},
	{"token with a password in the URL", head + "    keys:\n    - " + strings.Replace(tokenKey, "//", "//user:kept-from@", 1) + "\n",
		":4: environments.R.keys[0].iam_url: not of a host and, optionally, a path alone"},
	{"token with a URL that is none", head + "    keys:\n    - " + strings.Replace(tokenKey, "https:", "kept-from%zz:", 1) + "\n",
		":4: environments.R.keys[0].iam_url: not a URL"},
	{"token with what others have", head + "    keys:\n    - " + strings.Replace(tokenKey, "user:", "key: i, secret: kept-from, previous: [{secret: kept-from}], user:", 1) + "\n",
		`:4: environments.R.keys[0].key: a key of type token has no such field; leave it out
:4: environments.R.keys[0].secret: a key of type token has no such field; leave it out
:4: environments.R.keys[0].previous: a key of type token has no such field; leave it out`},
	{"token without its password", head + "    keys:\n    - " + strings.Replace(tokenKey, "kept-from-every-message-1", "{env: GATEWAYAUTH_ABSENT}", 1) + "\n",
		":4: environments.R.keys[0].password.env: the environment variable GATEWAYAUTH_ABSENT is not set"},

	// Secrets.
	{"T177 blank secret in a block", head + "    keys:\n    - name: k\n      type: hmac\n      key: i\n      secret: |\n\n\n    default: k\n", ":7: environments.R.keys[0].secret: is empty; write a value"},
	{"T177 blank replay URL", oneKey + "    replay: {store: redis, url: ' '}\n", ":5: environments.R.replay.url: is blank: it has no visible character"},
	{"T177 blank password in a replay URL", oneKey + "    replay: {store: redis, url: 'redis://:%20%0A@h'}\n", ":5: environments.R.replay.url: a user without a password"},
	{"empty secret", head + "    keys: [{name: k, type: hmac, key: i, secret: ''}]\n", ":3: environments.R.keys[0].secret: is empty; write a value"},
	{"secret without value", head + "    keys:\n    - {name: k, type: hmac, key: i, secret: }\n", ":4: environments.R.keys[0].secret: is empty; write a value"},
	{"secret null", head + "    keys: [{name: k, type: hmac, key: i, secret: null}]\n", ":3: environments.R.keys[0].secret: is empty; write a value"},
	{"secret a list", head + "    keys: [{name: k, type: hmac, key: i, secret: [kept-from-every-message-1]}]\n", ":3: environments.R.keys[0].secret: must be {env: NAME}, {file: path} or the text itself"},
	{"secret in braces", head + "    keys: [{name: k, type: hmac, key: i, secret: {kept-from-every-message-1}}]\n", ":3: environments.R.keys[0].secret: must be {env: NAME}, {file: path} or the text itself"},
	{"secret from two places", head + "    keys: [{name: k, type: hmac, key: i, secret: {env: A, file: b}}]\n", ":3: environments.R.keys[0].secret: must be {env: NAME}, {file: path} or the text itself"},
	{"secret in place of a name", head + "    keys: [{name: k, type: hmac, key: i, secret: {env: kept-from-every-message-1}}]\n", ":3: environments.R.keys[0].secret.env: is not the name of an environment variable: letters, digits and _, no digit first"},
	{"variable not set", head + "    keys: [{name: k, type: hmac, key: i, secret: {env: GATEWAYAUTH_ABSENT}}]\n", ":3: environments.R.keys[0].secret.env: the environment variable GATEWAYAUTH_ABSENT is not set"},
	{"variable empty", head + "    keys: [{name: k, type: hmac, key: i, secret: {env: GATEWAYAUTH_EMPTY}}]\n", ":3: environments.R.keys[0].secret.env: the environment variable GATEWAYAUTH_EMPTY is empty"},
	{"file missing", head + "    keys: [{name: k, type: hmac, key: i, secret: {file: absent}}]\n", ":3: environments.R.keys[0].secret.file: the file absent does not exist"},
	{"file empty", head + "    keys: [{name: k, type: hmac, key: i, secret: {file: blank}}]\n", ":3: environments.R.keys[0].secret.file: the file is empty"},
	{"file too large", head + "    keys: [{name: k, type: hmac, key: i, secret: {file: large}}]\n", ":3: environments.R.keys[0].secret.file: the file large cannot be read: it is larger than 64 KiB"},
	{"file a folder", head + "    keys: [{name: k, type: hmac, key: i, secret: {file: .}}]\n", ":3: environments.R.keys[0].secret.file: the file . cannot be read: it is not a regular file"},
	{"previous empty", head + "    keys: [{name: k, type: hmac, key: i, secret: s-of-8-or-more, previous: [{secret: {file: blank}}]}]\n", ":3: environments.R.keys[0].previous[0].secret.file: the file is empty"},

	// APIs.
	{"API twice", oneKey + "    apis:\n    - {match: GET /a, key: k}\n    - {match: GET /a, open: true}\n", ":7: environments.R.apis[1].match: the same pattern is already in line 6; an API is bound to one key"},
	{"API in conflict", oneKey + "    apis:\n    - {match: 'GET /a/{x}', key: k}\n    - {match: 'GET /a/{y}', open: true}\n", `:7: environments.R.apis[1].match: pattern "GET /a/{y}" conflicts with pattern "GET /a/{x}": GET /a/{y} matches the same requests as GET /a/{x}`},
	{"API no pattern", oneKey + "    apis:\n    - {match: 'GET  a', key: k}\n", ":6: environments.R.apis[0].match: it has no path, which begins with a slash; write \"GET /a\""},
	{"API without match", oneKey + "    apis:\n    - {key: k}\n", ":6: environments.R.apis[0].match: is missing: write a pattern such as \"GET /orders/{id}\""},
	{"API with key and open", oneKey + "    apis:\n    - {match: /a, key: k, open: true}\n", ":6: environments.R.apis[0]: has both key and open: true; leave one of them out"},
	{"API with neither", oneKey + "    apis:\n    - match: /a\n", ":6: environments.R.apis[0]: has neither key nor open: true; write the name of a key, or open: true for everyone"},
	{"API not open", oneKey + "    apis:\n    - {match: /a, open: false}\n", ":6: environments.R.apis[0]: has neither key nor open: true; write the name of a key, or open: true for everyone"},
	{"API with empty key", oneKey + "    apis:\n    - {match: /a, key: ''}\n", ":6: environments.R.apis[0].key: is empty; write a value"},
	{"API with unknown key", oneKey + "    apis:\n    - {match: /a, key: other}\n", ":6: environments.R.apis[0].key: no key of this environment has this name; there are: k"},
	{"API field", oneKey + "    apis:\n    - {match: /a, key: k, method: GET}\n", ":6: environments.R.apis[0].method: unknown field; known here: allow_unsigned_payload, key, match, max_body, open, stream"},
	{"API with a method in lower case", oneKey + "    apis:\n    - {match: /b, key: k}\n    - match: get /a\n      key: k\n", ":7: environments.R.apis[1].match: the method is not in upper case, so no request would have it; write \"GET /a\""},
	{"API with a host in upper case", oneKey + "    apis:\n    - key: k\n      match: GET Api.example.com/\n", ":7: environments.R.apis[0].match: the host is not a name in lower case, without port and final dot, so no request would match; write \"GET api.example.com/\""},
	{"API with a port", oneKey + "    apis:\n    - {match: 'api.example.com:443/', key: k}\n", ":6: environments.R.apis[0].match: the host is not a name in lower case, without port and final dot, so no request would match; write \"api.example.com/\""},
	{"T175 API of another router", oneKey + "    apis:\n    - {match: /a, key: k}\n    - key: k\n      match: DELETE /admin/users/:id\n", ":8: environments.R.apis[1].match: \":id\" is no wildcard; one is written {name}, and a literal colon at the start of a segment %3A; write \"DELETE /admin/users/{id}\""},
	{"T175 open API with a star", oneKey + "    apis:\n    - {match: /public/*, open: true}\n", ":6: environments.R.apis[0].match: \"*\" is no wildcard; one is written {name}, all paths below are a slash at the end or {name...}, and a literal star is %2A; write \"/public/\""},
	{"T175 API with a query", oneKey + "    apis:\n    - {match: '/orders?x=1', key: k}\n", ":6: environments.R.apis[0].match: a pattern has no query and no optional parts; a literal question mark is written %3F; write \"/orders\""},
	{"T175 APIs that are not clean", oneKey + "    apis:\n    - {match: /a/../b, key: k}\n    - {match: /a//b, key: k}\n    - {match: 'GET,POST /a', key: k}\n", `:6: environments.R.apis[0].match: it has a dot segment, which no clean path has; write "/b"
:7: environments.R.apis[1].match: it has an empty segment (//), which no clean path has; write "/a/b"
:8: environments.R.apis[2].match: a pattern has one method; write "GET /a" and "POST /a"`},
	{"T175 API for any method", oneKey + "    apis:\n    - {match: '* /a', key: k}\n", ":6: environments.R.apis[0].match: \"*\" is no method; a pattern without one is for all of them; write \"/a\""},
	{"API open for a host", oneKey + "    apis:\n    - {match: GET admin.example.com/, open: true}\n", ":6: environments.R.apis[0].match: open to whoever sends that host; leave the host out"},
	{"API stream a text", oneKey + "    apis:\n    - {match: /a, key: k, stream: 'yes'}\n", ":6: environments.R.apis[0].stream: must be true or false"},
	{"API of large bodies, not streamed", oneKey + "    apis:\n    - match: /a\n      key: k\n      max_body: 5GiB\n", ":8: environments.R.apis[0].max_body: 5368709120 bytes are more than max_buffered, 268435456"},
	{"API body of nothing", oneKey + "    apis:\n    - {match: /a, key: k, max_body: 0}\n", ":6: environments.R.apis[0].max_body: must be more than 0"},
	{"API open and streamed", oneKey + "    apis:\n    - {match: /a, open: true, stream: true}\n", ":6: environments.R.apis[0].match: open, and says how bodies are verified"},
	{"API that forbids what the environment allows", oneKey + "    apis:\n    - match: /a\n      key: k\n      allow_unsigned_payload: false\n    allow_unsigned_payload: true\n",
		":8: environments.R.apis[0].allow_unsigned_payload: false, while the environment allows it to every API; take it away there and set it for the APIs that need it"},

	{"all at once", head + `    mode: enforced
    clock_skew: 2h
    require_signed: [te]
    keys:
    - {name: k, type: hmac, key: i, secret: {env: GATEWAYAUTH_ABSENT}}
    - {name: l, type: aes, key: kept-from, secret: {file: absent}}
    - {name: n, type: token, iam_url: 'http://iam', user: u, password: {file: blank}, project: p}
    apis:
    - {match: a, key: k}
    - {match: /a, key: m}
  S: {}
`, `:3: environments.R.mode: unknown mode; write enforce, report or off
:4: environments.R.clock_skew: 2h0m0s is not between 0 and 1h0m0s
:5: environments.R.require_signed[0]: is not the name of a header that can be signed
:7: environments.R.keys[0].secret.env: the environment variable GATEWAYAUTH_ABSENT is not set
:8: environments.R.keys[1].secret.file: the file absent does not exist
:8: environments.R.keys[1].key: 9 bytes long, neither 16 (aes-128-cfb) nor 32 (aes-256-cfb)
:9: environments.R.keys[2].domain: is missing: write the domain of user
:9: environments.R.keys[2].iam_url: http, and not https: passwords and tokens would travel in the clear
:9: environments.R.keys[2].password.file: the file is empty
:11: environments.R.apis[0].match: it has no path, which begins with a slash; write "/a"
:12: environments.R.apis[1].key: no key of this environment has this name; there are: k, l, n
:13: environments.S.keys: there is no key, so every request would be refused; list at least one, or set mode: off`},
}

func TestRefusals(t *testing.T) {
	t.Setenv("GATEWAYAUTH_EMPTY", "")
	t.Chdir(t.TempDir())
	write(t, ".", "blank", "\n")
	write(t, ".", "aes-vector", "kept-from-16-and-all\n")
	ca := testkit.NewAuthority(t)
	certificate, _ := ca.Issue(t, "client")
	_, otherKey := ca.Issue(t, "client")
	write(t, ".", "certificate", string(certificate))
	write(t, ".", "other-key", string(otherKey))
	write(t, ".", "redis-url", "redis://kept-from@redis.example.com\n")
	write(t, ".", "large", strings.Repeat("s", 64<<10+1))
	folder, err := os.Getwd()
	must(t, err)
	for _, tt := range refusals {
		t.Run(tt.name, func(t *testing.T) {
			write(t, ".", "f.yaml", tt.file)
			f, err := loadAll("f.yaml")
			if err == nil || f != nil {
				t.Fatalf("got file %v, error %v; want an error alone", f, err)
			}
			want := "f.yaml" + strings.ReplaceAll(tt.want, "\n:", "\nf.yaml:")
			if got := withoutColumns(strings.NewReplacer(folder+"/", "", folder+" ", ". ").Replace(err.Error())); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if problems(t, err); strings.Contains(err.Error(), "kept-from") {
				t.Error("the error holds the secret")
			}
		})
	}
}

// TestKeyReuse_T083: an id stands for one key in an environment, over all types;
// in another environment it may be another key's.
func TestKeyReuse_T083(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, typ := range []string{"hmac", "basic"} {
		write(t, ".", "f.yaml", oneKey, fmt.Sprintf("    - {name: l, type: %s, key: 071fe2459cf64d75, secret: s-of-8-or-more}\n", typ))
		_, err := loadAll("f.yaml")
		if want := `f.yaml:5: environments.R.keys[1].key: the id "071fe2459cf64d75" is already that of the key in line 4`; err == nil || withoutColumns(err.Error()) != want {
			t.Errorf("%s: got %v, want %s", typ, err, want)
		}
	}
	named := strings.NewReplacer("name: k,", "name: 071fe2459cf64d75,")
	for _, key := range []string{aesKey, tokenKey} {
		for _, tt := range []struct{ keys, want string }{
			{oneKey + "    - " + named.Replace(key), "name"},
			{head + "    keys:\n    - " + named.Replace(key) + "\n    - {name: k, type: hmac, key: 071fe2459cf64d75, secret: s-of-8-or-more}", "key"},
			{head + "    keys:\n    - " + named.Replace(aesKey) + "\n    - " + named.Replace(key), "name"},
		} {
			write(t, ".", "f.yaml", tt.keys, "\n")
			_, err := loadAll("f.yaml")
			if err == nil || !strings.HasPrefix(withoutColumns(err.Error()), "f.yaml:5: environments.R.keys[1]."+tt.want+": ") ||
				!strings.HasSuffix(err.Error(), " already that of the key in line 4") || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: got %v", tt.keys, err)
			}
		}
	}
	// The AES key is a secret, not an id.
	write(t, ".", "f.yaml", head, "    keys:\n    - ", aesKey, "\n    - ", strings.Replace(aesKey, "name: k", "name: l", 1),
		"\n    - {name: m, type: hmac, key: kept-from-16-000, secret: s-of-8-or-more}\n")
	if _, err := loadAll("f.yaml"); err != nil {
		t.Errorf("the same AES key twice: %v", err)
	}
	write(t, ".", "f.yaml", oneKey, "  S:\n    keys: [{name: k, type: basic, key: 071fe2459cf64d75, secret: s-of-8-or-more}]\n")
	if _, err := loadAll("f.yaml"); err != nil {
		t.Errorf("the same id in two environments: %v", err)
	}
}

// TestProblemCause keeps the reason of the operating system.
func TestProblemCause(t *testing.T) {
	_, err := loadAll(t.TempDir() + "/absent.yaml")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v; want it to be fs.ErrNotExist", err)
	}
}

// TestManyProblems: the answer to a file that is wrong everywhere is bounded.
func TestManyProblems(t *testing.T) {
	var b strings.Builder
	for i := range 900 {
		fmt.Fprintf(&b, "    field%d: 1\n", i)
	}
	_, err := loadAll(write(t, t.TempDir(), "f.yaml", oneKey, b.String()))
	all := problems(t, err)
	if got := all[len(all)-1].Rule; len(all) != 201 || got != "there are more problems than these 200" {
		t.Errorf("got %d problems, the last of them %q", len(all), got)
	}
}
