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

// serverStream is what the handler of an admitted stream gets.
type serverStream struct {
	grpc.ServerStream
	ctx    context.Context
	call   *call
	single bool      // the client sends one message; gRPC returns it with the end seen
	body   io.Reader // core's, checks what is read through it; nil where nothing is declared

	mu      sync.Mutex // a handler may leave a goroutine that receives
	feed    feed       // what body reads from
	refused error
}

// Context returns the context that carries the identity.
func (s *serverStream) Context() context.Context { return s.ctx }

// RecvMsg returns a refusal in place of io.EOF where the digest is another.
func (s *serverStream) RecvMsg(m any) error {
	err := s.ServerStream.RecvMsg(m)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch err {
	case nil:
		s.received(s.call.take())
	case io.EOF:
		s.end(err)
	}
	return cmp.Or(s.refused, err)
}

func (s *serverStream) received(message *mem.Reader) {
	defer message.Close()
	switch {
	case s.body == nil:
	case message.Remaining() == 0:
		s.end(errUnknown)
	default:
		s.feed.Reader = message
		_, err := io.CopyN(io.Discard, s.body, int64(message.Remaining()))
		s.refuse(err)
		if s.single {
			s.end(io.EOF)
		}
	}
}

// end tells body that the stream has ended, or why there is no end. Body
// remembers how it ended first.
func (s *serverStream) end(why error) {
	if s.body == nil {
		return
	}
	s.feed.end = why
	if _, err := s.body.Read(make([]byte, 1)); err != io.EOF {
		s.refuse(err)
	}
}

// refuse ends the call with what reading on came to. What the feed itself has said
// comes back as it is in report mode alone, where it stops nobody.
func (s *serverStream) refuse(err error) {
	if err != nil && err != errUnknown && err != errUnread && s.refused == nil {
		s.refused = refusal(err)
	}
}

var errUnread = core.Refuse(core.CodeBodyMismatch, "the handler returned before it had received the whole stream")

// finish is the result of the call: a refusal, whatever the handler made of it,
// or the handler's own. A handler that succeeds must have received the end.
func (s *serverStream) finish(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.end(errUnread)
	}
	return cmp.Or(s.refused, err)
}

// feed is the body of a call: the message at hand, and then what comes of
// reading on.
type feed struct {
	*mem.Reader
	end error // nil while more may follow
}

func (f *feed) Read(p []byte) (int, error) {
	if f.Remaining() == 0 {
		return 0, f.end
	}
	return f.Reader.Read(p)
}

// errUnknown is what comes of reading a body whose bytes are not known, which
// only a digest asks for.
var errUnknown = core.Refuse(core.CodePayloadUnsupported,
	"the body is covered, and hidden by compression or by a server without grpcauth.ServerOptions")

// errBegun is what comes of reading the body of a stream from which an interceptor
// in front of this one has received.
var errBegun = core.Refuse(core.CodeBodyMismatch,
	"an interceptor in front of the verifier has received messages of the stream")

// refusal is the status of core's refusal, with an ErrorInfo. Its reason is the
// name of the status, which tells no more, unless the environment exposes them.
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
