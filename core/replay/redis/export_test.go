package redis

import (
	"context"

	"github.com/redis/rueidis"

	"github.com/gatewayauth/gatewayauth/core"
)

// Scan passes stream through a scanner in parts of step bytes.
func Scan(stream string, step int) (values int, ok bool) {
	var s scanner
	for ok = true; len(stream) > 0; {
		part := stream[:min(step, len(stream))]
		stream = stream[len(part):]
		var n int
		n, ok = s.scan([]byte(part))
		values += n
	}
	return values, ok
}

// Key returns the key of e on the server.
func (s *Store) Key(e core.ReplayEntry) string { return s.key(e) }

// Turns returns how many of n attempts to connect to one server, all at once, are permitted.
func Turns(n int) (permitted int) {
	network := newNetwork(context.Background(), rueidis.ClientOption{}, nil)
	for range n {
		if network.turn("127.0.0.1:6379") {
			permitted++
		}
	}
	return permitted
}
