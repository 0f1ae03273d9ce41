package guard_test

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/internal/needs"
)

// servePython runs a Python program until the test ends, and returns the address on
// loopback whose port it prints.
func servePython(t *testing.T, program string) string {
	t.Helper()
	cmd := exec.Command(needs.Program(t, "python3", "python3"), "-c", program)
	// WSGI shows the environment beside the headers, so the service gets none of the tests' variables.
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}
	var problems lockedBuffer
	cmd.Stderr = &problems
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	port, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the Python service did not start: %s", problems.take())
	}
	return "127.0.0.1:" + strings.TrimSpace(port)
}
