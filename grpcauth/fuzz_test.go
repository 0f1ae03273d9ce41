package grpcauth_test

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/grpcauth"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// asked is a stream without messages.
type asked struct {
	grpc.ServerStream
	ctx context.Context
}

func (a asked) Context() context.Context { return a.ctx }

// FuzzMetadata_T140: for any method and metadata that a transport may pass, nothing
// panics, unary calls and streams get the same verdict, the handler runs if and only if
// there is no error, and an accepted call is the signed one.
func FuzzMetadata_T140(f *testing.F) {
	at := time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
	v := testkit.New(f, core.Config{Environment: "prod", Schemes: schemes(key), Default: "k1", AllowUnsignedPayload: true,
		Now: func() time.Time { return at }})
	const method = echo + "Unary"
	r := &http.Request{Method: "POST", Host: host, URL: &url.URL{Path: method}, Header: http.Header{"X-Role": {"reader", "writer"}}}
	if err := apig.NewSigner(key, apig.SignOptions{Payload: core.PayloadUnsigned, Headers: []string{"x-role"}}).Sign(r, "", at); err != nil {
		f.Fatal(err)
	}
	signed := r.Header.Clone()
	lines := []string{":authority: " + host, "content-type: application/grpc", "user-agent: t"}
	for name, values := range signed {
		for _, value := range values {
			lines = append(lines, strings.ToLower(name)+": "+value)
		}
	}
	good := strings.Join(lines, "\n")
	f.Add(method, good)
	f.Add(method+"/", good)
	f.Add("", good+"\nhost: evil.example")
	f.Add(method, good+"\nx-a-bin: \xff\x00\nx-apig-identity: root\n:path: /x")
	f.Add(method, strings.Replace(good, ":authority", "host", 1))
	f.Add("*", ":authority: a\n:authority: b\nauthorization: Basic Og==\nauthorization: \nX-Sdk-Date: x\ngrpc-timeout: 1n")
	f.Fuzz(func(t *testing.T, method, text string) {
		md := metadata.MD{} // names are unchanged: a transport passes them in lower case
		for line := range strings.SplitSeq(text, "\n") {
			if name, value, ok := strings.Cut(line, ": "); ok {
				md[name] = append(md[name], value)
			}
		}
		before := md.Copy()
		ctx := metadata.NewIncomingContext(peer.NewContext(t.Context(), &peer.Peer{Addr: &net.TCPAddr{}}), md)
		unary, err := intercept(v, ctx, method)
		streamed := false
		err2 := grpcauth.StreamServerInterceptor(v)(nil, asked{ctx: ctx}, &grpc.StreamServerInfo{FullMethod: method},
			func(_ any, ss grpc.ServerStream) error {
				streamed = true
				if _, ok := core.FromContext(ss.Context()); !ok {
					t.Error("the handler of a stream has no identity")
				}
				return nil
			})
		if unary != (err == nil) || streamed != (err2 == nil) || status.Code(err) != status.Code(err2) {
			t.Errorf("unary: ran %v, %v; stream: ran %v, %v", unary, err, streamed, err2)
		}
		if !reflect.DeepEqual(md, before) {
			t.Error("the metadata of the call was changed")
		}
		if err != nil {
			if s := status.Convert(err); len(s.Details()) != 1 || strings.Contains(s.Message(), key.Secret.Reveal()) {
				t.Errorf("got %v", s)
			}
			return
		}
		got := http.Header{}
		for name, values := range md {
			for _, value := range values {
				got.Add(name, strings.Trim(value, " \t"))
			}
		}
		for name, values := range signed {
			if name != "Authorization" && !sameValues(got[name], values) {
				t.Errorf("accepted with %s %q, signed with %q", name, got[name], values)
			}
		}
		if strings.TrimSuffix(method, "/") != echo+"Unary" && decoded(method) != echo+"Unary" || len(md[":authority"]) != 1 || md[":authority"][0] != host {
			t.Errorf("accepted for %q at %q", method, md[":authority"])
		}
	})
}

// sameValues reports whether two lists have the same values in any order, because the
// canonical request sorts them.
func sameValues(a, b []string) bool {
	count := map[string]int{}
	for _, s := range a {
		count[s]++
	}
	for _, s := range b {
		count[s]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return true
}

// decoded returns the decoded path of a method.
func decoded(method string) string {
	path, _, _ := strings.Cut(method, "?")
	path, _ = url.PathUnescape(path)
	return strings.TrimSuffix(path, "/")
}
