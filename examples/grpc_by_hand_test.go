//go:build unix

package examples_test

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/gatewayauth/gatewayauth/internal/needs"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// TestGRPCByHand_T264: the commands of docs/adapters.md with which a gRPC service is tried work
// with examples/grpc and its environments file.
func TestGRPCByHand_T264(t *testing.T) {
	needs.Long(t) // builds a module of its own
	page, err := os.ReadFile("../docs/adapters.md")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	service, program := start(t, "grpc"), build(t, "../cmd/gatewayauth")
	// command is the only one of the page that begins so, with the address of the service.
	command := func(begin string, further ...string) *exec.Cmd {
		t.Helper()
		found := regexp.MustCompile(`(?m)^    gatewayauth `+begin+` (.* -config examples/grpc/environments\.yaml .*)$`).FindAllStringSubmatch(string(page), -1)
		if len(found) != 1 || !strings.Contains(found[0][1], "127.0.0.1:8081") {
			t.Fatalf("docs/adapters.md shows %q", found)
		}
		c := exec.CommandContext(ctx, program, append(append([]string{begin}, further...), strings.Fields(strings.ReplaceAll(found[0][1], "127.0.0.1:8081", service.address))...)...)
		c.Dir, c.Env = "..", append(os.Environ(), "ORDERS_SECRET="+testkit.Orders.Secret.Reveal())
		return c
	}

	out, err := command("probe").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "\nprotected: all ") {
		t.Errorf("probe: %v\n%s", err, out)
	}

	if _, err := healthpb.NewHealthClient(dial(t, service.address)).List(ctx, &healthpb.HealthListRequest{}); err == nil {
		t.Error("the service has accepted an unsigned call")
	}
	gateway := command("gateway", "-listen", "127.0.0.1:0")
	lines, err := gateway.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := gateway.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		gateway.Process.Kill()
		gateway.Wait()
	})
	ready, err := bufio.NewReader(lines).ReadString('\n')
	address := regexp.MustCompile(`^ready http://(\S+)/ `).FindStringSubmatch(ready)
	if address == nil {
		t.Fatalf("gateway: %q, %v", ready, err)
	}
	if _, err := healthpb.NewHealthClient(dial(t, address[1])).List(ctx, &healthpb.HealthListRequest{}); err != nil {
		t.Errorf("through the gateway: %v", err)
	}
}
