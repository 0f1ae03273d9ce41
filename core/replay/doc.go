// Package replay remembers in memory which requests were accepted, so that
// each is accepted once. [New] makes a [core.ReplayStore] for one process.
//
// # What is guaranteed
//
//   - [Store.Add] reports true once for an entry, however many goroutines add
//     it at the same time, for as long as the process runs. What was recorded
//     is never new again: not when the clock steps, by seconds or by years,
//     forward, back, or both; not when the policy lengthens the time for which
//     requests are accepted; not when the store is full.
//   - Nothing is evicted before it has expired. A full store refuses new
//     requests with [ErrFull], for which the verifier answers 503, or lets
//     them through unrecorded if its policy says so. Only requests whose
//     signature verified are recorded, so only holders of a key can fill it;
//     all environments and keys share the room.
//   - A request that was not recorded is taken for one that was with a chance
//     of less than one in 10^12: entries are compared by 64 bits that depend
//     on a secret of the store.
//
// # What is not
//
//   - The store belongs to one process (replay_scope=process): of several
//     instances behind a balancer, each accepts a captured request once. Share
//     a store by package core/replay/redis instead.
//   - A restart forgets everything, so what was accepted before can be
//     accepted once more while its date is still good.
//   - Signed dates have a resolution of one second. Two equal honest requests
//     in one second have one signature, and the second is refused. Where that
//     happens, exempt the methods that change nothing, or sign a header that
//     is unique, such as a request id.
//
// # Memory
//
// An entry takes 10.7 bytes in steady traffic and at most 16 at the peak of a
// burst, and some 100 kB are for the whole. Adding allocates only where a
// bucket (15 seconds of signed dates) begins or grows.
//
// An entry is kept until no request of its bucket can be accepted any more, and
// gone with the next Add after that, of any request: within 16 seconds after
// its Until, given traffic and one clock skew. There is no goroutine; without
// traffic the memory stays as it is, bounded by [Config.MaxEntries]. Like all
// memory it goes back to the system when the garbage collector gets to it.
//
// MaxEntries is the highest rate of accepted requests, times the clock skew
// plus 15 seconds. Count the time for which gateways' clocks are ahead as well.
// Where environments differ in skew, the largest that was ever seen counts for
// all. Presigned requests are kept apart, for one hour, 6 hours, one day or one
// week.
//
// # Clocks
//
// The store has no clock of its own. It goes by [core.ReplayEntry.Now], so the
// verifiers that share a store must share a clock.
//
// When a bucket was dropped, requests signed in its 15 seconds cannot be told
// new from seen any more, and Add reports false for all of them, for ever.
// While the clock runs forward and policies stay, none of these can be
// accepted anyway. Otherwise this costs good requests, and [Stats.Forgotten]
// counts them:
//
//   - The clock stepped forward, requests of the new time were accepted, and it
//     returned: dates up to 15 seconds after the last one from before the step
//     are refused.
//   - It was ahead for longer than requests live: what was accepted and has
//     expired in that time is refused when the right clock comes to these
//     dates. A restart ends it.
//   - The policy now accepts older requests than before: those older than what
//     was accepted before are refused where others of their 15 seconds have
//     been dropped.
//
// Gaps in this memory are kept for 512 spans of time, the widest longest.
//
// Requests recorded under a date that is more than an hour ahead of a clock
// that was set back stay, as the clock may come back; they are dropped only
// where the room is needed.
package replay
