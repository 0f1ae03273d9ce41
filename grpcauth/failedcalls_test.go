package grpcauth_test

import (
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/grpcauth"
)

// TestFailedCalls_T222: calls that are refused, cancelled or malformed leave neither memory
// nor goroutines. GATEWAYAUTH_GRPC_CALLS is the number of calls, and 10000 if it is not set.
func TestFailedCalls_T222(t *testing.T) {
	calls := 10_000
	if text := os.Getenv("GATEWAYAUTH_GRPC_CALLS"); text != "" {
		var err error
		if calls, err = strconv.Atoi(text); err != nil || calls < 10_000 {
			t.Fatalf("GATEWAYAUTH_GRPC_CALLS is %q, want a number of at least 10000", text)
		}
	}
	v, _ := verifier(t, func(c *core.Config) { c.AllowUnsignedPayload, c.Observers = true, nil })
	bodies, options := grpcauth.NewBodies()
	const refusedInFront = "x-refused-in-front"
	front := func(ctx context.Context) error {
		if len(metadata.ValueFromIncomingContext(ctx, refusedInFront)) > 0 {
			return status.Error(codes.ResourceExhausted, "refused in front")
		}
		return nil
	}
	listener := listen(t)
	server := serve(listener, readAll, append(options, grpc.MaxRecvMsgSize(4096),
		grpc.ChainUnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			if err := front(ctx); err != nil {
				return nil, err
			}
			return next(ctx, req)
		}, bodies.UnaryInterceptor(v)),
		grpc.ChainStreamInterceptor(func(srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
			if err := front(ss.Context()); err != nil {
				ss.RecvMsg(new(bytesValue))
				return err
			}
			return next(srv, ss)
		}, grpcauth.StreamServerInterceptor(v)))...)
	t.Cleanup(server.Stop)
	conn := dial(t, listener)

	message, tooLarge := text(strings.Repeat("x", 2000)), text(strings.Repeat("x", 5000)) // 2000 are in a pooled buffer
	inFront := metadata.AppendToOutgoingContext(t.Context(), refusedInFront, "1")
	md, _ := metadata.FromOutgoingContext(signed(t, echo+"Unary", core.PayloadHashed, text("another message")))
	covered := metadata.NewOutgoingContext(t.Context(), md)
	var completed sync.Map // text of an error -> true
	send := func(ctx context.Context, method string, end func(grpc.ClientStream, context.CancelFunc), messages ...*bytesValue) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		stream, err := conn.NewStream(ctx, chat, echo+method)
		if err != nil {
			t.Error(err)
			return
		}
		for _, m := range messages {
			if stream.SendMsg(m) != nil {
				break // RecvMsg returns the error
			}
		}
		end(stream, cancel)
		for err == nil {
			err = stream.RecvMsg(new(bytesValue))
		}
		if errors.Is(err, io.EOF) {
			t.Errorf("%s: the call was accepted", method)
		}
		completed.Store(status.Code(err), true)
	}
	half := func(s grpc.ClientStream, _ context.CancelFunc) { s.CloseSend() }
	cancelled := func(_ grpc.ClientStream, cancel context.CancelFunc) { cancel() }
	reset := func(s grpc.ClientStream, _ context.CancelFunc) {} // the server ends the call
	kinds := []func(){
		func() { send(t.Context(), "Unary", half, message) },
		func() { send(covered, "Unary", half, message) },
		func() { send(inFront, "Unary", half, message) },
		func() { send(t.Context(), "Unary", cancelled, message) },
		func() { send(t.Context(), "Unary", reset, message, message) },
		func() { send(t.Context(), "Unary", reset, message, tooLarge) },
		func() { send(t.Context(), "Unary", half) },
		func() { send(t.Context(), "Chat", half, message) },
		func() { send(inFront, "Chat", half, message, message) },
		func() { send(inFront, "Watch", cancelled, message) },
		func() {
			err := conn.Invoke(covered, echo+"Unary", message, new(bytesValue), grpc.ForceCodecV2(garbage{}))
			completed.Store(status.Code(err), err != nil)
		},
	}
	run := func(calls int) {
		var workers sync.WaitGroup
		for worker := range 16 {
			workers.Go(func() {
				for i := worker; i < calls; i += 16 {
					kinds[i%len(kinds)]()
				}
			})
		}
		workers.Wait()
	}
	// idle returns what is in memory when all calls have ended.
	idle := func() (m runtime.MemStats, goroutines int) {
		released(t, bodies)
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m, runtime.NumGoroutine()
	}
	run(2000)
	before, goroutines := idle()
	run(calls)
	after, _ := idle()
	for deadline := time.Now().Add(60 * time.Second); runtime.NumGoroutine() > goroutines && time.Now().Before(deadline); runtime.Gosched() {
	}
	t.Logf("%d calls: heap %d KiB and %d objects before, %d KiB and %d after; %d goroutines before, %d after; %d MiB from the system",
		calls, before.HeapAlloc>>10, before.HeapObjects, after.HeapAlloc>>10, after.HeapObjects, goroutines, runtime.NumGoroutine(), after.Sys>>20)
	if most := before.HeapObjects + 2500; after.HeapObjects > most { // a fourth of an object for each of the fewest calls
		t.Errorf("%d objects are in memory after %d calls, want at most %d", after.HeapObjects, calls, most)
	}
	if most := before.HeapAlloc + 4<<20; after.HeapAlloc > most {
		t.Errorf("the heap has %d bytes after %d calls, want at most %d", after.HeapAlloc, calls, most)
	}
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("%d goroutines run after %d calls, want %d", n, calls, goroutines)
	}
	for _, code := range []codes.Code{codes.Unauthenticated, codes.ResourceExhausted, codes.Canceled, codes.Internal} {
		if _, ok := completed.Load(code); !ok {
			t.Errorf("no call ended with %v", code)
		}
	}
}
