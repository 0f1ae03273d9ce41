// Package bench measures the cost of verifying requests, as a multiple of the work that
// cannot be avoided (the floor), and compares it with other verifiers of the same
// requests. Compare the ratios within one run, not the times of different runs. The
// programs are:
//
//	go test -bench Verify -benchmem ./bench
//	go run ./bench/ratios     what verifying takes, in floors
//	go run ./bench/endtoend   servers with middleware against bare ones
//	go run ./bench/memory     the memory of a server that takes many uploads
//	go run ./bench/replay     replay stores
//	go run ./bench/document   all four, into docs/performance.md
package bench
