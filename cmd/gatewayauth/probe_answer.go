package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strconv"
	"sync/atomic"
	"time"
)

// transport sends requests over HTTP/1.1 or with TLS also HTTP/2, and gRPC calls
// without TLS over HTTP/2. A body that a server has not asked for is not sent until the
// time is over.
func (p *prober) transport() *http.Transport {
	t := &http.Transport{DisableCompression: true, ForceAttemptHTTP2: true, ExpectContinueTimeout: p.timeout + time.Hour}
	if p.grpc && p.request.URL.Scheme == "http" {
		t.Protocols = new(http.Protocols)
		t.Protocols.SetUnencryptedHTTP2(true)
	}
	return t
}

// A probeAnswer is the response to a request, or why there is none.
type probeAnswer struct {
	status int
	grpc   int // -1: not a response of gRPC
	reason string
	body   string // the beginning
}

// send sends a request.
func (p *prober) send(ctx context.Context, t *http.Transport, x *probe) probeAnswer {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	var asked atomic.Bool // for the body
	r := x.request.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{Got100Continue: func() { asked.Store(true) }}))
	if x.oversized {
		r.Body, r.GetBody = notSent{}, nil
	} else if r.GetBody != nil {
		r.Body, _ = r.GetBody()
	}
	response, err := t.RoundTrip(r)
	switch {
	case err != nil && asked.Load():
		return probeAnswer{status: http.StatusContinue, grpc: -1}
	case errors.Is(err, context.DeadlineExceeded):
		return probeAnswer{grpc: -1, reason: fmt.Sprintf("no response within %v", p.timeout)}
	case err != nil:
		return probeAnswer{grpc: -1, reason: err.Error()}
	}
	defer response.Body.Close()
	a := probeAnswer{status: response.StatusCode, grpc: -1}
	switch {
	case p.grpc && a.status == http.StatusOK:
		return grpcAnswer(response)
	case a.refused(): // the body of another response may not end
		body, _ := io.ReadAll(io.LimitReader(response.Body, 500))
		a.body = string(body)
	}
	return a
}

// grpcAnswer reads the status of a gRPC response, which is in the trailers, or in the
// headers if there is no message.
func grpcAnswer(response *http.Response) probeAnswer {
	const most = 16 << 20
	_, err := io.CopyN(io.Discard, response.Body, most)
	n, bad := strconv.Atoi(cmp.Or(response.Trailer.Get("Grpc-Status"), response.Header.Get("Grpc-Status")))
	switch {
	case bad != nil && err != nil && err != io.EOF:
		return probeAnswer{grpc: -1, reason: "no gRPC status in the response: " + err.Error()}
	case bad != nil:
		return probeAnswer{grpc: -1, reason: "no gRPC status in the response"}
	}
	return probeAnswer{status: response.StatusCode, grpc: n, body: cmp.Or(response.Trailer.Get("Grpc-Message"), response.Header.Get("Grpc-Message"))}
}

// notSent is a body of which nothing is sent.
type notSent struct{}

func (notSent) Read([]byte) (int, error) { return 0, errors.New("the body is not sent") }
func (notSent) Close() error             { return nil }

// unusable returns why nothing can be said if the honest request has this response, or "".
func (a *probeAnswer) unusable() string {
	switch {
	case a.reason != "":
		return "got no response: " + a.reason
	case a.refused():
		return "was refused with " + a.text()
	case a.status == http.StatusServiceUnavailable || a.grpc == 14:
		return "found the service unavailable (" + a.text() + ")"
	case a.status >= 300 && a.status < 400:
		return "was redirected with " + a.text()
	}
	return ""
}

// refused reports whether the response is one with which verifiers refuse requests.
func (a *probeAnswer) refused() bool {
	if a.grpc >= 0 {
		return slices.Contains([]int{3, 7, 8, 16}, a.grpc)
	}
	return slices.Contains([]int{400, 401, 403, 413, 421}, a.status)
}

// failed reports whether the response may come from something that runs before the
// verifier, such as a router that has no route.
func (a *probeAnswer) failed() bool { return a.status >= 400 || a.grpc > 0 }

// text is the response in the table.
func (a *probeAnswer) text() string {
	switch {
	case a.reason != "":
		return "-"
	case a.grpc >= 0:
		return fmt.Sprintf("grpc %d", a.grpc)
	}
	return fmt.Sprint(a.status)
}

// like reports whether the response shows that the request was accepted as the honest
// one was.
func (a *probeAnswer) like(honest *probeAnswer) bool {
	return a.reason == "" && a.status == honest.status && a.grpc == honest.grpc || a.status > 0 && a.status < 400 && a.grpc <= 0
}
