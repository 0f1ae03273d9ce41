package config_test

import (
	"encoding/hex"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core/config"
)

// base is an environment R with one key k, open at its end for more lines.
const base = `environments:
  R:
    keys: [{name: k, type: hmac, key: 071fe2459cf64d75, secret: kept-from-every-message-1}]
`

func hexOf(b []byte) string { return hex.EncodeToString(b) }

// TestSizes: what people write for a number of bytes. 0 stands for a refusal.
func TestSizes(t *testing.T) {
	for text, want := range map[string]int64{
		"1048576": 1 << 20, "1": 1, "64MiB": 64 << 20, "64 MiB": 64 << 20, "64mib": 64 << 20, "512KiB": 512 << 10,
		"1GiB": 1 << 30, "12MB": 12e6, "12 MB": 12e6, "3kB": 3e3, "2GB": 2e9, "1.5GiB": 3 << 29, "0.5KiB": 512,
		"7B": 7, "9223372036854775806": 1<<63 - 2,
		"0": 0, "0MiB": 0, "-1": 0, "+1": 0, "1.5": 0, "0.3KiB": 0, "12M": 0, "12 KiBs": 0, "MiB": 0, "1e6": 0, "0x10": 0,
		"1_000": 0, "9223372036854775807": 0, "9223372036854775808": 0, "8589934592GiB": 0, "12MiB 3": 0, "[1]": 0, "'12  MiB'": 0,
		"99999999999999999999999999999999999999999999": 0, "''": 0, "~": 0,
	} {
		f, err := config.Load(write(t, t.TempDir(), "f.yaml", base, "    max_buffered: 9223372036854775806\n    max_body: ", text, "\n"))
		switch {
		case want == 0 && err == nil:
			t.Errorf("%s: loaded; want an error", text)
		case want == 0:
			if p := problems(t, err)[0]; p.Line != 5 || p.Field != "environments.R.max_body" {
				t.Errorf("%s: got %v; want line 5 and environments.R.max_body", text, p)
			}
		case err != nil:
			t.Errorf("%s: got %v, want %d", text, err, want)
		default:
			if c, _ := f.Config("R"); c.MaxBody != want {
				t.Errorf("%s: got %d, want %d", text, c.MaxBody, want)
			}
		}
	}
}

// TestSkewConfig_T078: a skew is a duration with its unit, above 0, at most an
// hour. 0 stands for a refusal.
func TestSkewConfig_T078(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"15m": 15 * time.Minute, "90s": 90 * time.Second, "1h": time.Hour, "59m60s": time.Hour, "0.5h": 30 * time.Minute,
		"0": 0, "0s": 0, "-5m": 0, "24h": 0, "1h1ns": 0, "1h30m": 0, "900": 0, "9.5": 0, "9999999999h": 0, "1e30": 0,
		"15 minutes": 0, "1d": 0, "m": 0, "''": 0, "": 0, "[15m]": 0, "{m: 15}": 0, ".inf": 0, ".nan": 0,
	} {
		f, err := config.Load(write(t, t.TempDir(), "f.yaml", base, "    clock_skew: ", text, "\n"))
		switch {
		case want == 0 && err == nil:
			t.Errorf("%s: loaded; want an error", text)
		case want == 0:
			if p := problems(t, err)[0]; p.Line != 4 || p.Field != "environments.R.clock_skew" {
				t.Errorf("%s: got %v; want line 4 and environments.R.clock_skew", text, p)
			}
		case err != nil:
			t.Errorf("%s: got %v, want %v", text, err, want)
		default:
			if c, _ := f.Config("R"); c.ClockSkew != want {
				t.Errorf("%s: got %v, want %v", text, c.ClockSkew, want)
			}
		}
	}
}

// TestSecretTexts: a secret is what is written, whatever YAML sees in it. Basic
// carries the secret itself, which shows what was read.
func TestSecretTexts(t *testing.T) {
	for text, want := range map[string]string{
		"12345678": "12345678", "012345": "012345", "0x1F": "0x1F", "0o17": "0o17", "1e5": "1e5", "1_000": "1_000", "+12": "+12",
		"1.50": "1.50", "true": "true", "Yes": "Yes", "off": "off", ".inf": ".inf", "2027-01-01": "2027-01-01", "-.5": "-.5",
		"a#b": "a#b", "a b": "a b", "'it''s'": "it's", `"a\tb"`: "a\tb", "'null'": "null", "'!x'": "!x", "'*x'": "*x", "a:b": "a:b",
		"123456789012345678901234567890": "123456789012345678901234567890", "|-\n        abc": "abc", ">-\n        abc\n        def": "abc def",
	} {
		f, err := config.Load(write(t, t.TempDir(), "f.yaml",
			"environments:\n  R:\n    keys:\n    - name: k\n      type: basic\n      key: user\n      secret: ", text, "\n    default: k\n"))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		v, err := f.Verifier("R", quiet)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest("GET", "/", nil)
		r.SetBasicAuth("user", want)
		if got := verdict(v, r); got != "k" {
			t.Errorf("%s: got %s; want it to be the secret %q", text, got, want)
		}
	}
}
