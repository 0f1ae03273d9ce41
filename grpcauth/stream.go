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

// serverStream is the stream that is passed to the handler. It checks the digest of the
// messages while the handler receives them.
type serverStream struct {
	grpc.ServerStream
	ctx    context.Context
	call   *call
	single bool      // the client sends one message; gRPC returns it only at the end of the stream
	body   io.Reader // the body from core, which checks the bytes read from it; nil if no digest is declared

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
// handler's error. A handler that returns nil must have received the end.
func (s *serverStream) finish(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.end(errUnread)
	}
	return cmp.Or(s.refused, err)
}

// feed is the reader below body. It returns the bytes of the current message, and then
// end.
type feed struct {
	*mem.Reader
	end error // nil if more messages may follow
}

func (f *feed) Read(p []byte) (int, error) {
	if f.Remaining() == 0 {
		return 0, f.end
	}
	return f.Reader.Read(p)
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
