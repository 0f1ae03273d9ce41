package bench_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/conformance/bench"
	"github.com/gatewayauth/gatewayauth/internal/needs"
)

// TestPrograms: each program runs, with too few rounds for useful results, and prints its
// rows. Durations are not tested.
func TestPrograms(t *testing.T) {
	needs.Long(t)
	var names []string
	for _, contender := range bench.Contenders() {
		names = append(names, contender.Name)
	}
	for name, tt := range map[string]struct {
		args  []string
		wants []string
	}{
		"ratios": {[]string{"-rounds=1", "-span=100us"}, append(names, "huawei-sdk-resign / gatewayauth-hmac", "Allocations")},
		"endtoend": {[]string{"-rounds=1", "-requests=30", "-clients=4"},
			[]string{"net/http, bare", "Echo, middleware", "Gin, middleware and replay store", "gRPC, unary, middleware",
				"gRPC, stream of 50 messages, payload declared, middleware", "gRPC, stream of 50 messages, payload unsigned, middleware", "guard, bare", "guard, middleware", "Huawei's SDK", "64 KiB"}},
		"verdicts": {[]string{"-rounds=1", "-span=100us", "-most=200"},
			[]string{"200 APIs, a key for each", "key source", "accepted, each API in turn", "presigned", "stale date", "wrong signature", "Allocations"}},
		"adapters": {[]string{"-rounds=1", "-span=100us"}, []string{"net/http", "Echo v4", "Echo v5", "Gin", "gRPC, unary, payload unsigned, tap handle", "added, in floors"}},
		"memory": {[]string{"-clients=3", "-uploads=1", "-size=1", "-runs=1"},
			[]string{"bare", "streamed", "held, within 128 MiB", "io.ReadAll"}},
		"replay": {[]string{"-entries=10000", "-rounds=1", "-span=20ms"}, []string{"1000", "10000", "On Redis", "256"}},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "replay" {
				needs.Program(t, "redis-server", "redis-server")
			}
			program := filepath.Join(t.TempDir(), name)
			if out, err := exec.Command("go", "build", "-o", program, "./"+name).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			for _, format := range []string{"-markdown=false", "-markdown"} {
				var problems bytes.Buffer
				run := exec.Command(program, append(tt.args, format)...)
				run.Stderr = &problems
				out, err := run.Output()
				if err != nil {
					t.Fatalf("%v\n%s", err, problems.Bytes())
				}
				for _, want := range tt.wants {
					if !strings.Contains(string(out), want) {
						t.Errorf("%s: no %q in\n%s", format, want, out)
					}
				}
			}
		})
	}
}

// TestDocument: the document has the tables of each program.
func TestDocument(t *testing.T) {
	text, err := os.ReadFile("../../docs/performance.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ratios", "verdicts", "adapters", "endtoend", "memory", "replay"} {
		_, rest, _ := strings.Cut(string(text), "<!-- "+name+" -->\n")
		tables, _, found := strings.Cut(rest, "<!-- end of "+name+" -->\n")
		if !found || !strings.Contains(tables, "|---|") {
			t.Errorf("no table of %s", name)
		}
	}
}
