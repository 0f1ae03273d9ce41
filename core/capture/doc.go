// Package capture keeps refused requests in files, so that gatewayauth explain can say
// why they were refused.
//
//	recorder, err := capture.New(capture.Config{Dir: "/var/lib/orders/refused"})
//	v, err := core.New(core.Config{..., Observers: []core.Observer{recorder}})
//
// In the environments file it is the section capture of an environment:
//
//	capture: {dir: /var/lib/orders/refused, max: 100, per_minute: 10, bodies: 64KiB}
//
// # Files
//
// There is one file for each request, named by time and code, with mode 0600 in a folder
// that is made with mode 0700. Only the newest Max files are kept; other files in the
// folder are left alone. Lines with # in front of the request say why and when it was
// refused, and what is not in the file. The request follows as a server of HTTP/1.1
// receives it, with the headers in alphabetical order, since net/http keeps no order.
//
// # Secrets
//
// These are replaced by a text that says so: passwords of Basic, tokens of clients
// (Authorization with another scheme than a gateway's, X-Auth-Token, session tokens in
// headers and the query), headers whose names end in token, secret, password or api-key,
// cookies, and user and password of a URL. What was signed among them must be given to
// explain by -header.
//
// A signature stays, since nothing could be explained without it: with it, the file is
// a credential until the time that stands in it. The body and the query of a request may
// hold personal data. The folder is to be protected as a log is that holds such data.
//
// # Limits
//
// At most PerMinute requests are written in a minute, the first ones, and at most Bodies
// bytes of each body. Only what the verifier has read is there: no byte of a body is read for
// a capture. Files are written in the background, and a request whose file would have to
// wait is not written. Stats counts what was written and what was not.
//
// # Requests that are not kept
//
// Config.Logger gets a record with their count and the reason: at error level what the file
// system says, such as no space left on device, and at warn level more than PerMinute. The
// first one of each reason is logged at once. Those after it are logged with the first
// refusal a minute later, so there is at most one record a minute for each reason. A folder
// that was deleted is made again.
package capture
