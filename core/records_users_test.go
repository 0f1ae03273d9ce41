package core_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
)

// TestRecordsHoldNoUser_T198: a user and a password in the target or the host, as net/http's
// server reads them, are in no record, event or error.
func TestRecordsHoldNoUser_T198(t *testing.T) {
	for _, tt := range []struct{ line, host, path, wantHost string }{
		{"GET http://user:SECRETPW1@127.0.0.1:18001/orders/7?a=1", "", "...@127.0.0.1:18001/orders/7", "127.0.0.1:18001"},
		{"GET http://user:SECRETPW1@x@127.0.0.1/orders/7", "", "...@127.0.0.1/orders/7", "127.0.0.1"},
		{"GET http://SECRETPW1@127.0.0.1", "", "...@127.0.0.1", "127.0.0.1"},
		{"GET http:SECRETPW1@127.0.0.1/", "a.example", "...@127.0.0.1/", "a.example"},
		{"GET http:/user:SECRETPW1@127.0.0.1/", "a.example", "...@127.0.0.1/", "a.example"},
		{"GET user:SECRETPW1@127.0.0.1/orders", "a.example", "...@127.0.0.1/orders", "a.example"},
		{"GET user:SECRETPW1?x@127.0.0.1/", "a.example", "...", "a.example"},
		{"GET //user:SECRETPW1@127.0.0.1/orders", "a.example", "...@127.0.0.1/orders", "a.example"},
		{"CONNECT user:SECRETPW1@127.0.0.1:443", "a.example", "...@127.0.0.1:443", "127.0.0.1:443"},
		{"GET /orders/a@b", "user:SECRETPW1@127.0.0.1", "/orders/a@b", "...@127.0.0.1"},
		{"GET http://127.0.0.1/orders/7", "", "http://127.0.0.1/orders/7", "127.0.0.1"},
		{"GET /orders/7?a=@", "a.example", "/orders/7", "a.example"},
		{"OPTIONS *", "a.example", "*", "a.example"},
	} {
		t.Run(tt.line, func(t *testing.T) {
			r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(tt.line + " HTTP/1.1\r\nHost: " + tt.host + "\r\n\r\n")))
			if err != nil {
				t.Fatal(err)
			}
			var log bytes.Buffer
			var event core.Event
			v := verifier(t, func(c *core.Config) {
				c.Logger = jsonLogger(&log)
				c.Observers = []core.Observer{core.ObserverFunc(func(_ context.Context, e core.Event) { event = e })}
			})
			_, err = v.Verify(r)
			var record struct{ Path, Host string }
			if err := json.Unmarshal(log.Bytes(), &record); err != nil {
				t.Fatal(err)
			}
			if record.Path != tt.path || record.Host != tt.wantHost {
				t.Errorf("got path %q and host %q, want %q and %q", record.Path, record.Host, tt.path, tt.wantHost)
			}
			event.Request = nil
			if text := fmt.Sprintf("%+v %v", event, err) + log.String(); strings.Contains(text, "SECRETPW1") {
				t.Errorf("a password is shown: %s", text)
			}
		})
	}
}

// TestTargetOfAnotherForm_T198: the refusal says what to send.
func TestTargetOfAnotherForm_T198(t *testing.T) {
	for _, line := range []string{"GET http://127.0.0.1/orders/7", "OPTIONS *", "CONNECT 127.0.0.1:443"} {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(line + " HTTP/1.1\r\nHost: a.example\r\n\r\n")))
		if err != nil {
			t.Fatal(err)
		}
		if _, err = verifier(t).Verify(r); err == nil || !strings.HasSuffix(err.Error(), ": send the path alone, such as /orders/7") {
			t.Errorf("%s: got %v", line, err)
		}
	}
}
