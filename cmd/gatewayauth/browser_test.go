package main_test

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"testing"
	"time"
)

// browser is a headless Chromium, driven by its DevTools protocol over a pipe.
type browser struct {
	in      *os.File
	replies chan reply
	session string
	id      int
}

type reply struct {
	ID     int             `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  json.RawMessage `json:"error"`
}

func browse(t *testing.T, path, address string) *browser {
	t.Helper()
	theirIn, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, theirOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	profile, err := os.MkdirTemp("", "chromium")
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
		"--disable-background-networking", "--user-data-dir="+profile, "--remote-debugging-pipe", "about:blank")
	c.ExtraFiles = []*os.File{theirIn, theirOut} // 3 and 4
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	theirIn.Close()
	theirOut.Close()
	t.Cleanup(func() {
		c.Process.Kill()
		c.Wait()
		in.Close()
		out.Close()
		for range 50 { // its child processes may still write
			if os.RemoveAll(profile) == nil {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	})
	b := &browser{in: in, replies: make(chan reply, 100)}
	go func() {
		defer close(b.replies)
		r := bufio.NewReader(out)
		for {
			message, err := r.ReadBytes(0)
			if err != nil {
				return
			}
			var one reply
			if json.Unmarshal(message[:len(message)-1], &one) == nil && one.ID != 0 {
				b.replies <- one
			}
		}
	}()
	var target struct{ TargetID string }
	json.Unmarshal(b.call(t, "Target.createTarget", map[string]any{"url": "about:blank"}), &target)
	var attached struct{ SessionID string }
	json.Unmarshal(b.call(t, "Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}), &attached)
	b.session = attached.SessionID
	b.open(t, address)
	b.wait(t, "String(!!document.getElementById('request'))", "true")
	return b
}

// call sends a command and waits for its reply.
func (b *browser) call(t *testing.T, method string, params map[string]any) json.RawMessage {
	t.Helper()
	b.id++
	message := map[string]any{"id": b.id, "method": method, "params": params}
	if b.session != "" {
		message["sessionId"] = b.session
	}
	text, _ := json.Marshal(message)
	if _, err := b.in.Write(append(text, 0)); err != nil {
		t.Fatal(err)
	}
	deadline := time.After(time.Minute)
	for {
		select {
		case r, open := <-b.replies:
			if !open {
				t.Fatal("the browser has exited")
			}
			if r.ID != b.id {
				continue
			}
			if r.Error != nil {
				t.Fatalf("%s: %s", method, r.Error)
			}
			return r.Result
		case <-deadline:
			t.Fatalf("%s: no reply", method)
		}
	}
}

func (b *browser) open(t *testing.T, address string) {
	t.Helper()
	b.call(t, "Page.navigate", map[string]any{"url": address})
}

// eval returns the value of an expression, as text.
func (b *browser) eval(t *testing.T, expression string) string {
	t.Helper()
	var r struct {
		Result struct{ Value any }
	}
	json.Unmarshal(b.call(t, "Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true}), &r)
	text, _ := r.Result.Value.(string)
	return text
}

// wait waits until the value of an expression is want.
func (b *browser) wait(t *testing.T, expression, want string) {
	t.Helper()
	got := ""
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		if got = b.eval(t, expression); got == want {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("%s: got %q, want %q\n%s", expression, got, want, b.eval(t, "document.documentElement.outerHTML"))
}

func quoted(text string) string {
	b, _ := json.Marshal(text)
	return string(b)
}
