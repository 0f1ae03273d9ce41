//go:build unix

// Package examples_test runs the built programs of this folder.
package examples_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/internal/needs"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// patience is how long a test waits for what must happen at once.
const patience = 2 * time.Minute

// program is a running program of this folder.
type program struct {
	cmd     *exec.Cmd
	address string
	log     strings.Builder // after the line with the address
	drained chan struct{}
}

func build(t *testing.T, path string) string {
	t.Helper()
	made := filepath.Join(t.TempDir(), filepath.Base(path))
	if out, err := exec.Command("go", "build", "-o", made, path).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return made
}

// start builds and runs a program, which prints the address it listens on to standard error.
func start(t *testing.T, name string) *program {
	t.Helper()
	p := &program{cmd: exec.Command(build(t, "./"+name)), drained: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), "LISTEN=127.0.0.1:0", "ORDERS_SECRET="+testkit.Orders.Secret.Reveal())
	out, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.cmd.Process.Kill()
		p.cmd.Wait()
	})
	lines := bufio.NewReader(out)
	for p.address == "" {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("%s does not listen: %v, %q", name, err, line)
		}
		if found := regexp.MustCompile(`listening on (\S+)`).FindStringSubmatch(line); found != nil {
			p.address = found[1]
		}
	}
	go func() {
		io.Copy(&p.log, lines)
		close(p.drained)
	}()
	return p
}

func (p *program) terminate(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

// wait returns the exit code and what the program has logged.
func (p *program) wait(t *testing.T) (code int, log string) {
	t.Helper()
	select {
	case <-p.drained:
	case <-time.After(patience):
		t.Fatal("the program does not end")
	}
	p.cmd.Wait()
	return p.cmd.ProcessState.ExitCode(), p.log.String()
}

var overHTTP = []string{"nethttp", "echo", "echo5", "gin"}

// upload is a signed request whose body the server waits for.
type upload struct {
	body   *io.PipeWriter
	answer chan string // status and body of the response
}

// begin sends a request without its body, and returns when the verifier waits for it.
func begin(t *testing.T, address string) *upload {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	waits := make(chan struct{})
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{Got100Continue: func() { close(waits) }})
	body, writer := io.Pipe()
	r, err := http.NewRequestWithContext(ctx, "POST", "http://"+address+"/orders/7", body)
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = int64(len("text"))
	r.Header.Set("Expect", "100-continue")
	testkit.Sign(apig.NewSigner(testkit.Orders, apig.SignOptions{}), r, "text", time.Now())
	u := &upload{writer, make(chan string, 1)}
	go func() {
		client := &http.Client{Transport: &http.Transport{ExpectContinueTimeout: patience}}
		response, err := client.Do(r)
		if err != nil {
			u.answer <- err.Error()
			return
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		u.answer <- fmt.Sprint(response.Status, " ", string(text), err)
	}()
	select {
	case <-waits:
	case answer := <-u.answer:
		t.Fatalf("the body was not asked for: %s", answer)
	}
	return u
}

// TestRequestInProgress_T260: a request whose body is on its way at SIGTERM is answered when the
// body has arrived, and then the program ends with 0.
func TestRequestInProgress_T260(t *testing.T) {
	needs.Long(t) // builds each example
	for _, name := range overHTTP {
		t.Run(name, func(t *testing.T) {
			p := start(t, name)
			idle, err := net.Dial("tcp", p.address)
			if err != nil {
				t.Fatal(err)
			}
			defer idle.Close()
			idle.SetDeadline(time.Now().Add(patience))
			fmt.Fprint(idle, "GET /healthz HTTP/1.1\r\nHost: "+p.address+"\r\n\r\n")
			lines := bufio.NewReader(idle)
			if response, err := http.ReadResponse(lines, nil); err != nil || response.StatusCode != http.StatusOK {
				t.Fatalf("got %v, %v", response, err)
			}
			u := begin(t, p.address)
			p.terminate(t)
			if n, err := lines.Read(make([]byte, 1)); err != io.EOF { // a shutdown begins with closing idle connections
				t.Fatalf("read %d, %v", n, err)
			}
			io.WriteString(u.body, "text")
			u.body.Close()
			if answer := <-u.answer; !strings.HasPrefix(answer, "200 OK ") || !strings.Contains(answer, "orders_key") {
				t.Errorf("got %q", answer)
			}
			if code, log := p.wait(t); code != 0 {
				t.Errorf("the exit code is %d: %s", code, log)
			}
		})
	}
}

func dial(t *testing.T, address string) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// call begins a call without its message, and returns when the server has it: the response to a
// later call of the connection shows that.
func call(ctx context.Context, t *testing.T, conn *grpc.ClientConn) grpc.ClientStream {
	t.Helper()
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true}, healthpb.Health_Check_FullMethodName)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{}); err != nil {
		t.Fatal(err)
	}
	return stream
}

