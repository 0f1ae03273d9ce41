// Command mutation measures how many small faults the tests of a package would
// notice. It makes mutants of the package: copies of its source with one
// condition negated, one statement or operand removed, one bound or number
// changed, or two arguments swapped. A mutant that no test notices has survived:
// it wants a test or simpler code, or it changes nothing that anybody can observe.
//
//	go -C conformance run ./mutation -out /tmp/mutants core/replay core/apig
//
// All mutants of a package are compiled together, once, and chosen by an
// environment variable. Each mutant meets only the tests that reach it. The
// results are one file for each package, a line for each mutant. A run that was
// interrupted continues there, unless the package has changed. After new tests,
// -retry tries those that survived again.
//
// docs/mutants.md has the survivors that stay, each with its reason. The score
// is the share of the other mutants that some test notices. It is not measured
// what happens if two things are wrong at once, or something is missing in code
// and tests.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"time"
)

// testsOf names the packages whose tests meet the mutants of a package, beside
// its own. Not named packages use those of "".
var testsOf = map[string]string{
	"":                            "core core/coretest nethttp",
	"core":                        "nethttp core/coretest core/explain core/apig core/sigv4 examples/quickstart conformance/vectors",
	"core/apig":                   "core conformance/vectors",
	"core/apig/sm":                "core/apig core conformance/huawei",
	"core/sigv4":                  "core conformance/vectors",
	"core/internal/canonical":     "core/apig core/sigv4 core/internal/signing core conformance/vectors",
	"core/internal/authorization": "core/apig core/sigv4 core/internal/signing core conformance/vectors",
	"core/internal/signing":       "core/apig core/sigv4 core conformance/vectors",
	"core/internal/memo":          "core/internal/authorization core",
	"core/replay":                 "core",
	"core/token":                  "core",
	"nethttp":                     "core/coretest",
	"echoauth":                    "core/coretest",
	"echoauth/v5":                 "core/coretest",
	"ginauth":                     "core/coretest",
	"grpcauth":                    "core/coretest",
}

func main() {
	log.SetFlags(0)
	root := flag.String("root", "..", "folder of the repository")
	out := flag.String("out", filepath.Join(os.TempDir(), "mutants"), "folder for the results")
	explained := flag.String("explained", "docs/mutants.md", "list of survivors that stay, below root")
	with := flag.String("with", "", "packages, divided by spaces, whose tests are used beside the package's own (default: those of the table in the source)")
	retry := flag.Bool("retry", false, "try the mutants again that survived")
	only := flag.String("only", "", "try the mutants whose file, function and change match this expression")
	skip := flag.String("skip", "^$", "leave out the tests whose names match this expression, for a faster first run")
	workers := flag.Int("workers", runtime.NumCPU(), "how many processes to run at a time")
	shard := flag.Int("shard", 0, "number of the shard to run, from 0")
	shards := flag.Int("shards", 1, "into how many shards to divide the mutants")
	flag.Parse()
	if flag.NArg() == 0 || *shards < 1 || *shard < 0 || *shard >= *shards || *workers < 1 {
		flag.Usage()
		os.Exit(2)
	}
	skipped, err := regexp.Compile(*skip)
	if err != nil {
		log.Fatal(err)
	}
	chosen, err := regexp.Compile(*only)
	if err != nil {
		log.Fatal(err)
	}
	dir, err := filepath.Abs(*root)
	if err != nil {
		log.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, *explained))
	if err != nil && !os.IsNotExist(err) {
		log.Fatal(err)
	}
	for _, name := range flag.Args() {
		r := &report{Package: name, path: filepath.Join(*out, strings.ReplaceAll(name, "/", "_")+".txt"), explained: section(string(text), name)}
		others, ok := testsOf[name]
		if !ok {
			others = testsOf[""]
		}
		if *with != "" {
			others = *with
		}
		choose := func(m mutant) bool { return m.ID%*shards == *shard && chosen.MatchString(m.File+" "+m.key()) }
		if err := measure(r, dir, strings.Fields(others), skipped, choose, *retry, *workers); err != nil {
			log.Fatalf("%s: %v", name, err)
		}
		r.print(os.Stdout)
	}
}

// measure tries the mutants of one package that are chosen and have no result yet.
func measure(r *report, root string, others []string, skip *regexp.Regexp, choose func(mutant) bool, retry bool, workers int) error {
	work, err := os.MkdirTemp("", "mutation")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	t, err := instrument(filepath.Join(root, r.Package), work)
	if err != nil {
		return err
	}
	if err := r.open(t, retry); err != nil {
		return err
	}
	defer r.close()
	var todo []mutant
	for _, m := range t.mutants {
		if _, done := r.results[m.ID]; !done && choose(m) {
			todo = append(todo, m)
		}
	}
	if len(todo) == 0 {
		return nil
	}
	dirs := []string{t.dir}
	for _, other := range others {
		dirs = append(dirs, filepath.Join(root, other))
	}
	tests, err := findTests(t, dirs, skip, work, workers)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d mutants, %d of them to be tried with %d tests; %d left out as their lines did not compile\n",
		r.Package, len(t.mutants), len(todo), len(tests), t.lost)
	var lock sync.Mutex
	each(workers, len(todo), func(i int) {
		start := time.Now()
		killer, passed := try(tests, todo[i].ID)
		lock.Lock()
		defer lock.Unlock()
		r.add(todo[i], killer, passed, time.Since(start))
	})
	return r.failed
}
