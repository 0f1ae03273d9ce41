package servicelog_test

import (
	"context"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/cmd/gatewayauth/internal/servicelog"
)

// TestQuoting_T188: any value that slog's handlers write is read unchanged.
func TestQuoting_T188(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	pieces := []string{"a", " ", "=", `"`, `\`, "\n", "\t", "\x00", "\x1b[31m", "é", "\xff", "{", "}", `{"a":1}`, "'", "`", "|", ",", "[", "]", "msg=x"}
	value := func() (text string) {
		for range rnd.IntN(8) {
			text += pieces[rnd.IntN(len(pieces))]
		}
		return text
	}
	for range 3000 {
		env, path, message := "e"+value(), "/"+value(), value()
		for name, handler := range map[string]func(io.Writer) slog.Handler{
			"text": func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, nil) },
			"json": func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, nil) },
		} {
			var out strings.Builder
			r := slog.NewRecord(time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC), slog.LevelWarn, "request would be refused", 0)
			r.AddAttrs(slog.String("app", message), slog.String("code", "replayed"), slog.String("environment", env), slog.String("mode", "report"),
				slog.String("path", path), slog.Duration("skew", 3*time.Second), slog.String("api", value()))
			if err := handler(&out).Handle(context.Background(), r); err != nil {
				t.Fatal(err)
			}
			got, more, found := servicelog.First(out.String())
			if name == "json" {
				env, path = string([]rune(env)), string([]rune(path)) // replaces invalid UTF-8, as the handler does
			}
			same := func(a, b string) bool {
				return strings.ReplaceAll(a, "\x1b[31m", "") == strings.ReplaceAll(b, "\x1b[31m", "")
			}
			if !found || more || !same(got.Environment, env) || !same(got.Path, path) || got.Code != "replayed" || got.Kind != servicelog.WouldRefuse ||
				got.Skew != 3*time.Second || got.Time.Hour() != 12 {
				t.Fatalf("%s: got %+v (%v, %v), want environment %q, path %q\n%s", name, got, found, more, env, path, out.String())
			}
		}
	}
}

// TestTimes_T188: the time is that of the record, of the words before it, or of the
// envelope.
func TestTimes_T188(t *testing.T) {
	const rest = `"code":"replayed","environment":"e","mode":"report"}`
	for in, want := range map[string]string{
		`{"time":"2026-01-15T12:00:00.5Z",` + rest:                                                   "2026-01-15T12:00:00.5Z",
		`{"@timestamp":"2026-01-15T14:00:00+02:00",` + rest:                                          "2026-01-15T12:00:00Z",
		`{"when":"2026-01-15T12:00:00Z",` + rest:                                                     "2026-01-15T12:00:00Z",
		`{"ts":1768478400.25,` + rest:                                                                "2026-01-15T12:00:00.25Z",
		`{"ts":1.7684784e9,` + rest:                                                                  "2026-01-15T12:00:00Z",
		`{"timestamp":1768478400250,` + rest:                                                         "2026-01-15T12:00:00.25Z",
		`{"__REALTIME_TIMESTAMP":"1768478400250000",` + rest:                                         "2026-01-15T12:00:00.25Z",
		`{"timestamp":"1768478400250000000",` + rest:                                                 "2026-01-15T12:00:00.25Z",
		"2026-01-15T12:00:00.5Z app {" + rest:                                                        "2026-01-15T12:00:00.5Z",
		"2026/01/15 12:00:00 WARN x code=replayed environment=e mode=report":                         "2026-01-15T12:00:00Z",
		`{"time":"2026-01-15T12:00:00Z","log":"code=replayed environment=e mode=report` + ` a=b\n"}`: "2026-01-15T12:00:00Z",
		`{"time":true,` + rest:                                                                       "0001-01-01T00:00:00Z",
	} {
		r, _, found := servicelog.First(in)
		if got := r.Time.UTC().Format(time.RFC3339Nano); !found || got != want {
			t.Errorf("%s: got %s (%v), want %s", in, got, found, want)
		}
	}
}

// TestCodes_T188: for every code of core, a record is recognized by its code, with any
// message.
func TestCodes_T188(t *testing.T) {
	source, err := os.ReadFile("../../../../core/code.go")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^\s+Code\w+\s+(?:Code\s+)?= "([a-z_]+)"$`).FindAllStringSubmatch(string(source), -1)
	if len(found) < 17 {
		t.Fatalf("only %d codes were found", len(found))
	}
	for _, code := range found {
		r, _, ok := servicelog.First("code=" + code[1] + " mode=report msg=x")
		if !ok || r.Kind != servicelog.WouldRefuse || r.Code != code[1] {
			t.Errorf("%s: got %+v", code[1], r)
		}
	}
}
