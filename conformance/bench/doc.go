// Package bench measures what verifying costs, in units of the work that cannot
// be avoided, the floor, and beside what others do for the same requests. Times
// of different runs do not compare, ratios of one run do; see the programs below
// it.
//
//	go test -bench Verify -benchmem ./bench
//	go run ./bench/ratios     what verifying takes, in floors
//	go run ./bench/endtoend   servers with middleware against bare ones
//	go run ./bench/memory     the memory of a server that takes many uploads
//	go run ./bench/replay     replay stores
//	go run ./bench/document   all four, into docs/performance.md
package bench
