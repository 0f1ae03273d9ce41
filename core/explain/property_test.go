package explain_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/explain"
)

// TestRandomRequests_T186: for random requests with random faults, an explanation reports
// a refusal exactly if a Verifier refuses the request. If the causes are undone as their
// texts describe, a new Verifier accepts the request, or refuses it as the causes say.
// Each of the causes is needed for that.
func TestRandomRequests_T186(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			refused, explained, missed := 0, 0, map[string]int{}
			for seed := range k.rounds {
				f := newRandomRequest(t, k, uint64(seed))
				x := f.why(t)
				if x == nil || x.Accepted() {
					continue
				}
				if refused++; len(x.Causes) > 0 {
					explained++
				} else if len(f.faults) == 1 {
					missed[f.faults[0]]++
				}
				if t.Failed() {
					t.Fatalf("seed %d, faults %q, %s %s?%s\n%v", seed, f.faults, f.got.Method, f.path, f.query, x)
				}
			}
			t.Logf("%d refused, %d of them explained; one fault, and no cause: %v", refused, explained, missed)
			if k.rounds >= 100 && explained < refused/2 {
				t.Errorf("only %d of %d refused requests were explained", explained, refused)
			}
			for _, fault := range []string{"token", "token for none", "other token", "old", "other key", "other environment", "region", "late", "forwarded host", "slash"} {
				if missed[fault] > 0 {
					t.Errorf("%q alone was not explained", fault)
				}
			}
		})
	}
}

func verdictOf(t *testing.T, c core.Config, r *http.Request) *core.Error {
	t.Helper()
	v, err := core.New(c)
	if err != nil {
		t.Fatal(err)
	}
	_, err = v.Verify(r)
	core.Release(r)
	if e, ok := err.(*core.Error); ok {
		return e
	}
	if err != nil {
		t.Fatal(err)
	}
	return nil
}

func (f *randomRequest) why(t *testing.T) *explain.Explanation {
	t.Helper()
	refusal := verdictOf(t, f.policy(), f.arrived(t))
	x := why(t, f.arrived(t), f.policy(), f.hints)
	if refusal == nil {
		if !x.Accepted() || len(x.Causes)+len(x.Alternatives) > 0 {
			t.Errorf("the Verifier accepts the request, and the explanation is %v", x)
		}
		return x
	}
	if x.Code != refusal.Code {
		t.Errorf("the Verifier refuses with %v, the explanation with %s", refusal, x.Code)
	}
	if slices.ContainsFunc(x.Causes, func(c explain.Finding) bool { return !c.Proven }) {
		return x // a fact about the request; there may be other reasons
	}
	if len(x.Causes) > 0 {
		f.holds(t, x, x.Causes)
	}
	for i := range x.Causes {
		if rest := slices.Delete(slices.Clone(x.Causes), i, i+1); f.mended(t, rest) == nil {
			t.Errorf("the request is accepted without undoing %v", x.Causes[i])
		}
	}
	for _, other := range x.Alternatives { // instead of the first cause
		f.holds(t, x, append([]explain.Finding{other}, x.Causes[1:]...))
	}
	return x
}

// holds fails the test if the request, with the changes undone, is refused for a reason
// that the explanation does not name.
func (f *randomRequest) holds(t *testing.T, x *explain.Explanation, findings []explain.Finding) {
	t.Helper()
	refusal := f.mended(t, findings)
	named := func(c explain.Finding) bool {
		return c.Cause == explain.CausePolicy && (refusal == nil || strings.Contains(c.Detail, refusal.Detail))
	}
	signerForm := slices.ContainsFunc(findings, func(c explain.Finding) bool { return c.Cause == explain.CauseSigner })
	switch {
	case signerForm: // the signer cannot be changed here; the request must still be refused
		if refusal == nil {
			t.Errorf("accepted without a change of the signer: %v", findings)
		}
	case refusal == nil && !slices.ContainsFunc(findings, func(c explain.Finding) bool { return c.Cause == explain.CausePolicy }):
	case refusal != nil && slices.ContainsFunc(findings, named):
	default:
		t.Errorf("with %v undone: %v", findings, refusal)
	}
}

