package core_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// sequenceCounts are what Status must count: the sum of what new verifiers have counted.
type sequenceCounts struct {
	uses, refused map[string]uint64
	last          map[string]time.Time
	others        map[string]bool // keys of other sources than core.Keys
}

func newSequenceCounts() *sequenceCounts {
	return &sequenceCounts{map[string]uint64{}, map[string]uint64{}, map[string]time.Time{}, map[string]bool{}}
}

// add adds what a new verifier of the policy has counted.
func (c *sequenceCounts) add(p *sequencePolicy, s core.Status) {
	for _, key := range s.Keys {
		if p.fromSource(key.Name) {
			c.others[key.Name] = true
		}
		for i, secret := range key.Secrets {
			id, position := secretID(p, key.Name, i)
			c.uses[id+position] += secret.Uses
			if secret.Uses > 0 {
				c.last[id] = secret.LastUsed
			}
		}
	}
	for line, n := range refusals(s) {
		c.refused[line] += n
	}
}

// secretID stands for a secret of a key: its text, or its position in a key of another
// source than core.Keys. Uses are counted by position as well.
func secretID(p *sequencePolicy, key string, i int) (id, position string) {
	if p.fromSource(key) {
		return otherID(key, i), ""
	}
	return key + secretText(key, p.keys[slices.Index(sequenceKeys[:], key)].secret-i), fmt.Sprint(" at ", min(i, 1))
}

func otherID(key string, i int) string { return fmt.Sprint("another source: ", key, i) }

// text is what countersOf must return for a verifier of the policy, by what it returns
// for a new one.
func (c *sequenceCounts) text(p *sequencePolicy, s core.Status) string {
	keys := slices.DeleteFunc(slices.Clone(s.Keys), func(key core.KeyStatus) bool { return p.fromSource(key.Name) })
	others := maps.Clone(c.others)
	for _, key := range keys {
		delete(others, key.Name)
		for i := range key.Secrets {
			id, position := secretID(p, key.Name, i)
			key.Secrets[i].Uses, key.Secrets[i].LastUsed = c.uses[id+position], c.last[id]
		}
	}
	for name := range others {
		key := core.KeyStatus{Name: name, Scheme: "hmac"}
		for i := range 2 {
			if id := otherID(name, i); i == 0 || c.uses[id] > 0 {
				key.Secrets = append(key.Secrets, core.SecretStatus{Uses: c.uses[id], LastUsed: c.last[id]})
			}
		}
		keys = append(keys, key)
	}
	s.Keys = keys
	known := map[string]bool{apiLine("", "", ""): true}
	for _, api := range p.bindings() {
		known[apiLine(api.Match, "", "")] = true
	}
	refused := maps.Clone(c.refused)
	maps.DeleteFunc(refused, func(line string, _ uint64) bool { return !known[line[:strings.Index(line, ": ")+2]] })
	return countersText(s, refused)
}

// countersOf returns what a verifier has counted, one line for each number.
func countersOf(s core.Status) string { return countersText(s, refusals(s)) }

func countersText(s core.Status, refused map[string]uint64) string {
	lines := []string{fmt.Sprint(s.Environment, s.Mode, s.Time, s.Log)}
	for _, key := range s.Keys {
		for i, secret := range key.Secrets {
			lines = append(lines, fmt.Sprintf("key %s of %s, secret %d until %v: %d uses, the last at %v",
				key.Name, key.Scheme, i, secret.Until, secret.Uses, secret.LastUsed))
		}
	}
	for line, n := range refused {
		lines = append(lines, fmt.Sprintf("%s: %d", line, n))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// refusals counts the refusals of a status.
func refusals(s core.Status) map[string]uint64 {
	counts := map[string]uint64{}
	for _, api := range s.APIs {
		for code, n := range api.Refused {
			counts[apiLine(api.Match, "refused ", code)] += n
		}
		for code, n := range api.WouldRefuse {
			counts[apiLine(api.Match, "would be refused ", code)] += n
		}
	}
	return counts
}

func apiLine(match, what string, code core.Code) string {
	return fmt.Sprintf("API %q: %s%s", match, what, code)
}
