package redis_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/replay/redis"
)

// childURL makes the test binary one that serves another process's test.
const childURL = "GATEWAYAUTH_TEST_CHILD_URL"

const rounds = 20

// child says when it is ready, and for each number that it reads how many of 100
// goroutines were told that the entry was new.
func child(url string) int {
	s, err := redis.New(redis.Config{URL: core.NewSecret(url), Timeout: 10 * time.Second})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer s.Close()
	warm := core.ReplayEntry{Environment: fmt.Sprint(os.Getpid()), Now: time.Now(), Until: time.Now()}
	fmt.Println(s.Add(context.Background(), warm))
	var round uint64
	for {
		if _, err := fmt.Scan(&round); err != nil {
			return 0
		}
		e := core.ReplayEntry{Environment: "prod", Now: time.Now(), Until: time.Now().Add(time.Minute)}
		binary.BigEndian.PutUint64(e.Fingerprint[:], round)
		var added, failed atomic.Int64
		var running sync.WaitGroup
		for range 100 {
			running.Go(func() {
				switch ok, err := s.Add(context.Background(), e); {
				case err != nil:
					failed.Add(1)
				case ok:
					added.Add(1)
				}
			})
		}
		running.Wait()
		fmt.Println(added.Load(), failed.Load())
	}
}

func TestProcesses_T089(t *testing.T) {
	server := startServer(t)
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	type process struct {
		in  io.WriteCloser
		out *bufio.Scanner
	}
	var processes []process
	for range 2 {
		cmd := exec.Command(binary)
		cmd.Env = append(os.Environ(), childURL+"="+server.url(""))
		in, err1 := cmd.StdinPipe()
		out, err2 := cmd.StdoutPipe()
		if err := cmd.Start(); err != nil || err1 != nil || err2 != nil {
			t.Fatal(err, err1, err2)
		}
		t.Cleanup(func() {
			in.Close()
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
		})
		processes = append(processes, process{in, bufio.NewScanner(out)})
	}
	for _, p := range processes {
		if p.out.Scan(); p.out.Text() != "true <nil>" {
			t.Fatalf("a process said %q", p.out.Text())
		}
	}
	for round := range rounds {
		for _, p := range processes {
			fmt.Fprintln(p.in, round+1)
		}
		var said []string
		for _, p := range processes {
			p.out.Scan()
			said = append(said, p.out.Text())
		}
		if got := strings.Join(said, ", "); got != "1 0, 0 0" && got != "0 0, 1 0" {
			t.Fatalf("round %d: new and failed: %s", round, got)
		}
	}
}
