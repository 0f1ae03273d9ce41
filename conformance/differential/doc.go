// Package differential has the library and the verifier of package reference judge the
// same raw messages. Every disagreement fails the test.
//
// A message is generated from a seed and a number, for one of the verifiers in
// worlds_test.go: honest requests of every scheme, in the header and in the query, with odd
// targets, headers and framings; the same with mutations of fields, headers, framing and
// bytes; and the parts of two. One message in five is signed by a vendor's SDK
// (huaweicloud-sdk-go-v3, aws-sdk-go-v2, smithy-go) where one has the scheme. The others,
// and those of the types aksk, aes and basic, are signed by a signer of this package
// (sign_test.go), which also signs what honest signers do not. The library signs nothing.
//
// Each message is read by http.ReadRequest and judged by core's Verifier.Admit; the body is
// read to its end. For some, code in front of the verifier reads the body before. One in
// two hundred is also sent over sockets through nethttp, echoauth (v4 and v5, with Use and with Pre) and
// ginauth, as it stands and, where there is such a request, over HTTP/2. TestGRPC signs and
// changes gRPC calls in the same way, and sends each to a server with grpcauth. Where both
// accept, they must agree about key id, algorithm, signed headers and coverage of the body,
// and the handler must see the target, headers and body that were sent, without what
// core/doc.go says is removed. The reference names the policies of the library that
// refuse a message; every policy of the list in policies_test.go must be reached.
//
// go test makes a fixed number of messages. To run for hours:
//
//	go test -run TestDifferential -v -timeout 0 ./differential -args -for 2h -seed 7
//
// It writes its numbers once in a minute. To go on where a run has ended, add
// -first with the number of the next message. A disagreement is printed with the message,
// both verdicts and the smallest message that shows it. With -seed, -first and
// -messages 1 a single message is judged again.
package differential
