package guard_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/signer"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// TestGRPC_T205: calls of grpc-go's client to grpc-go's server through the guard: unary, with
// an error and trailers, and a bidirectional stream.
func TestGRPC_T205(t *testing.T) {
	backend := listen(t)
	var seen metadata.MD
	server := grpc.NewServer(
		grpc.UnaryInterceptor(func(ctx context.Context, in any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			seen, _ = metadata.FromIncomingContext(ctx)
			grpc.SetHeader(ctx, metadata.Pairs("x-header", "1"))
			grpc.SetTrailer(ctx, metadata.Pairs("x-trailer", "2"))
			return next(ctx, in)
		}))
	healthpb.RegisterHealthServer(server, health.NewServer())
	reflection.Register(server)
	go server.Serve(backend)
	t.Cleanup(server.Stop)

	p := start(t, "h2c://"+backend.Addr().String(), func(c *core.Config) {
		c.AllowUnsignedPayload = true
		c.APIs = append(c.APIs, core.API{Match: "/grpc.reflection.v1.ServerReflection/", Key: testkit.Orders.Name, Stream: true})
	})
	to, err := url.Parse(p.URL)
	if err != nil {
		t.Fatal(err)
	}
	// through starts a signing gateway in front of the guard, and returns a connection to it.
	through := func(payload core.Payload) *grpc.ClientConn {
		transport := signer.GatewayTransport()
		gateway := httptest.NewUnstartedServer(signer.NewGateway(to, &signer.Transport{
			Signer: apig.NewSigner(testkit.Orders, apig.SignOptions{Payload: payload}), Base: transport, Now: testkit.Now}))
		gateway.Config.Protocols = new(http.Protocols)
		gateway.Config.Protocols.SetUnencryptedHTTP2(true)
		gateway.Start()
		conn, err := grpc.NewClient("passthrough:///"+gateway.Listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			conn.Close()
			gateway.Close()
			transport.(interface{ CloseIdleConnections() }).CloseIdleConnections()
		})
		return conn
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, payload := range []core.Payload{core.PayloadHashed, core.PayloadDeclared, core.PayloadUnsigned} {
		client := healthpb.NewHealthClient(through(payload))
		var header, trailer metadata.MD
		res, err := client.Check(ctx, &healthpb.HealthCheckRequest{}, grpc.Header(&header), grpc.Trailer(&trailer))
		if err != nil || res.Status != healthpb.HealthCheckResponse_SERVING || !slices.Equal(header["x-header"], []string{"1"}) || !slices.Equal(trailer["x-trailer"], []string{"2"}) {
			t.Errorf("%v: got %v, %v, header %v, trailer %v", payload, res, err, header, trailer)
		}
		if got := seen.Get("x-gatewayauth-key"); !slices.Equal(got, []string{"orders_key"}) {
			t.Errorf("%v: the service got the key %q", payload, got)
		}
		_, err = client.Check(ctx, &healthpb.HealthCheckRequest{Service: "none"}, grpc.Trailer(&trailer))
		if status.Code(err) != codes.NotFound || !slices.Equal(trailer["x-trailer"], []string{"2"}) {
			t.Errorf("%v: got %v, trailer %v; want NotFound", payload, err, trailer)
		}
	}

	stream, err := reflectionpb.NewServerReflectionClient(through(core.PayloadUnsigned)).ServerReflectionInfo(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // each response before the next request
		if err := stream.Send(&reflectionpb.ServerReflectionRequest{MessageRequest: &reflectionpb.ServerReflectionRequest_ListServices{}}); err != nil {
			t.Fatal(err)
		}
		res, err := stream.Recv()
		if err != nil || len(res.GetListServicesResponse().GetService()) == 0 {
			t.Fatalf("got %v, %v", res, err)
		}
	}
	stream.CloseSend()
	if _, err := stream.Recv(); err != io.EOF {
		t.Errorf("at the end: got %v", err)
	}

	direct, err := grpc.NewClient("passthrough:///"+p.address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer direct.Close()
	if _, err := healthpb.NewHealthClient(direct).Check(ctx, &healthpb.HealthCheckRequest{}); status.Code(err) != codes.Unauthenticated {
		t.Errorf("without a signature: got %v, want Unauthenticated", err)
	}
}

// TestVersions_T205: the version of HTTP to the service is that of --to, whatever the caller
// speaks.
func TestVersions_T205(t *testing.T) {
	for scheme, want := range map[string]string{"http": "HTTP/1.1", "h2c": "HTTP/2.0"} {
		p := start(t, serveHandler(t, scheme, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Trailer", "X-End")
			http.NewResponseController(w).Flush() // with a length HTTP/1.1 has no trailers
			io.WriteString(w, r.Proto+" "+r.RequestURI+" "+r.Host)
			w.Header().Set("X-End", "1")
		})), off, pathParameters)
		for _, http2 := range []bool{false, true} {
			transport := &http.Transport{Protocols: new(http.Protocols)}
			transport.Protocols.SetHTTP1(!http2)
			transport.Protocols.SetUnencryptedHTTP2(http2)
			r, err := http.NewRequest("GET", p.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.URL.Opaque, r.Host = "/a%2f//b/.c;d?", "api.example.com"
			res, err := transport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(res.Body)
			res.Body.Close()
			transport.CloseIdleConnections()
			if got := string(body); err != nil || got != want+" /a%2f//b/.c;d? api.example.com" || res.Trailer.Get("X-End") != "1" {
				t.Errorf("%s, HTTP/2 %v: got %q, %v, trailer %v", scheme, http2, got, err, res.Trailer)
			}
		}
	}
}
