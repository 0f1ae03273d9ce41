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
// The suite starts real servers on the loopback interface and writes the bytes of its
// requests to sockets, so that no client corrects them. For each request it checks the
// response, the code of the verdict, how often the handler ran, and what the handler
// received: identity, body, length. The suite has its own signer, written from the
// description of the protocol, which shares no code with the verifier.
//
// Each case is a subtest. Its name starts with an id such as T014. All cases of one
// requirement have the same id.
//
// # What it does not show
//
// The suite covers SDK-HMAC-SHA256 with a flat key in the Authorization header, and
// Basic. HTTP/2 requests are sent with the client of net/http, because they need
// compressed headers, so not every malformed request can be sent. [net/http.Server]
// answers "OPTIONS *" itself, so that no middleware gets it.
package coretest

import (
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// A Mount puts v in front of next with the adapter under test, and returns the resulting
// handler. For a framework with its own engine, create one with a catch-all route to
// next. Mount is called many times, each time with another verifier.
//
// The handler must call next exactly once with the request that [core.Verifier.Admit]
// returns. It must answer a refusal as [core.WriteProblem] does, and call [core.Release]
// when next has returned.
type Mount func(v *core.Verifier, next http.Handler) http.Handler

// Run runs the whole suite against one adapter. It takes some seconds, opens
// loopback sockets, and runs its cases one after the other.
func Run(t *testing.T, mount Mount) { RunExcept(t, mount, nil) }

// RunExcept is [Run] without some cases, by their names, each with the reason why the
// adapter cannot carry it. It is for adapters whose handler is in another process, such as
// reverse proxies. A name that no case has is an error.
func RunExcept(t *testing.T, mount Mount, except map[string]string) {
	s := newSuite(mount, 20*time.Second)
	left := maps.Clone(except)
	for _, c := range allCases() {
		reason, excepted := except[c.name]
		delete(left, c.name)
		t.Run(c.name, func(t *testing.T) {
			if excepted {
				t.Skip(reason)
			}
			s.run(t, c)
		})
	}
	for name := range left {
		t.Errorf("no case has the name %q", name)
	}
	for _, c := range s.summary() {
		t.Run(c.name, func(t *testing.T) { c.check(t) })
	}
}

// A reporter gets the errors of a case. It is a *testing.T, or a recorder in the tests of
// the suite, which show that the suite can fail.
type reporter interface {
	Helper()
	Errorf(format string, args ...any)
}

// A testCase is a request with its expected verdict, or a script if the case needs more
// than one exchange.
type testCase struct {
	name   string // id, what is sent
	config func(*core.Config)
	send   message
	want   verdict
	script func(*bench) // instead of send and want
}

// A row is a case of most tables: the name after the id, and the request.
type row struct {
	name string
	send message
}

// rows returns cases of requests that all have the same verdict.
func rows(id string, want verdict, list ...row) []testCase {
	cases := make([]testCase, len(list))
	for i, r := range list {
		cases[i] = testCase{name: id + " " + r.name, send: r.send, want: want}
	}
	return cases
}

// under returns the cases with a change of the policy.
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
		authorizationCases, fieldCases, credentialHeaderCases,
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

// run runs one case on a new bench.
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
