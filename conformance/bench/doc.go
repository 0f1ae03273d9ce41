// Package bench measures what verifying costs, in units of the work that cannot
// be avoided: the floor. Times of different runs do not compare, ratios of one
// run do; see the program ratios below it.
//
//	go test -bench Verify -benchmem ./bench
//	go run ./bench/ratios
package bench
