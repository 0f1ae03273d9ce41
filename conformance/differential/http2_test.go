package differential_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// overHTTP2 returns a message as a request of HTTP/2, which means the same to a verifier.
// It returns nil where there is none: for other versions, CONNECT, fields that HTTP/2 does
// not have or that its client or server changes (docs/protocols.md, Header values), and bodies that are
// not whole.
func overHTTP2(raw []byte, address string) *http.Request {
	r, err := read(raw)
	if err != nil || r.ProtoMinor != 1 || r.Method == http.MethodConnect || !strings.HasPrefix(r.RequestURI, "/") {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || r.ContentLength >= 0 && r.ContentLength != int64(len(body)) {
		return nil
	}
	for _, name := range []string{"Connection", "Keep-Alive", "Proxy-Connection", "Upgrade", "Te", "Pragma", "Expect", "Trailer", "Transfer-Encoding", "Cookie"} {
		if _, ok := r.Header[name]; ok {
			return nil
		}
	}
	length := r.Header["Content-Length"]
	if len(length) > 1 || len(length) == 1 && length[0] != strconv.Itoa(len(body)) || len(r.Header) > 200 {
		return nil
	}
	if agent := r.Header["User-Agent"]; len(agent) > 1 || len(agent) == 1 && agent[0] == "" { // the client sends one that is not empty
		return nil
	}
	header := r.Header.Clone()
	header.Del("Content-Length")
	if header["User-Agent"] == nil {
		header["User-Agent"] = nil // so that the client adds none
	}
	// The client takes scheme and authority off, and sends the rest as it stands.
	target := &url.URL{Scheme: "http", Host: address, Opaque: "http://" + r.Host + r.RequestURI}
	sent := &http.Request{Method: r.Method, URL: target, Host: r.Host, Header: header, ContentLength: r.ContentLength}
	if len(body) > 0 || r.ContentLength < 0 {
		sent.Body = io.NopCloser(bytes.NewReader(body))
	}
	return sent
}

// newHTTP2Client returns a client that speaks HTTP/2 without TLS.
func newHTTP2Client() *http.Transport {
	t := &http.Transport{Protocols: new(http.Protocols), DisableCompression: true}
	t.Protocols.SetUnencryptedHTTP2(true)
	return t
}

// sendHTTP2 is send over HTTP/2.
func (b *backends) sendHTTP2(w *world, a adapter, raw []byte) (*outcome, error) {
	s := b.server(w, a)
	r := overHTTP2(raw, s.Listener.Addr().String())
	if r == nil {
		return nil, nil
	}
	x, id := new(exchange), fmt.Sprint(b.number.Add(1))
	b.exchanges.Store(id, x)
	defer b.exchanges.Delete(id)
	r.Header[exchangeHeader] = []string{id}
	response, err := b.client.RoundTrip(r)
	if err != nil { // the client sends no such request
		return nil, nil
	}
	io.Copy(io.Discard, response.Body)
	response.Body.Close()
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.arrivals) == 0 {
		return nil, nil
	}
	o := x.arrivals[0]
	if sent, err := read(raw); err == nil && o.request != nil { // client and server add and leave out lengths
		delete(o.request.Header, "Content-Length")
		if length := sent.Header["Content-Length"]; length != nil {
			o.request.Header["Content-Length"] = length
		}
	}
	if o.runs == 0 && response.StatusCode < 400 || o.runs > 1 {
		return o, fmt.Errorf("the handler ran %d times, and the status is %d", o.runs, response.StatusCode)
	}
	return o, nil
}

// exchangeHeader names the exchange of a request of HTTP/2, whose connections are shared.
// The server removes it before the adapter.
const exchangeHeader = "Exchange"
