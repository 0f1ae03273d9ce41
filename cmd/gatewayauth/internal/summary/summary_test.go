package summary_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/cmd/gatewayauth/internal/summary"
)

const line = `{"time":"2026-01-15T12:00:0%dZ","msg":"request would be refused","code":%q,"mode":"report","api":%q,"method":"GET","path":%q,"remote":"10.0.0.%d:99"}` + "\n"

// TestRead: refusals are grouped by reason, and by API or path pattern.
func TestRead(t *testing.T) {
	log := fmt.Sprintf(line, 2, "key_unknown", "GET /orders/{id}", "/orders/1", 1) +
		fmt.Sprintf(line, 1, "key_unknown", "GET /orders/{id}", "/orders/2", 2) +
		fmt.Sprintf(line, 3, "signature_mismatch", "GET /orders/{id}", "/orders/2", 2) +
		fmt.Sprintf(line, 4, "key_unknown", "", "/items/17/parts/0189abcd-0000-7000-8000-000000000000", 1) +
		fmt.Sprintf(line, 5, "key_unknown", "", "/items/18/parts/0189abcd-0000-7000-8000-000000000001", 1) +
		strings.Repeat("x", 3<<20) + "\n{\n\n" + `{"msg":"request refused","code":"key_unknown"}`
	s, err := summary.Read(strings.NewReader(log))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, g := range s.Groups {
		got = append(got, fmt.Sprintf("%d %s %s %d-%d %v", g.Count, g.Code, g.API, g.First.Second(), g.Last.Second(), g.Remotes))
	}
	want := "2 key_unknown GET /items/{}/parts/{} 4-5 [10.0.0.1]\n" +
		"2 key_unknown GET /orders/{id} 1-2 [10.0.0.1 10.0.0.2]\n" +
		"1 signature_mismatch GET /orders/{id} 3-3 [10.0.0.2]"
	if strings.Join(got, "\n") != want || s.WouldRefuse != 5 || s.Refused != 1 || s.Unreadable != 2 {
		t.Errorf("got\n%s\nwant\n%s\n%+v", strings.Join(got, "\n"), want, s)
	}
}

// TestReadIsBounded: a log with many paths does not use unbounded memory.
func TestReadIsBounded(t *testing.T) {
	var b strings.Builder
	for i := range 10_100 {
		fmt.Fprintf(&b, line, 1, "key_unknown", fmt.Sprint("/a", i), "/", 1)
	}
	s, err := summary.Read(strings.NewReader(b.String()))
	if err != nil || len(s.Groups) != 10_000 || s.Ungrouped != 100 || s.WouldRefuse != 10_100 {
		t.Errorf("%d groups, %d beside them, %v", len(s.Groups), s.Ungrouped, err)
	}
}

// binary are the first bytes of what a log is not: gzip, zstd, xz, bzip2, zip, a systemd
// journal, UTF-16 in both orders.
var binary = []string{"\x1f\x8b", "\x28\xb5\x2f\xfd", "\xfd7zXZ\x00", "BZh", "PK\x03\x04", "LPKSHHRH", "\xff\xfe", "\xfe\xff"}

// FuzzRead: Read does not panic, counts every line once, and gives no all-clear without
// records of requests. It takes all that does not start as a binary format, and nothing
// that does.
func FuzzRead(f *testing.F) {
	f.Add(fmt.Sprintf(line, 1, "key_unknown", "", "/a/1", 1))
	f.Add(`{"msg":"requests refused; their records were too many","mode":"report","code":"replayed","suppressed":3}`)
	f.Add("{\n\n[]\nx")
	f.Add("web-1 | time=2026-01-15T12:00:00Z level=DEBUG msg=\"request verified\" environment=e mode=report api=\"GET /{id}\" key=k secret=0 method=GET\n")
	f.Add(`{"log":"{\"msg\":\"requ","stream":"stderr"}` + "\n" + `{"log":"est verified\",\"mode\":\"report\",\"environment\":\"e\"}\n","stream":"stderr"}`)
	f.Add("2026-01-15T12:00:00Z stderr P {\"a\":\n2026-01-15T12:00:00Z stderr F [{\"MESSAGE\":[1,2]}]}\n[\n{\"code\":\"replayed\",\"mode\":\"enforce\",\"suppressed\":\"9\"}\n]")
	for _, magic := range binary {
		f.Add(magic + "\n{}")
	}
	f.Fuzz(func(t *testing.T, log string) {
		s, err := summary.Read(strings.NewReader(log))
		starts := func(magic string) bool { return strings.HasPrefix(log, magic) }
		if (err != nil) != slices.ContainsFunc(binary, starts) {
			t.Fatalf("%q: %v", log, err)
		}
		if err != nil {
			return
		}
		var grouped int64
		for _, g := range s.Groups {
			grouped += g.Count
		}
		for _, n := range s.Suppressed {
			grouped += n
		}
		if grouped+s.Ungrouped != s.WouldRefuse || s.Other+s.Unreadable > s.Lines || s.Records < int64(len(s.Environments)) ||
			s.AllClear != (s.Why == "" && s.WouldRefuse == 0) || s.AllClear && (s.Unclear > 0 || s.Verified == 0) {
			t.Fatalf("%+v", s)
		}
	})
}
