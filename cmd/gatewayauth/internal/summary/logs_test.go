package summary_test

import (
	"fmt"
	"log"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/cmd/gatewayauth/internal/summary"
	"github.com/gatewayauth/gatewayauth/internal/needs"
)

var fallback = slog.Default() // the logger of package log

// handlers are the handlers of slog.
var handlers = []struct {
	name string
	make func(*locked, func([]string, slog.Attr) slog.Attr) *slog.Logger
}{
	{"json", func(out *locked, replace func([]string, slog.Attr) slog.Attr) *slog.Logger {
		return slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: replace}))
	}},
	{"text", func(out *locked, replace func([]string, slog.Attr) slog.Attr) *slog.Logger {
		return slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: replace}))
	}},
	{"default", func(out *locked, _ func([]string, slog.Attr) slog.Attr) *slog.Logger {
		log.SetOutput(out)
		slog.SetLogLoggerLevel(slog.LevelDebug)
		return fallback
	}},
}

func renamed(names map[string]string) func([]string, slog.Attr) slog.Attr {
	return func(groups []string, a slog.Attr) slog.Attr {
		if name, ok := names[a.Key]; ok && len(groups) == 0 {
			a.Key = name
		}
		return a
	}
}

// replacements are typical ReplaceAttr functions. If clear is set, the fields of the
// verifier can still be recognized, and must be read.
var replacements = []struct {
	name    string
	clear   bool
	replace func([]string, slog.Attr) slog.Attr
}{
	{"none", true, nil},
	{"GCP", true, renamed(map[string]string{"time": "timestamp", "level": "severity", "msg": "message"})},
	{"zap", true, func(groups []string, a slog.Attr) slog.Attr {
		switch {
		case len(groups) > 0:
		case a.Key == slog.TimeKey:
			return slog.Float64("ts", float64(a.Value.Time().UnixMicro())/1e6)
		case a.Key == slog.LevelKey:
			return slog.String("lvl", strings.ToLower(a.Value.String()))
		}
		return a
	}},
	{"without time and level", true, func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey) {
			return slog.Attr{}
		}
		return a
	}},
	{"upper case", true, func(_ []string, a slog.Attr) slog.Attr { a.Key = strings.ToUpper(a.Key); return a }},
	{"strings", true, func(_ []string, a slog.Attr) slog.Attr { return slog.String(a.Key, a.Value.String()) }},
	{"hides secrets", true, func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == "secret" || a.Key == "key" || a.Key == "key_id" {
			a.Value = slog.StringValue("***")
		}
		return a
	}},
	{"without messages", false, func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && a.Key == slog.MessageKey {
			return slog.Attr{}
		}
		return a
	}},
	{"without codes", false, func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == "code" {
			return slog.Attr{}
		}
		return a
	}},
	{"without modes", false, func(_ []string, a slog.Attr) slog.Attr {
		if strings.EqualFold(a.Key, "mode") {
			return slog.Attr{}
		}
		return a
	}},
	{"all renamed", false, func(_ []string, a slog.Attr) slog.Attr { a.Key = "x_" + a.Key; return a }},
	{"messages and codes changed", false, func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == "code" || a.Key == slog.MessageKey {
			a.Value = slog.StringValue("*")
		}
		return a
	}},
}

