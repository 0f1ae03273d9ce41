package coretest

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// A ServeGRPC serves gRPC on listener, with v in front of a service the way the
// adapter under test does it, until stop is called; stop returns when all calls
// have ended. The service is gatewayauth.coretest.Echo, its messages are
// google.protobuf.BytesValue, and its methods:
//
//	rpc Unary(BytesValue) returns (BytesValue)
//	rpc Open(BytesValue) returns (BytesValue)
//	rpc Upload(stream BytesValue) returns (BytesValue)
//	rpc Watch(BytesValue) returns (stream BytesValue)
//	rpc Chat(stream BytesValue) returns (stream BytesValue)
//
// Each handler calls handle once, with its context and a function that returns the value
// of the next message, or io.EOF. If handle returns an error, the handler returns it
// unchanged; otherwise it sends one empty message.
type ServeGRPC func(v *core.Verifier, listener net.Listener, handle GRPCHandler) (stop func())

// A GRPCHandler is the function of the suite that the handlers of a [ServeGRPC] call.
type GRPCHandler func(ctx context.Context, receive func() ([]byte, error)) error

// RunGRPC runs the suite for an adapter of a gRPC server. It uses the HTTP/2 client of
// net/http, because a gRPC client cannot send malformed calls. Like [Run], it checks the
// status of the response, the code of the verdict, how often the handler ran, and what it
// received.
func RunGRPC(t *testing.T, serve ServeGRPC) {
	s := newSuite(nil, 20*time.Second)
	for _, c := range grpcCases() {
		t.Run(c.name, func(t *testing.T) { s.runGRPC(t, serve, c) })
	}
	for _, c := range s.summary() {
		t.Run(c.name, func(t *testing.T) { c.check(t) })
	}
}

// grpcCase is one call with the verdict it must get.
type grpcCase struct {
	name   string
	config func(*core.Config)
	send   message
	want   verdict
	late   bool                             // the call fails after the handler has read the body
	handle func(receive func() error) error // replaces the handler; nil: it reads to the end
	status string                           // the status with which gRPC responds without calling the handler
}

// grpcBench is one server with the adapter under test.
type grpcBench struct {
	*bench
	seen kept[grpcSight]
}

// grpcSight is what one run of a handler received.
type grpcSight struct {
	identity *core.Identity
	messages []string
	err      error // the error at which it stopped; nil: io.EOF
}

func (s *suite) runGRPC(t reporter, serve ServeGRPC, c grpcCase) {
	t.Helper()
	b := &grpcBench{bench: &bench{reporter: t, suite: s}}
	b.events.buffered = func() int64 { return b.verifier.Buffered() }
	config := fixture(b.records.logger(), &b.events)
	config.APIs = append(config.APIs,
		core.API{Match: "POST " + echo + "Chat", Key: k1.name, AllowUnsignedPayload: true},
		core.API{Match: "POST " + echo + "Open", Open: true})
	if c.config != nil {
		c.config(&config)
	}
	var err error
	if b.verifier, err = core.New(config); err != nil {
		b.Errorf("core.New: %v", err)
		return
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Errorf("listen: %v", err)
		return
	}
	b.addr = listener.Addr().String()
	stop := serve(b.verifier, listener, func(ctx context.Context, receive func() ([]byte, error)) error {
		return b.handle(ctx, receive, c.handle)
	})
	a, err := b.call(c.send)
	stop()
	if err != nil {
		b.Errorf("%v", err)
	}
	if n := b.verifier.Buffered(); n != 0 {
		b.Errorf("Buffered() = %d after the call, want 0: the adapter must call core.Release", n)
	}
	b.checkCall(c, a)
	s.inspectLog(b.records.json.String() + b.records.text.String())
}

// handle is the application. It records what it receives.
func (b *grpcBench) handle(ctx context.Context, receive func() ([]byte, error), do func(func() error) error) error {
	var seen grpcSight
	seen.identity, _ = core.FromContext(ctx)
	next := func() error {
		value, err := receive()
		if err == nil {
			seen.messages = append(seen.messages, string(value))
		} else if err != io.EOF {
			seen.err = err
		}
		return err
	}
	if do == nil {
		do = readAll
	}
	err := do(next)
	b.seen.add(seen)
	return err
}

func readAll(next func() error) error {
	for {
		switch err := next(); {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}

var errHandler = errors.New("the handler's own error")
