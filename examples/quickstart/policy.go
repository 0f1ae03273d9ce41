package main

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/basic"
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

// maxBody is small, so that a body over it is quickly sent.
const maxBody = 64 << 10

func policy() core.Config {
	return core.Config{
		Environment: "RELEASE",
		Schemes: []core.Scheme{
			apig.New(apig.Config{Keys: core.Keys(orders, payments, temporary)}),
			basic.New(basic.Config{Keys: core.Keys(partner)}),
		},
		APIs: []core.API{
			{Match: "/orders/", Key: orders.Name},
			{Match: "/payments/", Key: payments.Name},
			{Match: "/temporary/", Key: temporary.Name},
			{Match: "/partner/", Key: partner.Name},
			{Match: "/uploads/", Key: orders.Name, AllowUnsignedPayload: true},
			{Match: "GET /healthz", Open: true},
			{Match: "/public/", Open: true},
			{Match: "/grpc.health.v1.Health/", Key: orders.Name},
			{Match: "/grpc.health.v1.Health/Watch", Key: orders.Name, AllowUnsignedPayload: true},
		},
		RequireSigned: []string{"host", "x-tenant"},
		MaxBody:       maxBody,
		MaxBuffered:   maxBody,
		Logger:        slog.New(slog.DiscardHandler), // the table says it all
	}
}

// signed are the headers that the gateway signs besides its own.
var signed = apig.SignOptions{Headers: []string{"x-tenant"}}

// gatewaySigner signs each API with the key that is bound to it.
type gatewaySigner struct{}

func (gatewaySigner) NewHash() hash.Hash { return sha256.New() }

func (gatewaySigner) Sign(r *http.Request, digest string, at time.Time) error {
	for _, api := range []struct {
		prefix string
		signer interface {
			Sign(*http.Request, string, time.Time) error
		}
	}{
		{"/orders/", apig.NewSigner(orders, signed)},
		{"/payments/", apig.NewSigner(payments, apig.SignOptions{Payload: core.PayloadDeclared})},
		{"/uploads/", apig.NewSigner(orders, apig.SignOptions{Payload: core.PayloadUnsigned})},
		{"/temporary/", apig.NewSigner(temporary, signed)},
		{"/partner/", basic.NewSigner(partner)},
		{"/grpc.health.v1.Health/", apig.NewSigner(orders, apig.SignOptions{Payload: core.PayloadDeclared})},
	} {
		if strings.HasPrefix(r.URL.Path, api.prefix) {
			return api.signer.Sign(r, digest, at)
		}
	}
	if r.URL.Path == "/healthz" {
		return nil
	}
	return fmt.Errorf("no API at %s", r.URL.Path)
}