// mended returns the verdict on the request with the changes undone.
func (f *randomRequest) mended(t *testing.T, findings []explain.Finding) *core.Error {
	t.Helper()
	m := *f
	m.got = f.got.Clone(t.Context())
	for _, c := range findings {
		before := m.snapshot()
		if m.mend(t, c); before == m.snapshot() && c.Cause != explain.CauseSigner && c.Cause != explain.CausePolicy {
			t.Errorf("undoing %v changes nothing", c)
		}
	}
	return verdictOf(t, m.policy(), m.arrived(t))
}

func (f *randomRequest) snapshot() string {
	return fmt.Sprint(f.got.Method, f.got.Host, f.got.Header, f.path, f.query, f.gotten, f.now, f.config.Default,
		f.own.ID, f.otherID, f.own.Region, f.own.Service, f.own.Secret.Reveal(), f.own.SessionToken.Reveal(), len(f.own.Previous))
}

// mend undoes one change, as described by the text of the finding where possible.
func (f *randomRequest) mend(t *testing.T, c explain.Finding) {
	t.Helper()
	switch c.Cause {
	case explain.CauseOldSecret, explain.CauseSecretText, explain.CauseOtherKey, explain.CauseEnvironment:
		if c.Cause == explain.CauseEnvironment && !strings.Contains(c.Change, "release") || c.Cause == explain.CauseOtherKey && !strings.Contains(c.Change, "other") && !strings.Contains(c.Change, "own") {
			t.Errorf("the key is not named: %v", c)
		}
		if c.Cause == explain.CauseEnvironment { // the key of the other environment has no session token
			f.own.SessionToken = core.Secret{}
		}
		if strings.HasSuffix(c.Change, " other") && f.own.ID != f.used.ID {
			f.otherID = f.used.ID
			return
		}
		switch f.own.Secret, f.own.Previous = f.used.Secret, nil; {
		case strings.HasSuffix(c.Change, " own"), c.Cause == explain.CauseEnvironment:
			f.own.ID = f.used.ID
		case strings.HasSuffix(c.Change, " other") && f.config.Default == "other":
			f.config.Default = "own" // the ids were confused, not the secrets
		}
	case explain.CauseScope:
		f.own.Region, f.own.Service = f.used.Region, f.used.Service
	case explain.CauseSessionToken:
		f.own.SessionToken = core.NewSecret(f.got.Header.Get("X-Amz-Security-Token") + f.got.Header.Get("X-Security-Token"))
	case explain.CauseClock, explain.CauseLocalTime:
		for i, p := range f.own.Previous {
			if p.Until.After(f.now) { // the verifier's clock stays, and the sender's is corrected
				f.own.Previous = []core.PreviousSecret{{Secret: f.own.Previous[i].Secret}}
			}
		}
		f.now = instant
		for _, name := range []string{"X-Sdk-Date", "X-Amz-Date"} {
			if at, err := time.Parse("20060102T150405Z", f.got.Header.Get(name)); err == nil {
				f.now = at
			}
		}
	case explain.CauseBinding:
		f.config.Default = strings.TrimPrefix(c.Change, "key ")
	case explain.CauseBody, explain.CauseBodyConsumed, explain.CauseBodyRewritten:
		f.gotten = f.body
	case explain.CauseEmptyBody:
		f.gotten = ""
	case explain.CausePolicy, explain.CauseSigner:
	default:
		first, query, both := strings.Cut(c.Change, ", query ")
		if f.mendText(t, first); both {
			f.mendText(t, "query "+query)
		}
	}
}

// mendText undoes a change such as "path /a instead of /b" or "header a: b".
func (f *randomRequest) mendText(t *testing.T, change string) {
	t.Helper()
	if plain, err := strconv.Unquote(`"` + strings.ReplaceAll(change, `"`, `\"`) + `"`); err == nil {
		change = plain
	}
	what, rest, _ := strings.Cut(change, " ")
	to, from, found := strings.Cut(rest, " instead of ")
	switch {
	case what == "header":
		name, values, _ := strings.Cut(rest, ": ")
		f.got.Header[http.CanonicalHeaderKey(strings.TrimSuffix(name, ":"))] = strings.Split(values, " | ")
	case !found:
		t.Errorf("the change cannot be undone: %q", change)
	case what == "host" && f.got.Host == from:
		f.got.Host = to
	case what == "method" && f.got.Method == from:
		f.got.Method = to
	case what == "path" && f.path == from:
		f.path = to
	case what == "query" && f.query == from:
		f.query = to
	default:
		t.Errorf("%q is not what was received", change)
	}
}
