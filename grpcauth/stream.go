package grpcauth

import (
	"cmp"
	"context"
	"io"
	"strings"
	"sync"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"

	"github.com/gatewayauth/gatewayauth/core"
)

// receivedStream is the stream for all interceptors and the handler. It keeps the bytes of
// the last message until the verifier takes them.
type receivedStream struct {
	grpc.ServerStream
	ctx    context.Context
	bodies *bodies

	mu    sync.Mutex // a goroutine of the handler may still receive after it returns
	begun bool       // something has been received
	of    identity   // of the last message
	bytes *mem.Reader
}

type receivedKey struct{}

// receivedOf returns the receivedStream of a call, or nil if ServerOptions is not
// installed.
func receivedOf(ctx context.Context) *receivedStream {
	s, _ := ctx.Value(receivedKey{}).(*receivedStream)
	return s
}

// streamInterceptor must run before all other interceptors.
func (b *bodies) streamInterceptor(srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	s := &receivedStream{ServerStream: ss, bodies: b}
	s.ctx = context.WithValue(ss.Context(), receivedKey{}, s)
	return handler(srv, s)
}

// Context returns the context in which receivedOf finds s.
func (s *receivedStream) Context() context.Context { return s.ctx }

// RecvMsg implements [grpc.ServerStream].
func (s *receivedStream) RecvMsg(m any) error {
	err := s.ServerStream.RecvMsg(m)
	if err != io.EOF {
		id, _ := identify(m)
		s.keep(id, s.bodies.take(m))
	}
	return err
}

// keep keeps the bytes of the last message.
func (s *receivedStream) keep(id identity, bytes *mem.Reader) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bytes != nil {
		s.bytes.Close()
	}
	s.begun, s.of, s.bytes = true, id, bytes
}

// hasBegun reports whether something has been received.
func (s *receivedStream) hasBegun() bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.begun
}

// take returns the bytes of a message, nil if they are not known or were taken: an
// interceptor may have received another message than the one that it passes on.
func (s *receivedStream) take(m any) *mem.Reader {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if id, ok := identify(m); !ok || id != s.of {
		return nil
	}
	bytes := s.bytes
	s.bytes = nil
	return bytes
}

// serverStream is the stream that is passed to the handler. It checks the digest of the
// messages while the handler receives them.
type serverStream struct {
	grpc.ServerStream
	ctx      context.Context
	received *receivedStream
	single   bool      // the client sends one message; gRPC returns it only at the end of the stream
	body     io.Reader // the body from core, which checks the bytes read from it; nil if no digest is declared

	mu      sync.Mutex // a goroutine of the handler may still receive after it returns
	feed    feed       // what body reads from
	refused error
}

// Context returns the context that carries the identity.
func (s *serverStream) Context() context.Context { return s.ctx }

// RecvMsg returns a refusal instead of io.EOF if the digest differs.
func (s *serverStream) RecvMsg(m any) error {
	err := s.ServerStream.RecvMsg(m)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch err {
	case nil:
		s.check(s.received.take(m))
	case io.EOF:
		s.end(err)
	}
	return cmp.Or(s.refused, err)
}

// check reads a message as a part of body.
func (s *serverStream) check(message *mem.Reader) {
	if message == nil {
		s.end(errUnknown)
		return
	}
	s.feed.next(message)
	defer s.feed.Close()
	if s.body == nil {
		return
	}
	_, err := io.CopyN(io.Discard, s.body, int64(s.feed.remaining()))
	s.refuse(err)
	if s.single {
		s.end(io.EOF)
	}
}

// end reads the end of body: io.EOF if the stream has ended, or the reason why its end
// was not received. Body keeps the first result.
func (s *serverStream) end(why error) {
	if s.body == nil {
		return
	}
	s.feed.end = why
	if _, err := s.body.Read(make([]byte, 1)); err != io.EOF {
		s.refuse(err)
	}
}

// refuse makes the call fail with an error of body. Errors of the feed are ignored: body
// returns them unchanged only in report mode, where no call is refused.
func (s *serverStream) refuse(err error) {
	if err != nil && err != errUnknown && err != errUnread && s.refused == nil {
		s.refused = refusal(err)
	}
}

var errUnread = core.Refuse(core.CodeBodyMismatch, "the handler returned before it had received the whole stream")

// finish returns the result of the call: the refusal if there is one, or else the
// handler's error. A handler that returns success must have received the end.
func (s *serverStream) finish(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if status.Code(err) == codes.OK {
		s.end(errUnread)
	}
	return cmp.Or(s.refused, err)
}

// errUnknown is the error of a body whose bytes are not available. Core reads the body
// only to check a digest.
var errUnknown = core.Refuse(core.CodePayloadUnsupported,
	"the credential covers the body, which is not available: the call is compressed, or the server lacks grpcauth.ServerOptions")

// errBegun is the error of the body of a stream from which an earlier interceptor has
// received.
var errBegun = core.Refuse(core.CodeBodyMismatch,
	"an interceptor in front of the verifier has received messages of the stream")

// refusal returns the gRPC status of a refusal, with an ErrorInfo. The reason in it is
// the name of the status, or the code if the environment exposes reasons.
func refusal(err error) error {
	problem := core.ProblemOf(err)
	s := status.New(codes.Code(core.GRPCStatusCode(err)), problem.Detail)
	info := &errdetails.ErrorInfo{Reason: s.Code().String(), Domain: "gatewayauth"}
	if problem.Code != "" {
		info.Reason = string(problem.Code)
		info.Metadata = map[string]string{"reason": problem.Reason,
			"canonical_request": strings.ToValidUTF8(problem.CanonicalRequest, "\uFFFD"),
			"string_to_sign":    strings.ToValidUTF8(problem.StringToSign, "\uFFFD")}
	}
	if detailed, err := s.WithDetails(info); err == nil {
		s = detailed
	}
	return s.Err()
}
