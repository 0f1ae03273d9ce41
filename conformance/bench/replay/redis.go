package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatewayauth/gatewayauth/conformance/bench/internal/report"
	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/replay/redis"
)

// onRedis lets callers check new requests; each caller checks one request after the other.
func onRedis() (*report.Table, error) {
	address, stop, err := startRedis()
	if err != nil {
		return nil, err
	}
	defer stop()
	version, _ := ask(address, "server", "redis_version")
	table := report.New(fmt.Sprintf("On Redis %s over loopback: medians of %d runs of %v.", version, *rounds, *span),
		"callers", "checks/s", "median check, µs", "without an answer")
	store, err := redis.New(redis.Config{URL: core.NewSecret("redis://" + address), Timeout: 10 * time.Second, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	defer store.Close()
	if err := reachable(store); err != nil {
		return nil, err
	}
	before, err := memory(address)
	if err != nil {
		return nil, err
	}
	numbers := []int{1, 64, 256}
	rates, latencies := make([][]float64, len(numbers)), make([][]float64, len(numbers))
	failed := make([]int64, len(numbers))
	var added int64
	for range *rounds {
		for i, n := range numbers {
			checks, failures, latency := check(store, n)
			rates[i] = append(rates[i], float64(checks)/span.Seconds())
			latencies[i] = append(latencies[i], latency)
			failed[i] += failures
			added += checks
		}
	}
	after, err := memory(address)
	if err != nil {
		return nil, err
	}
	for i, n := range numbers {
		table.Add(fmt.Sprint(n), report.Median(rates[i]), report.Median(latencies[i]), fmt.Sprint(failed[i]))
	}
	table.Title += fmt.Sprintf(" An entry took %.0f bytes of the server's memory, over %d.", (after-before)/float64(added), added)
	return table, nil
}

// check lets n callers check requests for a span of time. The latency is the median for
// one of them.
func check(store *redis.Store, n int) (checks, failures int64, latency float64) {
	var done, failed atomic.Int64
	var latencies []float64
	var wg sync.WaitGroup
	end := time.Now().Add(*span)
	for caller := range n {
		wg.Go(func() {
			for {
				start := time.Now()
				if start.After(end) && (caller > 0 || len(latencies) > 0) {
					return
				}
				if ok, err := store.Add(context.Background(), unique()); err != nil || !ok {
					failed.Add(1)
					continue
				}
				done.Add(1)
				if caller == 0 {
					latencies = append(latencies, float64(time.Since(start))/float64(time.Microsecond))
				}
			}
		})
	}
	wg.Wait()
	return done.Load(), failed.Load(), report.Median(latencies)
}

func unique() core.ReplayEntry {
	now := time.Now()
	e := core.ReplayEntry{Environment: "bench", SignedAt: now, Now: now, Until: now.Add(skew)}
	rand.Read(e.Fingerprint[:])
	return e
}

// reachable waits for the first response of the server.
func reachable(store *redis.Store) error {
	for start := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		_, err := store.Add(context.Background(), unique())
		if err == nil || time.Since(start) > 20*time.Second {
			return err
		}
	}
}

// startRedis starts a redis-server without persistence, on a port of loopback.
func startRedis() (address string, stop func(), err error) {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		return "", nil, errors.New("redis-server is not installed (Debian package redis-server)")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	address = l.Addr().String()
	l.Close()
	dir, err := os.MkdirTemp("", "replay")
	if err != nil {
		return "", nil, err
	}
	_, port, _ := net.SplitHostPort(address)
	cmd := exec.Command(program, "--bind", "127.0.0.1", "--port", port, "--save", "", "--appendonly", "no", "--dir", dir)
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	return address, func() {
		cmd.Process.Kill()
		cmd.Wait()
		os.RemoveAll(dir)
	}, nil
}

func memory(address string) (float64, error) {
	text, err := ask(address, "memory", "used_memory")
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(text, 64)
}

// ask returns the value of a name in the server's INFO.
func ask(address, section, name string) (value string, err error) {
	var c net.Conn
	for start := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		if c, err = net.Dial("tcp", address); err == nil {
			break
		} else if time.Since(start) > 20*time.Second {
			return "", err
		}
	}
	defer c.Close()
	if _, err := io.WriteString(c, "INFO "+section+"\r\nQUIT\r\n"); err != nil {
		return "", err
	}
	for lines := bufio.NewScanner(c); lines.Scan(); {
		if value, found := strings.CutPrefix(lines.Text(), name+":"); found {
			return value, nil
		}
	}
	return "", fmt.Errorf("the INFO of the server has no %s", name)
}
