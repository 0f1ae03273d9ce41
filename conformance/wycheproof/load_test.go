package wycheproof_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"testing"

	"github.com/c2sp/wycheproof"
)

// file is a file of vectors whose groups are of type G.
type file[G any] struct {
	Algorithm     string                     `json:"algorithm"`
	Schema        string                     `json:"schema"`
	Header        []string                   `json:"header"`
	NumberOfTests int                        `json:"numberOfTests"`
	Notes         map[string]json.RawMessage `json:"notes"`
	Groups        []G                        `json:"testGroups"`
}

// vector has the fields of all vectors.
type vector struct {
	ID      int      `json:"tcId"`
	Comment string   `json:"comment"`
	Flags   []string `json:"flags"`
	Result  string   `json:"result"`
	Message octets   `json:"msg"`
}

func (v *vector) String() string { return fmt.Sprintf("%d: %s %v", v.ID, v.Comment, v.Flags) }

// valid returns whether the vector is valid. The third result, "acceptable", is for
// signatures that are not forged and break some rule of encoding or strength. A server
// need not accept these, so they count as invalid.
func (v *vector) valid() (bool, error) {
	switch v.Result {
	case "valid":
		return true, nil
	case "invalid", "acceptable":
		return false, nil
	}
	return false, fmt.Errorf("%v: unknown result %q", v, v.Result)
}

// octets are bytes that are written in hexadecimal digits.
type octets []byte

func (o *octets) UnmarshalText(text []byte) (err error) {
	*o, err = hex.AppendDecode(nil, text)
	return err
}

// load reads a file of the module. An unknown field is an error.
func load[G any](t *testing.T, name string) (f file[G]) {
	t.Helper()
	text, err := fs.ReadFile(wycheproof.TestVectors, name)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return f
}

// tally counts verdicts, and checks that every vector of a file has one.
type tally struct{ accepted, refused int }

// judge compares a verdict with the expected one.
func (n *tally) judge(t *testing.T, v *vector, got, want bool) {
	t.Helper()
	if got != want {
		t.Errorf("%v: accepted is %v, want %v", v, got, want)
	}
	if got {
		n.accepted++
	} else {
		n.refused++
	}
}

func (n *tally) report(t *testing.T, announced int) {
	t.Helper()
	t.Logf("%d accepted, %d refused", n.accepted, n.refused)
	if announced == 0 || n.accepted+n.refused != announced {
		t.Errorf("%d vectors were tested, the file announces %d", n.accepted+n.refused, announced)
	}
}

// TestResult: the result is valid, acceptable or invalid; others are errors.
func TestResult(t *testing.T) {
	for result, want := range map[string]bool{"valid": true, "invalid": false, "acceptable": false} {
		if got, err := (&vector{Result: result}).valid(); got != want || err != nil {
			t.Errorf("%s: got %v, %v", result, got, err)
		}
	}
	for _, result := range []string{"", "Valid", "unknown"} {
		if _, err := (&vector{Result: result}).valid(); err == nil {
			t.Errorf("result %q: no error", result)
		}
	}
}
