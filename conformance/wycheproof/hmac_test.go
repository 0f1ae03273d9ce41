package wycheproof_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/internal/signature"
)

type macGroup struct {
	Type    string          `json:"type"`
	Source  json.RawMessage `json:"source"`
	KeySize int             `json:"keySize"`
	TagSize int             `json:"tagSize"`
	Tests   []struct {
		vector
		Key octets `json:"key"`
		Tag octets `json:"tag"`
	} `json:"tests"`
}

// TestHMAC: tags of full length have the verdict of the vector. Half of the vectors have
// tags that are truncated to 16 bytes, also right ones. No scheme uses truncated tags, so
// all of them are refused.
func TestHMAC(t *testing.T) {
	f := load[macGroup](t, "hmac_sha256_test.json")
	var verdicts tally
	var cut int
	for _, group := range f.Groups {
		for _, tt := range group.Tests {
			want, err := tt.valid()
			if err != nil {
				t.Fatal(err)
			}
			if 8*len(tt.Tag) != group.TagSize || 8*len(tt.Key) != group.KeySize {
				t.Fatalf("%v: a tag of %d and a key of %d bytes in a group of %d and %d bits",
					&tt.vector, len(tt.Tag), len(tt.Key), group.TagSize, group.KeySize)
			}
			if len(tt.Tag) < sha256.Size {
				want = false
				cut++
			}
			mac := signature.NewMAC(sha256.New, tt.Key)
			tag := hex.EncodeToString(tt.Tag)
			verdicts.judge(t, &tt.vector, mac.Verify(tt.Message, tag), want)

			// The same after computing the right tag, which could remain in a buffer.
			made, err := mac.Sign(tt.Message)
			if err != nil || !mac.Verify(tt.Message, made) {
				t.Errorf("%v: the computed tag is refused: %v", &tt.vector, err)
			}
			if mac.Verify(tt.Message, tag) != want {
				t.Errorf("%v: another verdict after computing the right tag", &tt.vector)
			}
			if upper := strings.ToUpper(tag); upper != tag && mac.Verify(tt.Message, upper) {
				t.Errorf("%v: accepted in upper case", &tt.vector)
			}
		}
	}
	verdicts.report(t, f.NumberOfTests)
	if cut == 0 || verdicts.accepted == 0 {
		t.Errorf("%d tags were truncated, %d accepted", cut, verdicts.accepted)
	}
}
