package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A test is one top-level test of one package.
type test struct {
	name    string
	binary  string
	dir     string
	label   string // package and name
	took    time.Duration
	reaches []byte // by mutant: 1 if the test reaches it
}

// slow is how long a test takes that runs after those of the other packages.
const slow = 3 * time.Second

// findTests compiles the tests of the packages, and runs each test once without
// a mutant to see how long it takes and which mutants it reaches. A test that
// fails there is no use; it is reported and left out.
func findTests(t *target, dirs []string, skip *regexp.Regexp, work string, workers int) ([]*test, error) {
	var tests []*test
	for i, dir := range dirs {
		binary := filepath.Join(work, fmt.Sprintf("tests%d", i))
		if out, err := run(dir, "go", "test", "-c", "-vet=off", "-overlay", t.overlay, "-o", binary, "."); err != nil {
			return nil, fmt.Errorf("%s: %w: %s", dir, err, out)
		}
		if _, err := os.Stat(binary); os.IsNotExist(err) {
			continue // the package has no tests
		}
		out, err := run(dir, binary, "-test.list", "^(Test|Fuzz|Example)")
		if err != nil {
			return nil, fmt.Errorf("%s: %w: %s", dir, err, out)
		}
		for _, name := range strings.Fields(out) {
			if skip.MatchString(name) {
				continue
			}
			tests = append(tests, &test{name: name, binary: binary, dir: dir, label: filepath.Base(dir) + "." + name})
		}
	}
	var usable []*test
	var lock sync.Mutex
	each(workers, len(tests), func(i int) {
		x := tests[i]
		reached := filepath.Join(work, fmt.Sprintf("reached%d", i))
		if err := os.WriteFile(reached, make([]byte, len(t.mutants)+1), 0o644); err != nil {
			panic(err)
		}
		start := time.Now()
		r := runTests([]*test{x}, 0, reached, 5*time.Minute)
		x.took = time.Since(start)
		content, err := os.ReadFile(reached)
		if err != nil {
			panic(err)
		}
		os.Remove(reached)
		x.reaches = content
		lock.Lock()
		defer lock.Unlock()
		if r.failed {
			fmt.Printf("not used, as it fails without a mutant: %s\n", x.label)
			return
		}
		usable = append(usable, x)
	})
	// The package's own tests first, the fastest first; the slow ones of all packages last.
	place := func(x *test) int {
		if x.took > slow {
			return len(dirs)
		}
		return slices.Index(dirs, x.dir)
	}
	slices.SortStableFunc(usable, func(a, b *test) int {
		return cmp.Or(cmp.Compare(place(a), place(b)), cmp.Compare(a.took, b.took))
	})
	return usable, nil
}

// outcome is what became of some tests of one binary.
type outcome struct {
	failed bool
	by     string // the test that failed, or the first of those that ran
}

var failure = regexp.MustCompile(`(?m)^\s*--- FAIL: ([^/\s]+)|^\s+(?:panic: |.*\.)?((?:Test|Fuzz|Example)\w+)\(0x`)

// runTests runs tests of one binary with a mutant. What runs too long, or needs
// too much memory, has failed.
func runTests(tests []*test, mutant int, reached string, limit time.Duration) outcome {
	names := make([]string, len(tests))
	for i, x := range tests {
		names[i] = x.name
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	// 6 GB of addresses: an endless loop that allocates must not take the machine.
	c := exec.CommandContext(ctx, "bash", "-c", `ulimit -v 6000000; exec "$@"`, "-",
		tests[0].binary, "-test.failfast", "-test.timeout=0", "-test.run", "^("+strings.Join(names, "|")+")$")
	c.Dir = tests[0].dir
	c.Env = append(os.Environ(), fmt.Sprintf("MUTATION_ACTIVE=%d", mutant), "MUTATION_REACHED="+reached)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
	c.WaitDelay = time.Second
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err := c.Run()
	switch {
	case ctx.Err() != nil:
		return outcome{failed: true, by: "timeout of " + tests[0].label}
	case err == nil || errors.Is(err, exec.ErrWaitDelay):
		return outcome{}
	}
	by := tests[0].label
	if found := failure.FindStringSubmatch(out.String()); found != nil {
		by = filepath.Base(tests[0].dir) + "." + found[1] + found[2]
	}
	return outcome{failed: true, by: by}
}

// try runs the tests that reach the mutant, in their order, until one fails. It
// returns the test that failed, or "" and how many passed. One process runs
// several tests of a binary: few at first, then more.
func try(tests []*test, mutant int) (killer string, passed int) {
	var batch []*test
	var took time.Duration
	limit := 300 * time.Millisecond
	flush := func() bool {
		if len(batch) == 0 {
			return true
		}
		if r := runTests(batch, mutant, "", 10*took+8*time.Second); r.failed {
			killer = r.by
			return false
		}
		passed += len(batch)
		batch, took = nil, 0
		return true
	}
	for _, x := range tests {
		if x.reaches[mutant] == 0 {
			continue
		}
		if len(batch) > 0 && (took+x.took > limit || batch[0].binary != x.binary) {
			if !flush() {
				return killer, passed
			}
			limit *= 4
		}
		batch, took = append(batch, x), took+x.took
	}
	flush()
	return killer, passed
}

// each calls f for 0..n-1, on several goroutines.
func each(workers, n int, f func(int)) {
	next := make(chan int)
	var wait sync.WaitGroup
	for range workers {
		wait.Go(func() {
			for i := range next {
				f(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wait.Wait()
}
