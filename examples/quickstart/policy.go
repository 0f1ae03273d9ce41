package main

import (
	"hash"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/basic"
	"github.com/gatewayauth/gatewayauth/core/replay"
	"github.com/gatewayauth/gatewayauth/core/signer"
	"github.com/gatewayauth/gatewayauth/core/token"
)

var (
	orders = core.Key{Name: "orders_key", ID: "071fe2459cf64d75", Secret: core.NewSecret("orders-secret-of-today"),
		Previous: []core.PreviousSecret{
			{Secret: core.NewSecret("orders-secret-of-yesterday"), Until: time.Now().Add(time.Hour)},
			{Secret: core.NewSecret("orders-secret-of-last-year"), Until: time.Now().Add(-time.Hour)},
		}}
	payments  = core.Key{Name: "payments_key", ID: "5d0c2f9b7e314a68", Secret: core.NewSecret("payments-secret-of-today")}
	temporary = core.Key{Name: "temporary_key", ID: "TEMPORARY0000001", Secret: core.NewSecret("temporary-secret-of-today"),
		SessionToken: core.NewSecret("session-token-of-today")}
	partner = core.Key{Name: "partner_key", ID: "partner", Secret: core.NewSecret("partner-password")}
)

// maxBody is small, so that a larger body is sent quickly.
const maxBody = 64 << 10

func policy(identity string) (core.Config, error) {
	store, err := replay.New(replay.Config{})
	c := core.Config{
		Environment: "RELEASE",
		Schemes:     schemes(identity),
		APIs: []core.API{
			{Match: "/orders/", Key: orders.Name},
			{Match: "/payments/", Key: payments.Name},
			{Match: "/temporary/", Key: temporary.Name},
			{Match: "/partner/", Key: partner.Name},
			{Match: "/uploads/", Key: orders.Name, AllowUnsignedPayload: true},
			{Match: "/streams/", Key: orders.Name, Stream: true, MaxBody: 2 * maxBody},
			{Match: "/captured/", Key: orders.Name},
			{Match: "/items/", Key: orders.Name},
			{Match: "/token/", Key: callersKey},
			{Match: "/unanswered/", Key: unansweredKey},
			{Match: "GET /healthz", Open: true},
			{Match: "/public/", Open: true},
			{Match: "/grpc.health.v1.Health/", Key: orders.Name},
			{Match: "/grpc.health.v1.Health/Watch", Key: orders.Name, AllowUnsignedPayload: true},
		},
		RequireSigned: []string{"host", "x-tenant"},
		MaxBody:       maxBody,
		MaxBuffered:   maxBody,
		Replay:        core.Replay{Store: store, ExemptMethods: []string{"GET", "HEAD"}},
		Logger:        slog.New(slog.DiscardHandler), // the table shows the verdicts
	}
	for _, s := range signing {
		c.APIs = append(c.APIs, core.API{Match: s.api, Key: s.key})
	}
	return c, err
}

// signed are the headers that the gateway signs besides its own.
var signed = apig.SignOptions{Headers: []string{"x-tenant"}}

// unsigned is a signer that signs nothing, for open APIs.
type unsigned struct{}

func (unsigned) NewHash() hash.Hash                          { return nil }
func (unsigned) Sign(*http.Request, string, time.Time) error { return nil }

// gateway returns a gateway in front of target, which signs with the key that is bound to
// the API. base sends the requests; nil means HTTP/1.1.
func gateway(target string, base http.RoundTripper) http.Handler {
	mux := http.NewServeMux()
	signAt := func(api string, s signer.Signer, now func() time.Time) {
		mux.Handle(api, signer.NewGateway(&url.URL{Scheme: "http", Host: target}, &signer.Transport{Signer: s, Base: base, Now: now}))
	}
	sign := func(api string, s signer.Signer) { signAt(api, s, nil) }
	sign("/orders/", apig.NewSigner(orders, signed))
	sign("/payments/", apig.NewSigner(payments, apig.SignOptions{Payload: core.PayloadDeclared}))
	sign("/uploads/", apig.NewSigner(orders, apig.SignOptions{Payload: core.PayloadUnsigned}))
	sign("/streams/", apig.NewSigner(orders, apig.SignOptions{Payload: core.PayloadDeclared}))
	stopped := time.Now() // so that two equal requests have the same signature
	signAt("/captured/", apig.NewSigner(orders, signed), func() time.Time { return stopped })
	sign("/temporary/", apig.NewSigner(temporary, signed))
	sign("/partner/", basic.NewSigner(partner))
	sign("/token/", token.NewSigner(core.NewSecret("token-of-blue")))
	sign("/unanswered/", token.NewSigner(core.NewSecret("token-of-blue")))
	sign("/healthz", unsigned{})
	sign("/grpc.health.v1.Health/", apig.NewSigner(orders, apig.SignOptions{Payload: core.PayloadDeclared}))
	for _, s := range signing {
		sign(s.api, s.signer)
	}
	return mux
}
