package coretest

import (
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"

	"github.com/gatewayauth/gatewayauth/core"
)

// countedBody is a body that counts calls of Close.
type countedBody struct {
	io.ReadCloser
	closed *atomic.Int32
}

// Close implements [io.Closer].
func (c countedBody) Close() error {
	c.closed.Add(1)
	return c.ReadCloser.Close()
}

// closesOnce checks that the original body is closed once.
func closesOnce(b *bench) {
	var closed atomic.Int32
	inner := b.handler
	b.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = countedBody{r.Body, &closed}
		inner.ServeHTTP(w, r)
	})
	b.app.then = func(_ http.ResponseWriter, r *http.Request) {
		copied, err := r.GetBody()
		if err != nil {
			b.Errorf("GetBody: %v", err)
			return
		}
		io.Copy(io.Discard, r.Body)
		r.Body.Close()
		r.Body.Close()
		copied.Close()
		if r.Body, err = r.GetBody(); err != nil {
			b.Errorf("GetBody: %v", err)
		}
	}
	b.expect(p2(), accepted)
	if n := closed.Load(); n != 1 {
		b.Errorf("the original body was closed %d times, want once", n)
	}
}

// readsLate reads the body after the handler has returned. The read must fail, and must not
// return bytes of another request.
func readsLate(b *bench) {
	var kept io.Reader
	b.handler = b.suite.mount(b.verifier, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { kept = r.Body }))
	b.exchange(p2())
	b.settle()
	if kept == nil {
		b.Errorf("the handler did not run")
		return
	}
	if text, err := io.ReadAll(kept); err == nil || len(text) > 0 {
		b.Errorf("a body read after release returned %q, error %v; want only an error", text, err)
	}
}

// bomb sends a small compressed body of ten million bytes.
func bomb(b *bench) {
	const inflated = 10 << 20
	m := k1.sign(p2().carrying(gzipped(make([]byte, inflated))).with("Content-Encoding: gzip"), plain)
	before := totalAllocated()
	b.expect(m, accepted)
	if allocated := totalAllocated() - before; allocated > inflated/4 {
		b.Errorf("allocated %d bytes for a body of %d", allocated, len(m.body))
	}
}

// Report mode passes every request unchanged to the handler, and logs what enforce mode
// would refuse.
func reportCases() []testCase {
	would := func(code core.Code) verdict { return verdict{code: code, reported: true} }
	large := p2().carrying(strings.Repeat("x", maxBody+1))
	cases := []testCase{
		{name: "T168 report-only, P1", send: p1(), want: accepted},
		{name: "T168 report-only, wrong signature", send: forged(), want: would(core.CodeSignatureMismatch)},
		{name: "T168 report-only, another body", send: tampered(`{"amount":900}`), want: would(core.CodeSignatureMismatch)},
		{name: "T168 report-only, no credential", send: p2().without("Authorization"), want: would(core.CodeCredentialMissing)},
		{name: "T168 report-only, a body over the limit", send: large, want: would(core.CodeBodyTooLarge)},
		{name: "T168 report-only, a body over the limit in chunks", send: large.chunked(1 << 20), want: would(core.CodeBodyTooLarge)},
		{name: "T168 report-only is logged at start and at each refusal", script: func(b *bench) {
			if log := b.records.text.String(); !strings.Contains(log, "level=WARN") || !strings.Contains(log, "mode=report") {
				b.Errorf("no warning at start names the mode: %s", log)
			}
			b.expect(forged(), would(core.CodeSignatureMismatch))
			if log := b.records.text.String(); !strings.Contains(log, "would be refused") {
				b.Errorf("the refusal is not logged as one that would be: %s", log)
			}
		}},
	}
	return append(under(reportOnly, cases),
		append(rows("T169", mismatch, row{"headers that ask for report mode", forged().with("X-Mode: report", "X-Gatewayauth-Mode: off", "X-Report-Only: 1")},
			row{"a query that asks for report mode", forged().to("/v1/items?mode=report&report_only=1")}),
			testCase{name: "T169 Reload to report mode warns, and takes effect", script: func(b *bench) {
				b.expect(forged(), mismatch)
				c := fixture(b.records.logger(), &b.events)
				c.Mode = core.Report
				if err := b.verifier.Reload(c); err != nil {
					b.Errorf("Reload: %v", err)
				}
				if b.verifier.Mode() != core.Report || !strings.Contains(b.records.text.String(), "level=WARN msg=\"gatewayauth") {
					b.Errorf("mode %v, log %s; want report and a warning", b.verifier.Mode(), b.records.text.String())
				}
				b.expect(forged(), would(core.CodeSignatureMismatch))
			}})...)
}

// totalAllocated returns the number of bytes that were allocated since the program started.
func totalAllocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}
