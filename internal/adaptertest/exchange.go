package adaptertest

import (
	"bufio"
	"net"
	"net/http"
	"time"
)

// Exchange writes a message of HTTP/1 as it is, and hands over the head of the
// answer, with a reader of what is left of the connection.
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
