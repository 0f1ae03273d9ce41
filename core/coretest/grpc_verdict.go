package coretest

import (
	"strconv"
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
)

// checkCall compares the result of a call with the expected verdict.
func (b *grpcBench) checkCall(c grpcCase, a answer) {
	b.Helper()
	seen, events := b.seen.take(), b.events.take()
	runs, status := 1, "0"
	if c.want.code != "" && !c.want.reported {
		refusal := core.Refuse(c.want.code, "")
		status = strconv.Itoa(int(core.GRPCStatusCode(refusal)))
		b.suite.keepAnswer(a)
		if got, want := a.header.Get("Grpc-Message"), core.ProblemOf(refusal).Detail; got != want {
			b.Errorf("got message %q, want %q", got, want)
		}
		if !strings.Contains(a.body, "google.rpc.ErrorInfo") || !strings.Contains(a.body, "gatewayauth") || strings.Contains(a.body, string(c.want.code)) {
			b.Errorf("got details %q, want an ErrorInfo of gatewayauth without the code", a.body)
		}
		if !c.late {
			runs = 0
		}
	}
	if c.status != "" {
		if a.header.Get("Grpc-Status") != c.status || len(seen)+len(events) > 0 {
			b.Errorf("got status %s, %d runs of the handler, %d verdicts; want gRPC to answer %s", a.header.Get("Grpc-Status"), len(seen), len(events), c.status)
		}
		return
	}
	if got := a.header.Get("Grpc-Status"); got != status || len(seen) != runs {
		b.Errorf("got status %s (%s), handler ran %d times; want %s and %d", got, a.header.Get("Grpc-Message"), len(seen), status, runs)
	}
	if c.late {
		b.checkLate(c.want, events, seen)
		return
	}
	if len(events) != 1 {
		b.Errorf("got %d verdicts, want 1: the adapter must ask the verifier once", len(events))
	}
	for _, e := range events {
		b.checkEvent(e, c.want)
	}
	for _, s := range seen {
		b.checkRun(s, c)
	}
}

// checkLate checks a call whose credential was accepted and whose body was then refused.
func (b *grpcBench) checkLate(want verdict, events []event, seen []grpcSight) {
	b.Helper()
	if len(events) == 0 || events[0].Code != "" {
		b.Errorf("got verdicts %v, want one that accepts the credential", events)
		return
	}
	for _, e := range events[1:] {
		b.checkEvent(e, want)
	}
	for _, s := range seen {
		if s.identity == nil {
			b.Errorf("the handler's context has no identity")
		}
	}
}

func (b *grpcBench) checkRun(s grpcSight, c grpcCase) {
	b.Helper()
	if got := frames(s.messages...); s.err != nil || got != c.send.body {
		b.Errorf("the handler received %q (error %v), want what was sent", s.messages, s.err)
	}
	switch unverified := c.want.open || c.want.reported; {
	case unverified && s.identity != nil:
		b.Errorf("got identity %v for a call that was not verified", s.identity)
	case !unverified && s.identity == nil:
		b.Errorf("core.FromContext finds no identity")
	case !unverified:
		b.checkCaller(s.identity, c)
	}
}

// checkCaller checks an identity. The declared digest of a stream is not verified yet
// when the handler gets the identity.
func (b *grpcBench) checkCaller(id *core.Identity, c grpcCase) {
	b.Helper()
	unary := strings.HasSuffix(c.send.target, "/Unary")
	_, signed, _ := strings.Cut(c.send.value("Authorization"), "SignedHeaders=")
	signed, _, _ = strings.Cut(signed, ",")
	covers := id.Covers()
	body := unary && c.want.payload != core.PayloadUnsigned
	if !id.Verified() || id.Environment() != environment || id.Key() != k1.name || id.Payload() != c.want.payload ||
		!covers.Target || !covers.Host || covers.Body != body || strings.Join(covers.Headers, ";") != signed {
		b.Errorf("got key %s, payload %v, coverage %+v; want %s, %v, body %v, headers %s", id.Key(), id.Payload(), covers, k1.name, c.want.payload, body, signed)
	}
}
