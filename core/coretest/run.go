// Package coretest is a conformance suite for adapters: the code that puts a
// [core.Verifier] in front of a framework's handlers. An adapter of this module
// passes it, and so should your own:
//
//	func TestConformance(t *testing.T) {
//		coretest.Run(t, func(v *core.Verifier, next http.Handler) http.Handler {
//			return mymiddleware.New(v)(next)
//		})
//	}
//
// The suite starts real servers on the loopback interface, writes requests byte
// by byte on sockets (no client repairs them on the way), and checks for each
// one the answer, the code of the verdict, how often the handler ran, and what
// the handler saw: identity, body, length. Its signatures come from a signer of
// its own, written from the protocol's description, which shares no code with
// the verifier.
//
// Each case is a subtest. Its name starts with an id such as T014; the same id
// stands in front of every stimulus of one requirement.
//
// # What it does not show
//
// The suite covers SDK-HMAC-SHA256 with a flat key in the Authorization header,
// and Basic. HTTP/2 is spoken by net/http's own client, since nothing less
// compresses headers. "OPTIONS *" is answered by [net/http.Server] itself and
// reaches no middleware.
package coretest

import (
	"net/http"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// A Mount puts v in front of next the way the adapter under test does it, and
// returns the whole as a handler. Frameworks with an engine of their own build
// one with a catch-all route to next. Mount is called many times, each time
// with another verifier.
//
// What Mount returns must pass on what [core.Verifier.Admit] returns, exactly
// once, answer what it refuses as [core.WriteProblem] does, and call
// [core.Release] when next has returned.
type Mount func(v *core.Verifier, next http.Handler) http.Handler

// Run runs the whole suite against one adapter. It takes some seconds, opens
// loopback sockets, and runs its cases one after the other.
func Run(t *testing.T, mount Mount) {
	s := newSuite(mount, 20*time.Second)
	for _, c := range allCases() {
		t.Run(c.name, func(t *testing.T) { s.run(t, c) })
	}
	for _, c := range s.summary() {
		t.Run(c.name, func(t *testing.T) { c.check(t) })
	}
}

// reporter takes what a case finds wrong: a *testing.T, or in the suite's own
// tests a recorder, which shows that the suite can fail.
type reporter interface {
	Helper()
	Errorf(format string, args ...any)
}

// testCase is one row: a request with the verdict it must get, or a script for
// what takes more than one exchange.
type testCase struct {
	name   string // id, what is sent
	config func(*core.Config)
	send   message
	want   verdict
	script func(*bench) // instead of send and want
}

// row is the shape of most tables: the name behind the id, and the request.
type row struct {
	name string
	send message
}

// rows makes cases of requests that all get the same verdict.
func rows(id string, want verdict, list ...row) []testCase {
	cases := make([]testCase, len(list))
	for i, r := range list {
		cases[i] = testCase{name: id + " " + r.name, send: r.send, want: want}
	}
	return cases
}

// under gives all cases one change of the policy.
func under(config func(*core.Config), cases []testCase) []testCase {
	for i := range cases {
		cases[i].config = config
	}
	return cases
}

// allCases lists the suite in the order in which it runs. A table for another
// scheme is one more line here.
func allCases() []testCase {
	var all []testCase
	for _, table := range []func() []testCase{
		controlCases, controlScripts,
		authorizationCases, fieldCases,
		signedHeaderCases, headerCases,
		methodCases, hostCases, pathCases, pathByteCases, targetCases,
		queryCases,
		bodyCases, digestCases, unsignedPayloadCases, framingCases, bodyScripts, drainedCases,
		timeCases,
		keyCases, schemeCases, basicCases, serviceCases,
		coverageCases, foreignCases, withBodyCases, reportCases,
		mountCases, contextCases, streamCases, skipCases, http2Cases,
		logCases, answerCases, orderCases,
		limitCases, mutationCases, misuseCases, memoryReplayCases,
	} {
		all = append(all, table()...)
	}
	return all
}

// run carries one case out on a bench of its own.
func (s *suite) run(t reporter, c testCase) {
	t.Helper()
	b := newBench(t, s, c.config)
	if b == nil {
		return
	}
	defer b.close()
	if c.script != nil {
		c.script(b)
		return
	}
	b.expect(c.send, c.want)
}