// TestSummariesAreTrue_T188: with any handler and any envelope around its records, the
// summary has the counts of the observers, or no all-clear.
func TestSummariesAreTrue_T188(t *testing.T) {
	const rounds = 3
	defer log.SetOutput(log.Writer())
	rnd := rand.New(rand.NewPCG(1, 2))
	attrs := []any{slog.String("service", "a b=\"c\""), slog.String("environment", "eu-1"), slog.String("host", "pod-1"), slog.String("code", "OK"),
		slog.Group("http", slog.String("method", "x"), slog.Int("status", 200)), slog.String("mode", "fast"), slog.Any("list", []int{1})}
	read, doubted := 0, 0
	for i, h := range handlers {
		for j, replacement := range replacements {
			if h.name == "default" && replacement.name != "none" {
				continue
			}
			for round := range rounds {
				if (i+j+round)%needs.Rounds(3, 1) != 0 {
					continue
				}
				grouped := round > 0 && rnd.IntN(2) == 0
				limit := []int{1000, 2}[rnd.IntN(2)]
				s := serve(t, "prod", 12, limit, rnd, func(out *locked) *slog.Logger {
					l := h.make(out, replacement.replace)
					rnd.Shuffle(len(attrs), func(i, j int) { attrs[i], attrs[j] = attrs[j], attrs[i] })
					if round > 0 {
						l = l.With(attrs[:rnd.IntN(len(attrs)+1)]...)
					}
					if grouped {
						l = l.WithGroup("auth").WithGroup("v.1")
					}
					return l
				})
				for _, w := range wraps {
					lines := s.lines
					if round == 2 {
						lines = nil
						for _, l := range s.lines {
							lines = append(lines, strangers[rnd.IntN(len(strangers))]+"\n", l)
						}
					}
					text := w.do(lines, rnd)
					sum, err := summary.Read(strings.NewReader(text))
					if err != nil {
						t.Fatal(err)
					}
					name := fmt.Sprintf("%s, %s, in %s, round %d", h.name, replacement.name, w.name, round)
					if sum.Why != "" {
						doubted++
						if replacement.clear && w.clear && s.truth.verified > 0 {
							t.Errorf("%s: %s\n%s", name, sum.Why, text)
						}
						continue
					}
					read++
					if sum.WouldRefuse != s.truth.refused || sum.Verified != s.truth.verified || sum.AllClear != (s.truth.refused == 0) {
						t.Fatalf("%s: got %d refused and %d accepted, want %d and %d\n%s", name, sum.WouldRefuse, sum.Verified, s.truth.refused, s.truth.verified, text)
					}
					if !replacement.clear {
						continue
					}
					codes := map[string]int64{}
					for _, g := range sum.Groups {
						codes[g.Code] += g.Count
					}
					for code, n := range sum.Suppressed {
						codes[code] += n
					}
					if sum.Open != s.truth.open || fmt.Sprint(codes) != fmt.Sprint(s.truth.codes) || len(sum.Environments) != 1 || sum.Environments[0].Name != "prod" {
						t.Errorf("%s: got %v, %d open, want %v, %d\n%+v", name, codes, sum.Open, s.truth.codes, s.truth.open, sum.Environments[0])
					}
				}
			}
		}
	}
	if read < 100 || doubted < 50 {
		t.Errorf("only %d logs were summarized, and %d had no all-clear", read, doubted)
	}
}

// TestCutLogs_T188: if lines are cut at a limit, or the log ends anywhere, the summary
// has the counts of the remaining records, or no all-clear.
func TestCutLogs_T188(t *testing.T) {
	defer log.SetOutput(log.Writer())
	rnd := rand.New(rand.NewPCG(3, 4))
	for _, h := range handlers {
		s := serve(t, "prod", 30, 1000, rnd, func(out *locked) *slog.Logger { return h.make(out, nil) })
		check := func(what, text string, whole int, suspect bool) {
			t.Helper()
			want := truth{codes: map[string]int64{}}
			for _, e := range s.events[:whole] {
				if e != nil {
					want.count(e)
				}
			}
			sum, err := summary.Read(strings.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			// The line that was cut may be counted.
			if sum.Why == "" && (sum.WouldRefuse < want.refused || sum.WouldRefuse > want.refused+1 || sum.Verified > want.verified+1) {
				t.Fatalf("%s, %s: got %d refused, %d accepted, want %d, %d\n%s", h.name, what, sum.WouldRefuse, sum.Verified, want.refused, want.verified, text)
			}
			if sum.Why == "" && suspect && sum.WouldRefuse == want.refused && sum.Verified+sum.Open == want.verified+want.open {
				t.Fatalf("%s, %s: the last line was not noticed\n%s", h.name, what, text)
			}
		}
		all := strings.Join(s.lines, "")
		for range needs.Rounds(60, 300) {
			end := rnd.IntN(len(all))
			whole, at := 0, 0
			for at+len(s.lines[whole]) <= end {
				at += len(s.lines[whole])
				whole++
			}
			check(fmt.Sprintf("ended at %d", end), all[:end], whole, end-at > 20)
		}
		for limit := 20; limit < 400; limit += needs.Rounds(7, 1) {
			cut := each(func(l string) string { return l[:min(len(l), limit)] })(s.lines, rnd)
			check(fmt.Sprintf("cut at %d", limit), cut, len(s.events), false)
		}
	}
}
