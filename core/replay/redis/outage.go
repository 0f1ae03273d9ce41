package redis

import (
	"sync/atomic"
	"time"
)

// shortOutage is how long checks must fail before their end is logged. The refusals are
// logged by the verifier in any case.
const shortOutage = time.Second

// outage is the time since which every check fails.
type outage struct {
	since atomic.Pointer[time.Time] // nil while checks succeed
}

// begin takes note of a check that failed.
func (o *outage) begin() {
	if o.since.Load() == nil {
		now := time.Now()
		o.since.CompareAndSwap(nil, &now)
	}
}

// end takes note of a check that succeeded, and returns how long checks have failed
// before it, once for each outage.
func (o *outage) end() (lasted time.Duration) {
	if since := o.since.Load(); since != nil && o.since.CompareAndSwap(since, nil) {
		lasted = time.Since(*since)
	}
	return lasted
}
