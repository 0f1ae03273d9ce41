package main

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/grpcauth"
)

const (
	checkMethod = "/grpc.health.v1.Health/Check"
	watchMethod = "/grpc.health.v1.Health/Watch"
)

// health is the gRPC application. It counts its runs.
type health struct {
	healthpb.UnimplementedHealthServer
	mu  sync.Mutex
	got outcome
}

func (h *health) ran(ctx context.Context) *healthpb.HealthCheckResponse {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.got.ran, h.got.key = h.got.ran+1, "-"
	if id, ok := core.FromContext(ctx); ok {
		h.got.key = id.Key()
	}
	return &healthpb.HealthCheckResponse{Status: healthpb.HealthCheckResponse_SERVING}
}

func (h *health) Check(ctx context.Context, _ *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
	return h.ran(ctx), nil
}

func (h *health) Watch(_ *healthpb.HealthCheckRequest, s grpc.ServerStreamingServer[healthpb.HealthCheckResponse]) error {
	return s.Send(h.ran(s.Context()))
}

func (h *health) observe(_ context.Context, e core.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.got.code = e.Code
}

// call is one gRPC call, with the service in its message, the metadata of a signed request,
// and the expected outcome.
type call struct {
	what, method, service string
	throughGateway        bool
	metadata              []string
	options               []grpc.CallOption
	want                  outcome // the status is a gRPC code
}

// body returns the body of such a call: the message after its prefix.
func body(service string) string {
	message, err := proto.Marshal(&healthpb.HealthCheckRequest{Service: service})
	if err != nil || len(message) > 255 {
		panic("the message is too long")
	}
	return "\x00\x00\x00\x00" + string(rune(len(message))) + string(message)
}

func calls(host string) []call {
	now := time.Now()
	const withDigest = "host;x-sdk-content-sha256;x-sdk-date"
	// signed returns the metadata of a call with this service in its message. Accepted
	// calls differ in the service or the date, because a second equal call would be a
	// replay.
	signed := func(key core.Key, method, service string, at time.Time) []string {
		return post(method, body(service), "Host: "+host, "X-Sdk-Content-Sha256: "+hexSHA256(body(service))).sign(key, at, withDigest).pairs()
	}
	valid := signed(orders, checkMethod, "valid", now)
	undeclared := post(checkMethod, body("orders"), "Host: "+host).sign(orders, now, all).pairs()
	unsigned := post(watchMethod, "", "Host: "+host, "X-Sdk-Content-Sha256: UNSIGNED-PAYLOAD").sign(orders, now.Add(-time.Minute), withDigest).pairs()
	credentials := grpc.PerRPCCredentials(grpcauth.Credentials(
		apig.NewSigner(orders, apig.SignOptions{Payload: core.PayloadUnsigned}), grpcauth.WithInsecureTransport()))
	accepted := outcome{status: int(codes.OK), key: orders.Name, ran: 1}
	refused := func(code core.Code) outcome {
		return outcome{status: int(core.GRPCStatusCode(&core.Error{Code: code})), code: code}
	}
	return []call{
		{what: "through the gateway", method: checkMethod, service: "orders", throughGateway: true, want: accepted},
		{what: "through the gateway: client's own credentials are stripped", method: checkMethod, service: "other orders", throughGateway: true,
			metadata: []string{"authorization", "Bearer stolen", "x-sdk-date", "19700101T000000Z"}, want: accepted},
		{what: "directly to the backend, digest declared", method: checkMethod, service: "valid", metadata: valid, want: accepted},
		{what: "directly to the backend, the same call again", method: checkMethod, service: "valid", metadata: valid, want: refused(core.CodeReplayed)},
		{what: "directly to the backend, digest not declared", method: checkMethod, service: "orders", metadata: undeclared, want: accepted},
		{what: "directly to the backend, digest declared, stream", method: watchMethod, service: "orders", metadata: signed(orders, watchMethod, "orders", now), want: accepted},
		{what: "directly to the backend, payload unsigned where allowed, stream", method: watchMethod, service: "orders", metadata: unsigned, want: accepted},
		{what: "signed by grpcauth.Credentials", method: watchMethod, service: "orders", options: []grpc.CallOption{credentials}, want: accepted},

		{what: "signed by grpcauth.Credentials, where payloads must be signed", method: checkMethod, service: "orders", options: []grpc.CallOption{credentials}, want: refused(core.CodePayloadNotSigned)},
		{what: "no credential", method: checkMethod, service: "orders", want: refused(core.CodeCredentialMissing)},
		{what: "no credential, stream", method: watchMethod, service: "orders", want: refused(core.CodeCredentialMissing)},
		{what: "signed for another method", method: checkMethod, service: "orders", metadata: signed(orders, watchMethod, "orders", now), want: refused(core.CodeSignatureMismatch)},
		{what: "message changed, digest declared", method: checkMethod, service: "others", metadata: signed(orders, checkMethod, "changed", now), want: refused(core.CodeBodyMismatch)},
		{what: "message changed, digest not declared", method: checkMethod, service: "others", metadata: undeclared, want: refused(core.CodeSignatureMismatch)},
		{what: "message changed, stream", method: watchMethod, service: "others", metadata: signed(orders, watchMethod, "changed", now), want: refused(core.CodeBodyMismatch)},
		{what: "two authorization values", method: checkMethod, service: "valid", metadata: append(valid[:len(valid):len(valid)], "authorization", "x"), want: refused(core.CodeRequestAmbiguous)},
		{what: "x-sdk-* metadata added", method: checkMethod, service: "valid", metadata: append(valid[:len(valid):len(valid)], "x-sdk-foo", "1"), want: refused(core.CodeHeaderNotSigned)},
		{what: "20 minutes old", method: checkMethod, service: "orders", metadata: signed(orders, checkMethod, "orders", now.Add(-20*time.Minute)), want: refused(core.CodeSignatureExpired)},
		{what: "unknown key", method: checkMethod, service: "orders", metadata: signed(core.Key{ID: "unknown", Secret: orders.Secret}, checkMethod, "orders", now), want: refused(core.CodeKeyUnknown)},
		{what: "key of another API", method: checkMethod, service: "orders", metadata: signed(payments, checkMethod, "orders", now), want: refused(core.CodeKeyNotBound)},
	}
}

