package main_test

import (
	"slices"
	"strings"
	"testing"
)

// TestCompletions_T254: the shell completes the names that the file of --config has, without
// its secrets, and the values that a flag can have.
func TestCompletions_T254(t *testing.T) {
	dir := folder(t)
	unset := strings.NewReplacer("ORDERS_SECRET", "NOT_SET", "AES_KEY", "NOT_SET", "RELEASE_SECRET", "NOT_SET").Replace(environments)
	write(t, dir, "unset.yaml", unset)
	write(t, dir, "written.yaml", strings.ReplaceAll(environments, "{env: ORDERS_SECRET}", secrets["ORDERS_SECRET"]))
	write(t, dir, "broken.yaml", "environments: {dev: {mode: sometimes}}\n")
	devKeys := []string{"orders_key", "partner_key", "aksk_key", "v11_key", "ecdsa_key", "sm3_key", "sm2_key", "sigv4_key", "sigv4a_key", "aes_key"}
	payloads := []string{"hashed", "declared", "unsigned"}
	for args, want := range map[string][]string{
		"sign -config unset.yaml -env ":                 {"dev", "RELEASE"},
		"sign --config=written.yaml -e ":                {"dev", "RELEASE"},
		"explain -config unset.yaml --other-env ":       {"dev", "RELEASE"},
		"gateway -config unset.yaml -env ":              {"dev", "RELEASE"},
		"guard -config unset.yaml -env ":                {"dev", "RELEASE"},
		"probe -config unset.yaml -env ":                {"dev", "RELEASE"},
		"sign -config unset.yaml -env dev -key ":        devKeys,
		"sign -config written.yaml -env RELEASE -key ":  {"orders_key"},
		"sign -config unset.yaml --key ":                append(slices.Clone(devKeys), "orders_key"),
		"guard -config unset.yaml -env dev -sign-with ": devKeys,
		"probe -config unset.yaml -env dev -key ":       devKeys,
		"sign -config broken.yaml -env ":                nil,
		"sign -config absent.yaml -env ":                nil,
		"sign -config /dev/stdin -env ":                 nil,
		"sign -env ":                                    nil,
		"sign -type ":                                   {"aes", "aksk", "basic", "ecdsa-p256", "hmac", "hmac-sm3", "sigv4", "sigv4a", "sm2", "token", "v11"},
		"sign -payload ":                                payloads,
		"guard -sign-payload ":                          payloads,
		"sign -as ":                                     {"headers", "curl", "url"},
		"sign -paths ":                                  {"normalized", "s3"},
		"gateway -fault ": {"skew=20m", "wrong-secret", "drop=X-Sdk-Date", "change-header=X-Sdk-Date", "add-header=X-Sdk-Other:1", "method=PUT", "path=/other", "host=other.example",
			"proxy-host=10.0.0.1:8080", "strip-prefix=/v1", "query=a=1", "rewrite-query", "tamper-body", "remove-body", "duplicate"},
		"sign -key-id ": nil,
		"sign ":         nil,
		"gate":          {"gateway"},
	} {
		fields := strings.Split(args, " ")
		r := cli(t, dir, "", append([]string{"__complete"}, fields...)...)
		var got []string
		for line := range strings.Lines(r.out) {
			if name, _, _ := strings.Cut(strings.TrimSpace(line), "\t"); !strings.HasPrefix(name, ":") {
				got = append(got, name)
			}
		}
		slices.Sort(got)
		want := slices.Sorted(slices.Values(want))
		if want := slices.Compact(want); r.code != 0 || !slices.Equal(slices.Compact(got), want) || !strings.HasSuffix(r.out, "\n:4\n") && !strings.HasPrefix(r.out, ":4\n") {
			t.Errorf("%q: exit %d, got %q, want %q without files\n%s%s", args, r.code, got, want, r.out, r.err)
		}
	}
	// Arguments and flags that are files are left to the shell.
	for args, want := range map[string]string{"check ": ":0\n", "explain ": ":0\n", "sign -secret-file ": ":0\n", "check -report ": ":0\n", "sign -config ": "yaml\nyml\n:8\n"} {
		if r := cli(t, dir, "", append([]string{"__complete"}, strings.Split(args, " ")...)...); r.out != want {
			t.Errorf("%q: got %q, want %q", args, r.out, want)
		}
	}
}
