package differential_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/gatewayauth/gatewayauth/conformance/reference"
)

// counts are the numbers of a run.
type counts struct {
	mu sync.Mutex
	// messages, those that net/http refused, and those that both accept.
	messages, notHTTP, accepted int
	overSockets                 map[string]int // by adapter
	policies, alone             map[reference.Policy]int
	acceptedOf                  map[string]int // by type of key, form and signer
	codes                       map[string]int
	classes                     map[string]int // disagreements
}

func newCounts() *counts {
	return &counts{overSockets: map[string]int{}, policies: map[reference.Policy]int{}, alone: map[reference.Policy]int{},
		acceptedOf: map[string]int{}, codes: map[string]int{}, classes: map[string]int{}}
}

// add counts a message that both judge.
func (c *counts) add(kind string, v reference.Verdict, o *outcome) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range v.Policies {
		c.policies[p]++
		if v.Valid && len(v.Policies) == 1 {
			c.alone[p]++
		}
	}
	if o.accepted {
		c.accepted++
		c.acceptedOf[kind]++
	} else {
		c.codes[string(o.code)]++
	}
}

// sent counts a message over sockets.
func (c *counts) sent(adapter string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.overSockets[adapter]++
}

func (c *counts) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Sprintf("%d messages, %d accepted by both, %d refused by net/http, %d disagreements, over sockets %v",
		c.messages, c.accepted, c.notHTTP, sum(c.classes), c.overSockets)
}

// table writes a map with the largest number first.
func table[K ~string](m map[K]int, more func(K) string) string {
	var b strings.Builder
	for _, k := range slices.SortedFunc(maps.Keys(m), func(x, y K) int { return cmp.Or(m[y]-m[x], strings.Compare(string(x), string(y))) }) {
		fmt.Fprintf(&b, "\n%9d  %s", m[k], k)
		if more != nil {
			b.WriteString(more(k))
		}
	}
	return b.String()
}

func sum[K comparable](m map[K]int) (n int) {
	for _, v := range m {
		n += v
	}
	return n
}
