package grpcauth_test

import (
	"context"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/grpcauth"
)

// returned counts the buffers that are given back to it.
type returned struct {
	mem.NopBufferPool
	n atomic.Int32
}

func (r *returned) Put(*[]byte) { r.n.Add(1) }

// buffer returns a buffer of gRPC's with the bytes b, which is given back to pool when
// nobody uses it any more. gRPC does not count the users of short ones.
func buffer(t *testing.T, b []byte, pool *returned) mem.BufferSlice {
	t.Helper()
	b = append(make([]byte, 0, 1<<16), b...)
	data := mem.NewBuffer(&b, pool)
	if _, short := data.(mem.SliceBuffer); short {
		t.Fatal("gRPC does not count the users of this buffer")
	}
	return mem.BufferSlice{data}
}

// TestKeptBytes_T220: the bytes of a message are given back when other ones are decoded into
// it, also where that fails, and when it is no longer in use.
func TestKeptBytes_T220(t *testing.T) {
	right, err := proto.Marshal(text("one"))
	if err != nil {
		t.Fatal(err)
	}
	pool := new(returned)
	bodies, _ := grpcauth.NewBodies()
	unmarshal := func(b []byte, message any) error {
		data := buffer(t, b, pool)
		defer data.Free() // as gRPC does
		return bodies.Unmarshal(data, message)
	}
	check := func(when string, held int, back int32) {
		t.Helper()
		if got := bodies.Held(); got != held || pool.n.Load() != back {
			t.Errorf("%s: %d kept, %d given back, want %d, %d", when, got, pool.n.Load(), held, back)
		}
	}
	used, another := new(bytesValue), new(bytesValue)
	for _, m := range []any{used, another} {
		if err := unmarshal(right, m); err != nil {
			t.Fatal(err)
		}
	}
	check("decoded", 2, 0)
	unmarshal(right, used)
	check("decoded again", 2, 1)
	if unmarshal([]byte{0xff}, used) == nil {
		t.Fatal("no error")
	}
	check("decoded again, in vain", 1, 3)
	if bodies.Knows(used) {
		t.Error("the bytes of an earlier message are those of one that could not be decoded")
	}
	if unmarshal(right, bytesValue{}) == nil {
		t.Fatal("no error")
	}
	check("what is no message", 1, 4)

	if err := unmarshal(right, used); err != nil {
		t.Fatal(err)
	}
	collected := func(held int, back int32) {
		t.Helper()
		for deadline := time.Now().Add(60 * time.Second); bodies.Held() > held; runtime.Gosched() {
			if time.Now().After(deadline) {
				t.Fatalf("%d messages are kept, want %d", bodies.Held(), held)
			}
			runtime.GC()
		}
		check("collected", held, back)
	}
	runtime.KeepAlive(another)
	another = nil
	collected(1, 5)
	runtime.KeepAlive(used)
	used = nil
	collected(0, 6)
}

// received is a stream of messages that were received.
type received struct {
	grpc.ServerStream
	ctx  context.Context
	next func(message any) error
}

func (r *received) Context() context.Context { return r.ctx }

func (r *received) RecvMsg(message any) error { return r.next(message) }

// TestKeptBytesOfStreams_T220: the bytes of each message of a stream are given back once it is
// verified, or once another one is received that the verifier has not seen either.
func TestKeptBytesOfStreams_T220(t *testing.T) {
	v, _ := verifier(t, allowUnsigned)
	message := text("one")
	encoded, err := proto.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	var pool *returned
	var back []int32 // how many were given back after each message
	verify := grpcauth.StreamServerInterceptor(v)
	behind := func(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		for range 2 {
			if err := ss.RecvMsg(new(bytesValue)); err != nil {
				return err
			}
			back = append(back, pool.n.Load())
		}
		return verify(srv, ss, info, handler)
	}
	for _, tt := range []struct {
		name    string
		payload core.Payload
		next    grpc.StreamServerInterceptor
		back    []int32
	}{
		{"a declared digest", core.PayloadDeclared, verify, []int32{1, 2, 3}},
		{"unsigned", core.PayloadUnsigned, verify, []int32{1, 2, 3}},
		{"an interceptor in front that receives two", core.PayloadUnsigned, behind, []int32{0, 1, 3}},
	} {
		pool, back = new(returned), nil
		bodies, _ := grpcauth.NewBodies()
		n := 0
		ctx := grpc.NewContextWithServerTransportStream(incoming(signed(t, echo+"Chat", tt.payload, message, message, message)), encodedAs{encoding: ""})
		stream := &received{ctx: ctx, next: func(m any) error {
			if n++; n > 3 {
				return io.EOF
			}
			data := buffer(t, encoded, pool)
			defer data.Free()
			return bodies.Unmarshal(data, m)
		}}
		err := bodies.StreamInterceptor(tt.next)(nil, stream, &grpc.StreamServerInfo{FullMethod: echo + "Chat", IsClientStream: true},
			func(_ any, ss grpc.ServerStream) error {
				for {
					switch err := ss.RecvMsg(new(bytesValue)); err {
					case nil:
						back = append(back, pool.n.Load())
					case io.EOF:
						return nil
					default:
						return err
					}
				}
			})
		if err != nil || !slices.Equal(back, tt.back) {
			t.Errorf("%s: got %v, given back after each message %v, want %v", tt.name, err, back, tt.back)
		}
	}
}

// TestStreamBeyondMaxBody: a stream whose digest is declared ends at the message with which it
// is larger than the verifier allows. The handler does not get that message, nor those behind it.
func TestStreamBeyondMaxBody(t *testing.T) {
	v, _ := verifier(t, func(c *core.Config) { c.MaxBody = 2500 })
	long := text(strings.Repeat("x", 1000))
	var got atomic.Int32
	conn := start(t, func(_ context.Context, receive func() ([]byte, error)) error {
		for {
			switch _, err := receive(); err {
			case nil:
				got.Add(1)
			case io.EOF:
				return nil
			default:
				return err
			}
		}
	}, grpcauth.ServerOptions(v)...)
	messages := []*bytesValue{long, long, long, long}
	err := exchange(signed(t, echo+"Chat", core.PayloadDeclared, long, long, long, long), conn, echo+"Chat", messages)
	wantCode(t, "4 kB", err, codes.ResourceExhausted)
	if got.Load() != 2 {
		t.Errorf("the handler got %d messages, want 2", got.Load())
	}
	// What is not compared is not counted.
	err = exchange(signed(t, echo+"Chat", core.PayloadUnsigned), conn, echo+"Chat", messages)
	wantCode(t, "4 kB, unsigned", err, codes.OK)
}
