package differential_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/tap"

	"github.com/gatewayauth/gatewayauth/conformance/reference"
	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/grpcauth"
)

// bytesCodec leaves messages, of type *[]byte, as they are.
type bytesCodec struct{}

func (bytesCodec) Name() string { return "bytes" }

func (bytesCodec) Marshal(m any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(*m.(*[]byte))}, nil
}

func (bytesCodec) Unmarshal(data mem.BufferSlice, m any) error {
	*m.(*[]byte) = data.Materialize()
	return nil
}

// grpcServer returns the address of the gRPC server of a world.
func (b *backends) grpcServer(w *world) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if address := b.grpc[w.name]; address != "" {
		return address
	}
	tapped := grpc.InTapHandle(func(ctx context.Context, info *tap.Info) (context.Context, error) {
		o := new(outcome)
		if ids := info.Header[strings.ToLower(exchangeHeader)]; len(ids) == 1 {
			if x, ok := b.exchanges.Load(ids[0]); ok {
				x := x.(*exchange)
				x.mu.Lock()
				x.arrivals = append(x.arrivals, o)
				x.mu.Unlock()
			}
		}
		delete(info.Header, strings.ToLower(exchangeHeader)) // the metadata of the call is the same map
		return context.WithValue(ctx, outcomeKey{}, o), nil
	})
	s := grpc.NewServer(append(grpcauth.ServerOptions(b.observed(w), grpcauth.WithCodec(bytesCodec{})), tapped,
		grpc.UnknownServiceHandler(handleStream))...)
	s.RegisterService(&grpc.ServiceDesc{ServiceName: "pkg.Svc", HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{MethodName: "Unary", Handler: handleUnary}},
		Streams: []grpc.StreamDesc{
			{StreamName: "ClientStream", Handler: func(_ any, s grpc.ServerStream) error { return handleStream(nil, s) }, ClientStreams: true},
			{StreamName: "ServerStream", Handler: func(_ any, s grpc.ServerStream) error { return handleStream(nil, s) }, ServerStreams: true},
		}}, nil)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go s.Serve(listener)
	b.Cleanup(s.Stop)
	b.grpc[w.name] = listener.Addr().String()
	return b.grpc[w.name]
}

// handleUnary is the unary method.
func handleUnary(_ any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
	m := new([]byte)
	if err := decode(m); err != nil {
		return nil, err
	}
	return intercept(ctx, m, &grpc.UnaryServerInfo{FullMethod: unary}, func(ctx context.Context, m any) (any, error) {
		o := called(ctx, unary)
		o.body, o.accepted = []byte(framed(string(*m.(*[]byte)))), true
		return new([]byte), nil
	})
}

// handleStream is the method of all streams. It reads to the end.
func handleStream(_ any, s grpc.ServerStream) error {
	method, _ := grpc.MethodFromServerStream(s)
	o := called(s.Context(), method)
	o.stream = true
	for {
		m := new([]byte)
		err := s.RecvMsg(m)
		if err == io.EOF {
			o.accepted = true
			return s.SendMsg(new([]byte))
		} else if err != nil {
			o.refusal = err.Error()
			return err
		}
		o.body = append(o.body, framed(string(*m))...)
	}
}

// called writes into the outcome the request that the handler of a call sees.
func called(ctx context.Context, method string) *outcome {
	o := ctx.Value(outcomeKey{}).(*outcome)
	o.runs++
	o.identity, _ = core.FromContext(ctx)
	md, _ := metadata.FromIncomingContext(ctx)
	r := &http.Request{Method: http.MethodPost, RequestURI: method, Host: strings.Join(md[":authority"], " "), Header: http.Header{}}
	r.URL, _ = url.ParseRequestURI(method)
	for name, values := range md {
		for _, value := range values {
			if strings.HasSuffix(name, "-bin") {
				value = base64.RawStdEncoding.EncodeToString([]byte(value))
			}
			if !strings.HasPrefix(name, ":") {
				r.Header.Add(name, value)
			}
		}
	}
	o.request = r
	return o
}

// sendGRPC sends a call to the server of the world, and returns what became of it; nil where
// gRPC answered without asking the verifier.
func (b *backends) sendGRPC(w *world, c *grpcCall, v reference.Verdict) (*outcome, *disagreement) {
	x, id := new(exchange), fmt.Sprint(b.number.Add(1))
	b.exchanges.Store(id, x)
	defer b.exchanges.Delete(id)
	c.request.URL.Host = b.grpcServer(w)
	c.request.Header[exchangeHeader] = []string{id}
	response, err := b.client.RoundTrip(c.request)
	if err != nil {
		return nil, nil
	}
	io.Copy(io.Discard, response.Body)
	response.Body.Close()
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.arrivals) == 0 {
		return nil, nil
	}
	o := x.arrivals[0]
	status := response.Trailer.Get("Grpc-Status") + response.Header.Get("Grpc-Status") // in the header of an answer without messages
	switch {
	case o.runs > 1, (status == "0") != o.accepted:
		return o, &disagreement{"status", fmt.Sprintf("the handler ran %d times, and the status is %q", o.runs, status)}
	case o.runs == 0 && o.code == "" && (status == "12" || !v.Valid || len(v.Policies) > 0): // 12: a method such as /a
		return nil, nil
	}
	if o.request != nil { // the client adds and leaves out lengths
		o.request.Header.Del("Content-Length")
		if sent, err := read(c.raw); err == nil && sent.Header["Content-Length"] != nil {
			o.request.Header["Content-Length"] = sent.Header["Content-Length"]
		}
	}
	return o, w.compare(c.raw, v, o)
}
