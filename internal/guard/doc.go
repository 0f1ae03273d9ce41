// Package guard is the verifier as a reverse proxy in front of a service in any
// language: [net/http/httputil.ReverseProxy] behind [nethttp.Middleware]. The command
// gatewayauth guard runs it.
//
// The service gets each admitted request as it came: method, target byte for byte, host,
// headers, body, and its length or chunks. The exceptions are what belongs to one
// connection (hop-by-hop headers, Expect, which the proxy answers itself, and upgrades to
// other protocols than WebSocket), trailers of requests, which nothing signs, and the
// headers of the identity:
//
//	X-Gatewayauth-Verified         true, or false on open APIs and for what report and off
//	                               mode let through; a request without it did not come
//	                               through the proxy
//	X-Gatewayauth-Remote           address of the peer of the proxy, with its port
//	X-Gatewayauth-Environment      these and the following only if the request is verified
//	X-Gatewayauth-Key              name of the key
//	X-Gatewayauth-Key-Id           id of the key
//	X-Gatewayauth-Scheme           name of the scheme, a key type
//	X-Gatewayauth-Payload          hashed, declared, unsigned or none
//	X-Gatewayauth-Covers           which of target, host and body are signed, such as
//	                               "target, host, body"
//	X-Gatewayauth-Signed-Headers   names of the signed headers, such as "host;x-sdk-date"
//	X-Gatewayauth-Replay-Checked   true if the request is the first of its kind
//	X-Gatewayauth-Retry            true if it is the permitted retry of an earlier one
//
// Headers of a caller that start with this prefix are removed in every mode, signed or
// not, in every spelling that a service might take for it: any character of a name that is
// neither letter nor digit counts as the dash, as it does in the variables of CGI, WSGI
// and their kin.
//
// X-Forwarded-* and Forwarded are headers like any other: they arrive as they were sent,
// and the proxy adds nothing to them. They are worth what X-Gatewayauth-Signed-Headers
// says.
//
// # Bodies
//
// On an API with stream the body is forwarded as it arrives, so the verdict on it comes
// after its beginning was sent. If it is refused, the service's request is broken off: the
// body ends before the announced length, or without its last chunk. A service must not act
// on a body that did not arrive whole. The client gets the refusal, or a closed connection
// if the service had begun to answer.
package guard
