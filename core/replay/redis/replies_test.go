package redis_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core/replay/redis"
	"github.com/gatewayauth/gatewayauth/internal/needs"
)

const (
	unavailable = iota
	isNew
	isSeen
)

// TestReplies_F03: OK is new, null is seen, and everything else is neither.
func TestReplies_F03(t *testing.T) {
	for _, tt := range []struct {
		reply string
		want  int
	}{
		{"+OK\r\n", isNew},
		{"_\r\n", isSeen}, {"$-1\r\n", isSeen}, {"*-1\r\n", isSeen},

		{"-MOVED 3999 127.0.0.1:1\r\n", unavailable},
		{"-ASK 3999 127.0.0.1:1\r\n", unavailable},
		{"-READONLY You can't write against a read only replica.\r\n", unavailable},
		{"-LOADING Redis is loading the dataset in memory\r\n", unavailable},
		{"-MASTERDOWN Link with MASTER is down\r\n", unavailable},
		{"-CLUSTERDOWN The cluster is down\r\n", unavailable},
		{"-TRYAGAIN Multiple keys request during rehashing of slot\r\n", unavailable},
		{"-NOREPLICAS Not enough good replicas to write.\r\n", unavailable},
		{"-OOM command not allowed when used memory > 'maxmemory'.\r\n", unavailable},
		{"-MISCONF Redis is configured to save RDB snapshots\r\n", unavailable},
		{"-NOAUTH Authentication required.\r\n", unavailable},
		{"-BUSY Redis is busy running a script\r\n", unavailable},
		{"-OK\r\n", unavailable}, {"-\r\n", unavailable}, {"!2\r\nOK\r\n", unavailable},
		{"+\r\n", unavailable}, {"+ok\r\n", unavailable}, {"+OK \r\n", unavailable}, {"+QUEUED\r\n", unavailable}, {"+PONG\r\n", unavailable},
		{"$0\r\n\r\n", unavailable}, {"$1\r\n1\r\n", unavailable}, {"$3\r\nOK \r\n", unavailable},
		{":0\r\n", unavailable}, {":1\r\n", unavailable}, {":-1\r\n", unavailable},
		{",1.5\r\n", unavailable}, {"(12345678901234567890\r\n", unavailable}, {"#t\r\n", unavailable}, {"#f\r\n", unavailable},
		{"=6\r\ntxt:OK\r\n", unavailable},
		{"*0\r\n", unavailable}, {"*1\r\n+OK\r\n", unavailable}, {"*1\r\n$-1\r\n", unavailable},
		{"~1\r\n+OK\r\n", unavailable}, {"%1\r\n+OK\r\n+OK\r\n", unavailable}, {"%0\r\n", unavailable},

		// What breaks the protocol, and would end the process without the guard.
		{">2\r\n+message\r\n+OK\r\n", unavailable},
		{">3\r\n+subscribe\r\n+x\r\n:1\r\n", unavailable},
		{">3\r\n+subscribe\r\n+x\r\n:1\r\n+OK\r\n", unavailable},
		{"+OK\r\n+OK\r\n", unavailable},
		{"|1\r\n+a\r\n+b\r\n+OK\r\n", unavailable},
		{"$-5\r\n", unavailable}, {"*-5\r\n", unavailable}, {"%-1\r\n", unavailable}, {"$+2\r\nOK\r\n", unavailable},
		{"$9223372036854775807\r\n", unavailable}, {"$99999999999999999999\r\n", unavailable}, {"$2000000000\r\n", unavailable},
		{"*1000000000\r\n", unavailable}, {"%9223372036854775807\r\n", unavailable},
		{strings.Repeat("*1\r\n", 1_000_000), unavailable},
		{"$?\r\n;2\r\nOK\r\n;0\r\n", unavailable}, {"*?\r\n+OK\r\n.\r\n", unavailable}, {".\r\n", unavailable},
		{"#true\r\n+OK\r\n", unavailable}, {"_x\r\n+OK\r\n", unavailable},
		{"+OK\n", unavailable}, {"\r\n", unavailable}, {"OK\r\n", unavailable},
		{"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", unavailable},
		{"\x15\x03\x01\x00\x02\x02\x46", unavailable},
		{strings.Repeat("x", 1<<20), unavailable}, {"+" + strings.Repeat("x", 1<<20), unavailable},
		{"+O", unavailable}, {"", unavailable}, {"close", unavailable},
	} {
		for !replied(t, tt.reply, tt.want) {
		}
	}
}

