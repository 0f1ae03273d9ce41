package grpcauth_test

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/grpcauth"
)

// constant fails the test unless err is a refusal without the reason.
func constant(t *testing.T, what string, err error, want codes.Code) {
	t.Helper()
	s := status.Convert(err)
	details := s.Details()
	if s.Code() != want || len(details) != 1 {
		t.Errorf("%s: got %v with %d details, want %v with one", what, err, len(details), want)
		return
	}
	info, ok := details[0].(*errdetails.ErrorInfo)
	if !ok || info.Domain != "gatewayauth" || info.Reason != want.String() || len(info.Metadata) > 0 {
		t.Errorf("%s: got details %v, want an ErrorInfo with the reason %v", what, details[0], want)
	}
}

// intercept calls the unary interceptor with a context, as gRPC would.
func intercept(v *core.Verifier, ctx context.Context, method string) (ran bool, err error) {
	_, err = grpcauth.UnaryServerInterceptor(v)(ctx, nil, &grpc.UnaryServerInfo{FullMethod: method},
		func(context.Context, any) (any, error) { ran = true; return nil, nil })
	return ran, err
}

// TestNoMetadata_T147: contexts without metadata, which no server makes, are refused.
func TestNoMetadata_T147(t *testing.T) {
	v, _ := verifier(t, nil)
	for name, tt := range map[string]struct {
		md   metadata.MD
		want codes.Code
	}{
		"nil":               {nil, codes.InvalidArgument}, // no host
		"empty":             {metadata.MD{}, codes.InvalidArgument},
		"only content-type": {metadata.Pairs("content-type", "application/grpc"), codes.InvalidArgument},
		"an authority":      {metadata.Pairs(":authority", host), codes.Unauthenticated},
		"two authorities":   {metadata.Pairs(":authority", host, ":authority", host), codes.InvalidArgument},
	} {
		ctx := t.Context()
		if tt.md != nil {
			ctx = metadata.NewIncomingContext(ctx, tt.md)
		}
		ran, err := intercept(v, peer.NewContext(ctx, &peer.Peer{}), echo+"Unary")
		constant(t, name, err, tt.want)
		if ran {
			t.Errorf("%s: the handler ran", name)
		}
	}
	for _, method := range []string{"pkg.Svc/M", "*"} {
		ran, err := intercept(v, metadata.NewIncomingContext(t.Context(), metadata.Pairs(":authority", host)), method)
		constant(t, "method "+method, err, codes.InvalidArgument)
		if ran {
			t.Errorf("method %q: the handler ran", method)
		}
	}
	if _, err := intercept(nil, t.Context(), echo+"Unary"); status.Code(err) != codes.Unavailable {
		t.Errorf("a nil Verifier: got %v, want Unavailable", err)
	}
}

// incoming returns the context in which a server gets the metadata of an outgoing context.
func incoming(ctx context.Context, more ...string) context.Context {
	md, _ := metadata.FromOutgoingContext(ctx)
	return metadata.NewIncomingContext(ctx, metadata.Join(md, metadata.Pairs(append(more, ":authority", host)...)))
}

// TestHostMetadata_T149: a host header in addition to :authority is refused. gRPC's own
// transport discards it, net/http does not.
func TestHostMetadata_T149(t *testing.T) {
	v, j := verifier(t, allowUnsigned)
	ctx := signed(t, echo+"Unary", core.PayloadUnsigned)
	if ran, err := intercept(v, incoming(ctx), echo+"Unary"); err != nil || !ran {
		t.Errorf("without: got %v, want it accepted", err)
	}
	for _, other := range []string{host, "evil.example"} {
		ran, err := intercept(v, incoming(ctx, "host", other), echo+"Unary")
		constant(t, "host "+other, err, codes.InvalidArgument)
		if ran {
			t.Errorf("host %s: the handler ran", other)
		}
	}
	if got, want := j.codes(), []core.Code{"", core.CodeRequestAmbiguous, core.CodeRequestAmbiguous}; !slices.Equal(got, want) {
		t.Errorf("got verdicts %v, want %v", got, want)
	}
}

// TestReservedMetadata: the metadata for handlers lacks the headers that core removes.
func TestReservedMetadata(t *testing.T) {
	v, _ := verifier(t, allowUnsigned)
	ctx := incoming(signed(t, echo+"Unary", core.PayloadUnsigned), "x-apig-identity", "root", "x-other", "kept")
	_, err := grpcauth.UnaryServerInterceptor(v)(ctx, nil, &grpc.UnaryServerInfo{FullMethod: echo + "Unary"},
		func(ctx context.Context, _ any) (any, error) {
			md, _ := metadata.FromIncomingContext(ctx)
			if _, ok := core.FromContext(ctx); !ok || md.Len() != 5 || len(md["x-apig-identity"]) > 0 || len(md["x-other"]) != 1 || len(md[":authority"]) != 1 {
				t.Errorf("got metadata %v, want all but x-apig-identity, and an identity", md)
			}
			return nil, nil
		})
	if err != nil {
		t.Error(err)
	}
}

// TestExposeReason: with ExposeReason the details have the code, the canonical request
// and the string to sign.
func TestExposeReason(t *testing.T) {
	v, _ := verifier(t, func(c *core.Config) { c.ExposeReason, c.AllowUnsignedPayload = true, true })
	ctx := metadata.AppendToOutgoingContext(signed(t, echo+"Other", core.PayloadUnsigned), "x-role", "\xff")
	_, err := intercept(v, incoming(ctx), echo+"Unary")
	details := status.Convert(err).Details()
	if len(details) != 1 {
		t.Fatalf("got %v, want details", err)
	}
	info := details[0].(*errdetails.ErrorInfo)
	if info.Reason != string(core.CodeSignatureMismatch) || !strings.Contains(info.Metadata["canonical_request"], "POST\n"+echo+"Unary/\n") ||
		!strings.HasPrefix(info.Metadata["string_to_sign"], "SDK-HMAC-SHA256\n") || info.Metadata["reason"] == "" {
		t.Errorf("got %v, want the code, the canonical request and the string to sign", info)
	}
	if md, _ := metadata.FromOutgoingContext(ctx); strings.Contains(info.String(), strings.SplitAfter(md["authorization"][0], "Signature=")[1]) {
		t.Error("the details contain the signature")
	}
}

// TestBinaryMetadata: binary metadata is verified as the text that is sent.
func TestBinaryMetadata(t *testing.T) {
	v, _ := verifier(t, allowUnsigned)
	for value, want := range map[string]bool{"\x00\xff": true, "\x00\xfe": false} {
		ctx := signedWith(t, "x-role-bin", base64.RawStdEncoding.EncodeToString([]byte("\x00\xff")))
		ran, err := intercept(v, incoming(ctx, "x-role-bin", value), echo+"Unary")
		if ran != want || (err == nil) != want {
			t.Errorf("%q: got %v, want accepted %v", value, err, want)
		}
	}
}
