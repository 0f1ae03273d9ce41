package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// exchange is the state of one request in the gateway.
type exchange struct {
	began  time.Time
	faults []*faults
	key    string    // name of the key; empty if the request is forwarded unsigned
	why    string    // it is forwarded unsigned, if no API matches
	at     time.Time // that is signed; zero if none is
	signed string    // signed headers and payload, for the log; empty if the request is not signed
	reason error     // why the request was not sent, or got no response
}

type exchangeKey struct{}

func withExchange(ctx context.Context, x *exchange) context.Context {
	return context.WithValue(ctx, exchangeKey{}, x)
}

func exchangeOf(ctx context.Context) *exchange { return ctx.Value(exchangeKey{}).(*exchange) }

// faulty reports whether the request has faults.
func (x *exchange) faulty() bool {
	for _, f := range x.faults {
		if f.skew != 0 || f.wrongSecret || len(f.target)+len(f.changes) > 0 || f.body != nil || f.twice {
			return true
		}
	}
	return false
}

// note records the list of signed headers, and how the body was signed.
func (x *exchange) note(credential string, h http.Header) {
	_, list, found := strings.Cut(credential, "SignedHeaders=")
	if !found {
		x.signed = "signed=none"
		return
	}
	list, _, _ = strings.Cut(list, ",")
	payload := "hashed"
	for _, name := range [...]string{"X-Sdk-Content-Sha256", "X-Sdk-Content-Sm3", "X-Amz-Content-Sha256"} {
		if value := h.Get(name); value != "" && strings.Contains(";"+list+";", ";"+strings.ToLower(name)+";") {
			payload = "declared"
			if value == "UNSIGNED-PAYLOAD" {
				payload = "unsigned"
			}
		}
	}
	x.signed = "signed=" + list + " payload=" + payload
}

// print writes one line about a request and its answer. It leaves out the query, which may
// hold secrets.
func (x *exchange) print(to io.Writer, r *http.Request, answer *statusWriter) {
	what := "unsigned"
	switch {
	case x.key == "" && x.why != "":
		what += ": " + x.why
	case x.key != "":
		what = "key=" + x.key + " " + cmp.Or(x.signed, "not signed")
	}
	if x.reason != nil {
		what += ": " + x.reason.Error()
	}
	status := strconv.Itoa(cmp.Or(answer.status, http.StatusOK))
	if code := answer.grpcStatus(); code != "" {
		status += " grpc=" + code
	}
	fmt.Fprintf(to, "%s %s %s -> %s in %s\n", printable(r.Method), printable(r.URL.EscapedPath()), printable(what), printable(status), inShort(time.Since(x.began)))
}

// inShort returns a duration with at most one digit behind the point.
func inShort(d time.Duration) string {
	switch {
	case d >= time.Second:
		return d.Round(time.Second / 10).String()
	case d >= time.Millisecond:
		return d.Round(time.Millisecond / 10).String()
	}
	return d.Round(time.Microsecond).String()
}

// statusWriter records the status of the response.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status < 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// grpcStatus returns the status of a gRPC call, which is a header or a trailer of the
// response; "" if it has none.
func (w *statusWriter) grpcStatus() string {
	const name = "Grpc-Status"
	return cmp.Or(w.Header().Get(name), w.Header().Get(http.TrailerPrefix+name))
}

// Unwrap is for [http.ResponseController].
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
