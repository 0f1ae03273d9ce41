package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/gatewayauth/gatewayauth/conformance/bench"
	"github.com/gatewayauth/gatewayauth/conformance/bench/internal/servers"
	"github.com/gatewayauth/gatewayauth/core/apig"
)

// load has requests that are ready to be sent.
type load struct {
	n, clients int
	one        func(client, request int) error
	close      func()
}

// send lets each client send one request after the other, and returns the duration of
// each, in microseconds.
func (l *load) send() ([]float64, error) {
	latencies := make([]float64, l.n)
	errs := make([]error, l.clients)
	var next atomic.Int64
	var wg sync.WaitGroup
	for client := range l.clients {
		wg.Go(func() {
			for errs[client] == nil {
				i := int(next.Add(1)) - 1
				if i >= l.n {
					return
				}
				start := time.Now()
				errs[client] = l.one(client, i)
				latencies[i] = micro(time.Since(start))
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return latencies, nil
}

var sent atomic.Int64

// id returns a new request id, so that no two requests are equal.
func id() string { return fmt.Sprintf("6ba7b810-9dad-11d1-80b4-%012x", sent.Add(1)) }

// overHTTP writes prepared bytes, and reads as little of the responses as possible, so
// that the clients use little CPU time.
func overHTTP(address string, q bench.Request, n, clients int) (*load, error) {
	signer := bench.NewSigner()
	sum := sha256.Sum256(q.Body)
	digest := hex.EncodeToString(sum[:])
	heads := make([][]byte, n)
	for i := range heads {
		r, err := q.Signed(signer, id(), digest)
		if err != nil {
			return nil, err
		}
		heads[i] = q.Head(r)
	}
	connections := make([]net.Conn, clients)
	readers := make([]*bufio.Reader, clients)
	for i := range connections {
		c, err := net.Dial("tcp", address)
		if err != nil {
			return nil, err
		}
		connections[i], readers[i] = c, bufio.NewReader(c)
	}
	return &load{n, clients, func(client, i int) error {
		message := net.Buffers{heads[i], q.Body}
		if _, err := message.WriteTo(connections[client]); err != nil {
			return err
		}
		return answered(readers[client])
	}, func() {
		for _, c := range connections {
			c.Close()
		}
	}}, nil
}

// answered reads a response without a body.
func answered(r *bufio.Reader) error {
	status, err := r.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(status, []byte("HTTP/1.1 200 ")) {
		return fmt.Errorf("answer %q", status)
	}
	empty := false
	for {
		line, err := r.ReadSlice('\n')
		switch {
		case err != nil:
			return err
		case bytes.EqualFold(line, []byte("Content-Length: 0\r\n")):
			empty = true
		case len(line) == 2 && !empty:
			return fmt.Errorf("the response has a body, want none")
		case len(line) == 2:
			return nil
		}
	}
}

const (
	perConnection = 8  // gRPC clients that share a connection
	perStream     = 50 // messages of a stream
)

// overGRPC makes unary calls.
func overGRPC(signer *apig.Signer) func(address string, q bench.Request, n, clients int) (*load, error) {
	return func(address string, q bench.Request, n, clients int) (*load, error) {
		message := &wrapperspb.BytesValue{Value: q.Body}
		return callGRPC(signer, servers.Unary, message, 1, address, n, clients, func(ctx context.Context, c *grpc.ClientConn) error {
			return c.Invoke(ctx, servers.Unary, message, new(wrapperspb.BytesValue))
		})
	}
}

// overStream makes calls with a stream of messages each.
func overStream(signer *apig.Signer) func(address string, q bench.Request, n, clients int) (*load, error) {
	return func(address string, q bench.Request, n, clients int) (*load, error) {
		message := &wrapperspb.BytesValue{Value: q.Body}
		return callGRPC(signer, servers.Stream, message, perStream, address, n, clients, func(ctx context.Context, c *grpc.ClientConn) error {
			s, err := c.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true}, servers.Stream)
			if err != nil {
				return err
			}
			for range perStream {
				if err := s.SendMsg(message); err != nil {
					break // RecvMsg says why
				}
			}
			if err := s.CloseSend(); err != nil {
				return err
			}
			return s.RecvMsg(new(wrapperspb.BytesValue))
		})
	}
}

// callGRPC makes calls with grpc-go's client and metadata that is already signed.
func callGRPC(signer *apig.Signer, method string, message proto.Message, messages int, address string, n, clients int,
	call func(context.Context, *grpc.ClientConn) error) (*load, error) {
	encoded, err := proto.Marshal(message)
	if err != nil {
		return nil, err
	}
	framed := append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(encoded))), encoded...)
	sum := sha256.Sum256(bytes.Repeat(framed, messages))
	digest := hex.EncodeToString(sum[:])
	contexts := make([]context.Context, n)
	for i := range contexts {
		if contexts[i], err = servers.SignedContext(signer, method, digest, id()); err != nil {
			return nil, err
		}
	}
	connections := make([]*grpc.ClientConn, (clients+perConnection-1)/perConnection)
	for i := range connections {
		c, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithAuthority(servers.Authority))
		if err != nil {
			return nil, err
		}
		connections[i] = c
		if err := connect(c); err != nil {
			return nil, err
		}
	}
	return &load{n, clients, func(client, i int) error {
		return call(contexts[i], connections[client/perConnection])
	}, func() {
		for _, c := range connections {
			c.Close()
		}
	}}, nil
}

// connect returns when the connection is established.
func connect(c *grpc.ClientConn) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	c.Connect()
	for state := c.GetState(); state != connectivity.Ready; state = c.GetState() {
		if !c.WaitForStateChange(ctx, state) {
			return ctx.Err()
		}
	}
	return nil
}
