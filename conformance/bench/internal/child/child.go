// Package child runs a program's server in its own process: the same program, started
// with -serve.
package child

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// A Process is a running server. It ends when the program ends.
type Process struct {
	cmd   *exec.Cmd
	ask   io.WriteCloser
	reply *json.Decoder
	// Addresses are the addresses on which it listens, by name.
	Addresses map[string]string
}

// Usage is what a process has used since its start.
type Usage struct {
	CPU       time.Duration
	Peak      int64 // largest resident memory in bytes: VmHWM
	Allocated uint64
	GCs       uint32
}

// Start runs this program with -serve=what, and procs as GOMAXPROCS unless 0.
func Start(what string, procs int) (*Process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &Process{cmd: exec.Command(program, "-serve="+what)}
	p.cmd.Stderr = os.Stderr
	if procs > 0 {
		p.cmd.Env = append(os.Environ(), fmt.Sprint("GOMAXPROCS=", procs))
	}
	if p.ask, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.reply = json.NewDecoder(out)
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	return p, p.reply.Decode(&p.Addresses)
}

// Usage gets the usage from the process.
func (p *Process) Usage() (u Usage, err error) {
	if _, err := io.WriteString(p.ask, "\n"); err != nil {
		return u, err
	}
	return u, p.reply.Decode(&u)
}

// Stop ends the process.
func (p *Process) Stop() {
	p.ask.Close()
	p.cmd.Wait()
}

// Serve is called in the server's process. It prints the addresses, and answers requests
// for the usage until the parent process ends.
func Serve(addresses map[string]string) {
	out := json.NewEncoder(os.Stdout)
	out.Encode(addresses)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		out.Encode(usage())
	}
}

func usage() Usage {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	var r syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	u := Usage{CPU: time.Duration(r.Utime.Nano() + r.Stime.Nano()), Allocated: m.TotalAlloc, GCs: m.NumGC}
	status, _ := os.ReadFile("/proc/self/status")
	if _, rest, found := strings.Cut(string(status), "VmHWM:"); found {
		fmt.Sscan(rest, &u.Peak)
		u.Peak <<= 10
	}
	return u
}
