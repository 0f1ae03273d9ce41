package main

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"

	"google.golang.org/grpc"

	"github.com/gatewayauth/gatewayauth/conformance/bench"
	"github.com/gatewayauth/gatewayauth/conformance/bench/internal/child"
	"github.com/gatewayauth/gatewayauth/conformance/bench/internal/servers"
	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/replay"
	"github.com/gatewayauth/gatewayauth/grpcauth"
	"github.com/gatewayauth/gatewayauth/internal/guard"
)

// adapter is a framework, and its servers: a bare one, and others.
type adapter struct {
	name     string
	prepare  func(address string, q bench.Request, n, clients int) (*load, error)
	variants []variant
}

type variant struct {
	name  string
	serve func(net.Listener) error
}

// streams have so many messages that a slot has fewer of them.
var streams = fmt.Sprintf("gRPC, stream of %d messages", perStream)

const (
	bare     = "bare"
	verified = "middleware"
	replayed = "middleware and replay store"
)

var adapters = []adapter{
	{"net/http", overHTTP, append(variants(over(servers.HTTP)),
		variant{"reading and hashing the body only", func(l net.Listener) error { return http.Serve(l, hashing(plain())) }},
		variant{"signing again with Huawei's SDK", func(l net.Listener) error { return http.Serve(l, huawei(plain())) }})},
	{"Echo", overHTTP, variants(over(servers.Echo))},
	{"Gin", overHTTP, variants(over(servers.Gin))},
	{"gRPC, unary", overGRPC(bench.NewSigner()), variants(interceptors)},
	{"gRPC, unary, payload unsigned", overGRPC(bench.NewUnsignedSigner()), append(variants(interceptors),
		variant{"tap handle", tapped})},
	{streams + ", payload declared", overStream(bench.NewDeclaringSigner()), variants(interceptors)},
	{streams + ", payload unsigned", overStream(bench.NewUnsignedSigner()), variants(interceptors)},
	{"guard", overHTTP, variants(serveProxy)},
}

func variants(serve func(net.Listener, *core.Verifier) error) []variant {
	return []variant{
		{bare, func(l net.Listener) error { return serve(l, nil) }},
		{verified, func(l net.Listener) error { return serve(l, verifier(nil)) }},
		{replayed, func(l net.Listener) error {
			store, err := replay.New(replay.Config{MaxEntries: 20_000_000})
			if err != nil {
				panic(err)
			}
			return serve(l, verifier(store))
		}},
	}
}

func verifier(store core.ReplayStore) *core.Verifier {
	c := bench.Config()
	c.Replay.Store, c.AllowUnsignedPayload = store, true
	v, err := core.New(c)
	if err != nil {
		panic(err)
	}
	return v
}

// serve runs every server until the parent process ends.
func serve() {
	addresses := make(map[string]string)
	for _, a := range adapters {
		for _, v := range a.variants {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				panic(err)
			}
			addresses[a.name+"/"+v.name] = l.Addr().String()
			go v.serve(l)
		}
	}
	child.Serve(addresses)
}

func check(v *core.Verifier) servers.Check {
	if v == nil {
		return servers.Allowed
	}
	return servers.Identified
}

// over serves a server of HTTP.
func over(server func(*core.Verifier, servers.Check) http.Handler) func(net.Listener, *core.Verifier) error {
	return func(l net.Listener, v *core.Verifier) error { return http.Serve(l, server(v, check(v))) }
}

// serveProxy serves a reverse proxy in front of a bare server: net/http/httputil's alone, or
// guard.
func serveProxy(l net.Listener, v *core.Verifier) error {
	behind, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go http.Serve(behind, plain())
	to := &url.URL{Scheme: "http", Host: behind.Addr().String()}
	if v != nil {
		return http.Serve(l, guard.New(guard.Config{Verifier: v, To: to, Logger: slog.New(slog.DiscardHandler)}))
	}
	return http.Serve(l, &httputil.ReverseProxy{FlushInterval: -1, Transport: guard.NewTransport(to), Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host
	}})
}

func interceptors(l net.Listener, v *core.Verifier) error {
	var options []grpc.ServerOption
	if v != nil {
		options = grpcauth.ServerOptions(v)
	}
	return servers.GRPC(check(v), options...).Serve(l)
}

func tapped(l net.Listener) error {
	return servers.GRPC(servers.Identified, grpcauth.TapServerOptions(verifier(nil))...).Serve(l)
}

// plain is a server without middleware.
func plain() http.Handler { return servers.HTTP(nil, servers.Allowed) }

// hashing returns middleware that only reads and hashes the body, as every verifier must.
func hashing(next http.Handler) http.Handler {
	hashes := sync.Pool{New: func() any { return sha256.New() }}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := hashes.Get().(hash.Hash)
		defer hashes.Put(h)
		h.Reset()
		if _, err := io.Copy(h, r.Body); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func huawei(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := bench.Huawei(r); err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}
