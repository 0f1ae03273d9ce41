package adaptertest

import (
	"bufio"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// start serves h with HTTP/1 and unencrypted HTTP/2 until the test ends. client uses
// HTTP/2.
func start(t *testing.T, h http.Handler) (address string, client *http.Transport) {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetHTTP1(true)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	client = &http.Transport{Protocols: new(http.Protocols)}
	client.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(func() {
		client.CloseIdleConnections()
		server.Close()
	})
	return server.Listener.Addr().String(), client
}

// Exchange sends the bytes of an HTTP/1 message, and calls got with the response and a
// reader of the rest of the connection.
func Exchange(address string, message []byte, got func(*http.Response, *bufio.Reader)) error {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := conn.Write(message); err != nil {
		return err
	}
	in := bufio.NewReader(conn)
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	got(res, in)
	return nil
}
