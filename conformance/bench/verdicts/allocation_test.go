//go:build !race

package main

import "testing"

// With the race detector, pools drop values, so this file is excluded.

// TestAllocations_T280: each verdict allocates exactly so often, under every policy.
func TestAllocations_T280(t *testing.T) {
	const most, none = 64, -1
	want := map[string][7]float64{
		"accepted":                   {1, 1, 1, 1, 1, 1, 9},
		"accepted, each API in turn": {none, none, 1, 1, 1, none, none},
		"accepted, presigned with AWS4-HMAC-SHA256": {45, 45, 45, 45, 45, 45, 53},
		"no credential":                           {},
		"unknown key":                             {6: 8},
		"stale date":                              {6: 8},
		"wrong signature":                         {6: 8},
		"wrong signature, each API in turn":       {none, none, 2, 2, 2, none, none},
		"body of 1 MiB announced, over the limit": {},
	}
	for _, verdict := range verdicts {
		counts, ok := want[verdict.name]
		if !ok {
			t.Errorf("%s: no numbers", verdict.name)
		}
		for i, p := range policiesOf(most) {
			f, err := verdict.under(p)
			if err != nil {
				t.Fatal(err)
			}
			if (f == nil) != (counts[i] == none) {
				t.Errorf("%s, %s: measured is %v", verdict.name, p.name, f != nil)
			}
			if f == nil {
				continue
			}
			calls := 1
			if verdict.each {
				calls = p.apis
			}
			all := func() {
				for range calls {
					if err := f(); err != nil {
						t.Error(err)
					}
				}
			}
			all() // so that what can be remembered is
			total := counts[i] * float64(calls)
			if verdict.each && verdict.code != "" {
				total -= counts[i] // that of the first API, of which a request was accepted
			}
			if got := testing.AllocsPerRun(10, all); got != total {
				t.Errorf("%s, %s: got %v allocations of %d requests, want %v", verdict.name, p.name, got, calls, total)
			}
		}
	}
}
