package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// patience is how long a client waits for an answer. No verdict depends on it.
const patience = time.Minute

// An adapter is a server, and the clients' way to it.
type adapter struct {
	*environment
	name, address string
	conn          *grpc.ClientConn // nil for HTTP
	idle          chan *connection
	stop          func()
}

// connection is one of HTTP/1.1 that is kept.
type connection struct {
	*net.TCPConn
	reader *bufio.Reader
}

// answer is what a client got: a status of HTTP, 0 without any, and the first line.
type answer struct {
	status   int
	text     string
	err      error
	from, to time.Time
}

func (a *adapter) dialGRPC() (*grpc.ClientConn, error) {
	return grpc.NewClient("passthrough:///"+a.address, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithAuthority(host))
}

// send sends m as its plan says. The caller calls forget when it has looked at the runs.
func (m *message) send() (got answer) {
	runs.Store(m.id, m.runs)
	got.from = time.Now()
	if m.sent.IsZero() {
		m.sent = got.from
	}
	if m.adapter.conn != nil {
		got.status, got.text, got.err = m.call()
	} else {
		got.status, got.text, got.err = m.exchange(m.head())
	}
	got.to = time.Now()
	return got
}

// forget ends the counting of m's runs.
func (m *message) forget() { runs.Delete(m.id) }

func (a *adapter) connection() (*connection, error) {
	select {
	case c := <-a.idle:
		return c, nil
	default:
	}
	c, err := net.Dial("tcp", a.address)
	if err != nil {
		return nil, err
	}
	return &connection{c.(*net.TCPConn), bufio.NewReader(c)}, nil
}

// closeIdle closes the connections that wait for the next request.
func (a *adapter) closeIdle() {
	for {
		select {
		case c := <-a.idle:
			c.Close()
		default:
			return
		}
	}
}

// exchange sends m over HTTP/1.1. The answer may come before the body was sent, so the two
// directions run side by side.
func (m *message) exchange(head []byte) (code int, text string, err error) {
	c, err := m.adapter.connection()
	if err != nil {
		return 0, "", err
	}
	keep := false
	written := make(chan bool, 1)
	c.SetDeadline(time.Now().Add(patience))
	go func() { written <- m.write(c, head) }()
	defer func() {
		if !keep {
			if m.plan.then == "reset" {
				c.SetLinger(0)
			}
			c.Close()
			<-written
			return
		}
		c.SetDeadline(time.Time{})
		select {
		case m.adapter.idle <- c:
		default:
			c.Close()
		}
	}()
	if !m.plan.answer && (m.plan.then == "close" || m.plan.then == "reset") {
		written <- <-written
		return 0, "", nil
	}
	response, err := http.ReadResponse(c.reader, m.request)
	if err != nil {
		return 0, "", err
	}
	body := bufio.NewReader(response.Body)
	text, _ = body.ReadString('\n')
	if m.plan.then == "close" || m.plan.then == "reset" {
		return response.StatusCode, text, nil
	}
	if _, err := io.Copy(io.Discard, body); err != nil {
		return response.StatusCode, text, err
	}
	select {
	case whole := <-written:
		keep = whole && !response.Close && m.plan.then == ""
		written <- whole
	default: // the server did not wait for the whole body
	}
	return response.StatusCode, text, nil
}

// write sends head and body, and reports whether that was all.
func (m *message) write(c *connection, head []byte) bool {
	body, pieces := m.body, max(1, m.plan.pieces)
	if m.plan.then != "" && !m.plan.answer {
		body = body[:m.plan.only]
	}
	var err error
	for i := range pieces {
		piece := body[i*len(body)/pieces : (i+1)*len(body)/pieces]
		if m.announce < 0 && len(piece) > 0 {
			piece = fmt.Appendf(nil, "%x\r\n%s\r\n", len(piece), piece)
		}
		if i == 0 {
			piece = bytes.Join([][]byte{head, piece}, nil)
		}
		if _, err = c.Write(piece); err != nil {
			return false
		}
		if m.plan.pause > 0 {
			time.Sleep(m.plan.pause)
		}
	}
	if m.announce < 0 && (m.plan.then == "" || m.plan.answer) {
		_, err = io.WriteString(c, "0\r\n\r\n")
	}
	if m.plan.then == "half" {
		c.CloseWrite()
	}
	return err == nil
}

// call sends m as a call of gRPC.
func (m *message) call() (code int, text string, err error) {
	ctx, end := context.WithTimeout(context.Background(), patience)
	defer end()
	cancel := func() { end() }
	md := metadata.MD{}
	for name, values := range m.request.Header {
		md[strings.ToLower(name)] = values
	}
	ctx = metadata.NewOutgoingContext(ctx, md)
	cancelled := m.plan.then == "close" || m.plan.then == "reset"
	conn := m.adapter.conn
	if m.plan.then == "reset" && !m.plan.answer { // close a connection, not only the call
		if conn, err = m.adapter.dialGRPC(); err != nil {
			return 0, "", err
		}
		defer conn.Close()
		cancel = func() { conn.Close() }
	}
	if m.isStream() {
		return m.stream(ctx, conn, cancel)
	}
	if cancelled {
		time.AfterFunc(m.plan.pause, cancel)
	}
	out := new(wrapperspb.BytesValue)
	err = conn.Invoke(ctx, m.request.URL.Path, &wrapperspb.BytesValue{Value: m.body}, out)
	if cancelled {
		return 0, "", nil
	}
	return httpStatus(err), string(out.Value), err
}

func (m *message) stream(ctx context.Context, conn *grpc.ClientConn, cancel func()) (code int, text string, err error) {
	s, err := conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, m.request.URL.Path)
	if err != nil {
		return httpStatus(err), "", err
	}
	for i, part := range m.parts(true) {
		if i > 0 && m.plan.then != "" && !m.plan.answer {
			time.Sleep(m.plan.pause)
			cancel()
			return 0, "", nil
		}
		if s.SendMsg(&wrapperspb.BytesValue{Value: part}) != nil {
			break // RecvMsg says why
		}
		time.Sleep(m.plan.pause)
	}
	s.CloseSend()
	out := new(wrapperspb.BytesValue)
	err = s.RecvMsg(out)
	text = string(out.Value)
	if m.plan.answer || err != nil {
		return httpStatus(err), text, err
	}
	if err = s.RecvMsg(out); err == io.EOF {
		err = nil
	}
	return httpStatus(err), text, err
}

// httpStatus returns the status of HTTP for that of a call, so that verdicts are
// compared alike; 0 for one that no verdict has.
func httpStatus(err error) int {
	return map[codes.Code]int{codes.OK: 200, codes.Unauthenticated: 401, codes.PermissionDenied: 403,
		codes.InvalidArgument: 400, codes.ResourceExhausted: 413, codes.Unavailable: 503}[status.Code(err)]
}
