package redis_test

import (
	"bufio"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func containsAny(s string, parts ...string) bool {
	for _, p := range parts {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}

// listen calls handle for each connection, in a goroutine of its own, until the
// test ends; then the connections are closed.
func listen(t testing.TB, handle func(net.Conn)) (address string, accepted *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, l, handle)
}

func serve(t testing.TB, l net.Listener, handle func(net.Conn)) (address string, accepted *atomic.Int64) {
	accepted = new(atomic.Int64)
	var mu sync.Mutex
	var conns []net.Conn
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			accepted.Add(1)
			mu.Lock()
			conns = append(conns, c)
			mu.Unlock()
			running.Go(func() {
				defer c.Close()
				handle(c)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for _, c := range conns {
			c.Close()
		}
		mu.Unlock()
		running.Wait()
	})
	return l.Addr().String(), accepted
}

// proxy passes connections on to a socket, and holds replies back for delay.
type proxy struct {
	socket   string
	address  string
	accepted *atomic.Int64
	delay    atomic.Int64
	ended    chan struct{}
}

func newProxy(t testing.TB, socket string) *proxy {
	p := &proxy{socket: socket, ended: make(chan struct{})}
	p.address, p.accepted = listen(t, p.handle)
	t.Cleanup(func() { close(p.ended) })
	return p
}

func (p *proxy) handle(c net.Conn) {
	server, err := net.Dial("unix", p.socket)
	if err != nil {
		return
	}
	type part struct {
		at   time.Time
		data []byte
	}
	parts := make(chan part, 1<<16)
	var running sync.WaitGroup
	running.Go(func() {
		io.Copy(server, c)
		server.Close()
	})
	running.Go(func() {
		defer close(parts)
		buffer := make([]byte, 64<<10)
		for {
			n, err := server.Read(buffer)
			if err != nil {
				return
			}
			parts <- part{time.Now().Add(time.Duration(p.delay.Load())), append([]byte(nil), buffer[:n]...)}
		}
	})
	for part := range parts {
		select {
		case <-time.After(time.Until(part.at)):
			c.Write(part.data)
		case <-p.ended:
		}
	}
	c.Close()
	running.Wait()
}

// fake is a server that follows a script. Commands that it lacks get an error,
// as those of a server without cluster do.
type fake struct {
	mu      sync.Mutex
	replies map[string]string // by command, as they go over the wire; "close" closes
	seen    []string
}

func newFake(replies map[string]string) *fake { return &fake{replies: replies} }

func (f *fake) set(command, reply string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.replies[command] = reply
}

func (f *fake) count(command string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.seen {
		if strings.HasPrefix(c+" ", command+" ") {
			n++
		}
	}
	return n
}

func (f *fake) reply(args []string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	name := strings.ToUpper(args[0])
	f.seen = append(f.seen, name+" "+strings.Join(args[1:], " "))
	if reply, ok := f.replies[name]; ok {
		return reply
	}
	switch name {
	case "HELLO":
		return "%2\r\n+proto\r\n:3\r\n+version\r\n+7.0.0\r\n"
	case "PING":
		return "+PONG\r\n"
	case "CLUSTER":
		return "-ERR This instance has cluster support disabled\r\n"
	}
	return "-ERR unknown command\r\n"
}

func (f *fake) handle(c net.Conn) {
	r := bufio.NewReader(c)
	for {
		args, err := command(r)
		if err != nil {
			return
		}
		reply := f.reply(args)
		if reply == "close" {
			return
		}
		if _, err := io.WriteString(c, reply); err != nil {
			return
		}
	}
}

func command(r *bufio.Reader) ([]string, error) {
	number := func() (int, error) {
		line, err := r.ReadString('\n')
		if err != nil {
			return 0, err
		}
		return strconv.Atoi(strings.TrimSpace(line[1:]))
	}
	n, err := number()
	if err != nil {
		return nil, err
	}
	args := make([]string, n)
	for i := range args {
		length, err := number()
		if err != nil {
			return nil, err
		}
		text := make([]byte, length+2)
		if _, err := io.ReadFull(r, text); err != nil {
			return nil, err
		}
		args[i] = string(text[:length])
	}
	return args, nil
}
