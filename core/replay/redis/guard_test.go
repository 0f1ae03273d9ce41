package redis_test

import (
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core/replay/redis"
)

func TestScan(t *testing.T) {
	for _, tt := range []struct {
		stream string
		values int
		ok     bool
	}{
		{"", 0, true}, {"+OK\r\n", 1, true}, {"+OK\r\n_\r\n$-1\r\n*-1\r\n:12\r\n:-12\r\n", 6, true},
		{"$5\r\na\r\nb\n\r\n+OK\r\n", 2, true}, {"$0\r\n\r\n", 1, true}, {"$0\r\n\r", 0, true},
		{"*0\r\n*2\r\n+a\r\n*1\r\n$1\r\nb\r\n", 2, true}, {"*2\r\n+a\r\n", 0, true},
		{"%1\r\n+a\r\n%0\r\n~1\r\n#t\r\n", 2, true}, {"!1\r\nx\r\n=5\r\ntxt:x\r\n,1e3\r\n(99\r\n", 4, true},
		{">1\r\n+a\r\n", 1, true}, {"*1\r\n>1\r\n+a\r\n", 0, false},
		{strings.Repeat("*1\r\n", 8) + ":1\r\n", 1, true}, {strings.Repeat("*1\r\n", 9), 0, false},
		{"*65536\r\n", 0, true}, {"*65537\r\n", 0, false}, {"$1048576\r\n", 0, true}, {"$1048577\r\n", 0, false},
		{"$+1\r\n", 0, false}, {"$-2\r\n", 0, false}, {"$-0\r\n", 0, false}, {"$\r\n", 0, false}, {"$1_0\r\n", 0, false}, {"~-1\r\n", 0, false},
		{"+OK\n", 0, false}, {"\n", 0, false}, {"\r\n", 0, false}, {"x1\r\n", 0, false}, {"|1\r\n", 0, false}, {";1\r\n", 0, false},
	} {
		for _, step := range []int{1, 2, 3, 1 << 20} {
			values, ok := redis.Scan(tt.stream, step)
			if ok != tt.ok || ok && values != tt.values {
				t.Errorf("%q in steps of %d: got %d, %v, want %d, %v", tt.stream, step, values, ok, tt.values, tt.ok)
			}
		}
	}
}

// FuzzScan: how a stream is cut into parts makes no difference.
func FuzzScan(f *testing.F) {
	f.Add("*2\r\n+a\r\n*1\r\n$1\r\nb\r\n_\r\n", 3)
	f.Add("%1\r\n+maxmemory-policy\r\n$10\r\nnoeviction\r\n-ERR\r\n", 7)
	f.Fuzz(func(t *testing.T, stream string, step int) {
		values, ok := redis.Scan(stream, len(stream)+1)
		parts, partsOK := redis.Scan(stream, max(1, step))
		if ok != partsOK || ok && values != parts {
			t.Errorf("got %d, %v at once, %d, %v in parts", values, ok, parts, partsOK)
		}
	})
}
