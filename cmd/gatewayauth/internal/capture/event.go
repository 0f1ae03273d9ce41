package capture

import (
	"bytes"
	"errors"

	"github.com/gatewayauth/gatewayauth/cmd/gatewayauth/internal/servicelog"
)

// Event is a record of the verifier's log. It has the verdict, but no headers, query or
// body.
type Event = servicelog.Record

func parseEvent(data []byte) (*Captured, error) {
	e, more, found := servicelog.First(string(bytes.TrimSpace(data)))
	if !found {
		return nil, errors.New("this is neither a HAR file nor a record of the verifier's log in JSON or text")
	}
	c := &Captured{Event: &e, At: e.Time}
	if more {
		c.note("the input has several records: only the first is explained; gatewayauth check --report summarizes a whole log")
	}
	return c, nil
}

// hasEvent reports whether a text has a record of the verifier's log.
func hasEvent(text []byte) bool {
	_, _, found := servicelog.First(string(text))
	return found
}
