package coretest

import (
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/gatewayauth/gatewayauth/core"
)

// The adapter among other handlers.
func mountCases() []testCase {
	// routed puts a router with one route behind the adapter.
	routed := func(b *bench) {
		mux := http.NewServeMux()
		mux.Handle("GET /v1/items", b.app)
		b.handler = b.suite.mount(b.verifier, mux)
	}
	var cases []testCase
	for _, c := range rows("T119", missing,
		row{"unsigned, unknown route", unsigned("/nothing")},
		row{"unsigned, wrong method", unsigned("/v1/items").as("DELETE")},
		row{"unsigned, a path that a router would clean", unsigned("//v1/items")},
		row{"unsigned, OPTIONS", unsigned("/v1/items").as("OPTIONS")}) {
		cases = append(cases, testCase{name: c.name, script: func(b *bench) {
			routed(b)
			b.expect(c.send, c.want)
		}})
	}
	return slices.Concat(cases,
		rows("T122", missing, row{"a preflight without credentials", unsigned("/v1/items").as("OPTIONS").
			with("Origin: https://app.example", "Access-Control-Request-Method: DELETE")}),
		[]testCase{
			{name: "T119 signed, unknown route is the router's 404", script: func(b *bench) {
				routed(b)
				if a := b.exchange(signedFor("/nothing")); a.status != 404 {
					b.Errorf("got status %d, want the router's 404", a.status)
				}
			}},
			{name: "T114 nothing behind the adapter runs after a refusal", script: nothingBehind},
			{name: "T117 StripPrefix in front of the adapter", script: func(b *bench) {
				b.handler = http.StripPrefix("/v1", b.suite.mount(b.verifier, b.app))
				b.strips()
			}},
			{name: "T117 StripPrefix behind the adapter", script: func(b *bench) {
				b.handler = b.suite.mount(b.verifier, http.StripPrefix("/v1", b.app))
				b.strips()
			}},
		})
}

// unsigned returns a GET without a credential.
func unsigned(target string) message { return p1().without("Authorization").to(target) }

// strips checks that the received target is verified, and that the handler gets the
// stripped one.
func (b *bench) strips() {
	b.Helper()
	b.app.then = func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/items" {
			b.Errorf("the handler got the path %q, want /items", r.URL.Path)
		}
	}
	b.expect(p1(), accepted)
	b.expect(signedFor("/items").to("/v1/items"), mismatch)
	b.expect(signedFor("/v1/items").to("/v1/items2"), mismatch)
}

// nothingBehind puts two more middlewares behind the adapter.
func nothingBehind(b *bench) {
	var ran atomic.Int32
	counting := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ran.Add(1)
			next.ServeHTTP(w, r)
			ran.Add(1)
		})
	}
	b.handler = b.suite.mount(b.verifier, counting(counting(b.app)))
	for _, c := range []struct {
		send message
		want verdict
	}{{forged(), mismatch}, {unsigned("/v1/items"), missing}, {tampered("other"), mismatch}, {p1().with("Authorization: x"), ambiguous}} {
		b.expect(c.send, c.want)
	}
	if n := ran.Load(); n != 0 {
		b.Errorf("later middleware ran %d times after refusals", n)
	}
	b.expect(p1(), accepted)
	if n := ran.Load(); n != 4 {
		b.Errorf("two middlewares ran %d times, want 4", n)
	}
}

// Open APIs: only requests of the exact route are accepted without a credential.
func skipCases() []testCase {
	forgedBasic := unsigned("/health").set("Authorization", basicAuth("basicuser:wrong-password"))
	return slices.Concat(
		rows("T120", letIn, row{"the open route", unsigned("/health")}, row{"the open route with a query", unsigned("/health?x=1")}),
		rows("T120", ambiguous, row{"HEAD, which only some routers count as GET", unsigned("/health").as("HEAD")}),
		rows("T120", missing,
			row{"a final slash", unsigned("/health/")}, row{"a longer name", unsigned("/healthz")}, row{"two slashes", unsigned("//health")},
			row{"the route in the query", unsigned("/admin?x=/health")},
			row{"upper case", unsigned("/HEALTH")}, row{"another method", unsigned("/health").as("POST")},
			row{"a part of it", unsigned("/v1/../health")}, row{"the route as a parameter of the path", unsigned("/admin;/health")}),
		rows("T120", refusedSomehow(), row{"an encoded dot segment", unsigned("/health%2f..%2fadmin")}, row{"a dot segment", unsigned("/health/../admin")},
			row{"another spelling", unsigned("/h%65alth")}),
		rows("T120", ambiguous, row{"a semicolon in the query", unsigned("/health?a;b")}),
		rows("T121", letIn,
			row{"a forged signature on the open route", forged().to("/health")},
			row{"a right signature on the open route", signedFor("/health")},
			row{"a wrong password on the open route", forgedBasic}),
		healthChecks(),
		rows("T121", notSigned, row{"a method override on the open route", unsigned("/health").with("X-HTTP-Method-Override: DELETE")}),
	)
}

// refusedSomehow is request_ambiguous or credential_missing: which one depends on how
// routers interpret the path.
func refusedSomehow() verdict {
	return verdict{code: core.CodeRequestAmbiguous, or: core.CodeCredentialMissing}
}

// lookAway returns a function that fails the case if the handler gets a header, in any
// spelling.
func lookAway(b *bench, name string) func(http.ResponseWriter, *http.Request) {
	flat := func(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "-")) }
	return func(_ http.ResponseWriter, r *http.Request) {
		for seen, values := range r.Header {
			if flat(seen) == flat(name) {
				b.Errorf("the handler got %s: %q, which is not signed", seen, values)
			}
		}
	}
}

// Health checks of load balancers: HTTP/1.0, often without a Host. Nothing of them is
// verified, so they are refused only if the path is ambiguous.
func healthChecks() []testCase {
	check := func(method, target string) message {
		return message{method: method, target: target, proto: "HTTP/1.0"}
	}
	return slices.Concat(
		rows("T178", letIn,
			row{"a health check of HTTP/1.0 without Host", check("GET", "/health")},
			row{"OPTIONS", check("OPTIONS", "/")},
			row{"an invalid Host", check("GET", "/health").with("Host: a,b")},
			row{"two credentials", check("GET", "/health").with("Authorization: x", "Authorization: y")},
			row{"protocol headers, twice", check("GET", "/health").with("X-Sdk-Date: 1", "X-Sdk-Date: 2", "X_Sdk_Date: 3")}),
		rows("T178", ambiguous,
			row{"another API without Host", check("GET", "/v1/items")},
			row{"another path without Host", check("GET", "/")},
			row{"the open route, percent-encoded", check("GET", "/h%65alth")},
			row{"absolute form", check("GET", "http://"+host+"/health")}),
		rows("T178", notSigned, row{"a method override", check("GET", "/health").with("X-HTTP-Method-Override: DELETE")}))
}