// TestCallInProgress_T260: the same for a call.
func TestCallInProgress_T260(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	p := start(t, "grpc")
	conn := dial(t, p.address)
	stream := call(ctx, t, conn)
	p.terminate(t)
	if !conn.WaitForStateChange(ctx, connectivity.Ready) { // the server has said that it goes away
		t.Fatal("the server does not shut down")
	}
	var answer healthpb.HealthCheckResponse
	if err := stream.SendMsg(&healthpb.HealthCheckRequest{}); err != nil {
		t.Error(err)
	}
	if err := stream.CloseSend(); err != nil {
		t.Error(err)
	}
	if err := stream.RecvMsg(&answer); err != nil || answer.Status != healthpb.HealthCheckResponse_SERVING {
		t.Errorf("got %v, %v", answer.Status, err)
	}
	if code, log := p.wait(t); code != 0 {
		t.Errorf("the exit code is %d: %s", code, log)
	}
}

// TestShutdownEnds_T261: requests that do not end keep no program from ending.
func TestShutdownEnds_T261(t *testing.T) {
	needs.Long(t) // each waits for its limit
	for _, name := range append(overHTTP, "grpc") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, name)
			want := 1
			if name == "grpc" {
				call(t.Context(), t, dial(t, p.address))
				want = 0
			} else {
				begin(t, p.address)
			}
			p.terminate(t)
			if code, log := p.wait(t); code != want || (code == 1 && !strings.Contains(log, "still in progress")) {
				t.Errorf("the exit code is %d: %s", code, log)
			}
		})
	}
}

// TestREADMEProgram: the README has the whole program, and its command to sign a request is
// answered by it.
func TestREADMEProgram(t *testing.T) {
	source, err := os.ReadFile("nethttp/main.go")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(string(source), "\npackage main\n")
	if code == "" || !strings.Contains(string(readme), "```go\npackage main\n"+code+"```\n") {
		t.Error("README.md does not have all of nethttp/main.go")
	}
	p := start(t, "nethttp")
	command := regexp.MustCompile(`(?m)^    gatewayauth (sign .*) http://127\.0\.0\.1:8080(/\S*)$`).FindStringSubmatch(string(readme))
	if command == nil {
		t.Fatal("README.md has no gatewayauth sign")
	}
	sign := exec.Command(build(t, "../cmd/gatewayauth"), append(strings.Fields(command[1]), "http://"+p.address+command[2])...)
	sign.Env = append(os.Environ(), "ORDERS_SECRET="+testkit.Orders.Secret.Reveal())
	if out, err := sign.CombinedOutput(); err != nil || !strings.Contains(string(out), "signed with orders_key") {
		t.Errorf("%v\n%s", err, out)
	}
	response, err := http.Get("http://" + p.address + "/orders/7")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	p.terminate(t)
	if _, log := p.wait(t); response.StatusCode != http.StatusUnauthorized || !strings.Contains(log, "code=credential_missing") {
		t.Errorf("without a signature: %s, %s", response.Status, log)
	}
}
