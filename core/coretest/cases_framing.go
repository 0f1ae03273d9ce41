package coretest

import (
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
)

// The end of a body, and trailers.
func framingCases() []testCase {
	both := p2().chunked(5).with("Content-Length: 14")
	late := func(m message, lines ...string) message { return m.chunked(5, lines...) }
	var trailers []row
	for _, line := range []string{"X-Sdk-Date: 20200101T000000Z", "Authorization: Basic Og==", "X-Role: admin"} {
		name, _, _ := strings.Cut(line, ":")
		trailers = append(trailers,
			row{"P2 with a trailer " + name, late(p2(), line)},
			row{"P2 with a declared trailer " + name, late(p2(), line).with("Trailer: " + name)})
	}
	role := late(p2(), "X-Role: user")
	return slices.Concat(
		// net/http reads the chunks and deletes the Content-Length (RFC 9112, section
		// 6.3), so the request has none.
		rows("T063", accepted, row{"chunks and a length", both}),
		rows("T063", notSigned, row{"chunks and a length that is signed", k1.sign(both, "content-length;host;x-sdk-date")}),
		rows("T063", refused(core.CodeBodyMismatch).orServer(400), row{"chunks that are another body under their length", p2().carrying("0\r\n\r\n" + p2().body).with("Transfer-Encoding: chunked")}),
		rows("T063", byServer(400, 501),
			row{"an unknown transfer encoding", p2().with("Transfer-Encoding: xchunked")},
			row{"two transfer encodings", p2().chunked(5).with("Transfer-Encoding: identity")},
			row{"two lengths", p2().with("Content-Length: 15")},
			row{"a negative length", p2().set("Content-Length", "-1")},
			row{"a length with a sign", p2().set("Content-Length", "+14")}),
		rows("T063", accepted,
			row{"the same length twice", p2().with("Content-Length: 14")},
			row{"the length signed", k1.sign(p2(), "content-length;host;x-sdk-date")}),
		rows("T063", refused(core.CodeBodyMismatch),
			row{"a chunk without a size", with(p2().chunked(5), "zz\r\nabc\r\n0\r\n\r\n")}),
		rows("T064", accepted, trailers...),
		rows("T064", malformed, row{"the date as a trailer only", late(p2(), "X-Sdk-Date: "+today).without("X-Sdk-Date")}),
		rows("T064", missing, row{"the credential as a trailer only", late(p2(), "Authorization: "+p2().value("Authorization")).without("Authorization")}),
		rows("T064", notSigned, row{"a signed header as a trailer only", k1.sign(role, "host;x-role;x-sdk-date").without("X-Role")}),
	)
}

// with replaces the bytes after the headers.
func with(m message, framed string) message {
	m.framed = framed
	return m
}

// Handlers that read, close or replace the body, and connections that break.
func bodyScripts() []testCase {
	multipart := strings.ReplaceAll("--b\n"+`Content-Disposition: form-data; name="a"`+"\n\nfrom the body\n--b--\n", "\n", "\r\n")
	form := func(kind, body string) message {
		return k1.sign(p2().to("/v1/items").carrying(body).with("Content-Type: "+kind), plain)
	}
	reads := func(name string, m message, handle func(r *http.Request) bool) testCase {
		return testCase{name: "T062 " + name, script: func(b *bench) {
			worked := false
			b.app.then = func(_ http.ResponseWriter, r *http.Request) {
				worked = handle(r)
				r.Body, r.GetBody = io.NopCloser(strings.NewReader(m.body)), nil // the application reads the body again
			}
			b.expect(m, accepted)
			if !worked {
				b.Errorf("the handler could not read or parse the body")
			}
		}}
	}
	return []testCase{
		{name: "T058 a length of 100, ten bytes, and the end", script: breaksOff},
		reads("read, closed twice, and read again by GetBody", p2(), func(r *http.Request) bool {
			first, err1 := io.ReadAll(r.Body)
			err2, err3 := r.Body.Close(), r.Body.Close()
			again, err4 := r.GetBody()
			if err1 != nil || err2 != nil || err3 != nil || err4 != nil {
				return false
			}
			second, err5 := io.ReadAll(again)
			return err5 == nil && again.Close() == nil && string(first) == p2().body && string(second) == p2().body
		}),
		reads("ParseForm", form("application/x-www-form-urlencoded", "a=from+the+body"), func(r *http.Request) bool {
			return r.ParseForm() == nil && r.PostForm.Get("a") == "from the body"
		}),
		reads("ParseMultipartForm", form("multipart/form-data; boundary=b", multipart), func(r *http.Request) bool {
			return r.ParseMultipartForm(1<<20) == nil && r.FormValue("a") == "from the body"
		}),
		reads("a body that the handler replaces", p2(), func(r *http.Request) bool {
			r.Body = http.NoBody
			return true
		}),
		reads("a body that the handler wraps", p2(), func(r *http.Request) bool {
			r.Body = http.MaxBytesReader(nil, r.Body, 5)
			_, err := io.ReadAll(r.Body)
			return err != nil
		}),
		{name: "T062 a body that the handler does not read", script: func(b *bench) {
			b.handler = b.suite.mount(b.verifier, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			if a := b.exchange(p2()); a.status != 200 {
				b.Errorf("got status %d, want 200", a.status)
			}
		}},
		{name: "T062 no body is http.NoBody", script: func(b *bench) {
			b.app.then = func(_ http.ResponseWriter, r *http.Request) {
				if r.Body != http.NoBody {
					b.Errorf("got a body of type %T for a request without one, want http.NoBody", r.Body)
				}
			}
			b.expect(p1(), accepted)
		}},
		{name: "T062 the original body is closed once", script: closesOnce},
		{name: "T062 a body read after the handler has returned", script: readsLate},
		{name: "T057 a body that no signature covers ends at the limit", config: func(c *core.Config) { c.MaxBody = 1000 }, script: func(b *bench) {
			m := onBasic(basicAuth(k2.id + ":" + k2.secret)).as("POST").carrying(strings.Repeat("x", 1001)).chunked(100)
			b.exchange(m)
			b.settle()
			for _, s := range b.app.seen.take() {
				if _, tooLarge := errors.AsType[*http.MaxBytesError](s.bodyErr); !tooLarge || s.bodySize != 1000 {
					b.Errorf("the handler read %d bytes, error %v; want 1000 and a MaxBytesError", s.bodySize, s.bodyErr)
				}
			}
			b.expect(m.carrying("x").without("Transfer-Encoding").set("Content-Length", "1001"), refused(core.CodeBodyTooLarge).bodyUnread())
		}},
		{name: "T070 a compressed body is not inflated", script: bomb},
	}
}

func breaksOff(b *bench) {
	m := p2().set("Content-Length", "100")
	m.body = "0123456789"
	c, err := b.dial()
	if err != nil {
		b.Errorf("dial: %v", err)
		return
	}
	defer c.conn.Close()
	if _, err := c.conn.Write(m.bytes()); err != nil {
		b.Errorf("write: %v", err)
	}
	c.conn.(*net.TCPConn).CloseWrite()
	a, err := c.read(m.method)
	if err != nil {
		b.Errorf("%v", err)
	}
	b.settle()
	b.check(m, refused(core.CodeBodyMismatch), a)
}
