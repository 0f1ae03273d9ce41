package summary_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
)

// wrap is a program that puts each line into an envelope.
type wrap struct {
	name  string
	clear bool
	do    func(lines []string, rnd *rand.Rand) string
}

func each(do func(line string) string) func([]string, *rand.Rand) string {
	return func(lines []string, _ *rand.Rand) string {
		var b strings.Builder
		for _, l := range lines {
			b.WriteString(do(strings.TrimSuffix(l, "\n")) + "\n")
		}
		return b.String()
	}
}

func quoted(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// raw returns a line as a JSON value: unchanged if it is JSON.
func raw(line string) string {
	if json.Valid([]byte(line)) {
		return line
	}
	return quoted(line)
}

func numbers(line string) string {
	return strings.Join(strings.Fields(fmt.Sprint([]byte(line))), ",")
}

func indented(text string) string {
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(text), "", "  "); err != nil {
		panic(err)
	}
	return b.String()
}

const stamp = "2026-01-15T12:00:00.000000000Z"

var wraps = []wrap{
	{"nothing", true, each(func(l string) string { return l })},
	{"CRLF", true, each(func(l string) string { return l + "\r" })},
	{"docker json-file", true, each(func(l string) string {
		return `{"log":` + quoted(l+"\n") + `,"stream":"stderr","time":"` + stamp + `"}`
	})},
	{"docker, in parts", true, func(lines []string, rnd *rand.Rand) string {
		return inParts(lines, rnd, func(text string, last bool) string {
			if last {
				text += "\n"
			}
			return `{"log":` + quoted(text) + `,"stream":"stderr","time":"` + stamp + `"}`
		})
	}},
	{"Kubernetes", true, each(func(l string) string { return stamp + " stderr F " + l })},
	{"Kubernetes, in parts", true, func(lines []string, rnd *rand.Rand) string {
		return inParts(lines, rnd, func(text string, last bool) string {
			return stamp + " stderr " + map[bool]string{true: "F ", false: "P "}[last] + text
		})
	}},
	{"docker logs -t", true, each(func(l string) string { return stamp + " " + l })},
	{"docker compose", true, each(func(l string) string { return "\x1b[36mweb-1  | \x1b[0m" + l })},
	{"kubectl --prefix", true, each(func(l string) string { return "[pod/orders-6d4cf56db6-x7k2p/app] " + l })},
	{"stern", true, each(func(l string) string { return "\x1b[1;36morders-6d4c\x1b[0m \x1b[36mapp\x1b[0m " + l })},
	{"journalctl -o short", true, each(func(l string) string { return "Jan 15 12:00:00 host-1 orders[4711]: " + l })},
	{"journalctl -o json", true, each(func(l string) string {
		return `{"__REALTIME_TIMESTAMP":"1768478400000000","_HOSTNAME":"host-1","PRIORITY":"6","MESSAGE":` + quoted(l) + `}`
	})},
	{"journalctl -o json, bytes", true, each(func(l string) string { return `{"_PID":"1","MESSAGE":[` + strings.Trim(numbers(l), "[]") + `]}` })},
	{"journalctl -o json-pretty", true, each(func(l string) string { return indented(`{"_HOSTNAME":"host-1","MESSAGE":` + quoted(l) + `}`) })},
	{"Fluent Bit, parsed", true, each(func(l string) string { return `{"stream":"stderr","kubernetes":{"host":"n1"},"log":` + raw(l) + `}` })},
	{"Fluent Bit", true, each(func(l string) string { return `{"date":1768478400.25,"log":` + quoted(l) + `}` })},
	{"CloudWatch", true, func(lines []string, _ *rand.Rand) string {
		var events []string
		for _, l := range lines {
			events = append(events, `{"timestamp":1768478400000,"message":`+quoted(strings.TrimSuffix(l, "\n"))+`}`)
		}
		return indented(`{"events":[`+strings.Join(events, ",")+`]}`) + "\n"
	}},
	{"Loki", true, each(func(l string) string {
		return `{"streams":[{"stream":{"app":"x"},"values":[["1768478400000000000",` + quoted(l) + `]]}]}`
	})},
	{"logcli", true, each(func(l string) string {
		return `{"labels":{"app":"x"},"line":` + quoted(l) + `,"timestamp":"` + stamp + `"}`
	})},
	{"a list", true, func(lines []string, _ *rand.Rand) string {
		var all []string
		for _, l := range lines {
			all = append(all, `{"jsonPayload":`+raw(strings.TrimSuffix(l, "\n"))+`}`)
		}
		return "[" + strings.Join(all, ",") + "]\n"
	}},
	{"a collector around Docker", true, each(func(l string) string {
		return `{"message":` + quoted(`{"log":`+quoted(l+"\n")+`,"stream":"stderr"}`) + `}`
	})},
	{"CSV", false, each(func(l string) string { return `"1","` + strings.ReplaceAll(l, `"`, `""`) + `"` })},
	{"escaped", false, each(func(l string) string { return strings.Trim(quoted(l), `"`) })},
	{"base64", false, each(func(l string) string { return base64.StdEncoding.EncodeToString([]byte(l)) })},
}

// inParts splits long lines as container runtimes do.
func inParts(lines []string, rnd *rand.Rand, part func(text string, last bool) string) string {
	var b strings.Builder
	for _, l := range lines {
		l = strings.TrimSuffix(l, "\n")
		for len(l) > 100 {
			n := 50 + rnd.IntN(50)
			b.WriteString(part(l[:n], false) + "\n")
			l = l[n:]
		}
		b.WriteString(part(l, true) + "\n")
	}
	return b.String()
}

// strangers are lines of other programs.
var strangers = []string{
	`{"time":"2020-01-01T00:00:00Z","level":"INFO","msg":"something else","mode":"fast","code":"200"}`, `{"a":[1,2,{"b":"c=d e=f"}],"d":null}`,
	"plain words, and a {brace", "", "time=2020-01-01T00:00:00Z level=INFO msg=started mode=debug", `127.0.0.1 - - [15/Jan/2026] "GET /?a=b HTTP/1.1" 200 12 "-" "curl/8"`,
	"\tmain.go:12 +0x1b", "[]", "{}", "{x y}", `{"level":"error","body":"{\"half\": "}`,
}
