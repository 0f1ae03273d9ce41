package wire

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/internal/needs"
)

// Change is a request with one byte changed.
type Change struct {
	// Part is the part of the changed byte: method, path, query, body, algorithm, a
	// parameter of the Authorization header, or "name" or "value" of a header.
	Part string
	// Header is the header's name, in lower case, if Part is "name" or "value".
	Header string
	Raw    []byte
}

// delimiters are the characters that split a target into parts. A byte of the target is
// changed to one of them, or to a letter.
const delimiters = "/?&=+%;#.~"

// part is a part of a request that a signature covers.
type part struct {
	name, header string
	span         Span
	some         int // how many of its bytes Changes changes
	replace      func(byte, *rand.Rand) byte
}

// parts returns the parts that a signature covers, except the headers for the length of
// the message (Content-Length, Transfer-Encoding): a change of these changes the whole
// message.
func (l *Layout) parts() []part {
	parts := []part{
		{"method", "", l.Method, 1, similar},
		{"path", "", l.Path, 4, similar},
		{"path", "", l.Path, 4, delimiter},
		{"path", "", l.Path, 4, otherCase},
		{"query", "", l.Query, 4, similar},
		{"query", "", l.Query, 4, delimiter},
		{"query", "", l.Query, 4, otherCase},
		{"body", "", l.Body, 3, bit},
		{"algorithm", "", l.Algorithm, 1, similar},
		{"Access", "", l.Parameters["Access"], 2, similar},
		{"Credential", "", l.Parameters["Credential"], 2, similar},
		{"SignedHeaders", "", l.Parameters["SignedHeaders"], 2, similar},
		{"Signature", "", l.Parameters["Signature"], 2, hexDigit},
	}
	for _, f := range l.Fields {
		if f.SignedField && f.Name != "content-length" {
			parts = append(parts, part{"name", f.Name, f.Key, 1, similar}, part{"value", f.Name, f.Value, 2, similar})
		}
	}
	return parts
}

// Changes returns requests that differ from l.Raw in one byte each: random bytes of each
// part that a signature covers.
func (l *Layout) Changes(random *rand.Rand) (changes []Change) {
	for _, p := range l.parts() {
		for range min(p.some, p.span.End-p.span.Start) {
			changes = l.change(changes, p, p.span.Start+random.IntN(p.span.End-p.span.Start), random)
		}
	}
	return changes
}

// EveryByte returns requests that differ from l.Raw in one byte each: every
// byte of every part that a signature covers, twice. Where tests that take long do not
// run, it is every fifth byte of a part.
func (l *Layout) EveryByte(random *rand.Rand) (changes []Change) {
	for _, p := range l.parts() {
		for at := p.span.Start; at < p.span.End; at += needs.Rounds(5, 1) {
			changes = l.change(changes, p, at, random)
			changes = l.change(changes, p, at, random)
		}
	}
	return changes
}

func (l *Layout) change(changes []Change, p part, at int, random *rand.Rand) []Change {
	b := p.replace(l.Raw[at], random)
	if b == l.Raw[at] {
		return changes
	}
	return append(changes, Change{Part: p.name, Header: p.header, Raw: Replace(l.Raw, at, b)})
}

// Replace returns raw with the byte at the index replaced.
func Replace(raw []byte, at int, b byte) []byte {
	changed := bytes.Clone(raw)
	changed[at] = b
	return changed
}

// Splice returns raw with old replaced. It panics unless old occurs exactly once.
func Splice(raw []byte, old, replacement string) []byte {
	if n := bytes.Count(raw, []byte(old)); n != 1 {
		panic(fmt.Sprintf("%q occurs %d times", old, n))
	}
	return bytes.Replace(raw, []byte(old), []byte(replacement), 1)
}

// similar returns another byte of the same kind, such as a digit for a digit, so that the
// request stays well-formed if possible.
func similar(b byte, random *rand.Rand) byte {
	for _, kind := range []string{"0123456789", "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"} {
		if i := slices.Index([]byte(kind), b); i >= 0 {
			return kind[(i+1+random.IntN(len(kind)-1))%len(kind)]
		}
	}
	if b >= 0x80 {
		return b ^ 1
	}
	return 'x'
}

func hexDigit(b byte, random *rand.Rand) byte {
	const digits = "0123456789abcdef"
	i := slices.Index([]byte(digits), b)
	return digits[(i+1+random.IntN(len(digits)-1))%len(digits)]
}

func delimiter(_ byte, random *rand.Rand) byte { return delimiters[random.IntN(len(delimiters))] }

// otherCase returns a letter in the other case, and other bytes unchanged.
func otherCase(b byte, _ *rand.Rand) byte {
	if 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' {
		return b ^ 0x20
	}
	return b
}

func bit(b byte, random *rand.Rand) byte { return b ^ 1<<random.IntN(8) }

// OneSecondLater changes the last digit of the date. The date stays within the allowed
// skew, so only the signature shows the change.
func (l *Layout) OneSecondLater(t testing.TB) []byte {
	t.Helper()
	date := l.Parameters["Date"]
	for _, f := range l.Fields {
		if f.Name == "x-amz-date" || f.Name == "x-sdk-date" {
			date = f.Value
		}
	}
	if !strings.HasSuffix(l.Text(date), "Z") {
		t.Fatal("no date")
	}
	at := date.End - len("0Z")
	return Replace(l.Raw, at, '0'+(l.Raw[at]-'0'+1)%10)
}

// Seeded returns a random generator that depends only on the test's name, so that a case
// is the same in any order of the tests.
func Seeded(t testing.TB) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(t.Name()))
	return rand.New(rand.NewPCG(h.Sum64(), 1))
}
