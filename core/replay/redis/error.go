package redis

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/redis/rueidis"
)

// ErrUnavailable is wrapped by every error of [Store.Add]. It means that the store cannot
// tell whether the entry is new. The errors contain no credential and no part of the
// entry. If the context is done, they also wrap its error. Its text is short, since the
// refusals of core say what it means.
var ErrUnavailable = errors.New("redis")

var (
	errClosed   = fmt.Errorf("%w: it is closed", ErrUnavailable)
	errLife     = fmt.Errorf("%w: the entry ends too far in the future to be kept", ErrUnavailable)
	errEnded    = fmt.Errorf("%w: the entry ended so long ago that it may be forgotten", ErrUnavailable)
	errReply    = fmt.Errorf("%w: a reply that is neither OK nor null", ErrUnavailable)
	errPanic    = fmt.Errorf("%w: the client library panicked", ErrUnavailable)
	errPaused   = errors.New("the last attempt to connect was less than a second ago")
	errProtocol = errors.New("the server broke the protocol")
)

// failure returns the error of a command or of connecting. A server may quote the
// command that it refuses, including the password of AUTH, so only the code of its error
// is kept, with what it means.
func failure(err error) error {
	var server *rueidis.RedisError
	switch {
	case errors.As(err, &server):
		return fmt.Errorf("%w: the server answered with the error %s", ErrUnavailable, explained(server.Error()))
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: the server closed the connection", ErrUnavailable)
	case errors.Is(err, context.Canceled), errors.Is(err, rueidis.ErrClosing):
		return fmt.Errorf("%w: the connection is closed", ErrUnavailable)
	}
	return fmt.Errorf("%w: %v", ErrUnavailable, err)
}

// meanings are what codes mean that a configuration can mend.
var meanings = map[string]string{
	"WRONGPASS":  "user or password is wrong, or the user is disabled",
	"NOAUTH":     "it wants a password, which the URL lacks (for sentinels: sentinel_password)",
	"MOVED":      elsewhere,
	"ASK":        elsewhere,
	"READONLY":   "it is a replica",
	"OOM":        "it has used up its memory; raise its maxmemory",
	"NOREPLICAS": "fewer replicas are connected than its min-replicas-to-write asks for",
	"MISCONF":    "it takes no writes, since it cannot save to its disk",
}

const elsewhere = "another server of the cluster has the key; the URL needs cluster=true, and the user CLUSTER SLOTS and ASKING"

// commands are those that the store and the client library send.
var commands = []string{"set", "del", "ping", "role", "select", "asking", "info", "config|get", "client|setname",
	"cluster|slots", "cluster|shards", "cluster", "subscribe", "unsubscribe", "sentinel|sentinels", "sentinel|get-master-addr-by-name", "sentinel"}

// explained returns the code of a server's error with its meaning. Of the rest of the text
// it takes nothing but the name of a command.
func explained(text string) string {
	code := code(text)
	meaning := meanings[code]
	if code == "NOPERM" {
		meaning = "the user may not access keys with the prefix"
		for _, name := range commands {
			if strings.Contains(text, "'"+name+"'") {
				meaning = "the user may not run the command " + strings.ToUpper(strings.ReplaceAll(name, "|", " "))
				break
			}
		}
	}
	if meaning == "" {
		return code
	}
	return code + ": " + meaning
}

// code returns the first word of a server's error if it is a code such as ERR.
func code(text string) string {
	word, _, _ := strings.Cut(text, " ")
	upper := func(r rune) bool { return 'A' <= r && r <= 'Z' }
	if word == "" || len(word) > 20 || strings.TrimFunc(word, upper) != "" {
		return "without a code"
	}
	return word
}
