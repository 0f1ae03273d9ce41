// Package config reads the environments file: which key may sign for which API,
// in each environment. It makes a [core.Verifier] of one environment, and keeps
// it current.
//
//	watching, end := context.WithCancel(context.Background())
//	defer end() // after Shutdown
//	v, err := config.Watch(watching, "environments.yaml", "RELEASE")
//	if err != nil {
//		log.Fatal(err) // nothing starts with a bad configuration
//	}
//	handler := nethttp.Middleware(v)(mux)
//
// The context must not be the one that ends at SIGTERM: a replay store on a server is closed
// when it ends, and requests in progress would get 503. The example of the package is a
// whole server.
//
// [Load] reads the file once: to check it, or to list what it holds. With
// [WithoutSecrets] or [WithSecretsOf] it does so where secrets are not available.
//
// # What is linked
//
// Two things that a file can name need code which this package does not link, as few
// programs need it. Each has a package with an option for [Load] and [Watch]:
//
//   - replay stores on Redis: core/config/redisstore, and with it the client library
//     github.com/redis/rueidis
//   - keys of the types hmac-sm3 and sm2: core/config/smkeys, and with it
//     github.com/emmansun/gmsm
//
// A program that reads files with both calls
//
//	config.Watch(ctx, path, env, redisstore.Option(), smkeys.Option())
//
// A file that needs an option which is not there does not load, and the problem says what
// to import. The command gatewayauth has both.
//
// # The file
//
// It is one YAML document in UTF-8, of at most 1 MiB:
//
//	environments:
//	  RELEASE:
//	    mode: enforce              # enforce (default), report, off
//	    credential_header: X-Backend-Sign   # where the gateway sends its credential; default Authorization
//	    clock_skew: 15m            # default; at most 1h
//	    max_body: 12MiB            # default
//	    max_buffered: 256MiB       # default
//	    body_timeout: 30s          # default; at most 1h
//	    require_signed: [host]     # default
//	    require_signed_with_body: [content-type]
//	    allow_unsigned: [x-amz-cf-id]
//	    hosts: [api.example.com, "*.svc.cluster.local:8443"]
//	    allow_unsigned_payload: false
//	    allow_presigned: false     # credentials in the query
//	    allow_short_secrets: false # secrets of fewer than 8 characters
//	    expose_reason: false
//	    rewrite: {add_prefix: /v1, host: api.example.com}
//	    replay: {store: memory, max_entries: 1000000, exempt_methods: [GET, HEAD]}
//	    keys:
//	      - name: orders_key
//	        type: hmac
//	        key: 071fe2459cf64d75
//	        secret: {env: ORDERS_SECRET}
//	        previous: [{secret: {file: old}, until: 2027-01-01T00:00:00Z}]
//	    apis:
//	      - {match: "GET /orders/{id}", key: orders_key}
//	      - {match: "PUT /films/{id}", key: orders_key, stream: true, max_body: 5GiB}
//	      - {match: "GET /healthz", open: true}
//	    default: orders_key
//
// [Schema] is a JSON Schema of it, for editors.
//
// A field that is not known is an error, and so is one that stands twice, one
// without a value, and anything else that this text does not allow. Anchors,
// aliases and << can be used to share values between environments. Tags,
// directives and keys after ? are not part of the format. So that no file keeps
// the process busy, nesting ends at 32, one mapping has at most 1000 fields
// (environments included), and aliases expand to at most 400000 values.
//
// # Fields of an environment
//
// Those not described here are the fields of [core.Config] of the same name.
//
//   - mode: what happens to a request that does not verify. With report it is
//     let through and logged, with off nothing is verified. Nothing falls back
//     to either.
//   - clock_skew: a duration with its unit: 90s, 15m, 1h30m.
//   - max_body, max_buffered: a number of bytes, or a number with a unit:
//     KiB, MiB, GiB (powers of 1024), kB, MB, GB (powers of 1000). Case does
//     not matter.
//   - require_signed: headers that must be signed where they are present. An
//     empty list lifts that. The date must always be signed.
//   - require_signed_with_body: headers that must be present and signed where there
//     is a body, as Amazon API Gateway has it for content-type. Without it a request
//     with a body and no Content-Type passes. A body whose length is not announced
//     counts as one, also where it turns out to be empty.
//   - allow_unsigned: headers of the credential's own protocol (x-amz-* with sigv4
//     and sigv4a, x-sdk-* with the types of the SDK-* forms and v11) that need not be
//     signed, since something behind the signer adds them: a CDN, a load balancer,
//     a mesh. Each by its exact name; those that steer the verification, such as
//     the date and the session token, are an error.
//   - hosts: the authorities that requests may be signed for. One for another host is
//     refused with host_not_ours: it was meant for another service that has the same
//     key. Without the field every host is accepted. *.name stands for the hosts
//     below name, with any number of labels. An entry without a port stands for no
//     port and the default ports, 80 and 443. With rewrite.host it is that host which
//     counts. The host must then be signed, whatever require_signed says.
//   - rewrite: what a proxy between gateway and backend changed: the path
//     prefix that it took away, the host that it replaced.
//   - keys: at least one, unless the mode is off. Names and ids are distinct in
//     an environment, over all types.
//   - apis: patterns of [net/http.ServeMux], each bound to one key, or open to
//     everyone. allow_unsigned_payload, stream and max_body can be set for one of
//     them: see [core.API]. A max_body above max_buffered needs stream. Where the
//     environment allows unsigned payloads no API can forbid them. No pattern
//     stands twice, and no two are in conflict; at most 10000 in a file. A pattern
//     in the syntax of another router, or one that no request would match, is an
//     error that says what to write; see [core.PatternError].
//   - replay: see below. Without it replays are not found.
//   - default: the key of every other API. Without it they are refused.
//
// # Fields of a key
//
//   - name: what apis and default call it, and handlers see.
//   - type: hmac, basic, aes, aksk, v11, ecdsa-p256, hmac-sm3, sm2, sigv4, sigv4a
//     or token. For hmac-sm3 and sm2 the program needs smkeys.Option.
//   - key (all but token): the id that requests carry, the gateway's "Key". Of
//     type aes it is the AES key itself, 16 or 32 bytes: a secret, in the forms of
//     one.
//   - secret (all but token): {env: NAME} for an environment variable,
//     {file: path} for a file (relative to the environments file; one line break
//     at its end does not count; at most 64 KiB), or the text itself, taken as it
//     is written: 012345 is six characters. A text that starts with one of
//     ! & * % @ | > # or holds " #" or ": " needs quotes, and inside of { } one with a
//     comma; a warning or an error says so. Of type aes it is the vector, 16 bytes.
//   - previous (all but token): earlier secrets that are still accepted, each
//     until an instant (RFC 3339), or without end. Of type aes an entry has key,
//     secret, or both; the one that it leaves out is as it is now.
//   - session_token (all but basic, aes and token): of a temporary key. Requests
//     must then carry it, signed. It takes the forms of a secret.
//   - region, service (aksk, v11, sigv4, sigv4a): what the scope of a credential
//     must name.
//   - paths (sigv4, sigv4a): normalized, or s3 for paths that are signed as sent.
//   - allow_region_wildcards (sigv4a): true lets entries of a request's region set
//     with a * (us-*, or * alone) match the key's region. Such a request is valid in
//     every region that they match. The default is false.
//   - algorithm (aes): aes-128-cfb or aes-256-cfb; without it, what the length of
//     the key says.
//   - iam_url, user, password, domain, project (token): the identity service, and
//     the account that asks it about callers' tokens. The password takes the forms
//     of a secret.
//   - caller_project (token): the id of the one project that callers' tokens must
//     be scoped to. Without it tokens of every project, and of none, are accepted.
//   - insecure_http (token): true permits an iam_url with http. Passwords and
//     tokens then travel in the clear.
//
// The id of a key of type aes or token is its name.
//
// What requests signed with a key of type aes look like is this project's own
// format, since the gateway's vendor publishes none: see package aescfb, also
// for how little AES-CFB proves. A token proves who calls and nothing about the
// request, nor that it came through the gateway: see package token. What is
// remembered about tokens is forgotten with every change of the file.
//
// A secret that is missing or empty is an error: for [Watch] those of the
// environment that it follows, for [Load] those of all environments, unless a
// [LoadOption] says otherwise. One without a visible character (blanks, line ends,
// NUL, a byte order mark) counts as empty; see [core.Secret.IsBlank]. The same holds
// for every other text of the file.
//
// # Replay
//
// The section replay has requests accepted once each:
//
//	replay: {store: memory, max_entries: 1000000}
//	replay: {store: redis, url: {env: REDIS_URL}, on_unavailable: reject}
//
// Its fields are:
//
//   - store: memory, for one process, or redis, for all that share a server. See
//     the packages core/replay and core/replay/redis for what each guarantees and
//     what the server must be. For redis the program needs redisstore.Option.
//   - exempt_methods: methods that are not checked. Dates have a resolution of one
//     second, so two equal requests of one second are one to a store.
//   - retries: {methods: [PUT, DELETE], within: 5s}: the gateway may send a request of
//     these methods once more with the same bytes, within that time, unless the first
//     one was answered with a status below 500. Methods are of GET, HEAD, OPTIONS,
//     TRACE, PUT and DELETE; the time is at most 1m.
//   - max_entries (memory): how many requests are remembered, 1 to 1000000000; past
//     it 503. The default is 1000000.
//   - refuse_before_start (memory): whether requests that were signed before the process
//     began to remember are refused with 503. Another process, before a restart, may
//     have accepted them. The default is false.
//   - url (redis): the server. It may hold a password, and takes the forms of a
//     secret.
//   - tls (redis): {ca: {file: ca.pem}, certificate: {file: client.pem},
//     key: {file: client.key}, server_name: redis.internal}, for a URL with rediss:
//     the authorities that issued the servers' certificates (default: those of the
//     system), what is shown to servers that demand a certificate, and the name in
//     the servers' certificates (default: the host of the URL). The first three are
//     in PEM and take the forms of a secret; a renewed one takes effect like any
//     other change.
//   - on_unavailable (redis): whether requests are refused with 503 (reject, the
//     default) or accepted unchecked (allow) while the server cannot tell.
//   - timeout, prefix (redis): how long a check may take, 50ms by default, at most
//     10s; and what the names of the keys on the server start with.
//
// Basic credentials and tokens are meant to be sent again, and are not checked.
// An environment whose keys are all of types basic and token can have no replay.
//
// [Watch] keeps the store for as long as its settings stay the same, whatever else
// changes, so that a reload forgets nothing. A store in memory stays also when
// max_entries or refuse_before_start change, since another one would know nothing: they
// count from the next start, and a warning says so. With another url, tls, timeout or
// prefix there is another store; on the same server under the same prefix it finds what
// the old one recorded (the core's warning does not know that). The old one is
// closed when the requests that were being judged have ended: body_timeout and 30
// seconds later. A section that is taken out and put back within that time finds
// its store as it was.
//
// A store in memory belongs to one Verifier. Use one for all adapters of a process,
// or a request accepted by one of them is new to the next.
//
// # Capture
//
// The section capture has refused requests written to files, for gatewayauth explain:
//
//	capture: {dir: /var/lib/orders/refused, max: 100, per_minute: 10, bodies: 64KiB}
//
// Its fields are dir, the folder (relative to the environments file), max, how many
// files are kept, per_minute, how many are written in a minute, and bodies, how many bytes
// of a body. All but dir have the defaults that stand here. Requests that are not kept are
// logged with the reason, at most once a minute for each. Package core/capture says
// what the files hold, and that they are to be protected. A reload changes nothing about
// them while the section stays the same.
//
// # Reload
//
// [Watch] follows the file, and [WithReloads] tells how that goes. It cannot see
// what does not reach its files. Kubernetes updates mounts of a whole volume, and
// never those with subPath: there the file stays as it was when the container
// started, though the Secret has changed. Mount the volume, and alert on a
// [Reload].LastLoaded that is older than the last rotation.
//
// # Problems
//
// All problems are reported at once, each with file, line, field and rule; see
// [Problem]. Neither errors nor log records hold a secret.
//
// [File.Warnings], which are logged when a file is loaded, are values outside of the
// gateway's published limits, ids and secrets shorter than any vendor's, methods that are
// likely mistyped, subtrees that are open to everyone, and characters in a pattern that
// look like another router's wildcard. So are secrets, passwords, session tokens and
// addresses that are likely a mistake: references that were not replaced (${NAME},
// {{ .Values.x }}, ENC[...], arn:..., op://..., vault:..., projects/p/secrets/s),
// NAME=value, PEM and JSON; line breaks, blanks and quotes around a value or line breaks
// in it; byte order marks and UTF-16. The value is used as it is. If it is an error as
// well, such as an AES key of another length, the problem says so at its end.
//
// What is not checked: whether a secret is strong or a placeholder (the command
// gatewayauth check warns of that), who else can read the files, and whether the gateway
// has the same keys.
//
// # How to add a field to the format
//
// A field of an environment, which sets a field of [core.Config]:
//
//  1. environment.go, method environment of decoder: a row with its name and the
//     function that reads it (textTo, boolTo, durationTo and sizeTo are in decode.go,
//     listTo is in environment.go). If it is a list, add it to the lists that method
//     config copies.
//  2. environment.go, settingNames: a row with its name in core.Config and in the file.
//     What core reports about the field then has its line and its name. core alone
//     checks the value; nothing is checked here.
//  3. doc.go: the example and the list of fields; schema.go: its type and what an editor
//     says of it. Then go run ./cmd/gatewayauth schema > docs/environments.schema.json.
//     TestSchema_T242 fails without.
//  4. refusals_test.go: a row in refusals for a value that must not load, and the
//     name in the row "unknown field". environment_test.go: that the value reaches
//     core.Config. TestSettings_T186 fails without step 2; if it lists the field as one
//     that only programs set, take it off that list.
//  5. If the field can weaken the verification: a rule in
//     cmd/gatewayauth/internal/lint, which reads it from [Outline].Config.
//
// A field of an API is read in apis.go, method api; one of the section replay in
// replay.go, method replayTo, storeFields and settings. Steps 3 to 5 are the same. If core
// can report a problem of it, its place is added in method fieldsAt of environment.go.
//
// A field of a key is a keyField in keytypes.go, in the row of each type that has
// it, and in the function that makes the scheme's key (coreKey, aesKey, tokenKey). A new
// type of key is one more row there. If its scheme links somebody else's module, it is a
// field of [Extension], which a package such as smkeys sets. The test is keytypes_test.go,
// beside step 4.
package config
