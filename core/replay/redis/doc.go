// Package redis is a [core.ReplayStore] that several instances share, on Redis
// 6 or later or on Valkey: one server, a primary behind Sentinel, or a cluster.
//
//	store, err := redis.New(redis.Config{URL: core.NewSecret("rediss://user:password@redis.example.com/0")})
//
// Each check is one command, SET key 1 NX PX life, and takes one round trip. Concurrent
// checks are pipelined over one connection per server. The key on the server is a prefix
// and a hash of the entry's environment and fingerprint. It does not identify the signing
// key, the caller or the request.
//
// # What is guaranteed
//
// Of any number of concurrent checks of one entry, in all processes that share the
// server, at most one reports that the entry is new, and exactly one does if no reply is
// lost. Only the reply OK to the command means new, and only a null reply means seen.
// Everything else is an error that wraps [ErrUnavailable]: an error of the server
// (including MOVED and LOADING), a reply of another form, or no reply within
// [Config].Timeout.
//
// No command is sent twice. If a reply is lost, the server may have recorded the entry:
// the caller gets the error, and the same request sent again is refused as replayed. A
// client that signs again when it retries is accepted.
//
// # Retries
//
// Where the policy permits retries ([core.Retries]), a request that is new has a second
// key, which lives for as long as the retry is accepted. DEL takes it away: of all callers,
// at most one gets the reply 1. In a cluster both keys may be on different servers.
//
// # When the server cannot be reached or is slow
//
// [New] does not wait for the server, so a policy can be loaded without it. A check ends
// within [Config].Timeout, 50 ms by default, even if its context allows more. While the
// server cannot be reached, checks fail at once, and the store tries to connect to each
// server once per second (twice in the first one) until it succeeds. At most 512 checks
// wait for replies at a time, including those that have timed out. A connection that
// gives no reply for two seconds is replaced.
//
// # What the server must be
//
// maxmemory-policy must be noeviction. With any other policy a full server evicts
// entries, and their requests can be replayed. A warning is logged if the policy is
// another one, or cannot be read because the user may use neither CONFIG GET nor INFO. A
// full server with noeviction answers with an error, and requests are refused with 503.
//
// An entry takes about 130 bytes of the server's memory. It lives for an hour
// after the signed date, the largest clock skew that a policy can have, and
// [Config].ClockStep longer: two hours with default settings, which is 940 MB for
// 1,000 requests per second. A ClockStep of five minutes makes that 65 minutes.
// The lifetime does not depend on the policy's own clock skew, so that no request is
// accepted again after a reload with a longer one. The entry of a presigned request
// lives until the request expires, and ClockStep longer. The server keeps it through the
// last millisecond.
//
// The user needs the commands SET, on keys with the prefix, and PING; for retries DEL; for the
// probe CONFIG GET or INFO; behind Sentinel ROLE; in a cluster CLUSTER SLOTS (Redis 8:
// CLUSTER SHARDS) and ASKING; for a database other than 0 SELECT; for protocol=2 with
// client_name CLIENT SETNAME. docs/operating.md has the ACL rules.
//
// # What is not guaranteed
//
// If the server loses an entry, its request can be replayed until its date expires:
//
//   - Replication is asynchronous. A replica that becomes the primary lacks the
//     entries of the last moments.
//   - FLUSHALL, FLUSHDB and a restart without persistence lose all entries; a restart
//     with appendfsync everysec loses those of the last second. The store does not
//     detect this: a marker for it would cost a second command in each check. Deny
//     the FLUSH commands to all users (with an ACL or rename-command), and use
//     append-only persistence if a replay after a crash matters.
//   - Entries expire by the clock of the server. If it steps forward by more than
//     ClockStep, they expire too early.
//
// The clocks of instances may differ, and step back, by up to ClockStep.
//
// Whoever can write to the server can make the verifier refuse requests or accept
// replays. Without TLS, an attacker on the network can do the same: use rediss: in the
// URL.
//
// In a cluster, goroutines of the client library may continue to sleep for some seconds
// after [Store.Close].
package redis