// replied checks what the store makes of a reply to its second check. It returns false if
// the client may have sent a command of its own meanwhile, which would take a part of the
// reply.
func replied(t *testing.T, reply string, expected int) bool {
	t.Helper()
	name := reply[:min(len(reply), 60)]
	f := newFake(map[string]string{"SET": "+OK\r\n", "CONFIG": "%1\r\n+maxmemory-policy\r\n+allkeys-lru\r\n"})
	address, _ := listen(t, f.handle)
	var log logged
	start := time.Now()
	s := open(t, "redis://"+address, log.to)
	want(t, name+": before", s, entry(), true)
	eventually(t, "the end of the probe", func() bool { return log.String() != "" })
	f.set("SET", reply)
	ctx, cancel := context.WithCancel(context.Background())
	if reply == "" || reply == "+O" || strings.HasPrefix(reply, "\x15") { // there is no more to come
		cancel()
		ctx, cancel = context.WithTimeout(context.Background(), 100*time.Millisecond)
	}
	added, err := s.Add(ctx, entry())
	cancel()
	n := f.count("SET")
	switch {
	case time.Since(start) >= time.Second: // the client sends PING after a second without replies
		return false
	case n == 1 && errors.Is(err, context.DeadlineExceeded): // the check ended before it sent its command
		return false
	}
	switch got := err == nil; {
	case expected == unavailable && (added || !errors.Is(err, redis.ErrUnavailable)),
		expected != unavailable && (!got || added != (expected == isNew)):
		t.Errorf("%q: got %v, %v", name, added, err)
	}
	if n != 2 {
		t.Errorf("%q: %d commands were sent for two checks", name, n)
	}
	return true
}

// TestFailureTexts_T219: the error of a server has its code, what it means, and not twice
// that the store is unavailable.
func TestFailureTexts_T219(t *testing.T) {
	for reply, meaning := range map[string]string{
		"-OOM command not allowed when used memory > 'maxmemory'.\r\n": "OOM: it has used up its memory; raise its maxmemory",
		"-NOREPLICAS Not enough good replicas to write.\r\n":           "NOREPLICAS: fewer replicas are connected than its min-replicas-to-write asks for",
		"-READONLY You can't write against a read only replica.\r\n":   "READONLY: it is a replica",
	} {
		f := newFake(map[string]string{"SET": reply, "CONFIG": "%1\r\n+maxmemory-policy\r\n+noeviction\r\n"})
		address, _ := listen(t, f.handle)
		s := open(t, "redis://"+address, timeout(10*time.Second))
		_, err := s.Add(context.Background(), entry())
		if want := "redis: the server answered with the error " + meaning; err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestLostReply_F03: what the server did before a reply was lost is not assumed
// either way, and the next check is told the truth.
func TestLostReply_F03(t *testing.T) {
	needs.Long(t) // waits for the timeout
	server := startServer(t)
	proxy := newProxy(t, server.socket)
	s := open(t, "redis://"+proxy.address, timeout(budget))
	e := works(t, s)
	proxy.delay.Store(int64(patience))
	e.Fingerprint[31]++
	eventually(t, "the server has it", func() bool { // a check may time out before it sends its command
		wantUnavailable(t, "the reply is lost", s, e)
		return server.ask("EXISTS", s.Key(e))[0] == ":1"
	})
	proxy.delay.Store(0)
	works(t, s)
	wantSeen(t, "again", s, e)
}