// pairs returns the headers as metadata, without Host.
func (m message) pairs() (pairs []string) {
	for _, h := range m.headers {
		if name, value, _ := strings.Cut(h, ": "); name != "Host" {
			pairs = append(pairs, strings.ToLower(name), value)
		}
	}
	return pairs
}

// grpcTable makes every call of the scheme.
func grpcTable(identity, scheme string) (table, error) {
	t := table{protocol: "gRPC", adapters: []string{"gRPC"}}
	if scheme != "" && scheme != flat {
		return t, nil // all calls are signed with the flat key
	}
	app := new(health)
	policy, err := policy(identity)
	if err != nil {
		return t, err
	}
	policy.Observers = []core.Observer{core.ObserverFunc(app.observe)}
	v, err := core.New(policy)
	if err != nil {
		return t, err
	}
	server := grpc.NewServer(grpcauth.ServerOptions(v)...)
	defer server.Stop()
	healthpb.RegisterHealthServer(server, app)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return t, err
	}
	go server.Serve(listener)
	direct := listener.Addr().String()

	signing, stop, err := grpcGateway(direct)
	if err != nil {
		return t, err
	}
	defer stop()
	for _, c := range calls(direct) {
		address := direct
		if c.throughGateway {
			address = signing
		}
		t.rows = append(t.rows, row{what: c.what, status: codes.Code(c.want.status).String(), want: c.want,
			verdicts: []verdict{{want: c.want, got: app.send(address, c)}}})
	}
	return t, nil
}

// grpcGateway is the signing gateway over unencrypted HTTP/2.
func grpcGateway(target string) (address string, stop func() error, err error) {
	var http2 http.Protocols
	http2.SetUnencryptedHTTP2(true)
	server := &http.Server{Protocols: &http2, Handler: gateway(target, &http.Transport{Protocols: &http2})}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	go server.Serve(listener)
	return listener.Addr().String(), server.Close, nil
}

// send makes one call and waits for its outcome.
func (h *health) send(address string, c call) outcome {
	h.mu.Lock()
	h.got = outcome{}
	h.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := func() error {
		conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			return err
		}
		defer conn.Close()
		ctx, client := metadata.AppendToOutgoingContext(ctx, c.metadata...), healthpb.NewHealthClient(conn)
		request := &healthpb.HealthCheckRequest{Service: c.service}
		if c.method == checkMethod {
			_, err = client.Check(ctx, request, c.options...)
			return err
		}
		stream, err := client.Watch(ctx, request, c.options...)
		if err != nil {
			return err
		}
		_, err = stream.Recv()
		return err
	}()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.got.status = int(status.Code(err))
	return h.got
}
