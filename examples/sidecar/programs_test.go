package sidecar_test

import (
	"bufio"
	"bytes"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

const secret = "change-me-1234567890"

// built builds the command, and returns its path.
func built(t *testing.T) string {
	t.Helper()
	made := filepath.Join(t.TempDir(), "gatewayauth")
	if out, err := exec.Command("go", "build", "-o", made, "../../cmd/gatewayauth").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return made
}

// run starts a program that prints its address on loopback in a line that begins with ready,
// and kills it when the test ends.
func run(t *testing.T, cmd *exec.Cmd) (address string) {
	t.Helper()
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop := func() {
		cmd.Process.Kill()
		cmd.Wait()
	}
	t.Cleanup(stop)
	line, err := bufio.NewReader(out).ReadString('\n')
	found := regexp.MustCompile(`^ready http://([^/]+)/`).FindStringSubmatch(line)
	if err != nil || found == nil {
		stop()
		t.Fatalf("%v is not ready: %q\n%s", cmd.Args, line, &problems)
	}
	return found[1]
}
