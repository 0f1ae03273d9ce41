package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatewayauth/gatewayauth/conformance/bench"
)

// patience is how long a client retries an upload.
const patience = 2 * time.Minute

// upload starts all clients, and returns the number of uploads that were refused because
// the memory was full.
func upload(address string, s strategy, q bench.Request) (refused int64, err error) {
	sum := sha256.Sum256(q.Body)
	digest := hex.EncodeToString(sum[:])
	var again atomic.Int64
	errs := make([]error, *clients)
	connections := make([]net.Conn, *clients)
	for i := range connections {
		if connections[i], err = net.Dial("tcp", address); err != nil {
			return 0, err
		}
	}
	var wg sync.WaitGroup
	for i, connection := range connections {
		wg.Go(func() {
			c := &client{address: address, connection: connection, refused: &again}
			defer func() { c.connection.Close() }()
			for n := 0; n < *uploads && errs[i] == nil; n++ {
				r, err := q.Signed(s.signer, fmt.Sprintf("6ba7b810-9dad-11d1-%04x-%012x", i, n), digest)
				if err == nil {
					err = c.upload(q.Head(r), q.Body)
				}
				errs[i] = err
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return 0, err
		}
	}
	return again.Load(), nil
}

type client struct {
	address    string
	connection net.Conn
	refused    *atomic.Int64
}

// upload sends the request until it is accepted, as a gateway may do after a 503. A
// server that refuses a body closes the connection, so the response may be lost.
func (c *client) upload(head, body []byte) error {
	for start := time.Now(); ; {
		status, err := c.send(head, body)
		switch {
		case err == nil && status == http.StatusOK:
			return nil
		case err == nil && status != http.StatusServiceUnavailable:
			return fmt.Errorf("status %d", status)
		case time.Since(start) > patience:
			return fmt.Errorf("not accepted within %v: status %d, %v", patience, status, err)
		}
		c.refused.Add(1)
		c.connection.Close()
		time.Sleep(time.Duration(rand.Int64N(int64(100 * time.Millisecond))))
		if c.connection, err = net.Dial("tcp", c.address); err != nil {
			return err
		}
	}
}

func (c *client) send(head, body []byte) (status int, err error) {
	message := net.Buffers{head, body}
	_, failed := message.WriteTo(c.connection)
	answer, err := http.ReadResponse(bufio.NewReader(c.connection), nil)
	if err != nil {
		return 0, errors.Join(failed, err)
	}
	answer.Body.Close()
	return answer.StatusCode, nil
}
