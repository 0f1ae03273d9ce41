package grpcauth_test

import (
	"context"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/grpcauth"
)

// TestLongStream_T158: an admitted stream continues when its key is removed.
func TestLongStream_T158(t *testing.T) {
	v, _ := verifier(t, nil)
	started := make(chan struct{})
	conn := start(t, func(ctx context.Context, receive func() ([]byte, error)) error {
		close(started)
		return readAll(ctx, receive)
	}, grpcauth.ServerOptions(v)...)
	stream, err := conn.NewStream(signed(t, echo+"Chat", core.PayloadUnsigned), chat, echo+"Chat")
	if err != nil {
		t.Fatal(err)
	}
	<-started
	if err := v.Reload(core.Config{Environment: "prod", Logger: slog.New(slog.DiscardHandler), Schemes: schemes(core.Key{Name: "k2", ID: "other", Secret: core.NewSecret("another-secret-0123")}), Default: "k2"}); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "a new stream", exchange(signed(t, echo+"Upload", core.PayloadDeclared), conn, echo+"Upload", nil), codes.Unauthenticated)
	if err := stream.SendMsg(text("later")); err != nil {
		t.Error(err)
	}
	stream.CloseSend()
	wantCode(t, "the old stream", stream.RecvMsg(new(bytesValue)), codes.OK)
}

// TestLimits_T159: too many streams, too much metadata and malformed metadata are
// refused; other calls are not affected.
func TestLimits_T159(t *testing.T) {
	v, j := verifier(t, allowUnsigned)
	conn := start(t, readAll, grpcauth.ServerOptions(v)...)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute) // much longer than it takes
	defer cancel()
	var calls sync.WaitGroup
	for range 1000 {
		calls.Go(func() {
			if err := exchange(ctx, conn, echo+"Chat", nil); status.Code(err) != codes.Unauthenticated {
				t.Errorf("one of a thousand streams: got %v, want Unauthenticated", err)
			}
		})
	}
	calls.Wait()
	if got := len(j.codes()); got != 1000 {
		t.Errorf("got %d verdicts, want 1000", got)
	}
	huge := metadata.AppendToOutgoingContext(ctx, "x-pad", strings.Repeat("~", 4<<20)) // above 16 MB gRPC itself resets the stream
	wantCode(t, "4 MB of metadata", conn.Invoke(huge, echo+"Unary", text(""), new(bytesValue)), codes.Unauthenticated)
	long := metadata.AppendToOutgoingContext(ctx, "authorization", "SDK-HMAC-SHA256 Access="+strings.Repeat("~", 1<<20))
	wantCode(t, "a credential of 1 MB", conn.Invoke(long, echo+"Unary", text(""), new(bytesValue)), codes.Unauthenticated)
	if got := raw(t, conn.CanonicalTarget()[len("passthrough:///"):], "Unary", http.Header{"X-Bad-Bin": {"!"}}, ""); got != "13" {
		t.Errorf("binary metadata that is not base64: got status %s, want gRPC's Internal", got)
	}
	wantCode(t, "the call after them", conn.Invoke(signed(t, echo+"Unary", core.PayloadUnsigned), echo+"Unary", text(""), new(bytesValue)), codes.OK)
}

// TestGoroutines: no goroutine is running when the calls have ended.
func TestGoroutines(t *testing.T) {
	before := runtime.NumGoroutine()
	v, _ := verifier(t, nil)
	listener := listen(t)
	left := make(chan error, 1)
	server := serve(listener, func(ctx context.Context, receive func() ([]byte, error)) error {
		received := make(chan struct{})
		go func() { // runs longer than the handler, as in many applications
			receive()
			close(received)
			_, err := receive()
			left <- err
		}()
		<-received
		return nil
	}, grpcauth.ServerOptions(v)...)
	conn := dial(t, listener)
	stream, err := conn.NewStream(signed(t, echo+"Chat", core.PayloadDeclared, text("one"), text("two")), chat, echo+"Chat")
	if err != nil {
		t.Fatal(err)
	}
	stream.SendMsg(text("one"))
	err = stream.RecvMsg(new(bytesValue)) // the handler's response, before the end of the stream
	for err == nil {
		err = stream.RecvMsg(new(bytesValue))
	}
	wantCode(t, "a handler that left the stream to a goroutine", err, codes.Unauthenticated)
	if err := <-left; err == nil {
		t.Error("the goroutine received after the call")
	}
	server.Stop()
	conn.Close()
	for deadline := time.Now().Add(30 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, want %d", runtime.NumGoroutine(), before)
		}
	}
}
