package aescfb_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/aescfb"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// other is a wire format as a user could write one.
type other struct {
	aescfb.Format
	size int
	same bool
}

func (o other) PlaintextSize() int { return o.size }
func (o other) Algorithm(bits int) string {
	if o.same {
		return "OTHER"
	}
	return fmt.Sprintf("OTHER-%d", bits)
}

// Plaintext is the digest, repeated or cut to the size announced.
func (o other) Plaintext(text []byte) []byte {
	return bytes.Repeat(o.Format.Plaintext(text), 1+o.size/32)[:o.size]
}

// TestValidate: every problem is named with its key and field, none with the
// secret, and core takes no scheme that has one.
func TestValidate(t *testing.T) {
	text := func(n int) core.Secret { return core.NewSecret(strings.Repeat("s", n)) }
	for _, tt := range []struct {
		name   string
		config aescfb.Config
		want   string
	}{
		{"no key", aescfb.Config{Keys: []aescfb.Key{{Name: "k", Vector: text(16)}}}, `key "k": Key: empty`},
		{"no vector", aescfb.Config{Keys: []aescfb.Key{{Name: "k", Key: text(16)}}}, `key "k": Vector: empty`},
		{"key of 24", aescfb.Config{Keys: []aescfb.Key{{Name: "k", Key: text(24), Vector: text(16)}}},
			`key "k": Key: 24 bytes long, neither 16 (aes-128-cfb) nor 32 (aes-256-cfb)`},
		{"key of 15", aescfb.Config{Keys: []aescfb.Key{{Name: "k", Key: text(15), Vector: text(16)}}}, "15 bytes long"},
		{"128 with 32", aescfb.Config{Keys: []aescfb.Key{{Name: "k", Algorithm: "aes-128-cfb", Key: text(32), Vector: text(16)}}},
			`key "k": Key: 32 bytes long, not 16 as its algorithm has it`},
		{"256 with 16", aescfb.Config{Keys: []aescfb.Key{{Name: "k", Algorithm: "aes-256-cfb", Key: text(16), Vector: text(16)}}}, "not 32"},
		{"unknown algorithm", aescfb.Config{Keys: []aescfb.Key{{Name: "k", Algorithm: "aes-128-gcm", Key: text(16), Vector: text(16)}}}, `key "k": Algorithm: neither aes-128-cfb nor aes-256-cfb`},
		{"vector of 15", aescfb.Config{Keys: []aescfb.Key{{Name: "k", Key: text(16), Vector: text(15)}}}, `key "k": Vector: 15 bytes long, not 16`},
		{"vector of 32", aescfb.Config{Keys: []aescfb.Key{{Name: "k", Key: text(16), Vector: text(32)}}}, "32 bytes long, not 16"},
		{"previous empty", aescfb.Config{Keys: []aescfb.Key{{Name: "k", Key: text(16), Vector: text(16), Previous: []aescfb.Previous{{}}}}}, "Previous[0]: neither key nor vector"},
		{"previous key", aescfb.Config{Keys: []aescfb.Key{{Name: "k", Key: text(16), Vector: text(16), Previous: []aescfb.Previous{{Key: text(8)}}}}}, "Previous[0].Key: 8 bytes long"},
		{"previous vector", aescfb.Config{Keys: []aescfb.Key{{Name: "k", Key: text(16), Vector: text(16), Previous: []aescfb.Previous{{Vector: text(8)}}}}}, "Previous[0].Vector: 8 bytes long"},
		{"blank key", aescfb.Config{Keys: []aescfb.Key{{Name: "k", Key: core.NewSecret(strings.Repeat(" ", 16)), Vector: text(16)}}}, `key "k": Key: blank`},
		{"blank vector", aescfb.Config{Keys: []aescfb.Key{{Name: "k", Key: text(16), Vector: core.NewSecret(strings.Repeat("\t", 16))}}}, `key "k": Vector: blank`},
		{"T164 plaintext of one block", aescfb.Config{Format: other{aescfb.Profile1(), 16, false}}, "Format: its plaintext is 16 bytes long; below 32"},
		{"T164 plaintext of 31", aescfb.Config{Format: other{aescfb.Profile1(), 31, false}}, "31 bytes long"},
		{"one algorithm", aescfb.Config{Format: other{aescfb.Profile1(), 32, true}}, "Format: one algorithm for keys of both lengths"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := aescfb.New(tt.config)
			err := s.Validate()
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want it to say %q", err, tt.want)
			}
			if s.Keys() != nil {
				t.Error("there are keys all the same")
			}
			if strings.Contains(err.Error(), "sss") {
				t.Errorf("it tells the secret: %v", err)
			}
			if _, err := core.New(core.Config{Environment: "prod", Schemes: []core.Scheme{s}}); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("core says %v", err)
			}
			if len(tt.config.Keys) > 0 {
				if err := aescfb.NewSigner(tt.config.Keys[0], aescfb.SignOptions{}).Sign(items(t, ""), hexOfNothing, noon); err == nil {
					t.Error("the signer took the key")
				}
			}
		})
	}
	all := aescfb.New(aescfb.Config{Keys: []aescfb.Key{{Name: "a"}, {Name: "b"}}}).Validate()
	if got := strings.Count(all.Error(), "empty"); got != 4 {
		t.Errorf("%d of 4 problems are reported at once: %v", got, all)
	}
	twice := aescfb.New(aescfb.Config{Keys: []aescfb.Key{key128, key128}})
	if _, err := core.New(core.Config{Environment: "prod", Schemes: []core.Scheme{twice}}); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("a name that occurs twice: got %v", err)
	}
}

