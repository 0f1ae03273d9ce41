package bench_test

import (
	"testing"

	"github.com/gatewayauth/gatewayauth/conformance/bench"
)

// BenchmarkVerify is named Verify/<who>/<request>.
func BenchmarkVerify(b *testing.B) {
	for _, who := range bench.Everybody() {
		for _, q := range bench.Requests() {
			verify, err := who.Setup(q)
			if err != nil {
				b.Fatal(err)
			}
			if verify == nil {
				continue
			}
			b.Run(who.Name+"/"+q.Name, func(b *testing.B) {
				b.SetBytes(int64(len(q.Body)))
				b.ReportAllocs()
				for b.Loop() {
					if err := verify(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// TestEverybody: who is measured accepts the requests, and refuses them with a
// header or a byte of the body changed.
func TestEverybody(t *testing.T) {
	names := make(map[string]bool)
	for _, who := range bench.Everybody() {
		if who.Like != "" && !names[who.Like] {
			t.Errorf("%s is like %q, who does not come before it", who.Name, who.Like)
		}
		names[who.Name] = true
		measured := 0
		for _, q := range bench.Requests() {
			verify, err := who.Setup(q)
			if err != nil {
				t.Error(err)
			}
			if verify != nil {
				measured++
			}
		}
		if measured == 0 {
			t.Errorf("%s verifies nothing", who.Name)
		}
	}
}
