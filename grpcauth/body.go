package grpcauth

import (
	"encoding/binary"
	"io"
	"reflect"
	"runtime"
	"sync"
	"weak"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
)

// bodies is the codec of a server. gRPC passes the bytes of a message only to the codec,
// which does not know the call. So bodies keeps them until an interceptor takes them with
// the decoded message.
//
// If a call fails before that, nobody takes them. They are released when the garbage
// collector has found that the message is no longer in use.
type bodies struct {
	encoding.CodecV2

	mu        sync.Mutex
	kept      map[identity]*mem.Reader
	releasing bool // release runs after the next garbage collection
}

func newBodies(codec encoding.CodecV2) *bodies {
	return &bodies{CodecV2: codec, kept: make(map[identity]*mem.Reader)}
}

// options returns the options that give b the messages of a server.
func (b *bodies) options() []grpc.ServerOption {
	return []grpc.ServerOption{grpc.ForceServerCodecV2(b), grpc.StreamInterceptor(b.streamInterceptor)}
}

// identity identifies a message as long as it is in use. Another message may get its
// address afterwards, but not its weak pointer.
type identity struct {
	address weak.Pointer[byte]
	kind    reflect.Type // a message can have the address of its first field
}

// identify returns the identity of a message, if it has one: if it is a pointer, and not
// to a type without a size, whose values all have the same address.
func identify(message any) (id identity, ok bool) {
	v := reflect.ValueOf(message)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Type().Elem().Size() == 0 {
		return id, false
	}
	return identity{weak.Make((*byte)(v.UnsafePointer())), v.Type()}, true
}

// Unmarshal implements [encoding.CodecV2].
func (b *bodies) Unmarshal(data mem.BufferSlice, message any) error {
	id, ok := identify(message)
	if ok { // the memory of a message may be used again
		b.keep(id, nil)
	}
	err := b.CodecV2.Unmarshal(data, message)
	if ok && err == nil {
		b.keep(id, data.Reader())
	}
	return err
}

// keep keeps the bytes of a message in place of earlier ones. With nil it keeps none.
func (b *bodies) keep(id identity, bytes *mem.Reader) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if earlier := b.kept[id]; earlier != nil {
		earlier.Close()
		delete(b.kept, id)
	}
	if bytes != nil {
		b.kept[id] = bytes
		b.releaseLater()
	}
}

// take returns the bytes of a message, which are then no longer kept. It returns nil if
// they are not known.
func (b *bodies) take(message any) *mem.Reader {
	if b == nil {
		return nil
	}
	id, ok := identify(message)
	if !ok {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	bytes := b.kept[id]
	delete(b.kept, id)
	return bytes
}

// releaseLater lets release run after the next garbage collection. The cleanup is that of
// an object that nobody uses.
func (b *bodies) releaseLater() {
	if !b.releasing {
		b.releasing = true
		runtime.AddCleanup(new(*bodies), (*bodies).release, b)
	}
}

// release releases the bytes of messages that are no longer in use.
func (b *bodies) release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for id, bytes := range b.kept {
		if id.address.Value() == nil {
			bytes.Close()
			delete(b.kept, id)
		}
	}
	b.releasing = false
	if len(b.kept) > 0 {
		b.releaseLater()
	}
}

// feed is the body of a call as it was sent. It returns a prefix with the length of the
// current message and a flag that it is not compressed, then the message, and then end.
type feed struct {
	prefix  [5]byte
	sent    int         // number of bytes of prefix that were returned
	message *mem.Reader // nil if there is none
	end     error       // nil if more messages may follow
}

// next makes a message the current one.
func (f *feed) next(message *mem.Reader) {
	binary.BigEndian.PutUint32(f.prefix[1:], uint32(message.Remaining()))
	f.sent, f.message = 0, message
}

// remaining returns the number of bytes in front of end.
func (f *feed) remaining() int {
	if f.message == nil {
		return 0
	}
	return len(f.prefix) - f.sent + f.message.Remaining()
}

func (f *feed) Read(p []byte) (int, error) {
	if f.remaining() == 0 {
		return 0, f.end
	}
	n := copy(p, f.prefix[f.sent:])
	f.sent += n
	if n == len(p) {
		return n, nil
	}
	m, err := f.message.Read(p[n:])
	if err == io.EOF { // an empty message
		err = nil
	}
	return n + m, err
}

// Close releases the current message.
func (f *feed) Close() error {
	if f.message != nil {
		f.message.Close()
		f.message = nil
	}
	return nil
}
