package grpcauth_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/grpcauth"
)

// TestPooledRequests_T224: no call is verified with the metadata of another, and no handler
// gets it, although the requests that the verifier sees are pooled.
func TestPooledRequests_T224(t *testing.T) {
	v, _ := verifier(t, func(c *core.Config) { c.AllowUnsignedPayload, c.Observers = true, nil })
	handle := func(ctx context.Context, receive func() ([]byte, error)) error {
		md, _ := metadata.FromIncomingContext(ctx)
		id, ok := core.FromContext(ctx)
		if !ok || id.Key() != "k1" || len(md["x-apig-identity"]) > 0 || len(md["x-caller"]) != 1 {
			return status.Errorf(codes.DataLoss, "got metadata %v, identity %v", md, id)
		}
		if want := md["x-caller"][0] == "signed"; want != strings.Contains(strings.Join(id.SignedHeaders(), " "), "x-caller") {
			return status.Errorf(codes.DataLoss, "got signed headers %v for the metadata %v", id.SignedHeaders(), md)
		}
		return readAll(ctx, receive)
	}
	interceptors, tapped := start(t, handle, grpcauth.ServerOptions(v)...), start(t, handle, grpcauth.TapServerOptions(v)...)
	withHeader := func(caller string, more int) context.Context {
		header := http.Header{"X-Caller": {caller}}
		options := apig.SignOptions{Payload: core.PayloadUnsigned}
		if caller == "signed" {
			options.Headers = []string{"x-caller"}
		}
		md, _ := metadata.FromOutgoingContext(withCredential(t, echo+"Unary", header, options, ""))
		ctx := metadata.NewOutgoingContext(t.Context(), md)
		ctx = metadata.AppendToOutgoingContext(ctx, "x-caller", caller)
		if caller == "unsigned" {
			ctx = metadata.AppendToOutgoingContext(ctx, "x-apig-identity", "root")
		}
		for i := range more { // more than are remembered
			ctx = metadata.AppendToOutgoingContext(ctx, fmt.Sprintf("x-more-%d", i), "1")
		}
		return ctx
	}
	calls := []struct {
		ctx  context.Context
		want codes.Code
	}{
		{withHeader("signed", 0), codes.OK},
		{withHeader("unsigned", 0), codes.OK},
		{withHeader("unsigned", 200), codes.OK},
		{t.Context(), codes.Unauthenticated},
		{metadata.AppendToOutgoingContext(withHeader("signed", 0), "x-caller", "another"), codes.Unauthenticated},
		{metadata.AppendToOutgoingContext(t.Context(), "x-apig-identity", "root"), codes.Unauthenticated},
	}
	var workers sync.WaitGroup
	for worker := range 8 {
		workers.Go(func() {
			for i := range 60 {
				call := calls[(worker+i)%len(calls)]
				if err := interceptors.Invoke(call.ctx, echo+"Unary", text("one"), new(bytesValue)); status.Code(err) != call.want {
					t.Errorf("interceptors, call %d: got %v, want %v", (worker+i)%len(calls), err, call.want)
				}
				if err := tapped.Invoke(call.ctx, echo+"Unary", text("one"), new(bytesValue)); status.Code(err) != call.want {
					t.Errorf("tap handle, call %d: got %v, want %v", (worker+i)%len(calls), err, call.want)
				}
			}
		})
	}
	workers.Wait()
}
