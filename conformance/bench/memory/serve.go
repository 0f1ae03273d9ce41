package main

import (
	"bytes"
	"crypto/sha256"
	"io"
	"net"
	"net/http"

	"github.com/gatewayauth/gatewayauth/conformance/bench"
	"github.com/gatewayauth/gatewayauth/conformance/bench/internal/child"
	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

// A strategy is a way in which a server verifies bodies.
type strategy struct {
	name    string
	signer  *apig.Signer
	handler func(http.Handler) http.Handler
}

var strategies = []strategy{
	{"bare", bench.NewSigner(), func(next http.Handler) http.Handler { return next }},
	{"streamed: checked while the handler reads", bench.NewDeclaringSigner(), middleware(func(c *core.Config) {
		c.APIs = []core.API{{Match: "/", Key: c.Default, Stream: true}}
	})},
	{"held, within 128 MiB", bench.NewSigner(), middleware(func(c *core.Config) { c.MaxBuffered = 128 << 20 })},
	{"held, within 1 GiB", bench.NewSigner(), middleware(func(c *core.Config) { c.MaxBuffered = 1 << 30 })},
	{"io.ReadAll and SHA-256", bench.NewSigner(), readAll},
	{"signing again with Huawei's SDK", bench.NewSigner(), huawei},
}

func middleware(change func(*core.Config)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		c := bench.Config()
		change(&c)
		v, err := core.New(c)
		if err != nil {
			panic(err)
		}
		return nethttp.Middleware(v)(next)
	}
}

func readAll(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if sum := sha256.Sum256(body); err != nil || sum == [32]byte{} {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
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

func serve(name string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	for _, s := range strategies {
		if s.name == name {
			go http.Serve(l, s.handler(http.HandlerFunc(discard)))
		}
	}
	child.Serve(map[string]string{"upload": l.Addr().String()})
}

// discard reads the body to its end, as a handler that stores it does.
func discard(w http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		w.WriteHeader(http.StatusBadRequest)
	}
}
