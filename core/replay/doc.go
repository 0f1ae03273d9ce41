// Package replay records accepted requests in memory, so that each is accepted only
// once. [New] creates a [core.ReplayStore] for one process.
//
// # What is guaranteed
//
//   - [Store.Add] reports true once for each entry as long as the process runs, even
//     if many goroutines add it at the same time. It never reports true again for a
//     recorded entry: not if the clock steps forward or back by any amount, not if
//     the policy accepts requests for longer than before, and not if the store is
//     full.
//   - No entry is removed before it has expired. A full store refuses new requests
//     with [ErrFull]. The verifier then answers 503, or accepts the request without
//     recording it if its policy says so. Only requests with a valid signature are
//     recorded, so only holders of a key can fill the store. All environments and
//     keys share its capacity.
//   - The probability that a new request is mistaken for a recorded one is less than
//     one in 10^12: entries are compared by 64 bits of a hash that is keyed with a
//     secret of the store.
//
// # What is not guaranteed
//
//   - The store belongs to one process (replay_scope=process). Each of several
//     instances behind a load balancer accepts a replayed request once. To share a
//     store, use package core/replay/redis.
//   - The entries are lost when the process restarts. A request that was accepted
//     before can then be accepted once more until its date expires, unless
//     [Config.RefuseBefore] is set.
//   - Signed dates have a resolution of one second. Two identical requests within one
//     second have the same signature, and the second one is refused. If clients send
//     such requests, exempt the safe methods, or sign a header with a unique value,
//     such as a request id.
//
// # Memory
//
// An entry takes 10.7 bytes in steady traffic and at most 16 at the peak of a burst.
// The store itself takes about 100 kB. Add allocates only when a bucket (15 seconds of
// signed dates) is created or grows.
//
// An entry is kept until no request of its bucket can be accepted any more. The next
// Add after that, of any request, removes it: within 16 seconds after its Until if there
// is traffic and all policies have the same clock skew. It reads the clock in whole
// seconds. The store has no goroutine, so without traffic it keeps its memory, which
// [Config.MaxEntries] bounds.
//
// Choose MaxEntries as the highest rate of accepted requests multiplied by the sum of
// the clock skew, 15 seconds, and the time by which gateways' clocks may be ahead. If
// environments have different clock skews, the largest one that the store has seen
// applies to all. Presigned requests are kept separately, for one hour, 6 hours, one
// day or one week, in buckets of 15 seconds, 1, 5 and 30 minutes.
//
// # Clocks
//
// The store has no clock of its own. It uses [core.ReplayEntry.Now], so the verifiers
// that share a store must share a clock.
//
// After a bucket was removed, the store cannot tell whether a request that was signed in
// its 15 seconds is new. Add reports false for all of them from then on. If the clock
// never steps and policies do not change, such requests have expired anyway. In the
// following cases valid requests are refused, and [Stats.Forgotten] counts them:
//
//   - The clock steps forward, requests with the new time are accepted, and the clock
//     steps back. Dates up to 15 seconds after the last one from before the step are
//     refused.
//   - The clock was ahead for longer than requests are valid. Dates of requests that
//     were accepted and expired in that time are refused when the corrected clock
//     reaches them. A restart ends this.
//   - The policy now accepts older requests than before. A request that is older than
//     those accepted before is refused if its bucket was removed.
//
// The store remembers at most 512 separate ranges of removed buckets. If there are
// more, it merges the two that are closest.
//
// If the clock was set back, entries whose date is now more than an hour in the future
// are kept, because the clock may step forward again. They are removed only if the
// store is full, at most once in a second of the clock.
package replay
