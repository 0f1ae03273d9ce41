package token_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/token"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// TestStoredForm_T111: after a thousand tokens none of them is in the log, in
// what prints, or, a straggler on a stack aside, in the heap.
func TestStoredForm_T111(t *testing.T) {
	// Written in two halves, so that the test itself keeps no token.
	name := func(i int) string { return fmt.Sprintf("tok%sn-%06d-%s", "e", i, strings.Repeat("z", 30)) }
	iam := newIAM()
	iam.onCheck = nil
	var log lockedLog
	s := scheme(t, iam, func(c *token.Config) { c.CallsPerSecond = 10_000 })
	v := testkit.New(t, core.Config{Environment: "prod", Schemes: []core.Scheme{s}, Default: "token_key", ExposeReason: true,
		Logger: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})), LogLimit: 10_000})
	printed := ""
	for i := range 1000 {
		if i%2 == 0 {
			iam.projects[name(i)] = "p"
		}
		id, err := v.Verify(request(name(i)))
		if (err == nil) != (i%2 == 0) {
			t.Fatalf("%d: got %v", i, err)
		}
		if i < 2 {
			answer, _ := json.Marshal(core.ProblemOf(err))
			identity, _ := json.Marshal(id)
			printed += fmt.Sprintf("%v %+v %s %s", err, id, answer, identity)
		}
		delete(iam.projects, name(i))
	}
	iam.projects = nil
	printed += fmt.Sprintf("%v %+v %#v", s, s, *s) + log.String() + fmt.Sprintf("%+v %#v", key(""), key(""))
	for _, secret := range []string{"zzzzz", password, "own-token"} {
		if strings.Contains(printed, secret) {
			t.Errorf("%q is printed: %s", secret, printed)
		}
	}
	if valid, invalid := token.Remembered(s); valid != 500 || invalid != 500 {
		t.Fatalf("%d and %d answers are remembered: the test looks at nothing", valid, invalid)
	}
	runtime.GC()
	runtime.GC()
	dump, err := os.Create(filepath.Join(t.TempDir(), "heap"))
	if err != nil {
		t.Fatal(err)
	}
	defer dump.Close()
	debug.WriteHeapDump(dump.Fd())
	heap, err := os.ReadFile(dump.Name())
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for i := range 1000 {
		if bytes.Contains(heap, []byte(name(i))) {
			found++
		}
	}
	if found > 20 {
		t.Errorf("%d of 1000 tokens are in the heap", found)
	}
	t.Logf("%d of 1000 tokens are in the heap of %d bytes", found, len(heap))
}

// lockedLog is a log that is read while something may still write: a slow record, or the
// summary of those that were too many.
type lockedLog struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
