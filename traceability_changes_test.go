package gatewayauth_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/internal/needs"
)

// TestTraceabilityNoticesChanges: what TestTraceability compares cannot be changed in one place alone.
func TestTraceabilityNoticesChanges(t *testing.T) {
	needs.Long(t) // makes each change
	rename := func(pkg, name, to string) func(*testing.T, *traces) {
		return func(t *testing.T, tr *traces) {
			text, ok := tr.tests[pkg][name]
			if delete(tr.tests[pkg], name); !ok {
				t.Fatalf("there is no %s in %s", name, pkg)
			}
			tr.tests[pkg][to] = text
		}
	}
	replace := func(document func(*traces) *string, old, text string) func(*testing.T, *traces) {
		return func(t *testing.T, tr *traces) {
			d := document(tr)
			changed := regexp.MustCompile(old).ReplaceAllString(*d, text)
			if changed == *d {
				t.Fatalf("nothing matches %s", old)
			}
			*d = changed
		}
	}
	cases := func(tr *traces) *string { return &tr.cases }
	security := func(tr *traces) *string { return &tr.security }
	unchanged := newTraces(t)
	for _, tt := range []struct {
		name   string
		change func(*testing.T, *traces)
		want   string
	}{
		{"no row of a case in the middle", replace(cases, `(?m)^\| T088 .*\n`, ""), "T088: docs/cases.md has no row"},
		{"no row of the last case", replace(cases, `(?m)^\| T191 .*\n`, ""), "T191: docs/cases.md has no row"},
		{"a row twice", replace(cases, `(?m)^(\| F07 .*\n)`, "$1$1"), "F07: docs/cases.md has two rows"},
		{"a row without tests", replace(cases, `(?m)^(\| F07 .* \|) .* \|$`, "$1 to come |"), "F07: neither names a test"},
		{"a package without a test", replace(cases, `core/config. TestBadFileAtStart_F07`, "core/config`"), "F07: neither names a test"},
		{"a test that carries another case", replace(cases, `TestBadFileAtStart_F07`, "TestBadFileOnReload_F06"), "F07: TestBadFileOnReload_F06 of core/config does not carry it"},
		{"a test that no row names", replace(cases, `, TestLostReply_F03`, ""), "F03: does not name TestLostReply_F03 of core/replay/redis"},
		{"a row that does not name the suite", replace(cases, "(?m)^(\\| T093 .* \\|) .* \\|$", "$1 `core/apig` TestWorkedValues |"), "T093: does not name core/coretest"},
		{"a case of the suite removed", func(_ *testing.T, tr *traces) { delete(tr.suite, "T093") }, "T093: core/coretest has no case"},
		{"a case of the suite without a row", func(_ *testing.T, tr *traces) { tr.suite["T777"] = true }, "T777: docs/cases.md has no row"},
		{"a test renamed", rename("core/config", "TestBadFileAtStart_F07", "TestBadFile_F07"), "F07: there is no TestBadFileAtStart_F07 in core/config"},
		{"a test of a promise renamed", rename("core", "TestStreamMemory", "TestMemoryOfStreams"), "there is no TestStreamMemory in core"},
		{"a test of the second module renamed", rename("conformance/routers", "TestNoHandlerUnderAnotherKey_T173", "TestRouters_T173"), "T173: does not name TestRouters_T173"},
		{"an id that is no case", rename("core", "TestRaces_F19", "TestRaces_F99"), "F99: docs/cases.md has no row"},
		{"an id in a subtest that is no case", func(_ *testing.T, tr *traces) { tr.tests["core"]["TestNew"] = `t.Run("T555 new"` }, "T555: docs/cases.md has no row"},
		{"a check without a case", replace(cases, `T036, T041, T044`, "T036, T041, T444"), "T444: docs/cases.md has no row"},
		{"a promise without a test", replace(security, "(?m)^(\\| Zero values .* \\|) .* \\|$", "$1 see the code |"), `"Zero values refuse everything." names no test`},
		{"a promise with a test of another package", replace(security, "`core` TestSlowBody_F13", "`core/config` TestSlowBody_F13"), "there is no TestSlowBody_F13 in core/config"},
		{"a promise with a case that is not of the package", replace(security, "`core/coretest` T125", "`core/coretest` T096"), "core/coretest has no T096"},
		{"a document that names a test", func(_ *testing.T, tr *traces) { tr.others["README.md"] += "see TestNothing_T001" }, "README.md: there is no TestNothing_T001"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tr := unchanged.clone()
			tt.change(t, tr)
			if found := strings.Join(tr.faults(), "\n"); !strings.Contains(found, tt.want) {
				t.Errorf("found %q, want %q", found, tt.want)
			}
		})
	}
}
