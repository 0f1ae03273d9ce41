// Package grpcauth puts a [core.Verifier] in front of gRPC services, and signs
// calls to them.
//
//	server := grpc.NewServer(grpcauth.ServerOptions(v)...)
//
// A call is verified as the HTTP/2 request that it is: POST, the full method
// name as its path, :authority as its host, the metadata as its headers.
// Handlers ask [core.FromContext] for the identity, with the context of the call
// or of the stream.
//
// # Bodies
//
// The body of a call is its messages, each behind the five bytes of its prefix.
//
//   - A unary call may cover it in every way: the digest, declared or not, is
//     compared with the bytes received before the handler runs.
//   - A stream may declare a digest of all that the client sends. The receive
//     that meets the end fails with the refusal where the digest is another, and
//     so does the call, whatever the handler returns. A handler that returns
//     success before it has received the end fails as well. Until the end
//     nothing is proven about the messages, and the identity's coverage says so:
//     do not act on them, and do not answer. Where the client sends one message,
//     it is checked before the handler gets it. A digest that is signed without
//     being declared is refused, and so are more bytes than
//     [core.Config.MaxBody] under a declared one.
//   - Where the payload is declared unsigned, and the API allows it, messages
//     may be changed, added and left out by anyone on the way.
//     [core.Identity.Covers] tells.
//   - gRPC shows messages to this package decompressed, so nothing can be said
//     about the bytes of a call that names a grpc-encoding: if its credential
//     covers the body, it is refused ([core.CodePayloadUnsupported]). Clients
//     and gateways that compress declare the payload unsigned, where
//     [core.API.AllowUnsignedPayload] lets them.
//
// Every call has a body, so [core.Config.RequireSignedWithBody] holds for each. gRPC
// sets content-type itself, behind [Credentials], which cannot sign it.
//
// To verify bodies in every form, compressed ones and undeclared digests of
// streams too, put nethttp.Middleware in front of grpc.Server.ServeHTTP, without
// the options of this package: there the whole body is held in memory and
// verified before the call begins. Client and server cannot take turns then,
// unless the payload is unsigned. Refusals are answers of HTTP.
//
// # What gRPC hides
//
// te, grpc-encoding and grpc-timeout cannot be signed: gRPC keeps them to
// itself. So it does with a host header beside :authority. Values of metadata
// that ends in -bin are verified as base64 without padding, which is how gRPC
// sends them. Unknown services and methods are answered with Unimplemented
// before any interceptor; a handler set with grpc.UnknownServiceHandler is
// behind them.
//
// # Open APIs
//
// Health checks, reflection and channelz are verified like every other service.
// What shall be open is listed in the environment by its full name and nothing
// else: {match: "POST /grpc.health.v1.Health/Check", open: true}.
//
// # Long streams
//
// A stream is verified when it begins, and lives on: neither the date's expiry,
// nor the removal of its key, ends it. Limit it with
// keepalive.ServerParameters.MaxConnectionAge and MaxConnectionAgeGrace.
//
// # Refusals
//
// A refusal is the status of [core.GRPCStatusCode], with a constant message
// and an errdetails.ErrorInfo of the domain gatewayauth. The reason in it is the
// name of the status. Where [core.Config.ExposeReason] is set, it is the code,
// and the metadata holds what the verifier computed.
package grpcauth
