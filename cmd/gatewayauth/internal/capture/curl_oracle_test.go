package capture_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gatewayauth/gatewayauth/cmd/gatewayauth/internal/capture"
	"github.com/gatewayauth/gatewayauth/internal/needs"
)

// received is a request as a server receives it.
type received struct {
	line, host, body string
	header           http.Header
}

// realCurl runs commands with bash and the installed curl, and records what a server
// receives.
type realCurl struct {
	bash, dir, address string
	got                chan *received
}

func newRealCurl(t *testing.T) *realCurl {
	needs.Program(t, "curl", "curl")
	c := &realCurl{bash: needs.Program(t, "bash", "bash"), dir: t.TempDir(), got: make(chan *received, 16)}
	for name, content := range map[string]string{"file": "a b&c\r\nd=é\n", "headers": "X-File: 1\r\n# comment\n\nX-Other: 2\n", "empty": ""} {
		if err := os.WriteFile(filepath.Join(c.dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c.address = l.Addr().String()
	var open sync.WaitGroup
	open.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			open.Go(func() { c.serve(conn) })
		}
	})
	t.Cleanup(func() { l.Close(); open.Wait() })
	return c
}

func (c *realCurl) serve(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	r, err := http.ReadRequest(in)
	if err != nil {
		c.got <- &received{line: err.Error()}
		return
	}
	if r.Header.Get("Expect") != "" {
		io.WriteString(conn, "HTTP/1.1 100 Continue\r\n\r\n")
	}
	body, _ := io.ReadAll(r.Body)
	c.got <- read(r, body)
	io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

func read(r *http.Request, body []byte) *received {
	header := r.Header.Clone()
	if len(r.TransferEncoding) > 0 {
		header["Transfer-Encoding"] = r.TransferEncoding
	}
	return &received{line: r.Method + " " + r.RequestURI, host: r.Host, body: string(body), header: header}
}

// send runs a command. It returns nil unless exactly one request was sent.
func (c *realCurl) send(command string) (*received, string) {
	cmd := exec.Command(c.bash, "-c", command)
	cmd.Dir, cmd.Env = c.dir, []string{"HOME=" + c.dir, "PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8"}
	out, err := cmd.CombinedOutput()
	var all []*received
	for len(c.got) > 0 {
		all = append(all, <-c.got)
	}
	if err != nil || len(all) != 1 {
		return nil, fmt.Sprintf("%d requests, %v: %s", len(all), err, out)
	}
	return all[0], ""
}

// parse parses the same command.
func (c *realCurl) parse(command string) (*received, error) {
	r, err := capture.Parse([]byte(command), capture.Options{Format: "curl", Open: func(name string) (io.ReadCloser, error) {
		return os.Open(filepath.Join(c.dir, filepath.Base(name)))
	}})
	if err != nil {
		return nil, err
	}
	return read(r.Request, r.Body), nil
}

// compare fails the test if Parse returns another request than curl sends. unsaid are
// headers whose values are not in the command. It returns whether the two agree on a
// request.
func (c *realCurl) compare(t *testing.T, command string, unsaid ...string) bool {
	t.Helper()
	want, why := c.send(command)
	got, err := c.parse(command)
	switch {
	case err != nil && want == nil:
		return false
	case err != nil:
		if !namedHere.MatchString(err.Error()) {
			t.Errorf("%s\ncurl sends a request, and Parse returns the error %v", command, err)
		}
		return false
	case want == nil:
		t.Errorf("%s\nParse returns %q, and curl sends no request or several: %s", command, got.line, why)
		return false
	}
	if strings.HasPrefix(want.header.Get("User-Agent"), "curl/") {
		want.header.Del("User-Agent")
	}
	for _, name := range unsaid {
		want.header.Del(name)
	}
	if got.line != want.line || got.host != want.host || got.body != want.body || !maps.EqualFunc(got.header, want.header, slices.Equal) {
		t.Errorf("%s\ngot  %+v\ncurl %+v", command, got, want)
	}
	return true
}

// namedHere matches the errors for requests that curl sends and Parse does not support.
var namedHere = regexp.MustCompile(`is not ASCII|differ|together with|is a number|is not a header|percent-encoded|contains whitespace|has another length|no such file|several words|is a directory|is given twice|before a space`)

// TestCurlSends_T187: Parse returns the request that curl sends, for each option.
func TestCurlSends_T187(t *testing.T) {
	c := newRealCurl(t)
	agreed := 0
	for _, row := range oracleRows {
		command, unsaid, _ := strings.Cut(row, " ### ")
		if c.compare(t, strings.ReplaceAll(command, "U/", "http://"+c.address+"/"), strings.Fields(unsaid)...) {
			agreed++
		}
	}
	if agreed < len(oracleRows)*2/3 {
		t.Errorf("curl and the parser agree on %d requests of %d commands", agreed, len(oracleRows))
	}
}

// TestCurlProperty_T187: for commands with random options, values and quotes, Parse
// returns the request that curl sends, or an error with the reason.
func TestCurlProperty_T187(t *testing.T) {
	c := newRealCurl(t)
	commands := needs.Rounds(50, 150)
	random := rand.New(rand.NewPCG(1, 187))
	agreed := 0
	for range commands {
		command := randomCommand(random, c.address)
		if c.compare(t, command, "Expect", "Accept-Encoding") {
			agreed++
		}
	}
	if agreed < commands/2 {
		t.Errorf("curl and the parser agree on %d requests of %d commands", agreed, commands)
	}
}

func randomCommand(random *rand.Rand, address string) string {
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	value := func() string {
		var b strings.Builder
		for range random.IntN(5) {
			b.WriteString(pick("a", "b=1", "&", " ", "'", `"`, `\`, "$X", "`", "!", "é", "😀", "%2F", "%", "+", "@", "#", ";", "{", "}", ",", "~", "*", "?", "(", "-", "\t"))
		}
		return b.String()
	}
	options := []func() []string{
		func() []string { return []string{"-d", pick(value(), "@file", "@empty", value()+"\n"+value())} },
		func() []string { return []string{pick("--data-binary", "--data-ascii"), pick(value(), "@file")} },
		func() []string { return []string{"--data-raw", value()} },
		func() []string { return []string{"--json", pick(value(), "@file")} },
		func() []string { return []string{"--data-urlencode", pick(value(), "n="+value(), "n@file")} },
		func() []string {
			return []string{"-H", pick("X-A: "+value(), "X-B:"+value(), "X-C;", "Accept:", "Content-Type: "+value(), "Host: x", "Cookie: q=1", "Authorization: "+value())}
		},
		func() []string { return []string{"-u", "u:" + value()} },
		func() []string { return []string{"-b", "c=" + value()} },
		func() []string { return []string{"-A", value()} },
		func() []string { return []string{"-e", value()} },
		func() []string { return []string{"-X", pick("GET", "PUT", "PATCH", "DELETE")} },
		func() []string {
			return []string{pick("-G", "--get", "--compressed", "-k", "-sS", "--path-as-is", "-g", "-L", "--http1.1")}
		},
		func() []string { return []string{"-o", "/dev/null"} },
		func() []string { return []string{"--url-query", pick("a="+value(), "+raw", value())} },
		func() []string { return []string{"-I"} },
		func() []string { return []string{"-T", "file"} },
	}
	words := []string{"--url", "http://" + pick("", "u:p@", "u%41@") + address + pick("/", "", "/a/b", "/a/../b/./c", "/a%20b?x=1&y=%2F", "?q", "/x?", "/{a}", "/a//b/..", "/x#f", "/x?a=b&", "/(a);*'!$")}
	var rest [][]string
	for range 1 + random.IntN(4) {
		o := options[random.IntN(len(options)-random.IntN(3))]()
		rest = append(rest, o)
	}
	at := random.IntN(len(rest) + 1)
	command := "curl -s -m 5"
	for _, o := range append(append(append([][]string{}, rest[:at]...), words), rest[at:]...) {
		command += pick(" ", " ", " \\\n  ")
		if joined := len(o) == 2 && len(o[0]) == 2 && o[1] != "" && random.IntN(4) == 0; joined {
			command += o[0] + quoted(random, o[1])
			continue
		}
		command += o[0]
		for _, v := range o[1:] {
			command += " " + quoted(random, v)
		}
	}
	return command + pick("", "", "\n", " 2>/dev/null", " | cat", " # end", "; true")
}

// quoted quotes a text in one of the ways of a shell.
func quoted(random *rand.Rand, text string) string {
	switch random.IntN(4) {
	case 0:
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`").Replace(text) + `"`
	case 1:
		var b bytes.Buffer
		b.WriteString("$'")
		for _, r := range text {
			switch {
			case r == '\'' || r == '\\':
				b.WriteString(`\` + string(r))
			case r == '\n':
				b.WriteString(`\n`)
			case r < ' ' || r == '!':
				fmt.Fprintf(&b, `\%03o`, r)
			case r > 0xffff:
				fmt.Fprintf(&b, `\U%08x`, r)
			case r > 0x7f:
				fmt.Fprintf(&b, `\u%04x`, r)
			default:
				b.WriteRune(r)
			}
		}
		return b.String() + "'"
	case 2:
		if text != "" && !strings.Contains(text, "\n") {
			var b strings.Builder
			for _, r := range text {
				if strings.ContainsRune(" \t'\"\\$`!&;#{}~*?(,", r) {
					b.WriteByte('\\')
				}
				b.WriteRune(r)
			}
			return b.String()
		}
	}
	return capture.Quote(text)
}
