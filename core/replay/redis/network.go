package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
)

const (
	// dialEvery is the time between two attempts to connect to one address. One more is
	// permitted at any time: rueidis drops the first connection to a server of a cluster if
	// the URL names several, and connects again.
	dialEvery = time.Second
	// dialTimeout bounds connecting, and once more the greeting after it.
	dialTimeout = time.Second
	// silence is how long a connection may be idle before it is pinged, and how long
	// after that it is closed if there is no reply.
	silence = time.Second

	bufferSize = 64 << 10
)

// network holds the client and its connections.
type network struct {
	ctx    context.Context // ends with Close
	kind   string          // tcp or unix
	option rueidis.ClientOption
	log    *slog.Logger

	connecting sync.Mutex
	connected  atomic.Pointer[rueidis.Client]
	probes     sync.WaitGroup
	cause      atomic.Pointer[error] // why connecting failed the last time

	mu   sync.Mutex
	next map[string]time.Time // when an address may be dialled again, but for the extra attempt
}

func newNetwork(ctx context.Context, option rueidis.ClientOption, log *slog.Logger) *network {
	n := &network{ctx: ctx, log: log, next: map[string]time.Time{}, kind: "tcp"}
	if option.DialCtxFn != nil {
		n.kind = "unix" // rueidis.ParseURL sets the function for no other
	}
	option.Dialer.Timeout = dialTimeout
	option.Dialer.KeepAlive = silence
	option.ConnWriteTimeout = silence
	option.Sentinel.Dialer = option.Dialer
	option.Sentinel.TopologyRefreshInterval = 5 * time.Second // rueidis can miss a fail-over otherwise
	option.ClusterOption.MaxMovedRedirections = 3
	option.ReadBufferEachConn, option.WriteBufferEachConn = bufferSize, bufferSize
	option.PipelineMultiplex = -1 // one connection for each server
	option.AlwaysPipelining = true
	option.ClientSetInfo = rueidis.DisableClientSetInfo
	option.DisableCache = true
	// A SET NX that is sent again after its reply was lost finds its own entry.
	option.DisableRetry = true
	n.option = option
	return n
}

// client returns the client. It reconnects by itself after it was connected once.
func (n *network) client() (rueidis.Client, error) {
	if c := n.connected.Load(); c != nil {
		return *c, nil
	}
	n.connecting.Lock()
	defer n.connecting.Unlock()
	if c := n.connected.Load(); c != nil {
		return *c, nil
	}
	ctx, cancel := context.WithCancel(n.ctx)
	defer func() {
		if n.connected.Load() == nil {
			cancel() // stops the attempts of the failed client
		}
	}()
	option := n.option
	option.DialCtxFn = func(_ context.Context, address string, d *net.Dialer, config *tls.Config) (net.Conn, error) {
		return n.dial(ctx, address, d, config)
	}
	c, err := rueidis.NewClient(option)
	if err != nil {
		if c != nil {
			c.Close()
		}
		return nil, n.remember(err)
	}
	n.connected.Store(&c)
	n.probes.Go(func() { n.probe(c) })
	return c, nil
}

// remember stores err for checks that do not try to connect because it just failed.
func (n *network) remember(err error) error {
	if !errors.Is(err, errPaused) && n.ctx.Err() == nil {
		n.cause.Store(&err)
	}
	return err
}

// greet connects for the first time, and logs a warning if that fails.
func (n *network) greet() {
	defer func() { recover() }() // checks report what is wrong
	if _, err := n.client(); err != nil && n.ctx.Err() == nil {
		n.log.Warn("gatewayauth: the replay store cannot be reached", slog.Any("error", failure(err)))
	}
}

// probe logs a warning if a full server would evict entries.
func (n *network) probe(c rueidis.Client) {
	defer func() { recover() }() // it only warns
	ctx, cancel := context.WithTimeout(n.ctx, dialTimeout)
	defer cancel()
	settings, err := c.Do(ctx, c.B().ConfigGet().Parameter("maxmemory-policy").Build()).AsStrMap()
	policy := settings["maxmemory-policy"]
	if err != nil || policy == "" { // hosted servers forbid CONFIG, but not INFO
		var info string
		info, err = c.Do(ctx, c.B().Info().Section("memory").Build()).ToString()
		_, rest, _ := strings.Cut(info, "\nmaxmemory_policy:")
		policy, _, _ = strings.Cut(rest, "\r")
	}
	switch {
	case policy == "noeviction" || n.ctx.Err() != nil:
	case policy == "" && err != nil:
		n.log.Warn("gatewayauth: the replay store's maxmemory-policy cannot be read; it must be noeviction", slog.Any("error", failure(err)))
	case policy == "":
		n.log.Warn("gatewayauth: the replay store's maxmemory-policy cannot be read; it must be noeviction")
	default:
		n.log.Warn("gatewayauth: the replay store's maxmemory-policy must be noeviction: evicted entries can be replayed",
			slog.String("maxmemory-policy", policy[:min(len(policy), 40)]))
	}
}

// dial connects to address, unless it was tried too often. The connection is closed when
// ctx is done.
func (n *network) dial(ctx context.Context, address string, d *net.Dialer, config *tls.Config) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !n.turn(address) {
		if cause := n.cause.Load(); cause != nil {
			return nil, *cause
		}
		return nil, errPaused
	}
	dialing, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	var conn net.Conn
	var err error
	if config != nil {
		if conn, err = (&tls.Dialer{NetDialer: d, Config: config}).DialContext(dialing, n.kind, address); err != nil {
			err = fmt.Errorf("connecting with TLS: %w", err) // a server without TLS says nothing
		}
	} else {
		conn, err = d.DialContext(dialing, n.kind, address)
	}
	if err != nil {
		return nil, n.remember(err)
	}
	keep := context.AfterFunc(ctx, func() { conn.Close() })
	return &guard{Conn: conn, strict: n.option.Sentinel.MasterSet == "", keep: keep}, nil
}

// turn reports whether address may be dialled now. If so, it counts as dialled.
func (n *network) turn(address string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	for other, next := range n.next {
		if !now.Before(next) {
			delete(n.next, other)
		}
	}
	next, waiting := n.next[address]
	if !waiting {
		next = now
	}
	if next.Sub(now) > dialEvery {
		return false
	}
	n.next[address] = next.Add(dialEvery)
	return true
}

// close closes the client. No check may use it any more.
func (n *network) close() {
	n.probes.Wait()
	if c := n.connected.Load(); c != nil {
		(*c).Close()
	}
}
