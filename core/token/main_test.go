package token_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestMain fails where a call to an identity service outlives the tests. Those
// in synctest bubbles see to themselves.
func TestMain(m *testing.M) {
	code := m.Run()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		if !strings.Contains(string(stacks), "core/token.(*client)") {
			break
		}
		if time.Now().After(deadline) {
			fmt.Printf("calls are left:\n%s", stacks)
			code = 1
			break
		}
	}
	os.Exit(code)
}
