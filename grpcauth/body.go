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

// bodies brings the bytes of messages to the interceptors. gRPC shows them to
// the codec alone, which is not told the call; right after that it shows the
// decoded message to the stats handler, which is.
type bodies struct {
	encoding.CodecV2
	decoded sync.Map // message -> *mem.Reader, from the one to the other
}

// Unmarshal implements [encoding.CodecV2].
func (b *bodies) Unmarshal(data mem.BufferSlice, message any) error {
	err := b.CodecV2.Unmarshal(data, message)
	if k := key(message); err == nil && k != nil {
		b.decoded.Store(k, framed(data))
	}
	return err
}

// key is what a message is found by: nil for one that is no pointer, the bytes
// of which stay unknown.
func key(message any) any {
	if reflect.ValueOf(message).Kind() != reflect.Pointer {
		return nil
	}
	return message
}

// framed reads a message as it was on the wire: behind a prefix that says that
// it is not compressed, and how long it is.
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
		return // a malformed method: gRPC answers without having made a call of it
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

// call is what was received of one call.
type call struct {
	mu         sync.Mutex  // a handler may leave a goroutine that receives
	header     metadata.MD // as received; shared with other stats handlers
	compressed bool        // the bytes that the codec saw are not those received
	received   bool        // a message, by whomever
	// The last message. Where the client may send one only, and sends a second,
	// gRPC shows that to the codec alone, under the same key.
	last any
	body *mem.Reader // of the last message; nil where it is not known, or taken
}

type callKey struct{}

// callOf returns nil where the stats handler is not installed.
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

// known reports whether the bytes of the body can be known.
func (c *call) known() bool { return c != nil && !c.compressed }

// take gives away the bytes of the last message: none where they are not known.
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
