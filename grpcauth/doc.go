// Package grpcauth puts a [core.Verifier] in front of gRPC services, and signs
// calls to them.
//
//	server := grpc.NewServer(grpcauth.ServerOptions(v)...)
//
// A call is verified as an HTTP/2 request: the method is POST, the path is the full
// method name, the host is :authority, and the headers are the metadata. Handlers get
// the identity from [core.FromContext] with the context of the call or stream.
//
// # Bodies
//
// The body of a call is the sequence of its messages, each after its prefix of five
// bytes.
//
//   - Unary calls can sign the body in every way. The digest is compared with the
//     received bytes before the handler runs, whether a header declares it or not.
//   - Streams can declare the digest of everything that the client sends. If the
//     digest differs, the receive that reaches the end of the stream returns the
//     refusal, and the call fails whatever the handler returns. A handler that
//     returns success before it has received the end fails as well. Until the end,
//     nothing is proven about the messages, and the identity's coverage says so: do
//     not act on them, and send no response. If the client sends a single message, it
//     is checked before the handler gets it. A signed digest that no header declares
//     is refused, and so is a body with a declared digest that is larger than
//     [core.Config.MaxBody].
//   - If the payload is unsigned and the API allows that, anyone on the network can
//     change, add and remove messages. [core.Identity.Covers] reports it.
//   - gRPC passes messages to this package decompressed, so the bytes of a call with
//     a grpc-encoding cannot be verified. Such a call is refused if its credential
//     covers the body ([core.CodePayloadUnsupported]). Clients and gateways that
//     compress must leave the payload unsigned, which [core.API.AllowUnsignedPayload]
//     allows.
//
// Every call has a body, so [core.Config.RequireSignedWithBody] applies to every call.
// [Credentials] cannot sign content-type, because gRPC sets it after signing.
//
// To verify every kind of body, including compressed ones and streams whose digest is
// not declared, put nethttp.Middleware in front of grpc.Server.ServeHTTP, without the
// options of this package. The whole body is then held in memory and verified before
// the call begins, so bidirectional streams work only if the payload is unsigned.
// Refusals are then HTTP responses.
//
// # What gRPC hides
//
// te, grpc-encoding and grpc-timeout cannot be signed, because gRPC does not pass them
// to interceptors. The same holds for a host header besides :authority, and for a
// content-type that is not gRPC's besides one that is. Metadata whose
// name ends in -bin is verified as base64 without padding, which is how gRPC sends it.
// Calls of unknown services and methods are answered with Unimplemented before any
// interceptor runs; a handler set with grpc.UnknownServiceHandler runs after the
// interceptors. Behind [grpc.Server.ServeHTTP] the query and the spelling of the path are hidden
// as well: what is verified is the method that runs, as gRPC names it.
//
// # Open APIs
//
// Health checks, reflection and channelz are verified like every other service. To open
// one, list it in the environment with its full name:
// {match: "POST /grpc.health.v1.Health/Check", open: true}.
//
// # Long streams
//
// A stream is verified when it begins. It does not end when its date expires or its key
// is removed. Limit its duration with
// keepalive.ServerParameters.MaxConnectionAge and MaxConnectionAgeGrace.
//
// # Refusals
//
// A refusal has the status of [core.GRPCStatusCode], a constant message, and an
// errdetails.ErrorInfo with the domain gatewayauth. Its reason is the name of the
// status. If [core.Config.ExposeReason] is set, the reason is the code, and the metadata
// of the ErrorInfo holds the canonical request and the string to sign.
package grpcauth
