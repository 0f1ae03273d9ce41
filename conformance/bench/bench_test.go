package bench

import "testing"

// BenchmarkVerify is named Verify/<who>/<request>.
func BenchmarkVerify(b *testing.B) {
	for _, who := range Everybody() {
		for _, q := range Requests() {
			b.Run(who.Name+"/"+q.Name, func(b *testing.B) {
				verify := who.Setup(q)
				verify()
				b.SetBytes(int64(len(q.Body)))
				b.ReportAllocs()
				for b.Loop() {
					verify()
				}
			})
		}
	}
}
