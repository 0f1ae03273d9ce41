package grpcauth

import (
	"context"
	"encoding/binary"
	"reflect"
	"sync"

	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"
)

// bodies passes the bytes of messages to the interceptors. gRPC passes the bytes only
// to the codec, which does not know the call. Directly afterwards it passes the decoded
// message to the stats handler, which does.
type bodies struct {
	encoding.CodecV2
	decoded sync.Map // message -> *mem.Reader, from the codec to the stats handler
}

// Unmarshal implements [encoding.CodecV2].
func (b *bodies) Unmarshal(data mem.BufferSlice, message any) error {
	err := b.CodecV2.Unmarshal(data, message)
	if k := key(message); err == nil && k != nil {
		b.decoded.Store(k, framed(data))
	}
	return err
}

// key returns the key of a message in decoded. It is nil for a message that is not a
// pointer; the interceptors do not have the bytes of such a message.
func key(message any) any {
	if reflect.ValueOf(message).Kind() != reflect.Pointer {
		return nil
	}
	return message
}

// framed returns a reader of a message as it was sent: after a prefix with its length
// and a flag that it is not compressed.
func framed(message mem.BufferSlice) *mem.Reader {
	prefix := binary.BigEndian.AppendUint32(make([]byte, 1, 5), uint32(message.Len()))
	return append(mem.BufferSlice{mem.SliceBuffer(prefix)}, message...).Reader()
}

// TagRPC implements [stats.Handler].
func (b *bodies) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context {
	return context.WithValue(ctx, callKey{}, new(call))
}

// HandleRPC implements [stats.Handler].
func (b *bodies) HandleRPC(ctx context.Context, event stats.RPCStats) {
	c := callOf(ctx)
	if c == nil {
		return // the method is malformed: gRPC refuses the call before it calls TagRPC
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch e := event.(type) {
	case *stats.InHeader:
		c.header = e.Header
		c.compressed = e.Compression != "" && e.Compression != encoding.Identity
	case *stats.InPayload:
		c.received = true
		k := key(e.Payload)
		if body, ok := b.decoded.LoadAndDelete(k); ok {
			c.body = body.(*mem.Reader)
		}
		b.decoded.Delete(c.last)
		c.last = k
	case *stats.End:
		b.decoded.Delete(c.last)
	}
}

// TagConn implements [stats.Handler].
func (b *bodies) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

// HandleConn implements [stats.Handler].
func (b *bodies) HandleConn(context.Context, stats.ConnStats) {}

// call is what the server has received of one call.
type call struct {
	mu         sync.Mutex  // a goroutine of the handler may still receive after it returns
	header     metadata.MD // as received; shared with other stats handlers
	compressed bool        // the codec got decompressed bytes
	received   bool        // an interceptor or the handler has received a message
	// The last message. If the client sends a second message where only one is
	// allowed, gRPC passes the second one only to the codec, under the same key.
	last any
	body *mem.Reader // of the last message; nil where it is not known, or taken
}

type callKey struct{}

// callOf returns the call of a context, or nil if the stats handler is not installed.
func callOf(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	return c
}

// begun reports whether a message has been received.
func (c *call) begun() bool {
	if c == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.received
}

// known reports whether the bytes of the body are available.
func (c *call) known() bool { return c != nil && !c.compressed }

// take returns the bytes of the last message and releases them from c. There are none if
// they are not known.
func (c *call) take() *mem.Reader {
	if c == nil {
		return new(mem.Reader)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	body := c.body
	c.last, c.body = nil, nil
	if body == nil || c.compressed {
		return new(mem.Reader)
	}
	return body
}
