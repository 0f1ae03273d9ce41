package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
)

// transport sends requests over HTTP/1.1 or with TLS also HTTP/2, and gRPC calls
// without TLS over HTTP/2.
func (p *prober) transport() *http.Transport {
	t := &http.Transport{DisableCompression: true, ForceAttemptHTTP2: true, ExpectContinueTimeout: p.timeout}
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
	r := x.request.WithContext(ctx)
	asked := &askedFor{}
	if x.oversized {
		r.Body, r.GetBody = asked, nil
	} else if r.GetBody != nil {
		r.Body, _ = r.GetBody()
	}
	response, err := t.RoundTrip(r)
	switch {
	case asked.yes && ctx.Err() == nil:
		return probeAnswer{status: http.StatusContinue, grpc: -1}
	case errors.Is(err, context.DeadlineExceeded):
		return probeAnswer{grpc: -1, reason: fmt.Sprintf("no response within %v", p.timeout)}
	case err != nil:
		return probeAnswer{grpc: -1, reason: err.Error()}
	}
	defer response.Body.Close()
	const most = 64 << 10
	body, err := io.ReadAll(io.LimitReader(response.Body, most))
	a := probeAnswer{status: response.StatusCode, grpc: -1, body: string(body[:min(len(body), 500)])}
	if p.grpc && a.status == http.StatusOK {
		text := cmp.Or(response.Trailer.Get("Grpc-Status"), response.Header.Get("Grpc-Status"))
		n, bad := strconv.Atoi(text)
		if bad != nil {
			return probeAnswer{grpc: -1, reason: fmt.Sprintf("no gRPC status in the response: %v", cmp.Or(err, errors.New("not a gRPC service")))}
		}
		a.grpc, a.body = n, cmp.Or(response.Trailer.Get("Grpc-Message"), response.Header.Get("Grpc-Message"))
	}
	return a
}

// askedFor is a body that is not sent, and records that it was to be.
type askedFor struct{ yes bool }

func (b *askedFor) Read([]byte) (int, error) {
	b.yes = true
	return 0, errors.New("the body is not sent")
}

func (b *askedFor) Close() error { return nil }

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
