package bench_test

import (
	"testing"

	"github.com/gatewayauth/gatewayauth/conformance/bench"
)

// BenchmarkVerify is named Verify/<contender>/<request>.
func BenchmarkVerify(b *testing.B) {
	for _, contender := range bench.Contenders() {
		for _, q := range bench.Requests() {
			verify, err := contender.Setup(q)
			if err != nil {
				b.Fatal(err)
			}
			if verify == nil {
				continue
			}
			b.Run(contender.Name+"/"+q.Name, func(b *testing.B) {
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

// TestContendersVerify: each contender accepts the requests, and refuses them with a header
// or a byte of the body changed.
func TestContendersVerify(t *testing.T) {
	names := make(map[string]bool)
	for _, contender := range bench.Contenders() {
		if contender.Like != "" && !names[contender.Like] {
			t.Errorf("%s is like %q, which is not listed before it", contender.Name, contender.Like)
		}
		names[contender.Name] = true
		measured := 0
		for _, q := range bench.Requests() {
			verify, err := contender.Setup(q)
			if err != nil {
				t.Error(err)
			}
			if verify != nil {
				measured++
			}
		}
		if measured == 0 {
			t.Errorf("%s verifies nothing", contender.Name)
		}
	}
}