// TestFormat: another wire format signs and verifies, and the two do not mix.
func TestFormat(t *testing.T) {
	for _, size := range []int{32, 33, 47, 48, 64, 100} {
		format := other{aescfb.Profile1(), size, false}
		v := verifier(t, "aes_key", aescfb.New(aescfb.Config{Keys: []aescfb.Key{key128}, Format: format}))
		r := items(t, "")
		if err := aescfb.NewSigner(key128, aescfb.SignOptions{Format: format}).Sign(r, hexOfNothing, noon); err != nil {
			t.Fatal(err)
		}
		if id, err := v.Verify(r); err != nil || id.Algorithm() != "OTHER-128" {
			t.Errorf("%d bytes: got %v, %v", size, id, err)
		}
		last := r.Header.Get("Authorization")
		flipped := byte('0')
		if last[len(last)-1] == '0' {
			flipped = '1'
		}
		r.Header.Set("Authorization", last[:len(last)-1]+string(flipped))
		if _, err := v.Verify(r); core.CodeOf(err) != core.CodeSignatureMismatch {
			t.Errorf("%d bytes, last digit changed: got %v", size, err)
		}
		if _, err := v.Verify(items(t, signed("SDK-AES-128-CFB", "aes_key", signature128))); core.CodeOf(err) != core.CodeSchemeNotAccepted {
			t.Errorf("profile 1 in its place: got %v", err)
		}
	}
}

// TestAlgorithms is that a format is asked for keys of 128 and of 256 bits alone.
func TestAlgorithms(t *testing.T) {
	s := aescfb.New(aescfb.Config{Format: other{aescfb.Profile1(), 32, false}})
	if got := strings.Join(s.Algorithms(), " "); got != "OTHER-128 OTHER-256" {
		t.Errorf("got %s", got)
	}
	odd := aescfb.New(aescfb.Config{Format: oneLength{aescfb.Profile1()}})
	if odd.Validate() == nil {
		t.Error("a format with one algorithm for 128 and 256 bits is taken")
	}
}

// oneLength has another algorithm only for keys that do not exist.
type oneLength struct{ aescfb.Format }

func (oneLength) Algorithm(bits int) string {
	if bits == 128 || bits == 256 {
		return "ODD"
	}
	return "ODD-" + fmt.Sprint(bits)
}

// liar announces another size than it gives.
type liar struct{ aescfb.Format }

func (liar) PlaintextSize() int { return 48 }

func TestFormatThatLies(t *testing.T) {
	v := verifier(t, "aes_key", aescfb.New(aescfb.Config{Keys: []aescfb.Key{key128}, Format: liar{aescfb.Profile1()}}))
	r := items(t, signed("SDK-AES-128-CFB", "aes_key", signature128+signature128[:32]))
	if _, err := v.Verify(r); core.CodeOf(err) != core.CodeUnavailable {
		t.Errorf("got %v", err)
	}
	if err := aescfb.NewSigner(key128, aescfb.SignOptions{Format: liar{aescfb.Profile1()}}).Sign(r, hexOfNothing, noon); err == nil || r.Header.Get("Authorization") != "" {
		t.Errorf("the signer took it: %v", err)
	}
}

// TestNoSecrets_T126: the characters of key and vector are in nothing that is
// printed, logged or answered.
func TestNoSecrets_T126(t *testing.T) {
	var log strings.Builder
	s := both()
	v := testkit.New(t, core.Config{Environment: "prod", Schemes: []core.Scheme{s}, Default: "aes_key", ExposeReason: true,
		Logger: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	out := fmt.Sprintf("%v %+v %#v %+v %#v", key128, key128, key128, s, *s)
	for _, signature := range []string{signature128, strings.Repeat("0", 64)} {
		id, err := v.Verify(items(t, signed("SDK-AES-128-CFB", "aes_key", signature)))
		problem, _ := json.Marshal(core.ProblemOf(err))
		identity, _ := json.Marshal(id)
		out += fmt.Sprintf("%+v %v %s %s", id, err, problem, identity)
	}
	out += log.String()
	for _, secret := range []string{key128.Key.Reveal(), vector.Reveal(), signature128} {
		if strings.Contains(out, secret) {
			t.Errorf("%q is in %s", secret, out)
		}
	}
}
