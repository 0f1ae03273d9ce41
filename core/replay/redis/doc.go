// Package redis is a [core.ReplayStore] that several instances share, on Redis
// 6 or later or on Valkey: one server, a primary behind Sentinel, or a cluster.
//
//	store, err := redis.New(redis.Config{URL: core.NewSecret("rediss://user:password@redis.example.com/0")})
//
// Each check is one command, SET key 1 NX PX life, and takes a round trip.
// Concurrent checks travel together over one connection for each server. The
// key is a prefix and a hash of the entry's environment and fingerprint: nothing
// in it leads back to a key, a caller or a request.
//
// # What is guaranteed
//
// Of any number of concurrent checks of one entry, in all processes that share
// the server, at most one is told that it was new, and as long as no reply is
// lost exactly one. Only the reply OK to that one command counts as new, and
// only a null as seen. Everything else is an error that wraps [ErrUnavailable]:
// an error of the server (MOVED and LOADING too), a reply of another form, none
// within [Config].Timeout. Nothing is ever assumed.
//
// Nothing is sent twice. Where a reply is lost the server may have recorded the
// entry: the caller gets the error, and the same bytes sent again are refused as
// replayed. Clients sign anew when they try again, and then pass.
//
// # When the server is away or slow
//
// [New] does not wait for the server, so a policy loads without it. A check ends
// within [Config].Timeout, 50 ms by default, whatever its context allows. While
// the server cannot be reached checks fail at once, and there is one attempt per
// second to connect; the first that succeeds ends the outage. At most 512 checks
// wait for replies at a time, given up ones included; a connection that owes a
// reply for two seconds, and gives none, is replaced.
//
// # What the server must be
//
// maxmemory-policy must be noeviction. Under any other, a full server drops
// entries, and what it dropped can be replayed: the boundary of eviction is the
// attack. A warning is logged where the policy is another one or cannot be read
// (CONFIG GET and INFO are both forbidden to the user). A full server with
// noeviction answers with an error, and requests are refused with 503.
//
// An entry takes about 130 bytes of the server's memory. It lives for an hour
// after the signed date, the largest clock skew that a policy can have, and
// [Config].ClockStep longer: two hours with default settings, which is 940 MB for
// 1,000 requests per second. A ClockStep of five minutes makes that 65 minutes.
// The policy's own clock skew makes no difference, so that nothing is accepted
// again after a reload to a longer one. A presigned request says itself how long
// it can be accepted; its entry lives as long, and ClockStep longer.
//
// The user needs the commands SET, on keys with the prefix, and PING; for the
// probe CONFIG GET or INFO; in a cluster CLUSTER SLOTS and CLUSTER SHARDS; for
// protocol=2 HELLO and CLIENT SETNAME.
//
// # What it cannot do
//
// What the server forgets can be replayed, until the request's date is too old:
//
//   - Replication is asynchronous. A replica that becomes the primary lacks the
//     entries of the last moments.
//   - A restart without persistence, FLUSHALL and FLUSHDB lose everything, one
//     with appendfsync everysec the last second. A marker that shows the loss
//     would cost a second command in each check and refuse every request for a
//     whole window after it, and in a cluster show the loss of one server only.
//     Deny the FLUSH commands to everyone (an ACL, or rename-command), and use
//     append-only persistence where a replay after a crash matters.
//   - The server ends entries by its own clock. One that steps forward by more
//     than ClockStep ends them early.
//
// The clocks of instances may be apart, and step back, by ClockStep.
//
// Whoever can write to the server can refuse requests or make replays pass, and
// with redis: in the URL so can whoever is on the way to it. rediss: is TLS.
//
// In a cluster [Store.Close] may leave goroutines of the client library that
// sleep for some seconds before they find that all is over.
package redis
